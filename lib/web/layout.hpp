// What all pages share: head, bar, notices, marks, dates. For the pages' sources only.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "lib/web/html.hpp"
#include "lib/web/pages.hpp"
#include "lib/web/words.hpp"

namespace sgl::web::layout {

struct Page {
    std::string_view title;
    std::string_view kind;      ///< class of <body>
    unsigned refresh_seconds{}; ///< the script fetches the page again; 0: never
};

std::string page(const Frame& frame, const Page& page, const std::optional<Notice>& notice,
                 const std::function<void(Html&)>& content);

void csrf_field(Html& h, const Frame& frame);
/// Sign for the eye with its words; `shown` words stand beside, else they are for screen readers and the tooltip.
void mark(Html& h, const Mark& mark, bool shown = false, std::string_view prefix = {});
void letter_mark(Html& h, domain::Channel channel, domain::LetterState state, domain::Reason reason);
/// `21/11/2026 22:08` at the site; `site` unknown: Paris.
std::string moment(const Frame& frame, domain::SiteId site, Instant at);
const TimeZone& zone(const Frame& frame, domain::SiteId site);
std::string site_name(const Frame& frame, domain::SiteId site);
std::string moment(const TimeZone& zone, Instant at);
/// Who he is: names, birth, sex, age at `at`; beside, the status of his identity, his INS and his number.
void person(Html& h, const domain::Patient& patient, const Timestamp& at);
std::string moment(const Timestamp& local);  ///< the same to the precision held
/// Retry, hold, abandon, where the state allows them and the user may.
/// A reason and a button, posted to `path` of ours.
void reason_form(Html& h, const Frame& frame, std::string_view path, std::string_view words);
void letter_actions(Html& h, const Frame& frame, const store::LetterLine& letter, std::string_view back);

}  // namespace sgl::web::layout

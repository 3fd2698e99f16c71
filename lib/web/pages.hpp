// The pages of the console: from what was read to HTML, in French. Pure: what they show is all in their arguments.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/store/console.hpp"
#include "lib/web/commands.hpp"

namespace sgl::web {

enum class Place : std::uint8_t { none, orders, patients, letters, work, account, about };

/// What surrounds each page.
struct Frame {
    const store::User* user{nullptr};  ///< nullptr: nobody is signed in
    std::string csrf;
    bool demonstration{};              ///< local accounts: every page says so
    bool production{};                 ///< environment of the instance; a test one says so
    Instant now;
    Place place{Place::none};
    std::optional<unsigned> open_work; ///< count beside « À traiter »
};

/// What the last act did, or why it was refused; shown on top of the page and announced.
struct Notice {
    bool good{};
    std::string text;
    std::string link;        ///< path on this server, or empty
    std::string link_words;
};

/// What a person sent when the session had already ended: goes through the sign-in, so that no text is lost.
struct Kept {
    std::string path;                                         ///< where it was sent, or the page that was asked for; or empty
    std::vector<std::pair<std::string, std::string>> fields;  ///< as typed, without the session's token
};
std::string sign_in_page(const Frame& frame, const std::string& login, const Kept& kept, const std::optional<Notice>& notice);
/// After the sign-in: what was typed, to be read again and sent by the person.
std::string kept_page(const Frame& frame, const Kept& kept);

struct WorklistChoice {
    store::WorklistFilter filter{store::WorklistFilter::to_validate};
    std::optional<domain::SiteId> site;
    store::WorklistNarrow narrow;
};
/// What the address of the list says, and back: `etat=a-valider&critique=1&depuis=4`. What is not understood is not asked.
WorklistChoice worklist_choice(const std::vector<std::pair<std::string, std::string>>& query);
std::string worklist_query(const WorklistChoice& choice);
std::string worklist_page(const Frame& frame, const store::Worklist& list, const WorklistChoice& choice,
                          const store::WorklistFacets& facets, const std::vector<store::SavedFilter>& saved,
                          const std::optional<Notice>& notice);

struct OrderScreen {
    store::OrderView order;
    std::optional<Draft> draft;         ///< absent: `draft_error` says why
    std::string draft_error;
    bool may_validate{};
    bool may_set_aside{};               ///< a held result, with a reason
    std::string why_not;                ///< in French, when it may not
    std::string comment;                ///< typed before a refusal: never lost
    std::string reason;                 ///< of a new version, likewise
    std::vector<std::string> changes;   ///< what changed since the screen that was refused
};
std::string order_page(const Frame& frame, const OrderScreen& screen, const std::optional<Notice>& notice);

std::string report_page(const Frame& frame, const store::ReportView& report, const std::optional<Notice>& notice);
std::string letters_page(const Frame& frame, const store::Letters& letters, const store::LetterFilter& filter,
                         const std::optional<Notice>& notice);
std::string work_items_page(const Frame& frame, const store::WorkItems& items, const std::optional<Notice>& notice);
std::string account_page(const Frame& frame, const Account& account);
std::string about_page(const Frame& frame, const store::InstanceView& instance);
/// `title` and `text` in French, from a closed set of ours.
std::string error_page(const Frame& frame, unsigned status, const std::string& title, const std::string& text);

}  // namespace sgl::web

// What the console says in French: ages, delays, statuses, signs. Signs carry the meaning, colour only repeats it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lib/domain/letter.hpp"
#include "lib/domain/order.hpp"
#include "lib/domain/plan.hpp"
#include "lib/store/console.hpp"

namespace sgl::web {

/// `47 ans`, `8 mois`, `12 jours`, empty when the date is not known to the day (a year alone gives `env. 47 ans`).
std::string age(const std::optional<Timestamp>& birth_date, const Timestamp& at);
/// `4 min`, `2 h 05`, `3 j`; negative delays are 0.
std::string delay(Duration lasting);
std::string french(domain::OrderState state);
std::string_view french(domain::Sex sex);         ///< féminin…
std::string_view short_french(domain::Sex sex);   ///< F, M, ?
std::string_view french(store::Role role);
std::string full_name(const domain::Professional& person);
std::string grouped_ins(std::string_view matricule);  ///< 2 79 03 51 215 189 89

/// Class of the stylesheet, sign, and words: what a mark shows, to whom sees and who hears.
struct Mark {
    std::string_view kind;   ///< ok, note, warn, bad, off
    std::string_view sign;
    std::string_view words;
};
Mark mark(domain::Flag flag);
Mark mark(domain::Verdict verdict);  ///< what the rules say of a result
Mark mark(domain::LetterState state);
Mark identity_mark(const domain::Patient& patient);
std::string_view short_french(domain::Channel channel);  ///< DMP, MSS, MES, DPI

/// The kinds of work to do that the line writes; an unknown one is shown as it is.
std::string work_kind(std::string_view kind);

/// Codes of errors of the draft, in words for a biologist: `report.specimens[0].collected_at`…
std::string missing_words(const Error& error);
/// Who did something, as the trace names him: a login, sgld itself, a link, a command of IT.
std::string actor_words(std::string_view actor);

}  // namespace sgl::web

// Rows of letters whoever writes them: their identifiers; those that wait and are stopped, for a person or for good, in
// one statement of the transaction that found why.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "lib/domain/letter.hpp"
#include "lib/store/pg/params.hpp"

/// Ends a query that begins with "with waiting as (select l.id, l.state as before from … letter l … where …": of
/// letters that are due or tried again. Letters on their way are asked for by nobody but their worker. A macro, because
/// SQL is put together by the compiler only. Its parameters are those of `stop_params`.
#define SGL_STOP_LETTERS                                                                                       \
    "for update of l), held as (update letter l set state = $2, reason = $3 from waiting w where l.id = w.id " \
    "returning l.id, w.before, l.attempts, l.legal_entity_id, l.site_id) "                                     \
    "insert into letter_event (letter_id, legal_entity_id, site_id, at, actor, from_state, to_state, reason, " \
    "attempt, detail) "                                                                                        \
    "select id, legal_entity_id, site_id, $4, $5, before, $2, $3, attempts, $6 from held"

namespace sgl::store {

/// Version 5 in a name space of letters: "<version>/<variant>/<channel>/<recipient>/<act>" (design D7).
inline Uuid letter_id(domain::ReportVersionId version, std::string_view channel, std::string_view recipient,
                      domain::Act act) {
    constexpr Uuid space{
        {0x2f, 0x7c, 0x1a, 0x90, 0x44, 0x8e, 0x4b, 0x07, 0x83, 0x5d, 0xe2, 0x19, 0x6b, 0x0a, 0x77, 0xc4}};
    return Uuid::v5(space, to_string(version.value()) + "/professional/" + std::string(channel) + "/" +
                               std::string(recipient) + "/" + std::string(to_string(act)));
}

/// $1: what names the letters; $2 to $6: what they become, when, who stops them and why, without patient data; then
/// what else the query asks for.
template <class Named, class... More>
pg::Params stop_params(const Named& named, const domain::LetterEvent& event, Instant now, std::string_view actor,
                       std::string_view why, const More&... more) {
    const auto stopped = domain::decide(domain::LetterFacts{}, event, {}, {}).value();  // design D7
    return pg::params(named, to_string(stopped.state), to_string(stopped.reason), now, actor, why, more...);
}

}  // namespace sgl::store

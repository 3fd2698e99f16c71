// What the console's sources read alike: names, states, lines of reports, and the trace of who read.
#pragma once

#include <string>
#include <string_view>

#include "lib/store/audit.hpp"
#include "lib/store/codec.hpp"
#include "lib/store/console.hpp"
#include "lib/store/pg/pool.hpp"

namespace sgl::store::console_rows {

inline pg::Scope scope_of(const Console::Sites& sites) {
    pg::Scope scope;
    for (const auto site : sites)
        scope.push_back(site.value());
    return scope;
}

inline std::string person_name(const boost::json::value& person) {
    const auto title = codec::member(person, "title");
    std::string name = title == "DR" ? "Dr" : title == "PR" ? "Pr" : "";
    for (const auto& part : {codec::member(person, "given"), codec::member(person, "family")}) {
        if (part.empty()) continue;
        if (!name.empty()) name += ' ';
        name += part;
    }
    return name;
}

inline domain::OrderState order_state(std::string_view text) {
    using domain::OrderState;
    for (const auto state : {OrderState::registered, OrderState::in_progress, OrderState::partially_reported,
                             OrderState::fully_validated, OrderState::reported, OrderState::cancelled}) {
        if (to_string(state) == text) return state;
    }
    throw std::runtime_error("a stored state of an order can't be read");
}

inline ReportLine report_line(const pg::Row& row, int at) {
    ReportLine line;
    line.id = domain::ReportVersionId{row.uuid(at)};
    line.version = static_cast<unsigned>(row.int32(at + 1));
    line.state = row.string(at + 2);
    line.validated_at = row.instant(at + 3);
    line.validator = person_name(codec::parse(row.text(at + 4)));
    line.published_at = row.optional_instant(at + 5);
    line.refusal = row.optional_text(at + 6).value_or("");
    line.kind = row.string(at + 7);
    return line;
}

/// Where a person's read of a patient is written down (SEC-66).
inline pg::Step read_by(const User& reader, domain::LegalEntityId entity, domain::SiteId site, std::string_view action,
                        std::string object, const Uuid& patient, Instant now) {
    AuditEvent event;
    event.legal_entity = entity;
    event.site = site;
    event.actor = "user:" + reader.login;
    event.action = std::string(action);
    event.object = std::move(object);
    event.payload = codec::text({{"patient", to_string(patient)}, {"user", reader.id.value()}});
    std::vector<AuditEvent> events;
    events.push_back(std::move(event));
    return audit(events, now);
}

}  // namespace sgl::store::console_rows

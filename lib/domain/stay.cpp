#include "lib/domain/stay.hpp"

namespace sgl::domain {

namespace {

bool older(const std::optional<Instant>& said, const std::optional<Instant>& known) {
    return known && (!said || *said < *known);
}

void take(std::string& known, const std::string& said) {
    if (!said.empty()) known = said;
}

}  // namespace

std::string_view to_string(Movement::Action action) {
    switch (action) {
        case Movement::Action::insert:
            return "INSERT";
        case Movement::Action::update:
            return "UPDATE";
        case Movement::Action::cancel:
            return "CANCEL";
    }
    return "";
}

std::string_view to_string(StayStatement::Event event) {
    switch (event) {
        case StayStatement::Event::planned:
            return "planned";
        case StayStatement::Event::admitted:
            return "admitted";
        case StayStatement::Event::updated:
            return "updated";
        case StayStatement::Event::discharged:
            return "discharged";
        case StayStatement::Event::admission_cancelled:
            return "admission_cancelled";
        case StayStatement::Event::discharge_cancelled:
            return "discharge_cancelled";
    }
    return "";
}

Stay::Decision Stay::decision() const {
    if (cancelled) return {};
    return discharged_at && at_discharge.opposed ? at_discharge : at_admission;
}

Stay change(const std::optional<Stay>& known, const StayStatement& said) {
    using Event = StayStatement::Event;
    Stay stay = known.value_or(Stay{});
    stay.number = said.number;
    // A historic movement tells where he was, not where he is.
    const bool historic = said.movement && said.movement->historic;
    const bool placed = !said.patient_class.empty() || !said.location.empty();
    if (placed && !historic && !older(said.said_at, stay.place_said_at)) {
        take(stay.patient_class, said.patient_class);
        take(stay.location, said.location);
        stay.place_said_at = said.said_at;
    }
    if (!older(said.said_at, stay.said_at)) stay.said_at = said.said_at;
    switch (said.event) {
        case Event::planned:
        case Event::admitted:
        case Event::admission_cancelled:
            if (older(said.said_at, stay.beginning_said_at)) break;
            stay.beginning_said_at = said.said_at;
            stay.cancelled = said.event == Event::admission_cancelled;
            stay.planned = said.event == Event::planned;
            if (said.begins && !stay.cancelled) stay.admitted_at = said.begins;
            break;
        case Event::discharged:
        case Event::discharge_cancelled:
            if (older(said.said_at, stay.end_said_at)) break;
            stay.end_said_at = said.said_at;
            if (said.event == Event::discharged)
                stay.discharged_at = said.ends ? said.ends : said.said_at;
            else
                stay.discharged_at.reset();
            break;
        case Event::updated:
            if (said.begins && !stay.beginning_said_at) stay.admitted_at = said.begins;
            break;
    }
    if (said.dmp) {
        auto& decision = said.event == Event::discharged ? stay.at_discharge : stay.at_admission;
        const auto at = said.dmp->decided_at ? said.dmp->decided_at : said.said_at;
        if (said.dmp->feeding != DmpWord::Feeding::not_asked && !older(at, decision.at)) {
            decision.opposed = said.dmp->feeding == DmpWord::Feeding::opposed;
            decision.at = at;
        }
        if (!older(said.said_at, stay.dmp_said_at)) {
            stay.dmp_said_at = said.said_at;
            take(stay.dmp_status, said.dmp->dmp_status);
            take(stay.consultation, said.dmp->consultation);
        }
    }
    return stay;
}

}  // namespace sgl::domain

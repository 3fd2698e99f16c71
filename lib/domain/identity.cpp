#include "lib/domain/identity.hpp"

#include <algorithm>

#include "lib/base/text.hpp"

namespace sgl::domain {

namespace {

std::string comparable(std::string_view name) {
    return replace_all(normalised_name(name), "-", " ");
}

std::string first_word(const std::string& name) {
    return name.substr(0, name.find(' '));
}

/// To the precision that both have.
bool same_day(const Timestamp& a, const Timestamp& b) {
    const auto precision = std::min({a.precision, b.precision, Precision::day});
    return a.year == b.year && (precision < Precision::month || a.month == b.month) &&
           (precision < Precision::day || a.day == b.day);
}

bool contradict(const std::string& known, const std::string& said) {
    return !known.empty() && !said.empty() && known != said;
}

void take(std::string& known, const std::string& said) {
    if (!said.empty()) known = said;
}

std::string kept_name(const std::string& name) {
    return normalised_name(name);
}

/// Names as they are kept, so that what is read back compares equal to what was said.
Traits as_kept(Traits traits) {
    traits.birth_name = kept_name(traits.birth_name);
    traits.birth_given_names = kept_name(traits.birth_given_names);
    traits.first_given_name = kept_name(traits.first_given_name);
    traits.used_name = kept_name(traits.used_name);
    traits.used_given_name = kept_name(traits.used_given_name);
    return traits;
}

Traits merged(Traits known, const Traits& said) {
    take(known.birth_name, said.birth_name);
    take(known.birth_given_names, said.birth_given_names);
    take(known.first_given_name, said.first_given_name);
    take(known.used_name, said.used_name);
    take(known.used_given_name, said.used_given_name);
    if (said.birth_date) known.birth_date = said.birth_date;
    if (said.sex != Sex::unknown) known.sex = said.sex;
    take(known.birth_place, said.birth_place);
    if (!said.address.lines.empty() || !said.address.city.empty()) known.address = said.address;
    take(known.phone, said.phone);
    return known;
}

bool same_strict(const Traits& a, const Traits& b) {
    return a.birth_name == b.birth_name && a.birth_given_names == b.birth_given_names &&
           a.first_given_name == b.first_given_name && a.birth_date == b.birth_date && a.sex == b.sex &&
           a.birth_place == b.birth_place;
}

/// Of name, day of birth and sex: two of them make it somebody else.
bool somebody_else(const Traits& known, const Traits& said) {
    int differences = 0;
    if (contradict(comparable(known.birth_name), comparable(said.birth_name))) ++differences;
    if (known.birth_date && said.birth_date && !same_day(*known.birth_date, *said.birth_date)) ++differences;
    if (known.sex != Sex::unknown && said.sex != Sex::unknown && known.sex != said.sex) ++differences;
    return differences >= 2;
}

bool document_checked(IdentityStatus status) {
    return status == IdentityStatus::validated || status == IdentityStatus::qualified;
}

/// PID-32 and the INS of PID-3 make the status (identity-and-directory 2).
IdentityStatus derived(bool validated, bool ins) {
    if (validated) return ins ? IdentityStatus::qualified : IdentityStatus::validated;
    return ins ? IdentityStatus::retrieved : IdentityStatus::provisional;
}

/// The identity without any INS.
void forget_ins(IdentityChange& to) {
    to.identity.patient.ins.reset();
}

}  // namespace

std::string_view to_string(Step step) {
    switch (step) {
        case Step::none:
            return "none";
        case Step::retrieved:
            return "retrieved";
        case Step::checked:
            return "checked";
        case Step::both:
            return "both";
        case Step::withdrawn:
            return "withdrawn";
        case Step::lost:
            return "lost";
        case Step::refused:
            return "refused";
    }
    return "";
}

std::string_view to_string(IdentityAct::Kind kind) {
    switch (kind) {
        case IdentityAct::Kind::state:
            return "state";
        case IdentityAct::Kind::merge:
            return "merge";
        case IdentityAct::Kind::renumber:
            return "renumber";
        case IdentityAct::Kind::link:
            return "link";
        case IdentityAct::Kind::unlink:
            return "unlink";
    }
    return "";
}

bool complete(const Traits& traits) {
    return !traits.birth_name.empty() && !traits.birth_given_names.empty() && !traits.first_given_name.empty() &&
           traits.birth_date && traits.birth_date->precision == Precision::day && traits.sex != Sex::unknown &&
           traits.birth_place.size() == 5;
}

std::vector<std::string> contradictions(const std::string& coordinate, const Traits& known, const Traits& said) {
    std::vector<std::string> places;
    if (contradict(comparable(known.birth_name), comparable(said.birth_name))) places.push_back(coordinate + "-5.1");
    if (contradict(first_word(comparable(known.first_given_name)), first_word(comparable(said.first_given_name))))
        places.push_back(coordinate + "-5.2");
    if (known.birth_date && said.birth_date && !same_day(*known.birth_date, *said.birth_date))
        places.push_back(coordinate + "-7");
    if (known.sex != Sex::unknown && said.sex != Sex::unknown && known.sex != said.sex)
        places.push_back(coordinate + "-8");
    if (contradict(known.birth_place, said.birth_place)) places.push_back(coordinate + "-11");
    return places;
}

IdentityStatement stated_by_order(const Patient& patient) {
    IdentityStatement said;
    said.source = IdentitySource::order;
    said.patient = patient;
    if (patient.ins) said.ins = IdentityStatement::InsWord::given;
    said.validated = document_checked(patient.status);
    said.reliability_said = said.validated || patient.doubtful || patient.fictitious;
    return said;
}

IdentityChange change(const std::optional<KnownIdentity>& known, const IdentityStatement& said) {
    using InsWord = IdentityStatement::InsWord;
    IdentityChange to;
    const auto told = [&](std::string kind, const std::string& place, std::string what) {
        to.troubles.push_back({std::move(kind), said.coordinate + place, std::move(what)});
    };
    const auto traits = as_kept(said.patient.traits.reveal());
    if (known) {
        to.identity = *known;
        const auto& before = known->patient.traits.reveal();
        if (said.source == IdentitySource::server && said.said_at && known->said_at &&
            *said.said_at < *known->said_at) {
            to.stale = true;
            return to;
        }
        const auto places = contradictions(said.coordinate, before, traits);
        if (said.source == IdentitySource::order && known->said_at && !places.empty()) {
            to.refused = true;
            to.troubles.push_back({"identity_mismatch", places.front(),
                                   "the identity of the order is not that of the identity server for this number"});
            return to;
        }
        if (document_checked(known->patient.status) && somebody_else(before, traits)) {
            to.refused = true;
            to.troubles.push_back({"identity_conflict", places.front(),
                                   "name, birth date and sex of a checked identity do not change together: nothing was "
                                   "changed"});
            return to;
        }
    } else {
        to.identity.patient.local_id = said.patient.local_id;
        to.identity.patient.local_authority_oid = said.patient.local_authority_oid;
    }
    auto& patient = to.identity.patient;
    auto& own = patient.traits.reveal();
    const Traits before = own;
    own = merged(own, traits);
    to.strict_changed = !known || !same_strict(before, own);
    const auto status_before = patient.status;
    const auto ins_before = patient.ins;
    patient.choices.dmp_opposed = patient.choices.dmp_opposed || said.patient.choices.dmp_opposed;
    patient.choices.messaging_opposed = patient.choices.messaging_opposed || said.patient.choices.messaging_opposed;
    if (said.source == IdentitySource::server && said.said_at) to.identity.said_at = said.said_at;
    if (said.reliability_said) {
        patient.doubtful = said.patient.doubtful;
        patient.fictitious = said.patient.fictitious;
        if (said.source == IdentitySource::server) to.identity.homonym = said.homonym;
    }

    // The status that the message means, and the INS that goes with it.
    const bool given = said.ins == InsWord::given && said.patient.ins.has_value();
    const bool same_ins = given && ins_before && *ins_before == *said.patient.ins;
    auto target = status_before;
    if (patient.doubtful || patient.fictitious) {
        target = IdentityStatus::provisional;
        if (ins_before && said.ins == InsWord::silent) told("ins_dropped", "-32", "a doubtful or fictitious identity keeps no INS");
        forget_ins(to);
    } else if (said.reliability_said || said.ins == InsWord::removed) {
        const bool validated = said.reliability_said ? said.validated : document_checked(status_before);
        target = derived(validated, given);
        patient.ins = given ? said.patient.ins : std::nullopt;
        if (!given && said.ins == InsWord::silent && ins_before)
            told("ins_lost", "-3", "the identity comes without the INS that it had: it was taken away");
    } else if (given && !same_ins) {
        target = IdentityStatus::retrieved;
        patient.ins = said.patient.ins;
    } else if (known && to.strict_changed && ins_before) {
        // Filling in what was not known changes no identity; another value does (1.4).
        if (!contradictions(said.coordinate, before, traits).empty()) {
            target = IdentityStatus::provisional;
            forget_ins(to);
            told("traits_changed", "-5", "strict traits changed without a new qualification: the INS was taken away");
        }
    }
    if (target == IdentityStatus::qualified && !complete(own)) {
        target = status_before == IdentityStatus::validated ? IdentityStatus::provisional : IdentityStatus::retrieved;
        if (status_before == IdentityStatus::qualified) target = IdentityStatus::provisional;
        if (target == IdentityStatus::provisional) forget_ins(to);
        told("traits_incomplete", "",
             "a qualified INS comes with its five traits: kept as " +
                 std::string(target == IdentityStatus::retrieved ? "retrieved" : "provisional"));
    }
    if (known && step(status_before, target) == Step::refused) {
        told("identity_transition", "-32",
             "no step leads from " + std::string(to_string(status_before)) + " to " + std::string(to_string(target)) +
                 ": the identity is provisional until it is qualified anew");
        target = IdentityStatus::provisional;
        forget_ins(to);
    }
    patient.status = target;
    // Another INS, or an INS declared not his: what left under it is to be found. One that a message merely left out
    // may well be his.
    const bool replaced = ins_before && given && !same_ins;
    const bool disowned = ins_before && !given && said.ins == InsWord::removed;
    const bool doubted = ins_before && (patient.doubtful || patient.fictitious);
    if (replaced || disowned || doubted) {
        to.wrong_ins = ins_before;
        if (replaced) told("ins_changed", "-3", "the patient has another INS than before");
    }
    to.to_be_seen = !known || own != before || patient.status != status_before || patient.ins != ins_before ||
                    patient.doubtful != known->patient.doubtful || patient.fictitious != known->patient.fictitious ||
                    patient.choices != known->patient.choices;
    to.changed = to.to_be_seen || to.identity.homonym != known->homonym || to.identity.said_at != known->said_at;
    return to;
}

Result<void> may_give_status(const KnownIdentity& known, IdentityStatus to, bool identity_slave) {
    const auto& patient = known.patient;
    if (identity_slave &&
        (to == IdentityStatus::qualified || to == IdentityStatus::retrieved || to == IdentityStatus::validated)) {
        return Error{Fault::refused, "identity",
                     "this site is an identity slave: only the hospital's identity server qualifies an identity"};
    }
    if ((patient.doubtful || patient.fictitious) && to != IdentityStatus::provisional)
        return Error{Fault::refused, "identity", "a doubtful or fictitious identity stays provisional"};
    if (step(patient.status, to) == Step::refused) {
        return Error{
            Fault::refused, "identity",
            "no step leads from " + std::string(to_string(patient.status)) + " to " + std::string(to_string(to))};
    }
    const bool needs_ins = to == IdentityStatus::retrieved || to == IdentityStatus::qualified;
    if (needs_ins && !patient.ins) return Error{Fault::refused, "identity", "this status needs an INS"};
    if (to == IdentityStatus::qualified && !complete(patient.traits.reveal()))
        return Error{Fault::refused, "identity", "a qualified identity has its five traits"};
    return {};
}

std::optional<Trouble> refuses_merge(const Patient& surviving, const Patient& retired) {
    if (surviving.ins && retired.ins && *surviving.ins != *retired.ins)
        return Trouble{"merge_refused", "MRG-1", "the two patients have two INS: they are not merged"};
    if (document_checked(surviving.status) && document_checked(retired.status) &&
        somebody_else(surviving.traits.reveal(), retired.traits.reveal())) {
        return Trouble{"merge_refused", "MRG-1",
                       "the two checked identities contradict each other: they are not merged"};
    }
    return std::nullopt;
}

}  // namespace sgl::domain

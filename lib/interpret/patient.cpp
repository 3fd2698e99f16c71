#include "lib/interpret/patient.hpp"

#include <algorithm>
#include <array>

#include "hl7/values.hpp"
#include "lib/base/text.hpp"
#include "lib/interpret/value.hpp"

namespace sgl::interpret {

namespace {

using domain::IdentityStatement;

bool reliability(const hl7::Segment& pid, std::string_view code) {
    for (const auto& value : pid.field(32).repetitions()) {
        if (value.component(1).text() == code) return true;
    }
    return false;
}

/// The OID that the number belongs to: its own, else that of the link or site.
std::string authority_of(const hl7::Component& authority, const PatientContext& context) {
    auto oid = authority.subcomponent(2).text();
    if (domain::is_oid(oid)) return oid;
    return context.authority;
}

class PatientReader {
public:
    PatientReader(const hl7::Segment& pid, const domain::Link& link, const PatientContext& context,
                  std::vector<domain::Trouble>& troubles)
        : pid_(pid), link_(link), context_(context), troubles_(troubles) {}

    IdentityStatement read() {
        said_.coordinate = pid_.coordinate();
        identifiers();
        names();
        auto& traits = said_.patient.traits.reveal();
        if (const auto born = hl7::read_timestamp(pid_.text(7))) {
            traits.birth_date = born->value;
            if (traits.birth_date->precision > Precision::day) traits.birth_date->precision = Precision::day;
            traits.birth_date->offset_minutes.reset();
        }
        traits.sex = domain::sex_of(pid_.text(8));
        addresses();
        traits.phone = pid_.text(13);
        reliability_codes();
        said_.said_at = moment(pid_, 33, link_);
        return std::move(said_);
    }

private:
    void trouble(std::string kind, const std::string& field, std::string what) {
        troubles_.push_back({std::move(kind), said_.coordinate + field, std::move(what)});
    }

    void identifiers() {
        auto& patient = said_.patient;
        bool several = false;
        for (const auto& cx : pid_.field(3).repetitions()) {
            const auto type = cx.component(5).text();
            const auto oid = cx.component(4).subcomponent(2).text();
            if (type == "INS" && cx.component(1).is_null()) {  // A47 takes an INS away (identity-and-directory 2)
                if (said_.ins == IdentityStatement::InsWord::silent) said_.ins = IdentityStatement::InsWord::removed;
                continue;
            }
            const auto id = std::string(trim(cx.component(1).text()));
            if (id.empty()) continue;
            if (type == "INS" || domain::is_ins_oid(oid)) {
                if (!domain::is_ins_oid(oid)) continue;  // old INS-C: ignored as identity (hl7v2-lab 9.2)
                const auto matricule = domain::InsMatricule::parse(id);
                if (!matricule) {
                    trouble("ins_invalid", "-3", matricule.error().what + ": the INS was left out");
                    continue;
                }
                // Whatever PID-32 says, the identity is not qualified by an INS that can't be one here.
                if (domain::is_test_ins_oid(oid) == context_.production) {
                    trouble("ins_environment", "-3",
                            context_.production ? "a test INS on a production instance: it was left out"
                                                : "a real INS on a test instance: it was left out");
                    continue;
                }
                domain::Ins ins{*matricule, oid};
                several = several || (patient.ins && patient.ins->reveal() != ins);
                patient.ins = Personal<domain::Ins>{std::move(ins)};
                said_.ins = IdentityStatement::InsWord::given;
            } else if ((type == "PI" || type.empty()) && patient.local_id.empty()) {
                patient.local_id = id;
                patient.local_authority_oid = authority_of(cx.component(4), context_);
            }
        }
        if (several) {
            patient.ins.reset();
            said_.ins = IdentityStatement::InsWord::silent;
            trouble("ins_invalid", "-3", "two INS for one patient: both were left out");
        }
    }

    void names() {
        auto& traits = said_.patient.traits.reveal();
        for (const auto& name : pid_.field(5).repetitions()) {
            const auto type = name.component(7).text();
            if (type == "D") {
                traits.used_name = name.component(1).subcomponent(1).text();
                traits.used_given_name = name.component(2).text();
            } else if ((type == "L" || type.empty()) && traits.birth_name.empty()) {
                traits.birth_name = name.component(1).subcomponent(1).text();
                traits.first_given_name = name.component(2).text();
                traits.birth_given_names = name.component(3).text();
            }
        }
    }

    void addresses() {
        auto& traits = said_.patient.traits.reveal();
        for (const auto& address : pid_.field(11).repetitions()) {
            const auto type = address.component(7).text();
            if (type == "BDL" || type == "BR") {
                traits.birth_place = address.component(9).text();
            } else if (traits.address.city.empty()) {
                traits.address.lines.clear();
                for (const std::size_t line : {1U, 2U}) {
                    if (const auto text = address.component(line).subcomponent(1).text(); !text.empty())
                        traits.address.lines.push_back(text);
                }
                traits.address.city = address.component(3).text();
                traits.address.postal_code = address.component(5).text();
                if (const auto country = address.component(6).text(); country != "FRA")
                    traits.address.country = country;
            }
        }
    }

    void reliability_codes() {
        auto& patient = said_.patient;
        patient.doubtful = reliability(pid_, "DOUT");
        patient.fictitious = reliability(pid_, "FICT");
        said_.validated = reliability(pid_, "VALI");
        said_.homonym = reliability(pid_, "HOMA") || reliability(pid_, "HOMD");
        said_.reliability_said = !trim(pid_.field(32).text()).empty();
        for (const auto* code : {"DOUB", "DPOT", "DOUA"}) {
            if (reliability(pid_, code))
                trouble("duplicate_told", "-32", "the sender says that this patient has a second record");
        }
        for (const auto* code : {"COLP", "COLV"}) {
            if (reliability(pid_, code))
                trouble("collision_told", "-32", "the sender says that two persons share this record");
        }
        if (patient.doubtful || patient.fictitious) {
            if (patient.ins) trouble("ins_dropped", "-32", "a doubtful or fictitious identity keeps no INS");
            disown();
            return;
        }
        for (const auto* code : {"ANOM", "CACH", "USUR", "INVA", "DESA"}) {
            if (!reliability(pid_, code)) continue;
            if (patient.ins) trouble("ins_dropped", "-32", "the reliability code forbids using the INS");
            disown();
        }
    }

    void disown() {
        if (said_.ins == IdentityStatement::InsWord::given) said_.ins = IdentityStatement::InsWord::removed;
        said_.patient.ins.reset();
    }

    const hl7::Segment& pid_;
    const domain::Link& link_;
    const PatientContext& context_;
    std::vector<domain::Trouble>& troubles_;
    IdentityStatement said_;
};

}  // namespace

PatientContext patient_context(const domain::Link& link, std::string_view site_oid, bool production) {
    return {link.patient_authority.empty() ? std::string(site_oid) : link.patient_authority, production};
}

IdentityStatement patient(const hl7::Segment& pid, const domain::Link& link, const PatientContext& context,
                          std::vector<domain::Trouble>& troubles) {
    return PatientReader(pid, link, context, troubles).read();
}

std::vector<domain::LocalIdentifier> local_identifiers(const hl7::Field& field, const PatientContext& context) {
    std::vector<domain::LocalIdentifier> found;
    for (const auto& cx : field.repetitions()) {
        const auto id = std::string(trim(cx.component(1).text()));
        const auto type = cx.component(5).text();
        if (id.empty() || (type != "PI" && !type.empty())) continue;
        if (domain::is_ins_oid(cx.component(4).subcomponent(2).text())) continue;
        found.push_back({authority_of(cx.component(4), context), id});
    }
    return found;
}

std::optional<domain::DmpWord> dmp_word(const hl7::Segment& zfa, const domain::Link& link) {
    if (!zfa) return std::nullopt;
    domain::DmpWord word;
    const auto feeding = zfa.text(9);
    if (feeding == "IO") word.feeding = domain::DmpWord::Feeding::opposed;
    if (feeding == "INO") word.feeding = domain::DmpWord::Feeding::allowed;
    // Messages say it in French, the published text in English (hl7v2-lab 9.4).
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 7> states{{
        {"ACTIF", "active"},
        {"ACTIVE", "active"},
        {"FERME", "closed"},
        {"CLOSED", "closed"},
        {"INEXISTANT", "none"},
        {"NONEXISTENT", "none"},
        {"NON EXISTANT", "none"},
    }};
    const auto status = normalised_name(zfa.text(1));
    for (const auto& [said, ours] : states) {
        if (status == said) word.dmp_status = ours;
    }
    word.consultation = zfa.text(11);
    word.decided_at = moment(zfa, 10, link);
    return word;
}

std::optional<Instant> moment(const hl7::Segment& segment, std::size_t field, const domain::Link& link) {
    if (!segment) return std::nullopt;
    const auto read = hl7::read_timestamp(segment.text(field));
    if (!read || read->value.precision < Precision::minute) return std::nullopt;
    return link.time_zone.to_instant(read->value);
}

std::optional<std::string> without_forbidden(std::string_view bytes) {
    const auto begins_line = [&](std::size_t at) {
        const auto before = at == 0 ? at : bytes.find_last_not_of(" \t", at - 1);  // blanks may stand before a segment
        return at == 0 || (before != std::string_view::npos && (bytes[before] == '\r' || bytes[before] == '\n'));
    };
    auto msh = bytes.find("MSH");
    while (msh != std::string_view::npos && !begins_line(msh))
        msh = bytes.find("MSH", msh + 1);
    if (msh == std::string_view::npos) msh = bytes.find("MSH");  // after text or a mark of byte order
    if (msh == std::string_view::npos || msh + 3 >= bytes.size()) return std::nullopt;
    const char separator = bytes[msh + 3];
    std::vector<std::pair<std::size_t, std::size_t>> forbidden;  // from, to
    for (auto at = bytes.find("PID", msh); at != std::string_view::npos; at = bytes.find("PID", at + 3)) {
        if (!begins_line(at) || at + 3 >= bytes.size() || bytes[at + 3] != separator) continue;
        const auto end = std::min(bytes.find_first_of("\r\n", at), bytes.size());
        std::size_t from = at + 4;
        for (std::size_t field = 1; from <= end && field <= 22; ++field) {
            const auto to = std::min(bytes.find(separator, from), end);
            if ((field == 10 || field == 17 || field == 22) && to > from) forbidden.emplace_back(from, to);
            from = to + 1;
        }
    }
    if (forbidden.empty()) return std::nullopt;
    std::string kept;
    std::size_t at = 0;
    for (const auto& [from, to] : forbidden) {
        kept += bytes.substr(at, from - at);
        at = to;
    }
    kept += bytes.substr(at);
    return kept;
}

}  // namespace sgl::interpret

#include "lib/interpret/order.hpp"

#include <algorithm>
#include <array>

#include "hl7/groups.hpp"
#include "hl7/values.hpp"
#include "lib/base/text.hpp"
#include "lib/domain/specimen_types.hpp"
#include "lib/interpret/value.hpp"

namespace sgl::interpret {

namespace {

Refusal missing(std::string coordinate, std::string location, std::string what) {
    return {"AE", "101", std::move(location), std::move(what), std::move(coordinate)};
}

/// XCN, with `8`+RPPS or RPPS in XCN-1 (hl7v2-lab 9.6). An identifier that is neither leaves the number empty.
domain::Professional professional(const hl7::Repetition& xcn) {
    domain::Professional person;
    if (const auto rpps = domain::Rpps::parse(trim(xcn.component(1).text()))) person.rpps = *rpps;
    person.family = std::string(trim(xcn.component(2).subcomponent(1).text()));
    person.given = std::string(trim(xcn.component(3).text()));
    static constexpr std::array titles{"DR", "PR", "MC", "MG", "PC", "PG"};
    const auto title = to_upper_ascii(xcn.component(6).text());
    if (std::ranges::find(titles, title) != titles.end()) person.title = title;
    return person;
}

bool is_nobody(const domain::Professional& person) {
    return person.family.empty() && person.rpps.empty();
}

domain::Professional professional_at(const hl7::Segment& segment, std::size_t field) {
    if (!segment || segment.field(field).size() == 0) return {};
    return professional(segment.field(field).repetition(0));
}

std::optional<Timestamp> time_at(const hl7::Segment& segment, std::size_t field, const domain::Link& link) {
    if (!segment) return std::nullopt;
    const auto read = hl7::read_timestamp(segment.text(field));
    if (!read) return std::nullopt;
    return in_zone(read->value, link.time_zone);
}

std::string specimen_label(const std::string& code, std::string given) {
    return given.empty() ? domain::specimen_type_label(code) : given;
}

/// PID and ZFA, the same for all messages; an order needs to know whom it is for.
std::variant<domain::Patient, Refusal> patient_of(const hl7::PatientGroup& group, const domain::Link& link,
                                                  const OrderContext& context, std::vector<domain::Trouble>& troubles) {
    auto said = patient(group.pid, link, context, troubles);
    said.source = domain::IdentitySource::order;
    if (said.patient.local_id.empty())
        return missing("PID-3", "PID^1^3", "the local patient identifier (type PI) is missing");
    if (said.patient.traits.reveal().birth_name.empty())
        return missing("PID-5.1", "PID^1^5^1^1", "the birth name is missing");
    auto read = domain::change(std::nullopt, said);
    troubles.insert(troubles.end(), read.troubles.begin(), read.troubles.end());
    auto who = std::move(read.identity.patient);
    who.traits = said.patient.traits;  // as it was written; the store writes names its own way
    for (const auto& segment : group.attached) {
        if (segment.id() != "ZFA") continue;
        const auto word = dmp_word(segment, link);
        if (word && word->feeding == domain::DmpWord::Feeding::opposed) who.choices.dmp_opposed = true;
    }
    return who;
}

domain::OrderControl control_of(std::string_view code) {
    using enum domain::OrderControl;
    static constexpr std::array<std::pair<std::string_view, domain::OrderControl>, 14> table{{{"NW", order},
                                                                                              {"CA", cancel},
                                                                                              {"RP", replace},
                                                                                              {"RO", replacement},
                                                                                              {"XO", change},
                                                                                              {"SN", send_number},
                                                                                              {"NA", number},
                                                                                              {"SC", status},
                                                                                              {"SS", ask_status},
                                                                                              {"PA", parent},
                                                                                              {"CH", child},
                                                                                              {"DC", discontinue},
                                                                                              {"HD", hold},
                                                                                              {"RL", release}}};
    for (const auto& [known, control] : table) {
        if (known == code) return control;
    }
    return other;
}

/// Where the urgency may stand; nothing when none of them says (hl7v2-lab 7.1, 7.5).
std::optional<bool> urgency(const hl7::OrderGroup& order) {
    std::optional<bool> urgent;
    const auto look = [&](const std::string& code) {
        if (code == "S" || code == "A") urgent = true;
        if (!urgent && !code.empty()) urgent = false;
    };
    for (const auto& tq1 : order.timings) {
        if (tq1.id() == "TQ1") look(tq1.text(9));
    }
    if (order.obr) {
        look(order.obr.text(5));
        look(order.obr.text(27, 6));
    }
    if (order.orc) look(order.orc.text(7, 6));
    return urgent;
}

std::string text_of_coded(const hl7::Segment& segment, std::size_t field) {
    for (const std::size_t component : {2U, 9U, 5U, 1U}) {
        if (auto text = std::string(trim(segment.text(field, component))); !text.empty()) return text;
    }
    return {};
}

/// OBX-5 as people read it.
std::string answer_of(const hl7::Segment& obx) {
    if (obx.text(2) == "SN") {
        std::string text;
        for (const std::size_t component : {1U, 2U, 3U, 4U})
            text += obx.text(5, component);
        return text;
    }
    return obx.text(5, 2).empty() ? obx.text(5) : obx.text(5, 2);
}

class OrderReader {
public:
    OrderReader(const hl7::Groups& groups, const hl7::PatientGroup& group, const domain::Link& link,
                const domain::Catalogue& catalogue)
        : groups_(groups), group_(group), link_(link), catalogue_(catalogue) {}

    void read(ReadOrder& to) {
        for (const auto& order : group_.orders) {
            if (order.prior)
                read_prior(to, order);
            else
                read_line(to, order);
        }
        for (const auto& other : groups_.patients) {  // under a PID of their own
            if (&other == &group_) continue;
            for (const auto& order : other.orders)
                read_prior(to, order);
        }
        for (const auto& specimen : group_.specimens)
            add_specimen(to.order, specimen, {});
        if (to.order.specimens.empty()) specimens_without_spm(to);
        to.order.stay_number = group_.pid.text(18);
        if (group_.visit) {
            to.order.patient_class = group_.visit.text(2);
            if (to.order.stay_number.empty()) to.order.stay_number = group_.visit.text(19);
        }
        if (to.order.group_number.empty() && !to.lines.empty())
            to.order.group_number = to.lines.front().exam.placer_number;
    }

private:
    void read_line(ReadOrder& to, const hl7::OrderGroup& order) {
        const auto& orc = order.orc ? order.orc : last_orc_;  // one ORC for several OBR: old senders
        if (order.orc) last_orc_ = order.orc;
        domain::LineRequest line;
        line.control = control_of(orc ? orc.text(1) : std::string());
        line.at = orc ? orc.coordinate() : order.obr.coordinate();
        if (order.obr) line.obr_at = order.obr.coordinate();
        line.group = orc ? orc.text(4) : std::string();
        line.exam.placer_number = number(to, order, 2);
        line.filler = number(to, order, 3);
        if (order.orc) line.exam.parent = order.orc.text(8, 1, 1);
        if (line.exam.parent.empty() && order.obr) line.exam.parent = order.obr.text(29, 1, 1);
        if (line.control == domain::OrderControl::parent) last_parent_ = line.exam.placer_number;
        if (line.control == domain::OrderControl::child && line.exam.parent.empty()) line.exam.parent = last_parent_;
        line.reason = order.orc ? text_of_coded(order.orc, 16) : std::string();
        line.urgent = urgency(order);
        if (order.obr) read_content(to, order, line);
        if (to.order.group_number.empty()) to.order.group_number = line.group;
        to.lines.push_back(std::move(line));
    }

    /// OBR and ORC say the same number, else OBR is right (hl7v2-lab 7.2).
    static std::string number(ReadOrder& to, const hl7::OrderGroup& order, std::size_t field) {
        const auto in_obr = order.obr ? std::string(trim(order.obr.text(field))) : std::string();
        const auto in_orc = order.orc ? std::string(trim(order.orc.text(field))) : std::string();
        if (in_obr.empty()) return in_orc;
        if (!in_orc.empty() && in_orc != in_obr) {
            to.troubles.push_back({"numbers_differ", order.orc.coordinate(field),
                                   "ORC and OBR name different order numbers: that of OBR was taken"});
        }
        return in_obr;
    }

    void read_content(ReadOrder& to, const hl7::OrderGroup& order, domain::LineRequest& line) {
        const auto& obr = order.obr;
        auto& out = to.order;
        read_exam(obr, line.exam);
        const bool orders =
            line.control == domain::OrderControl::order || line.control == domain::OrderControl::child ||
            line.control == domain::OrderControl::replacement || line.control == domain::OrderControl::change ||
            line.control == domain::OrderControl::replace;
        if (orders && !line.exam.code.empty() && catalogue_.ordered(line.exam.code).empty())
            to.troubles.push_back(
                {"unknown_exam", obr.coordinate(4), "this examination is not in the catalogue of the site"});
        line.drop = obr.text(11) == "C";
        // An RPPS without a name says who it is, too.
        for (auto& candidate : {professional_at(obr, 16), professional_at(order.orc, 12)}) {
            if (is_nobody(out.prescriber)) out.prescriber = candidate;
        }
        if (is_nobody(out.collector)) out.collector = professional_at(obr, 10);
        for (const auto& xcn : obr.field(28).repetitions()) {
            auto copy = professional(xcn);
            if (is_nobody(copy)) continue;
            const bool known = std::ranges::any_of(out.copies, [&](const domain::Professional& other) {
                return other.rpps == copy.rpps && other.family == copy.family;
            });
            if (!known) out.copies.push_back(std::move(copy));
        }
        if (!out.prescribed_at) out.prescribed_at = time_at(order.orc, 9, link_);
        if (line.urgent.value_or(false)) out.urgent = true;
        read_context(out, order);
        for (const auto at : order.specimens) {
            for (const auto& note : group_.specimens[at].notes)
                add_note(out, note);
            const auto tube = add_specimen(out, group_.specimens[at], obr);
            if (!tube.empty()) line.exam.specimens.push_back(tube);
        }
    }

    static void read_context(domain::NewOrder& out, const hl7::OrderGroup& order) {
        add_context(out, order.obr.text(13));
        if (const auto why = text_of_coded(order.obr, 31); !why.empty()) add_context(out, "Motif : " + why);
        for (const auto& segment : order.attached) {
            if (segment.id() != "DG1") continue;
            auto diagnosis = text_of_coded(segment, 3);
            if (diagnosis.empty()) diagnosis = segment.text(4);
            if (!diagnosis.empty()) add_context(out, "Diagnostic : " + diagnosis);
        }
        for (const auto& question : order.observations) {
            const auto& obx = question.obx;
            const auto label = obx.text(3, 2).empty() ? obx.text(3) : obx.text(3, 2);
            auto answer = answer_of(obx);
            if (answer.empty()) continue;
            if (const auto unit = obx.text(6); !unit.empty()) answer += " " + unit;
            add_context(out, label + " : " + answer);
        }
        for (const auto& note : order.notes)
            add_note(out, note);
    }
    static void add_note(domain::NewOrder& out, const hl7::Segment& note) {
        for (const auto& line : note.field(3).repetitions())
            add_context(out, line.text());
    }

    void read_prior(ReadOrder& to, const hl7::OrderGroup& order) const {
        for (const auto& observation : order.observations) {
            const auto& obx = observation.obx;
            domain::PriorResult prior;
            prior.code = obx.text(3).empty() ? obx.text(3, 4) : obx.text(3);
            prior.label = obx.text(3, 2).empty() ? obx.text(3, 5) : obx.text(3, 2);
            if (prior.label.empty()) prior.label = prior.code;
            prior.value = answer_of(obx);
            if (prior.value.empty()) prior.value = obx.text(8);  // S, I or R alone
            if (prior.label.empty() || prior.value.empty()) continue;
            prior.unit = obx.text(6);
            prior.range = obx.text(7);
            prior.flag = obx.text(8);
            prior.at = time_at(obx, 14, link_);
            if (!prior.at) prior.at = time_at(order.obr, 7, link_);
            if (!prior.at) prior.at = time_at(order.obr, 22, link_);
            prior.laboratory = obx.text(23).empty() ? obx.text(15, 2) : obx.text(23);
            to.prior.push_back(std::move(prior));
        }
    }

    void read_exam(const hl7::Segment& obr, domain::RequestedExam& exam) const {
        exam.label = obr.text(4, 2).empty() ? obr.text(4, 5) : obr.text(4, 2);
        for (const std::size_t first : {1U, 4U}) {
            const auto code = std::string(trim(obr.text(4, first)));
            if (code.empty()) continue;
            if (!catalogue_.ordered(code).empty()) {
                exam.code = code;
                return;
            }
            if (const auto* analyte = catalogue_.by_loinc(code)) {
                exam.code = analyte->local_code;
                return;
            }
            if (exam.code.empty()) exam.code = code;
        }
    }

    static void add_context(domain::NewOrder& order, const std::string& text) {
        const auto line = std::string(trim(text));
        if (line.empty()) return;
        for (const auto known : split(order.clinical_context, '\n')) {
            if (known == line) return;  // the same question under each OBR
        }
        order.clinical_context += (order.clinical_context.empty() ? "" : "\n") + line;
    }

    /// Its number; empty when it has none.
    std::string add_specimen(domain::NewOrder& order, const hl7::SpecimenGroup& group, const hl7::Segment& obr) const {
        const auto& spm = group.spm;
        domain::Specimen specimen;
        if (spm) specimen.number = std::string(trim(spm.text(2, 1, 1)));
        if (spm && specimen.number.empty()) specimen.number = std::string(trim(spm.text(2, 2, 1)));
        for (const auto& sac : group.containers) {
            if (specimen.number.empty() && sac.id() == "SAC") specimen.number = std::string(trim(sac.text(3)));
        }
        if (specimen.number.empty()) return {};
        if (spm) {
            specimen.type = spm.text(4);
            specimen.type_label = specimen_label(specimen.type, spm.text(4, 2));
            specimen.collected_at = time_at(spm, 17, link_);
            specimen.received_at = time_at(spm, 18, link_);
            if (spm.text(20) == "N" || !spm.text(21).empty()) {
                specimen.refusal_code = spm.text(21);
                specimen.refusal = domain::specimen_refusal_label(specimen.refusal_code);
                if (specimen.refusal.empty() || specimen.refusal == specimen.refusal_code)
                    specimen.refusal = spm.text(21, 2).empty() ? "Motif non précisé" : spm.text(21, 2);
            }
        }
        if (!specimen.collected_at) specimen.collected_at = time_at(obr, 7, link_);
        if (!specimen.received_at) specimen.received_at = time_at(obr, 14, link_);
        for (auto& known : order.specimens) {
            if (known.number != specimen.number) continue;
            if (!known.collected_at) known.collected_at = specimen.collected_at;
            if (!known.received_at) known.received_at = specimen.received_at;
            if (specimen.refused() && !known.refused()) {
                known.refusal_code = specimen.refusal_code;
                known.refusal = specimen.refusal;
            }
            return known.number;
        }
        order.specimens.push_back(specimen);
        return specimen.number;
    }

    /// Old senders: what OBR-7, 14 and 15 say is used when there is no SPM (hl7v2-lab 7.1, 7.5). Lines with the same
    /// type and time share one tube, which has the number of the first.
    void specimens_without_spm(ReadOrder& to) const {
        std::size_t at = 0;
        for (const auto& order : group_.orders) {
            if (order.prior) continue;
            auto& line = to.lines[at++];
            if (line.control != domain::OrderControl::order || !order.obr) continue;
            domain::Specimen specimen;
            specimen.number = order.obr.text(3).empty() ? line.exam.placer_number : order.obr.text(3);
            if (!order.obr.field(15).empty()) {
                const auto source = order.obr.field(15).repetition(0).component(1);
                specimen.type = source.subcomponent(1).text();
                specimen.type_label = specimen_label(specimen.type, source.subcomponent(2).text());
            }
            specimen.collected_at = time_at(order.obr, 7, link_);
            specimen.received_at = time_at(order.obr, 14, link_);
            if (specimen.number.empty() || (!specimen.collected_at && specimen.type.empty())) continue;
            const auto known = std::ranges::find_if(to.order.specimens, [&](const domain::Specimen& other) {
                return other.number == specimen.number ||
                       (other.type == specimen.type && other.collected_at == specimen.collected_at);
            });
            line.exam.specimens.push_back(known == to.order.specimens.end() ? specimen.number : known->number);
            if (known == to.order.specimens.end()) to.order.specimens.push_back(std::move(specimen));
        }
    }

    const hl7::Groups& groups_;
    const hl7::PatientGroup& group_;
    const domain::Link& link_;
    const domain::Catalogue& catalogue_;
    hl7::Segment last_orc_;
    std::string last_parent_;
};

}  // namespace

std::string_view answering_control(domain::OrderControl asked, bool taken) {
    using enum domain::OrderControl;
    switch (asked) {
        case cancel:
            return taken ? "CR" : "UC";
        case replace:
            return taken ? "RQ" : "UM";
        case change:
            return taken ? "XR" : "UX";
        case send_number:
            return taken ? "NA" : "UA";
        case ask_status:
            return taken ? "SR" : "UA";
        case discontinue:
            return taken ? "DR" : "UD";
        case hold:
            return taken ? "HR" : "UH";
        case release:
            return taken ? "OR" : "UR";
        case domain::OrderControl::order:
        case replacement:
        case number:
        case status:
        case parent:
        case child:
        case other:
            return taken ? "OK" : "UA";
    }
    return "UA";
}

std::variant<ReadOrder, Refusal> order(const hl7::Message& message, const domain::Link& link,
                                       const domain::Catalogue& catalogue, const OrderContext& context) {
    const auto groups = hl7::group(message);
    const hl7::PatientGroup* patient = nullptr;
    for (const auto& candidate : groups.patients) {
        if (!candidate.pid) continue;
        // A requester may join prior results under a PID of their own; anything else means two patients
        // (hl7v2-lab 7.2).
        const bool prior = patient != nullptr && candidate.pid.field(3).raw() == patient->pid.field(3).raw() &&
                           std::ranges::all_of(candidate.orders, &hl7::OrderGroup::prior);
        if (patient != nullptr && !candidate.orders.empty() && !prior) {
            return Refusal{"AE", "198", "PID^2", "an order is for one patient", candidate.pid.coordinate()};
        }
        if (patient == nullptr) patient = &candidate;
    }
    if (patient == nullptr) return Refusal{"AE", "100", "PID^1", "an order needs a PID", "PID"};
    if (!message.first("ORC")) return Refusal{"AE", "100", "ORC^1", "an order needs an ORC", "ORC"};
    ReadOrder read;
    auto who = patient_of(*patient, link, context, read.troubles);
    if (auto* refusal = std::get_if<Refusal>(&who)) return *refusal;
    read.order.patient = std::move(std::get<domain::Patient>(who));
    OrderReader orders(groups, *patient, link, catalogue);
    orders.read(read);
    if (read.lines.empty()) return Refusal{"AE", "100", "ORC^1", "the message asks for nothing", "ORC"};
    if (message.charset_invalid()) {
        // Stored and acknowledged (design D17), but an identity is never guessed: no order comes of it.
        read.troubles.push_back(
            {"charset", "MSH-18", "the bytes are not in the character set that the message or the link says"});
        for (auto& line : read.lines)
            line.refused = domain::LineRefusal::charset;
    }
    return read;
}

}  // namespace sgl::interpret

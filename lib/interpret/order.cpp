#include "lib/interpret/order.hpp"

#include <algorithm>
#include <array>

#include "hl7/groups.hpp"
#include "hl7/values.hpp"
#include "lib/base/text.hpp"
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

/// French names of the specimen types that senders give by code alone (HL7 table 0487, JDV specimen type).
std::string specimen_label(const std::string& code, std::string given) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 14> names{{
        {"BLD", "Sang"},
        {"BLDV", "Sang veineux"},
        {"BLDA", "Sang artériel"},
        {"BLDC", "Sang capillaire"},
        {"WB", "Sang total"},
        {"SER", "Sérum"},
        {"PLAS", "Plasma"},
        {"PPP", "Plasma pauvre en plaquettes"},
        {"UR", "Urine"},
        {"URINM", "Urine, milieu de jet"},
        {"CSF", "Liquide céphalorachidien"},
        {"STL", "Selles"},
        {"SPT", "Expectoration"},
        {"PUS", "Pus"},
    }};
    if (!given.empty()) return given;
    for (const auto& [known, name] : names) {
        if (known == code) return std::string(name);
    }
    return {};
}

/// PID and ZFA, the same for all messages; an order needs to know whom it is for.
std::variant<domain::Patient, Refusal> patient_of(const hl7::PatientGroup& group, const domain::Link& link,
                                                  const OrderContext& context,
                                                  std::vector<domain::Trouble>& troubles) {
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

class OrderReader {
public:
    OrderReader(const hl7::PatientGroup& group, const domain::Link& link, const domain::Catalogue& catalogue)
        : group_(group), link_(link), catalogue_(catalogue) {}

    void read(ReadOrder& to) {
        for (const auto& order : group_.orders) {
            if (!order.orc) continue;  // a prior result, not an order
            read_line(to, order);
        }
        if (to.order.specimens.empty()) specimen_without_spm(to);
        to.order.stay_number = group_.pid.text(18);
        if (group_.visit) {
            to.order.patient_class = group_.visit.text(2);
            if (to.order.stay_number.empty()) to.order.stay_number = group_.visit.text(19);
        }
        if (to.order.group_number.empty() && !to.lines.empty()) to.order.group_number = to.lines.front().placer_number;
    }

private:
    void read_line(ReadOrder& to, const hl7::OrderGroup& order) {
        OrderLine line;
        line.control = order.orc.text(1);
        line.placer_number = order.obr && !order.obr.text(2).empty() ? order.obr.text(2) : order.orc.text(2);
        const auto refuse = [&](const std::string& coordinate, std::string why) {
            if (!line.refusal.empty()) return;
            line.coordinate = coordinate;
            line.refusal = std::move(why);
        };
        if (line.control != "NW")
            refuse(order.orc.coordinate(1), "of order controls only NW is supported in this version");
        if (!order.obr) refuse(order.orc.coordinate(), "the order has no OBR");
        if (line.placer_number.empty()) refuse(order.orc.coordinate(2), "the placer order number is missing");
        if (order.obr) read_content(to, order, line.placer_number, refuse);
        to.lines.push_back(std::move(line));
    }

    template <class Refuse>
    void read_content(ReadOrder& to, const hl7::OrderGroup& order, const std::string& placer, const Refuse& refuse) {
        const auto& obr = order.obr;
        auto& out = to.order;
        const auto exam = read_exam(obr, placer);
        if (exam.code.empty())
            refuse(obr.coordinate(4), "the examination is missing");
        else if (catalogue_.ordered(exam.code).empty())
            to.troubles.push_back(
                {"unknown_exam", obr.coordinate(4), "this examination is not in the catalogue of the site"});
        out.exams.push_back(exam);
        if (out.group_number.empty()) out.group_number = order.orc.text(4);
        if (out.filler_number.empty()) out.filler_number = obr.text(3).empty() ? order.orc.text(3) : obr.text(3);
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
        for (const auto& tq1 : order.timings) {
            if (tq1.id() == "TQ1" && (tq1.text(9) == "S" || tq1.text(9) == "A")) out.urgent = true;
        }
        if (obr.text(5) == "S" || obr.text(5) == "A" || obr.text(27, 6) == "S" || obr.text(27, 6) == "A")
            out.urgent = true;
        add_context(out, obr.text(13));
        for (const auto& question : order.observations) {
            const auto& obx = question.obx;
            const auto label = obx.text(3, 2).empty() ? obx.text(3) : obx.text(3, 2);
            auto answer = obx.text(5, 2).empty() ? obx.text(5) : obx.text(5, 2);
            if (obx.text(2) == "SN") answer = obx.text(5) + obx.text(5, 2);
            if (answer.empty()) continue;
            if (const auto unit = obx.text(6); !unit.empty()) answer += " " + unit;
            add_context(out, label + " : " + answer);
        }
        for (const auto at : order.specimens)
            add_specimen(out, group_.specimens[at].spm, obr);
    }

    domain::RequestedExam read_exam(const hl7::Segment& obr, const std::string& placer) const {
        domain::RequestedExam exam;
        exam.placer_number = placer;
        exam.label = obr.text(4, 2);
        for (const std::size_t first : {1U, 4U}) {
            const auto code = std::string(trim(obr.text(4, first)));
            if (code.empty()) continue;
            if (!catalogue_.ordered(code).empty()) {
                exam.code = code;
                return exam;
            }
            if (const auto* analyte = catalogue_.by_loinc(code)) {
                exam.code = analyte->local_code;
                return exam;
            }
            if (exam.code.empty()) exam.code = code;
        }
        return exam;
    }

    static void add_context(domain::NewOrder& order, const std::string& text) {
        const auto line = std::string(trim(text));
        if (line.empty()) return;
        for (const auto known : split(order.clinical_context, '\n')) {
            if (known == line) return;  // the same question under each OBR
        }
        order.clinical_context += (order.clinical_context.empty() ? "" : "\n") + line;
    }

    void add_specimen(domain::NewOrder& order, const hl7::Segment& spm, const hl7::Segment& obr) const {
        if (!spm) return;
        domain::Specimen specimen;
        specimen.number = std::string(trim(spm.text(2, 1, 1)));
        if (specimen.number.empty()) specimen.number = std::string(trim(spm.text(2, 2, 1)));
        if (specimen.number.empty()) return;
        specimen.type = spm.text(4);
        specimen.type_label = specimen_label(specimen.type, spm.text(4, 2));
        specimen.collected_at = time_at(spm, 17, link_);
        if (!specimen.collected_at) specimen.collected_at = time_at(obr, 7, link_);
        specimen.received_at = time_at(spm, 18, link_);
        if (!specimen.received_at) specimen.received_at = time_at(obr, 14, link_);
        for (auto& known : order.specimens) {
            if (known.number != specimen.number) continue;
            if (!known.collected_at) known.collected_at = specimen.collected_at;
            if (!known.received_at) known.received_at = specimen.received_at;
            return;
        }
        order.specimens.push_back(std::move(specimen));
    }

    /// Old senders: what OBR-7, 14 and 15 say is used when there is no SPM (hl7v2-lab 7.1).
    void specimen_without_spm(ReadOrder& to) const {
        for (const auto& order : group_.orders) {
            if (!order.orc || !order.obr) continue;
            domain::Specimen specimen;
            specimen.number = order.obr.text(3).empty() ? order.obr.text(2) : order.obr.text(3);
            specimen.type = order.obr.field(15).empty()
                                ? ""
                                : order.obr.field(15).repetition(0).component(1).subcomponent(1).text();
            specimen.type_label = order.obr.field(15).empty()
                                      ? ""
                                      : order.obr.field(15).repetition(0).component(1).subcomponent(2).text();
            specimen.collected_at = time_at(order.obr, 7, link_);
            specimen.received_at = time_at(order.obr, 14, link_);
            if (specimen.number.empty() || (!specimen.collected_at && specimen.type.empty())) continue;
            to.order.specimens.push_back(std::move(specimen));
            return;
        }
    }

    const hl7::PatientGroup& group_;
    const domain::Link& link_;
    const domain::Catalogue& catalogue_;
};

}  // namespace

std::variant<ReadOrder, Refusal> order(const hl7::Message& message, const domain::Link& link,
                                       const domain::Catalogue& catalogue, const OrderContext& context) {
    const auto groups = hl7::group(message);
    const hl7::PatientGroup* patient = nullptr;
    for (const auto& candidate : groups.patients) {
        if (!candidate.pid) continue;
        // A requester may join prior results under a PID of their own; anything else means two patients
        // (hl7v2-lab 7.2).
        const bool prior = patient != nullptr && candidate.pid.field(3).raw() == patient->pid.field(3).raw() &&
                           std::ranges::none_of(candidate.orders, [](const auto& order) { return bool{order.orc}; });
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
    OrderReader orders(*patient, link, catalogue);
    orders.read(read);
    if (message.charset_invalid()) {
        // Stored and acknowledged (design D17), but an identity is never guessed: no order comes of it.
        read.troubles.push_back(
            {"charset", "MSH-18", "the bytes are not in the character set that the message or the link says"});
        for (auto& line : read.lines) {
            line.coordinate = "MSH-18";
            line.refusal = "the bytes are not in the declared character set";
        }
    }
    return read;
}

}  // namespace sgl::interpret

#include "lib/interpret/results.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "hl7/groups.hpp"
#include "hl7/values.hpp"
#include "lib/base/text.hpp"
#include "lib/interpret/value.hpp"

namespace sgl::interpret {

namespace {

using domain::ReceivedGroup;
using domain::ReceivedResult;

/// "OBX-3.1" or "SAC-3" of a segment of that name; component 1 when the path names none.
std::string at_path(const hl7::Segment& segment, std::string_view path) {
    if (!segment || !path.starts_with(segment.id())) return {};
    std::array<std::size_t, 3> parts{0, 1, 0};
    std::size_t part = 0;
    const char* at = path.data() + path.find('-') + 1;
    const char* const end = path.data() + path.size();
    for (; at < end && part < parts.size(); ++part) {
        const auto read = std::from_chars(at, end, parts[part]);
        if (read.ec != std::errc()) return {};
        at = read.ptr + 1;
    }
    return segment.text(parts[0], parts[1], parts[2]);
}

std::vector<std::string> numbers_of(const hl7::PatientGroup& patient, const hl7::OrderGroup& order,
                                    const domain::Link& link) {
    std::vector<std::string> numbers;
    const auto add = [&](std::string number) {
        number = std::string(trim(number));
        if (!number.empty() && number != "\"\"" && std::ranges::find(numbers, number) == numbers.end())
            numbers.push_back(std::move(number));
    };
    for (const auto& path : link.number_paths) {
        for (const auto at : order.specimens) {
            const auto& specimen = patient.specimens[at];
            for (const auto& container : specimen.containers)
                add(at_path(container, path));
            if (specimen.spm && path.starts_with("SPM")) {
                // EIP: placer then filler, each with sub-components; the number is the first of the component.
                add(specimen.spm.text(2, 1, 1));
                add(specimen.spm.text(2, 2, 1));
            }
        }
        add(at_path(order.obr, path));
        add(at_path(order.orc, path));
        add(at_path(patient.pid, path));
    }
    return numbers;
}

bool is_control(const hl7::Message& message, const hl7::PatientGroup& patient, const hl7::OrderGroup& order,
                const std::vector<std::string>& numbers, const domain::Link& link) {
    for (const auto& prefix : link.control_prefixes) {
        if (std::ranges::any_of(numbers, [&](const auto& number) { return number.starts_with(prefix); })) return true;
    }
    if (message.processing_id() == "Q") return true;
    // Mindray BS says 0 sample, 1 calibration, 2 quality control in MSH-16; neither is a code of table 0155
    // (hl7v2-lab 6.5).
    if (const auto kind = message.header().text(16); kind == "1" || kind == "2") return true;
    for (const auto at : order.specimens) {
        const auto& spm = patient.specimens[at].spm;
        if (!spm) continue;
        const auto role = spm.text(11);
        if (!role.empty() && role != "P") return true;  // only P makes patient results (hl7v2-lab 6.3)
    }
    return false;
}

domain::IdentityClaim claim_of(const hl7::Segment& pid) {
    domain::IdentityClaim claim;
    if (!pid) return claim;
    claim.coordinate = pid.coordinate();
    const auto names = pid.field(5);
    if (names.size() > 0) {
        // The birth name has type L; a name without type is taken as one, another type says nothing about it.
        for (const auto& name : names.repetitions()) {
            const auto type = name.component(7).text();
            if (type != "L" && !type.empty()) continue;
            claim.birth_name = name.component(1).subcomponent(1).text();
            claim.given_name = name.component(2).text();
            break;
        }
    }
    if (const auto date = hl7::read_timestamp(pid.text(7))) claim.birth_date = date->value;
    claim.sex = domain::sex_of(pid.text(8));
    return claim;
}

/// The analysis that OBX-3 names: both triplets, the local code first (hl7v2-lab 8.1).
struct Named {
    std::string code;
    const domain::Analyte* analyte{};
    std::string unit;  // what the link says of it
    bool contradictory{};
    bool supplemental{};
};

Named name_of(const hl7::Segment& obx, const domain::Link& link, const domain::Catalogue& catalogue) {
    Named named;
    const auto id = obx.field(3).repetition(0);
    if (id.component(6).text() == "IHELAW") named.supplemental = true;
    const domain::Analyte* by_local = nullptr;
    const domain::Analyte* by_loinc = nullptr;
    bool two_names = false;
    std::string loinc;  // one that the catalogue knows
    for (const auto& path : link.code_paths) {
        const auto code = std::string(trim(at_path(obx, path)));
        if (code.empty()) continue;
        if (named.code.empty()) named.code = code;
        const auto mapped = std::ranges::find(link.codes, code, &domain::Link::Code::theirs);
        const auto* found = catalogue.by_code(mapped == link.codes.end() ? code : mapped->ours);
        if (mapped != link.codes.end() && by_local == nullptr) named.unit = mapped->unit;
        if (found != nullptr && by_local != nullptr && found != by_local) two_names = true;
        if (found != nullptr && by_local == nullptr) by_local = found;
    }
    for (const std::size_t first : {1U, 4U}) {
        const auto code = std::string(trim(id.component(first).text()));
        const auto system = id.component(first + 2).text();
        if (code.empty() || !domain::is_loinc(code)) continue;
        if (system != "LN" && !system.empty()) continue;
        const bool known = catalogue.knows_loinc(code);
        if (known && !loinc.empty() && loinc != code) two_names = true;
        if (known && loinc.empty()) loinc = code;
        if (by_loinc == nullptr) by_loinc = catalogue.by_loinc(code);
    }
    if (named.code.empty()) named.code = std::string(trim(id.component(2).text()));
    // Several analyses may share a LOINC code: the local code then chooses among them, and among them only.
    named.contradictory = two_names || (by_local != nullptr && !loinc.empty() && by_local->loinc != loinc);
    named.analyte = by_local != nullptr ? by_local : by_loinc;
    return named;
}

std::string measured_at(const hl7::Segment& obx, const hl7::Segment& obr, const domain::Link& link) {
    for (const auto& text :
         {obx.text(19), obx.text(14), obr ? obr.text(22) : std::string(), obr ? obr.text(7) : std::string()}) {
        const auto read = hl7::read_timestamp(text);
        if (!read || read->value.precision < Precision::day) continue;
        return to_hl7(in_zone(read->value, link.time_zone));
    }
    return {};
}

std::string notes_of(const hl7::ObservationGroup& observation) {
    std::string notes;
    for (const auto& nte : observation.notes) {
        for (const auto& line : nte.field(3).repetitions())
            notes += (notes.empty() ? "" : "\n") + line.text();
    }
    return notes;
}

std::string flags_of(const hl7::Segment& obx) {
    std::string flags;
    for (const auto& flag : obx.field(8).repetitions())
        flags += (flags.empty() ? "" : "~") + flag.component(1).text();
    return flags;
}

/// D, W, A, B, V, U and what table 0085 does not have ask for a person.
bool is_plain_status(std::string_view status) {
    return status == "F" || status == "P" || status == "R" || status == "S" || status == "C";
}

bool is_known_flag(std::string_view flag) {
    static constexpr std::array known{
        "N",  "A",   "AA",  "H",  "L",   "HH",    "LL",    "HU", "LU",  "HX",  "LX",  "<",   ">",   "B",  "W",  "U",
        "D",  "S",   "I",   "R",  "SDD", "NS",    "NCL",   "IE", "POS", "NEG", "IND", "DET", "ND",  "E",  "RR", "WR",
        "NR", "EXP", "UNE", "EX", "CAR", "SYN-R", "SYN-S", "MS", "VS",  "H>",  "L<",  "QCF", "TOX", "AC", "HM"};
    return std::ranges::find(known, flag) != known.end();
}

class Reader {
public:
    Reader(const hl7::Message& message, const domain::Link& link, const domain::Catalogue& catalogue)
        : message_(message), link_(link), catalogue_(catalogue) {}

    domain::Reading read(const hl7::Groups& groups) {
        for (const auto& patient : groups.patients) {
            for (const auto& order : patient.orders)
                read_order(patient, order);
            for (const auto& observation : patient.observations) {
                trouble("misplaced_result", observation.obx.coordinate(),
                        "a result before any OBR belongs to no order");
            }
        }
        return std::move(reading_);
    }

    void trouble(std::string kind, std::string coordinate, std::string what) {
        reading_.troubles.push_back({std::move(kind), std::move(coordinate), std::move(what)});
    }
    domain::Reading& reading() { return reading_; }

private:
    void read_order(const hl7::PatientGroup& patient, const hl7::OrderGroup& order) {
        if (order.observations.empty()) return;
        ReceivedGroup group;
        group.coordinate = order.obr ? order.obr.coordinate() : order.orc.coordinate();
        group.numbers = numbers_of(patient, order, link_);
        if (is_control(message_, patient, order, group.numbers, link_)) {
            trouble("quality_control", group.coordinate, "a control or calibrator: not a result of a patient");
            return;
        }
        group.claim = Personal<domain::IdentityClaim>{claim_of(patient.pid)};
        for (const auto& observation : order.observations)
            read_observation(group, order, observation);
        reading_.groups.push_back(std::move(group));
    }

    void read_observation(ReceivedGroup& group, const hl7::OrderGroup& order,
                          const hl7::ObservationGroup& observation) {
        const auto& obx = observation.obx;
        const auto named = name_of(obx, link_, catalogue_);
        if (named.supplemental) return;  // raw curves and the like stay in the message (hl7v2-lab 6.4)
        if (std::ranges::find(link_.ignored_codes, named.code) != link_.ignored_codes.end()) return;
        ReceivedResult result;
        result.position = static_cast<int>(obx.ordinal());
        result.code = named.code;
        result.run = obx.text(4);
        result.status = obx.text(11).empty() ? link_.default_status : obx.text(11);
        if (result.status == "N" || result.status == "O" || result.status == "I") return;  // nothing to report (8.6)
        result.measured_at = measured_at(obx, order.obr, link_);
        result.received_flags = flags_of(obx);
        result.note = notes_of(observation);
        const auto hold = [&](std::string kind, std::string coordinate, std::string what) {
            trouble(std::move(kind), std::move(coordinate), std::move(what));
            result.held = true;
        };
        if (named.code.empty())
            hold("missing_code", obx.coordinate(3), "the test code is missing");
        else if (named.contradictory)
            hold("contradictory_code", obx.coordinate(3), "the local code and the LOINC code name two analyses");
        else if (named.analyte == nullptr)
            hold("unknown_code", obx.coordinate(3), "this code is not in the catalogue of the site");
        if (named.analyte != nullptr && !named.contradictory) result.analyte = named.analyte->id;
        auto read = read_value(obx, named.analyte, link_, named.unit);
        result.value = std::move(read.value);
        const bool impossible = result.status == "X";  // has no value, whatever stands in OBX-5
        if (impossible) result.value.reset();
        if (read.trouble && !impossible) {
            const std::string kind = read.trouble->where.ends_with("-6") ? "unit" : "value";
            hold(kind, read.trouble->where, read.trouble->what);
        }
        if (!impossible && !is_plain_status(result.status)) {
            hold("status", obx.coordinate(11), "this result status asks for a person in this version");
        } else if (!impossible && !result.value && !result.held) {
            hold("no_value", obx.coordinate(5), "the result has no value");
        }
        read_flags(obx, result);
        group.results.push_back(std::move(result));
    }

    /// What the link says of a flag comes before the standard's table. Unknown never means normal: the result is kept,
    /// and somebody looks (hl7v2-lab 6.6).
    void read_flags(const hl7::Segment& obx, ReceivedResult& result) {
        std::string left;
        for (const auto flag : split(result.received_flags, '~')) {
            const auto known = std::ranges::find(link_.flags, flag, &domain::Link::Flag::theirs);
            const bool of_link = !flag.empty() && known != link_.flags.end();
            if (of_link && known->does == domain::Link::Flag::Does::nothing) continue;
            if (of_link && known->does == domain::Link::Flag::Does::comment) {
                result.note += (result.note.empty() ? "" : "\n") + known->text;
                continue;
            }
            left += (left.empty() ? "" : "~") + std::string(flag);
            if (of_link)
                trouble("vendor_flag", obx.coordinate(8), "this flag of the analyser asks for a person");
            else if (!flag.empty() && !is_known_flag(flag))
                trouble("unknown_flag", obx.coordinate(8), "this abnormal flag is not known");
        }
        result.received_flags = std::move(left);
    }

    const hl7::Message& message_;
    const domain::Link& link_;
    const domain::Catalogue& catalogue_;
    domain::Reading reading_;
};

}  // namespace

std::variant<domain::Reading, Refusal> results(const hl7::Message& message, const domain::Link& link,
                                               const domain::Catalogue& catalogue) {
    if (!message.first("OBR")) return Refusal{"AE", "100", "OBR^1", "a results message needs at least one OBR", "OBR"};
    if (!message.first("OBX")) return Refusal{"AE", "100", "OBX^1", "a results message needs at least one OBX", "OBX"};
    Reader reader(message, link, catalogue);
    auto reading = reader.read(hl7::group(message));
    if (message.charset_invalid()) {
        reading.quarantined = true;
        reading.troubles.push_back(
            {"charset", "MSH-18", "the bytes are not in the character set that the message or the link says"});
    }
    const auto patients = message.all("PID");
    for (std::size_t i = 1; i < patients.size(); ++i) {
        const bool same = std::ranges::all_of(std::array{3U, 5U, 7U, 8U}, [&](unsigned field) {
            return patients[i].field(field).raw() == patients[0].field(field).raw();
        });
        if (!same) {
            reading.quarantined = true;
            reading.troubles.push_back(
                {"two_patients", patients[i].coordinate(), "the message speaks of two patients"});
            break;
        }
    }
    return reading;
}

}  // namespace sgl::interpret

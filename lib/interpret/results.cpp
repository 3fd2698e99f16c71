#include "lib/interpret/results.hpp"

#include <algorithm>
#include <array>

#include "hl7/groups.hpp"
#include "hl7/parents.hpp"
#include "hl7/values.hpp"
#include "lib/base/text.hpp"
#include "lib/interpret/value.hpp"

namespace sgl::interpret {

namespace {

using domain::ReceivedGroup;
using domain::ReceivedResult;

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

bool holds(const domain::Link::Rule& rule, const hl7::Segment& segment) {
    const auto text = std::string(trim(at_path(segment, rule.at)));
    if (text.empty()) return false;
    if (rule.is.empty() && rule.begins.empty()) return true;
    return std::ranges::find(rule.is, text) != rule.is.end() ||
           std::ranges::any_of(rule.begins, [&](const auto& start) { return text.starts_with(start); });
}

bool any_holds(const std::vector<domain::Link::Rule>& rules, const hl7::Segment& segment) {
    return std::ranges::any_of(rules, [&](const auto& rule) { return holds(rule, segment); });
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
    if (link.controls.empty()) return false;
    for (const auto& segment : {message.header(), patient.pid, patient.visit, order.orc, order.obr}) {
        if (any_holds(link.controls, segment)) return true;
    }
    for (const auto at : order.specimens) {
        const auto& specimen = patient.specimens[at];
        if (any_holds(link.controls, specimen.spm)) return true;
        for (const auto& container : specimen.containers) {
            if (any_holds(link.controls, container)) return true;
        }
    }
    return std::ranges::any_of(order.observations,
                               [&](const auto& observation) { return any_holds(link.controls, observation.obx); });
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
    for (const auto& id : pid.field(3).repetitions()) {
        if (id.component(5).text() == "INS") claim.ins = std::string(trim(id.component(1).text()));
    }
    return claim;
}

/// The analysis that OBX-3 names: both triplets, the local code first (hl7v2-lab 8.1).
struct Named {
    std::string code;
    const domain::Analyte* analyte{};
    const domain::Link::Code* mapped{};  // what the link says of it
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
        const auto* mapped = code_entry(link, code, obx);
        const auto* found = catalogue.by_code(mapped == nullptr ? code : mapped->ours);
        if (mapped != nullptr && by_local == nullptr) named.mapped = mapped;
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

std::string notes_of(const std::vector<hl7::Segment>& segments) {
    std::string notes;
    for (const auto& nte : segments) {
        for (const auto& line : hl7::read_lines(nte.field(3)))
            notes += (notes.empty() ? "" : "\n") + line;
    }
    return notes;
}

std::string flags_of(const hl7::Segment& obx, const domain::Link& link) {
    std::string flags;
    for (const auto& path : link.flag_paths) {
        if (path == "OBX-8") {
            for (const auto& flag : obx.field(8).repetitions())
                flags += (flags.empty() ? "" : "~") + flag.component(1).text();
        } else if (const auto flag = at_path(obx, path); !flag.empty()) {
            flags += (flags.empty() ? "" : "~") + flag;
        }
    }
    return flags;
}

/// Results that go on their way; the others ask for a person. U promotes what is stored, and has no value of its own.
bool is_plain_status(std::string_view status) {
    static constexpr std::array plain{"F", "P", "R", "S", "C", "A", "B", "V", "U"};
    return std::ranges::find(plain, status) != plain.end();
}

/// `^1^:^10` as `1:10`; nothing when nothing was added: `^1`, `^1^:^1`, and `^1^:^0` of the cobas 6800.
std::string factor_of(const hl7::Field& sn) {
    const auto cell = sn.repetition(0);
    std::string text;
    for (std::size_t component = 1; component <= 4; ++component)
        text += cell.component(component).text();
    return text == "1" || text == "1:1" || text == "1:0" ? std::string() : text;
}

std::string joined(const std::vector<std::string>& parts, std::string_view between = " ") {
    std::string text;
    for (const auto& part : parts) {
        if (part.empty() || part == "\"\"") continue;
        text += (text.empty() ? "" : std::string(between)) + part;
    }
    return text;
}

domain::ResultDetail detail_of(const hl7::ObservationGroup& observation, const domain::Link& link) {
    domain::ResultDetail detail;
    const auto& obx = observation.obx;
    for (const auto& segment : observation.attached) {
        if (segment.id() == "TCD") {
            for (const std::size_t field : {2U, 3U, 4U}) {  // automatic, of a rerun, before the analyser
                if (detail.dilution.empty()) detail.dilution = factor_of(segment.field(field));
            }
            detail.repeat_status = segment.text(8);
        } else if (segment.id() == "INV") {
            const auto lot = segment.text(16);
            if (lot.empty()) continue;
            detail.lots = joined({detail.lots, joined({segment.text(1), lot, segment.text(12)})}, "; ");
        }
    }
    for (const auto& equipment : obx.field(18).repetitions())
        detail.equipment = joined({detail.equipment, equipment.component(1).text()}, ", ");
    for (const auto& observer : obx.field(16).repetitions()) {
        const auto who = hl7::read_professional(observer);
        detail.observer = joined({detail.observer, joined({who.id, who.name.family, who.name.given})}, ", ");
    }
    if (link.performing_laboratory.empty()) return detail;
    // Another laboratory's: whoever performed it is named (hl7v2-lab 8.10, 10).
    const auto organisation = hl7::read_organisation(obx.field(23).repetition(0));
    detail.laboratory = organisation.name.empty() ? obx.text(15, 2) : organisation.name;
    detail.laboratory_id = organisation.name.empty() ? obx.text(15) : organisation.id;
    if (detail.laboratory.empty()) detail.laboratory = link.performing_laboratory;
    detail.method = obx.text(17, 2).empty() ? obx.text(17) : obx.text(17, 2);
    detail.reference_range = joined(hl7::read_lines(obx.field(7)));
    return detail;
}

/// What stands in OBX-5 of a result that could not be obtained: why, in words (hl7v2-lab 8.3, 8.6). A number or signs
/// there say nothing.
std::string comment_of(const std::optional<domain::Value>& value) {
    const auto* words = value ? std::get_if<domain::Words>(&*value) : nullptr;
    const bool says = words != nullptr &&
                      std::ranges::any_of(words->text, [](char c) { return static_cast<unsigned char>(c) >= 'A'; });
    if (!says) return {};
    const auto number = read_number(words->text, true);
    return !number || *number ? std::string() : words->text;
}

std::string culture_number(const hl7::OrderGroup& order) {
    for (const auto& number :
         {order.obr ? order.obr.text(3) : std::string(), order.obr ? order.obr.text(2) : std::string(),
          order.orc ? order.orc.text(3) : std::string(), order.orc ? order.orc.text(2) : std::string()}) {
        if (!number.empty() && number != "\"\"") return number;
    }
    return {};
}

/// Which part of a result an OBX is: cobas sends a number and its interpretation with the same code and run
/// (hl7v2-lab 6.4).
enum class Part : std::uint8_t { number, coded, lines, other };
Part part_of(const hl7::Segment& obx) {
    const auto type = obx.text(2);
    if (type == "NM" || type == "SN") return Part::number;
    if (type == "CE" || type == "CWE" || type == "CNE" || type == "CF" || type == "IS") return Part::coded;
    if (type == "TX" || type == "FT") return Part::lines;
    return Part::other;
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
    /// One OBX of an order, with what it names, its place among those of the same analysis and run, and its isolate.
    struct Line {
        const hl7::ObservationGroup* observation{};
        Named named;
        std::string run;
        std::string isolate;
        std::vector<const Line*> parts;  ///< other OBX of this same result
        bool is_part{};
        bool orphan{};  ///< of an isolate that nobody can tell
    };

    void read_order(const hl7::PatientGroup& patient, const hl7::OrderGroup& order) {
        const bool cancelled = order.observations.empty() && order.obr && order.obr.text(25) == "X";
        if (order.observations.empty() && !cancelled) return;
        ReceivedGroup group;
        group.coordinate = order.obr ? order.obr.coordinate() : order.orc.coordinate();
        group.numbers = numbers_of(patient, order, link_);
        if (is_control(message_, patient, order, group.numbers, link_)) {
            trouble("quality_control", group.coordinate, "a control or calibrator: not a result of a patient");
            return;
        }
        group.claim = Personal<domain::IdentityClaim>{claim_of(patient.pid)};
        if (cancelled) read_cancelled(group, order);
        auto lines = lines_of(order);
        find_isolates(patient, order, lines);
        find_parts(lines);
        for (const auto& line : lines) {
            if (!line.is_part) read_line(group, order, line);
        }
        reading_.groups.push_back(std::move(group));
    }

    /// The test could not be done, and the analyser has no OBX to say so (GeneXpert: OBR-25 X and a note).
    void read_cancelled(ReceivedGroup& group, const hl7::OrderGroup& order) {
        const auto code = std::string(trim(order.obr.text(4)));
        const auto mapped = std::ranges::find(link_.codes, code, &domain::Link::Code::theirs);
        auto tests = catalogue_.ordered(mapped == link_.codes.end() ? code : mapped->ours);
        if (tests.empty() && catalogue_.by_loinc(code) != nullptr) tests.push_back(catalogue_.by_loinc(code));
        if (tests.empty())
            trouble("unknown_code", order.obr.coordinate(4), "this code is not in the catalogue of the site");
        for (const auto* test : tests) {
            ReceivedResult result;
            result.position = -static_cast<int>(order.obr.ordinal());
            result.code = code;
            result.analyte = test->id;
            result.status = "X";
            result.note = notes_of(order.notes);
            result.measured_at = measured_at(order.obr, order.obr, link_);
            group.results.push_back(std::move(result));
        }
    }

    std::vector<Line> lines_of(const hl7::OrderGroup& order) {
        std::vector<Line> lines;
        lines.reserve(order.observations.size());
        for (const auto& observation : order.observations) {
            Line line;
            line.observation = &observation;
            line.named = name_of(observation.obx, link_, catalogue_);
            if (line.named.supplemental) continue;  // raw curves and the like stay in the message (hl7v2-lab 6.4)
            if (std::ranges::find(link_.ignored_codes, line.named.code) != link_.ignored_codes.end()) continue;
            if (any_holds(link_.ignored, observation.obx)) continue;
            line.run = std::string(trim(observation.obx.text(4)));
            if (line.run == line.named.code) line.run.clear();  // where the code stands in OBX-4 it is no run
            lines.push_back(std::move(line));
        }
        return lines;
    }

    static bool is_kind(const Line& line, domain::ValueKind kind) {
        return line.named.analyte != nullptr && line.named.analyte->kind == kind;
    }

    /// Which isolate of the order each line of a culture is about (hl7v2-lab 8.8): by the parent that the order names,
    /// else by OBX-4.
    void find_isolates(const hl7::PatientGroup& patient, const hl7::OrderGroup& order, std::vector<Line>& lines) const {
        const bool any = std::ranges::any_of(lines, [](const Line& line) {
            return line.named.analyte != nullptr && domain::of_isolate(line.named.analyte->kind);
        });
        if (!any) return;
        using State = hl7::Parent::State;
        const auto& parent = order.parent;
        if (parent.state == State::found && parent.observation) {
            const auto& culture = patient.orders[parent.order];
            const auto sub_id = hl7::sub_id_of(culture.observations[*parent.observation].obx);
            set_all(lines, culture_number(culture) + "#" + (sub_id.empty() ? "1" : sub_id));
        } else if (parent.state == State::elsewhere && !hl7::parent_of(order).result.sub_id.empty()) {
            const auto link = hl7::parent_of(order);
            const auto& number = link.order.filler.empty() ? link.order.placer : link.order.filler;
            set_all(lines, number.id + "#" + link.result.sub_id);
        } else if (parent.state == State::none || parent.state == State::found) {
            by_sub_id(order, lines);
        } else {
            set_all(lines, {});
        }
    }

    static void set_all(std::vector<Line>& lines, const std::string& isolate) {
        for (auto& line : lines) {
            line.isolate = isolate;
            line.orphan = isolate.empty();
        }
    }

    static void by_sub_id(const hl7::OrderGroup& order, std::vector<Line>& lines) {
        const auto culture = culture_number(order) + "#";
        std::vector<const Line*> organisms;
        for (auto& line : lines) {
            if (!is_kind(line, domain::ValueKind::organism)) continue;
            const auto sub_id = hl7::sub_id_of(line.observation->obx);
            line.isolate = culture + (sub_id.empty() ? std::to_string(organisms.size() + 1) : sub_id);
            organisms.push_back(&line);
        }
        for (auto& line : lines) {
            if (!line.isolate.empty()) continue;
            // Its own OBX-4, then those one dotted level up.
            const auto* at = line.observation;
            for (int level = 0; at != nullptr && level < 10 && line.isolate.empty(); ++level) {
                const auto sub_id = hl7::sub_id_of(at->obx);
                const auto found = std::ranges::find_if(organisms, [&](const Line* organism) {
                    return !sub_id.empty() && hl7::sub_id_of(organism->observation->obx) == sub_id;
                });
                if (found != organisms.end()) line.isolate = (*found)->isolate;
                at = at->above ? &order.observations[*at->above] : nullptr;
            }
            const bool of_isolate = line.named.analyte != nullptr && domain::of_isolate(line.named.analyte->kind);
            if (!of_isolate || !line.isolate.empty()) continue;
            if (organisms.size() == 1 && hl7::sub_id_of(line.observation->obx).empty())
                line.isolate = organisms.front()->isolate;
            line.orphan = line.isolate.empty();
        }
    }

    /// Several OBX of one code and run: a number with its interpretation and the lines of a text are one result; the
    /// same again is a rerun, in the order of arrival (hl7v2-lab 6.4, 8.6).
    void find_parts(std::vector<Line>& lines) const {
        for (std::size_t i = 0; i < lines.size(); ++i) {
            if (lines[i].is_part || lines[i].named.analyte == nullptr || is_withdrawal(lines[i])) continue;
            std::vector<Line*> same{&lines[i]};
            for (std::size_t j = i + 1; j < lines.size(); ++j) {
                const bool fits = !lines[j].is_part && lines[j].named.analyte == lines[i].named.analyte &&
                                  lines[j].run == lines[i].run && lines[j].isolate == lines[i].isolate &&
                                  !is_withdrawal(lines[j]);
                if (fits) same.push_back(&lines[j]);
            }
            if (same.size() > 1) join(same);
        }
    }

    bool is_withdrawal(const Line& line) const {
        const auto status = line.observation->obx.text(11);
        return status == "D" || status == "W";
    }

    static void join(const std::vector<Line*>& same) {
        const auto kind = same.front()->named.analyte->kind;
        const auto wanted = kind == domain::ValueKind::numeric ? Part::number
                            : kind == domain::ValueKind::text  ? Part::lines
                                                               : Part::coded;
        const auto part = [](const Line* line) { return part_of(line->observation->obx); };
        const bool text = kind == domain::ValueKind::text &&
                          std::ranges::all_of(same, [&](const Line* line) { return part(line) == Part::lines; });
        const bool several =
            std::ranges::any_of(same, [&](const Line* line) { return part(line) != part(same.front()); });
        const auto suits = std::ranges::count_if(same, [&](const Line* line) { return part(line) == wanted; });
        if (text || (several && suits == 1)) {
            const auto first = text
                                   ? same.begin()
                                   : std::ranges::find_if(same, [&](const Line* line) { return part(line) == wanted; });
            for (auto* line : same) {
                if (line == *first) continue;
                line->is_part = true;
                (*first)->parts.push_back(line);
            }
            return;
        }
        for (std::size_t n = 1; n < same.size(); ++n)
            same[n]->run += (same[n]->run.empty() ? "" : "#") + std::to_string(n + 1);
    }

    void read_line(ReceivedGroup& group, const hl7::OrderGroup& order, const Line& line) {
        const auto& observation = *line.observation;
        const auto& obx = observation.obx;
        if (obx.text(2) == "ED") {
            read_document(group, obx, line.named);
            return;
        }
        const auto& named = line.named;
        ReceivedResult result;
        result.position = static_cast<int>(obx.ordinal());
        result.code = named.code;
        result.run = line.run;
        result.isolate = line.isolate;
        result.status = obx.text(11).empty() ? link_.default_status : obx.text(11);
        if (result.status == "N" || result.status == "O" || result.status == "I") return;  // nothing to report (8.6)
        result.measured_at = measured_at(obx, order.obr, link_);
        result.received_flags = flags_of(obx, link_);
        result.note = notes_of(observation.notes);
        result.detail = detail_of(observation, link_);
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
        if (line.orphan)
            hold("parent_result", order.obr ? order.obr.coordinate(26) : obx.coordinate(4),
                 "nobody can tell which isolate this line is about");
        auto read = read_value(obx, named.analyte, link_, named.mapped);
        result.value = std::move(read.value);
        result.detail.susceptible = read.susceptible;
        const bool valueless = result.status == "X" || result.status == "U";  // whatever stands in OBX-5
        if (result.status == "X") result.note = joined({comment_of(result.value), result.note}, "\n");
        if (valueless) result.value.reset();
        if (read.trouble && !valueless) {
            const std::string kind = read.trouble->where.ends_with("-6") ? "unit" : "value";
            hold(kind, read.trouble->where, read.trouble->what);
        }
        add_parts(result, line);
        read_flags(obx, result);
        if (is_kind(line, domain::ValueKind::antibiotic)) read_susceptibility(obx, result, hold);
        if (result.status == "W") {
            hold("wrong_patient", obx.coordinate(11),
                 "the sender says that this result is wrong: whose it is, or what it is");
        } else if (result.status == "D") {
            hold("withdrawn", obx.coordinate(11), "the sender withdraws this result");
        } else if (!valueless && !is_plain_status(result.status)) {
            hold("status", obx.coordinate(11), "this result status is not known");
        } else if (!valueless && !result.value && !result.held) {
            hold("no_value", obx.coordinate(5), "the result has no value");
        }
        group.results.push_back(std::move(result));
    }

    void add_parts(ReceivedResult& result, const Line& line) {
        for (const auto* part : line.parts) {
            const auto flags = flags_of(part->observation->obx, link_);
            for (const auto flag : split(flags, '~')) {
                const auto known = split(result.received_flags, '~');
                if (!flag.empty() && std::ranges::find(known, flag) == known.end())
                    result.received_flags += (result.received_flags.empty() ? "" : "~") + std::string(flag);
            }
            const auto notes = notes_of(part->observation->notes);
            result.note += (result.note.empty() || notes.empty() ? "" : "\n") + notes;
            if (is_kind(line, domain::ValueKind::text)) {
                const auto read = read_value(part->observation->obx, line.named.analyte, link_, line.named.mapped);
                if (!read.value) continue;
                auto all = result.value ? std::get<domain::Words>(*result.value).text + "\n" : std::string();
                result.value = domain::Words{all + std::get<domain::Words>(*read.value).text};
                continue;
            }
            const auto read = read_value(part->observation->obx, nullptr, link_);
            const auto* words = read.value ? std::get_if<domain::Words>(&*read.value) : nullptr;
            if (words == nullptr || words->text.starts_with("99")) continue;  // `^^99ROC`: no interpretation
            const auto unit = part->observation->obx.text(6);
            result.detail.interpretation = joined({result.detail.interpretation, joined({words->text, unit})}, ", ");
        }
    }

    /// S, I, R of OBX-8, else of OBX-5; they may not contradict each other.
    template <class Hold>
    void read_susceptibility(const hl7::Segment& obx, ReceivedResult& result, const Hold& hold) {
        result.detail.breakpoints = obx.text(7);
        for (const auto flag : split(result.received_flags, '~')) {
            const auto said = domain::susceptible_of(flag);
            if (!said) continue;
            if (result.detail.susceptible && result.detail.susceptible != said)
                hold("value", obx.coordinate(8), "the value and the flag give two interpretations");
            result.detail.susceptible = said;
        }
        if (!result.value && result.detail.susceptible)
            result.value = domain::Words{std::string(to_string(*result.detail.susceptible))};
    }

    /// A document of the order: what it is its bytes say, not the sender (hl7v2-lab 8.9).
    void read_document(ReceivedGroup& group, const hl7::Segment& obx, const Named& named) {
        const auto data = hl7::read_encapsulated(obx.field(5).repetition(0));
        if (!data) {
            trouble("document", obx.coordinate(5), "the document can't be read: " + data.error().what);
            return;
        }
        domain::ReceivedDocument document;
        switch (hl7::sniff(data->bytes)) {
            case hl7::ContentKind::pdf:
                document.form = domain::DocumentForm::pdf;
                break;
            case hl7::ContentKind::jpeg:
                document.form = domain::DocumentForm::jpeg;
                break;
            case hl7::ContentKind::png:
                document.form = domain::DocumentForm::png;
                break;
            case hl7::ContentKind::bmp:
                document.form = domain::DocumentForm::bmp;
                break;
            case hl7::ContentKind::xml:
            case hl7::ContentKind::rtf:
            case hl7::ContentKind::unknown:
                trouble("document", obx.coordinate(5), "this kind of document is not kept: it stays in the message");
                return;
        }
        document.position = static_cast<int>(obx.ordinal());
        document.code = named.code;
        document.title = obx.text(3, 2).empty() ? named.code : obx.text(3, 2);
        document.bytes = std::move(data->bytes);
        group.documents.push_back(std::move(document));
    }

    /// What the link says of a flag comes before the standard's table. Unknown never means normal: the result is kept,
    /// and somebody looks (hl7v2-lab 6.6).
    void read_flags(const hl7::Segment& obx, ReceivedResult& result) {
        using Does = domain::Link::Flag::Does;
        std::string left;
        for (const auto flag : split(result.received_flags, '~')) {
            if (flag == "\"\"") continue;
            const auto known = std::ranges::find(link_.flags, flag, &domain::Link::Flag::theirs);
            const bool of_link = !flag.empty() && known != link_.flags.end();
            if (of_link && known->does == Does::nothing) continue;
            if (of_link && known->does == Does::hide) {
                result.detail.unprinted = true;
                continue;
            }
            if (of_link && known->does == Does::comment) {
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

bool is_known_flag(std::string_view flag) {
    static constexpr std::array known{
        "N",  "A",   "AA",  "H",  "L",   "HH",    "LL",    "HU", "LU",  "HX",  "LX",  "<",   ">",   "B",  "W",  "U",
        "D",  "S",   "I",   "R",  "SDD", "NS",    "NCL",   "IE", "POS", "NEG", "IND", "DET", "ND",  "E",  "RR", "WR",
        "NR", "EXP", "UNE", "EX", "CAR", "SYN-R", "SYN-S", "MS", "VS",  "H>",  "L<",  "QCF", "TOX", "AC", "HM"};
    return std::ranges::find(known, flag) != known.end();
}

std::variant<domain::Reading, Refusal> results(const hl7::Message& message, const domain::Link& link,
                                               const domain::Catalogue& catalogue) {
    if (!message.first("OBR")) return Refusal{"AE", "100", "OBR^1", "a results message needs at least one OBR", "OBR"};
    const bool cancelled = std::ranges::any_of(message.all("OBR"), [](const auto& obr) { return obr.text(25) == "X"; });
    if (!message.first("OBX") && !cancelled) {
        return Refusal{"AE", "100", "OBX^1", "a results message needs at least one OBX", "OBX"};
    }
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

#include "lib/delivery/dpi/result_message.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "lib/base/text.hpp"
#include "lib/delivery/dpi/segments.hpp"
#include "lib/domain/order_news.hpp"

namespace sgl::delivery {

namespace {

using domain::Report;
using domain::ReportedResult;

constexpr std::string_view snomed_ct = "2.16.840.1.113883.6.96";

/// Table 0074, of the LOINC chapters of the report.
std::string_view section_of(std::string_view chapter) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> table{{{"18719-5", "CH"},
                                                                                         {"18723-7", "HM"},
                                                                                         {"18720-3", "HM"},
                                                                                         {"18725-2", "MB"},
                                                                                         {"18727-8", "SR"},
                                                                                         {"92893-7", "VR"}}};
    for (const auto& [known, section] : table) {
        if (known == chapter) return section;
    }
    return "LAB";
}

/// `136-145`, `<=5.0`, `>=60`: our bounds are included (hl7v2-lab 8.4).
std::string range_text(const domain::Range& range) {
    if (range.low && range.high) return range.low->text() + "-" + range.high->text();
    if (range.high) return "<=" + range.high->text();
    if (range.low) return ">=" + range.low->text();
    return {};
}

/// One OBX.
struct Line {
    const ReportedResult* result{};
    std::string isolate;  ///< OBX-4: which isolate of the OBR (hl7v2-lab 8.8); empty: of none
    bool preliminary{};   ///< not identified for good
};

/// The results of one OBR.
struct Ordered {
    const domain::RequestedExam* exam{};  ///< null: nobody asked for it
    std::string_view chapter;
    std::vector<Line> results;
    std::size_t isolates{};
};

class ResultMessage {
public:
    ResultMessage(const Letter& letter, const Report& report, const DpiPartner& partner)
        : letter_(letter), report_(report), partner_(partner) {}

    std::string make() {
        b_.header(dpi::header(letter_, report_, partner_)).field(17, "FRA");
        dpi::patient(b_, report_, partner_);
        dpi::visit(b_, report_, partner_);
        std::size_t number = 0;
        for (const auto& ordered : grouped())
            order(ordered, ++number);
        return b_.text();
    }

private:
    bool withdrawn() const { return letter_.act == domain::Act::withdraw; }

    /// In the order of the prescription, then what nobody asked.
    std::vector<Ordered> grouped() const {
        std::vector<Ordered> groups;
        for (const auto& exam : report_.exams)
            groups.push_back({&exam, {}, {}, 0});
        const auto group_of = [&](const ReportedResult& result, const domain::ReportedChapter& chapter) -> Ordered& {
            auto group = std::ranges::find_if(groups, [&](const Ordered& each) {
                return each.exam != nullptr && !result.ordered_as.empty() && each.exam->code == result.ordered_as;
            });
            if (group == groups.end()) group = groups.insert(groups.end(), Ordered{});
            group->chapter = chapter.code;
            return *group;
        };
        for (const auto& chapter : report_.chapters) {
            for (const auto& result : chapter.results)
                group_of(result, chapter).results.push_back({&result, {}, false});
            // A germ with all that is said of it, under what its culture was asked as.
            for (const auto& isolate : chapter.isolates) {
                auto& group = group_of(isolate.organism, chapter);
                const auto number = std::to_string(++group.isolates);
                group.results.push_back({&isolate.organism, number, isolate.preliminary});
                for (const auto* lines : {&isolate.findings, &isolate.antibiogram}) {
                    for (const auto& result : *lines)
                        group.results.push_back({&result, number, false});
                }
            }
        }
        std::erase_if(groups, [](const Ordered& each) { return each.results.empty(); });
        return groups;
    }

    void order(const Ordered& ordered, std::size_t number) {
        const bool theirs = ordered.exam != nullptr && !domain::numbered_here(*ordered.exam);
        const std::string_view placer = theirs ? std::string_view(ordered.exam->placer_number) : std::string_view();
        const auto& filler = ordered.exam == nullptr || ordered.exam->filler_number.empty() ? report_.order_number
                                                                                            : ordered.exam->filler_number;
        const auto validated = dpi::local(report_, report_.validated_at);
        b_.segment("ORC").field(1, "RE").field(2, placer).field(3, filler).field(4, report_.placer_group);
        b_.field(5, withdrawn() ? "CA" : awaits(ordered) ? "A" : "CM").time(9, validated);
        b_.segment("OBR").field(1, std::to_string(number)).field(2, placer).field(3, filler);
        examination(ordered);
        const auto tubes = specimens_of(ordered);
        if (!tubes.empty() && tubes.front()->collected_at) b_.time(7, dpi::local(report_, *tubes.front()->collected_at));
        if (!report_.prescriber.rpps.empty()) dpi::person(b_, 16, report_.prescriber);
        b_.time(22, validated).field(24, section_of(ordered.chapter)).field(25, status_of(ordered));
        if (number == 1 && !withdrawn()) note(report_.comment);
        std::size_t line = 0;
        for (const auto& each : ordered.results)
            observation(each, ++line, tubes);
        line = 0;
        for (const auto* tube : tubes)
            specimen(*tube, ++line);
    }

    /// The local code first, LOINC in the alternate triplet (hl7v2-lab 8.1).
    void examination(const Ordered& ordered) {
        const auto& first = *ordered.results.front().result;
        const bool itself = ordered.exam == nullptr || ordered.exam->code == first.local_code;
        if (itself) {
            code(4, first);
            return;
        }
        const auto& label = ordered.exam->label.empty() ? ordered.exam->code : ordered.exam->label;
        b_.components(4, {ordered.exam->code, label, "L"});
    }
    void code(std::size_t field, const ReportedResult& result) {
        if (result.loinc.empty()) {
            b_.components(field, {result.local_code, result.label, "L"});
            return;
        }
        const auto& label = result.loinc_label.empty() ? result.label : result.loinc_label;
        b_.components(field, {result.local_code, result.label, "L", result.loinc, label, "LN"});
    }

    /// Some, but not all, of its results are here (ORC-5 A, OBR-25 P).
    bool awaits(const Ordered& ordered) const {
        return ordered.exam != nullptr && std::ranges::any_of(report_.awaited, [&](const domain::Awaited& one) {
                   return one.ordered_as == ordered.exam->code;
               });
    }

    /// What goes on where a partial report stopped corrects nothing but what it says otherwise.
    bool is_correction(const ReportedResult& result) const {
        const bool completes = report_.replaces && report_.replaces->kind == domain::ReportKind::partial;
        return report_.ids.version > 1 && (!completes || result.corrected);
    }

    /// Table 0123. C when any result is corrected or withdrawn; X when nothing was done; P while others are awaited.
    std::string_view status_of(const Ordered& ordered) const {
        if (withdrawn()) return "C";
        if (std::ranges::any_of(ordered.results, [&](const Line& each) { return status_of(each) == "C"; })) return "C";
        if (awaits(ordered)) return "P";
        if (std::ranges::all_of(ordered.results, [](const Line& each) { return each.result->not_done; })) return "X";
        return "F";
    }
    std::string_view status_of(const Line& line) const {
        if (withdrawn()) return "D";
        if (line.result->not_done) return "X";
        if (line.preliminary) return "P";
        return is_correction(*line.result) ? "C" : "F";
    }

    std::vector<const domain::Specimen*> specimens_of(const Ordered& ordered) const {
        std::vector<const domain::Specimen*> tubes;
        for (const auto& tube : report_.specimens) {
            const bool used = std::ranges::any_of(
                ordered.results, [&](const Line& each) { return each.result->specimen_number == tube.number; });
            if (used) tubes.push_back(&tube);
        }
        return tubes;
    }

    void observation(const Line& line, std::size_t number, const std::vector<const domain::Specimen*>& tubes) {
        const auto& result = *line.result;
        b_.segment("OBX").field(1, std::to_string(number)).field(4, line.isolate);
        const bool has_value = !result.not_done && !withdrawn();
        if (has_value) value(result.value);
        code(3, result);
        if (const auto* quantity = std::get_if<domain::Quantity>(&result.value); quantity != nullptr && has_value) {
            if (!quantity->unit.empty()) b_.components(6, {quantity->unit, "", "UCUM"});
            b_.field(7, range_text(result.range));
        }
        if (has_value) b_.field(8, result.susceptible ? domain::to_string(*result.susceptible) : domain::to_string(result.flag));
        b_.field(11, status_of(line));
        for (const auto* tube : tubes) {
            if (result.specimen_number == tube->number && tube->collected_at)
                b_.time(14, dpi::local(report_, *tube->collected_at));
        }
        if (!report_.validator.rpps.empty()) dpi::person(b_, 16, report_.validator);
        if (!result.method.empty()) b_.components(17, {"", result.method});
        b_.time(19, dpi::local(report_, result.measured_at));
        performer(result);
        if (withdrawn()) return;
        // In the words of another laboratory it can't be computed with: beside the result, not in OBX-7.
        auto said = result.comment;
        if (!result.range_text.empty()) said += (said.empty() ? "" : "\n") + std::string("Valeurs de référence : ") + result.range_text;
        note(said);
    }

    /// OBX-2 and OBX-5. Numbers have a point, whatever the language.
    void value(const domain::Value& value) {
        if (const auto* quantity = std::get_if<domain::Quantity>(&value)) {
            const auto number = quantity->number.text();
            if (quantity->comparator == domain::Comparator::none)
                b_.field(2, "NM").field(5, number);
            else
                b_.field(2, "SN").components(5, {domain::to_string(quantity->comparator), number});
        } else if (const auto* coded = std::get_if<domain::Coded>(&value)) {
            const std::string_view system = coded->system == snomed_ct ? std::string_view("SCT") : std::string_view(coded->system);
            b_.field(2, "CWE").components(5, {coded->code, coded->display, system});
        } else {
            const auto& text = std::get<domain::Words>(value).text;
            b_.field(2, text.find('\n') == std::string::npos ? "ST" : "TX");
            for (const auto line : split(text, '\n'))
                b_.repeat(5, {line});
        }
    }

    /// OBX-23: the site where the examination was carried out, or the other laboratory that did it for us.
    void performer(const ReportedResult& result) {
        if (result.performer) {
            const auto& number = result.performer->number;
            if (number.empty()) {
                b_.components(23, {result.performer->name});
                return;
            }
            b_.components(23, {result.performer->name, "", "", "", "", "", number.size() == 9 ? "FINEG" : "", "", "", number});
            dpi::authority(b_, 23, 6, "ASIP-SANTE-ST", domain::oid::structure);
            return;
        }
        const bool national = partner_.finess_form == "IDNST";
        const auto& site = report_.site;
        b_.components(23, {report_.entity.name, "", "", "", "", "", partner_.finess_form, "", "",
                           national ? site.finess.national() : site.finess.text()});
        dpi::authority(b_, 23, 6, "ASIP-SANTE-ST", domain::oid::structure);
    }

    void note(const std::string& text) {
        if (text.empty()) return;
        b_.segment("NTE").field(1, "1").field(2, "L");
        for (const auto line : split(text, '\n'))
            b_.repeat(3, {line});
    }

    void specimen(const domain::Specimen& tube, std::size_t number) {
        b_.segment("SPM").field(1, std::to_string(number)).components(2, {"", tube.number});
        b_.components(4, {tube.type, tube.type_label, "HL70487"}).components(11, {"P", "", "HL70369"});
        if (tube.collected_at) b_.time(17, dpi::local(report_, *tube.collected_at));
        if (tube.received_at) b_.time(18, dpi::local(report_, *tube.received_at));
        if (tube.refused()) b_.field(20, "N").components(21, {tube.refusal_code, tube.refusal, "HL70490"});
    }

    const Letter& letter_;
    const Report& report_;
    const DpiPartner& partner_;
    hl7::Builder b_;
};

}  // namespace

Result<std::string> result_message(const Letter& letter, const Report& report, const DpiPartner& partner) {
    if (auto ok = dpi::check(report, partner); !ok) return ok.error();
    const bool empty = std::ranges::all_of(report.chapters, [](const auto& chapter) { return chapter.results.empty() && chapter.isolates.empty(); });
    if (empty) return Error{Fault::missing, "OBX[1]", "the report holds no result"};
    return ResultMessage(letter, report, partner).make();
}

}  // namespace sgl::delivery

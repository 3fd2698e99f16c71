// Rules of one result, and of its line of the narrative (spec/cr-bio.md 5.2, 5.10).
#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "cda/codes.hpp"
#include "cda/detail_rules.hpp"
#include "cda/templates.hpp"
#include "cda/units.hpp"
#include "lib/base/decimal.hpp"
#include "lib/base/text.hpp"
#include "lib/base/time.hpp"

namespace sgl::cda::detail {

namespace {

constexpr std::string_view software_phrase = "Le compte rendu produit n'est pas conforme : prévenez l'informatique du laboratoire.";
constexpr std::string_view code_phrase = "Un examen du compte rendu est mal codé : vérifiez le catalogue.";
constexpr std::string_view value_phrase = "Un résultat du compte rendu est incomplet ou incohérent.";
constexpr std::string_view range_phrase = "Les valeurs de référence d'un examen sont incohérentes : vérifiez le catalogue.";
constexpr std::string_view narrative_phrase = "Un résultat codé ne figure pas dans le texte du compte rendu : prévenez l'informatique du laboratoire.";
constexpr std::string_view isolate_phrase = "Un germe ou un antibiogramme du compte rendu est incomplet ou incohérent.";
constexpr std::string_view performer_phrase = "Le laboratoire exécutant d'un examen est incomplet ou incohérent dans le compte rendu.";
constexpr std::string_view previous_phrase = "Une antériorité du compte rendu est incohérente avec son examen.";

std::optional<Decimal> decimal(const Element* element) {
    if (element == nullptr) return std::nullopt;
    auto parsed = Decimal::parse(element->attribute("value"));
    if (!parsed) return std::nullopt;
    return std::move(*parsed);
}

class Results {
public:
    Results(const Tree& tree, Findings& findings) : findings_(findings) {
        const auto* performer = tree.root()->at("documentationOf", "serviceEvent", "performer");
        const auto* own = performer == nullptr ? nullptr : performer->at("assignedEntity", "representedOrganization", "id");
        if (own != nullptr) laboratory_ = own->attribute("extension");
        for (const auto& element : tree.elements)
            if (element.name == "content" && element.has_attribute("ID")) places_.emplace(element.attribute("ID"), &element);
    }

    enum class Kind : std::uint8_t { plain, antibiotic };

    void result(const Element& observation, Kind kind) {
        if (!has_templates(observation, {templates::observation_ihe, templates::observation_fr}))
            findings_.error(observation, "a result declares both of its templates", software_phrase);
        examination(observation);
        const auto* status = observation.child("statusCode");
        const auto* value = observation.child("value");
        const auto* time = observation.child("effectiveTime");
        if (status != nullptr && status->attribute("code") == "completed") {
            if (value == nullptr) findings_.error(observation, "a completed result has a value", value_phrase);
            if (time == nullptr) findings_.error(observation, "a completed result has its time", value_phrase);
        } else if (value != nullptr) {
            findings_.error(observation, "a result that was not done has no value", value_phrase);
        }
        if (value != nullptr) well_formed(*value);
        if (const auto* code = observation.child("code");
            code != nullptr && value != nullptr && units::contradict(code->attribute("displayName"), unit_of(*value)))
            findings_.error(*value, "the unit is of another kind than what the examination's label measures", code_phrase);
        interpretation(observation.child("interpretationCode"));
        if (kind == Kind::antibiotic) antibiotic(observation);
        if (const auto* method = observation.child("methodCode");
            method != nullptr && method->has_attribute("code") && method->attribute("codeSystem") != codes::method_system)
            findings_.error(*method, "the method is of another table than ANSM's", code_phrase);
        if (const auto* method = observation.child("methodCode");
            method != nullptr && (method->has_attribute("code") != method->has_attribute("displayName") ||
                                  method->has_attribute("code") != method->has_attribute("codeSystem")))
            findings_.error(*method, "a method comes with its label and its system", code_phrase);
        if (const auto* elsewhere = observation.child("performer")) performer(*elsewhere);
        const auto* range = observation.at("referenceRange", "observationRange", "value");
        if (range != nullptr) reference_range(observation, value, *range);
        for (const auto* relation : observation.all("entryRelationship")) {
            if (const auto* previous = relation->child("observation")) {
                if (relation->attribute("typeCode") != "REFR")
                    findings_.error(*relation, "a previous result is REFR", software_phrase);
                previous_result(observation, *previous);
            }
            if (const auto* comment = relation->child("act")) comment_rules(*relation, *comment, findings_);
        }
        in_narrative(observation, value, kind);
    }

    /// 5.4. Its results are judged by result().
    void isolate(const Element& organizer) {
        if (!has_templates(organizer, {templates::isolate_ihe, templates::isolate_fr}))
            findings_.error(organizer, "an isolate declares both of its templates", software_phrase);
        germ(organizer);
        if (const auto* id = organizer.at("specimen", "specimenRole", "id");
            id != nullptr && !isolates_.insert(std::string(id->attribute("root")) + "^" + std::string(id->attribute("extension"))).second)
            findings_.error(*id, "an isolate is there twice", software_phrase);
        unsigned antibiograms = 0;
        for (const auto* component : organizer.all("component")) {
            if (const auto* comment = component->child("act")) {
                comment_rules(*component, *comment, findings_);
                if (const auto* text = comment->child("text")) words_exist(*text);
            }
            const auto* battery = component->child("organizer");
            if (battery == nullptr) continue;
            ++antibiograms;
            if (!has_templates(*battery, {templates::battery_ihe, templates::battery_fr}))
                findings_.error(*battery, "a battery declares both of its templates", software_phrase);
            wants_code(*battery, codes::antibiogram.code, codes::loinc_system, findings_);
        }
        if (antibiograms > 1) findings_.error(organizer, "an isolate has one antibiogram", isolate_phrase);
    }

    /// The reverse: every line of a table is the label of a result, every comment under it is one that an entry points to.
    void lines(const Tree& tree) {
        std::unordered_set<std::string_view> labels;
        std::unordered_set<std::string_view> pointed;
        for (const auto& element : tree.elements) {
            if (element.name != "reference") continue;
            const auto pointer = element.attribute("value");
            if (!pointer.starts_with('#')) continue;
            pointed.insert(pointer.substr(1));
            const auto* above = element.parent->parent;
            if (element.parent->name != "originalText" || above->name != "code" || above->parent->name != "observation") continue;
            const bool before = above->parent->parent->attribute("typeCode") == "REFR";
            if (!labels.insert(pointer.substr(1)).second && !before)
                findings_.error(element, "two results have one line of the narrative", narrative_phrase);
        }
        for (const auto& element : tree.elements) {
            // Comments and germs have a paragraph each.
            if (element.name != "content" || !element.has_attribute("ID") || element.parent->name != "paragraph") continue;
            const auto* section = section_of(&element);
            if (section != nullptr && section->child("entry") != nullptr && !pointed.contains(element.attribute("ID")))
                findings_.error(element, "the narrative says what no entry says", narrative_phrase);
        }
        for (const auto& element : tree.elements) {
            if (element.name != "tr" || element.parent == nullptr || element.parent->name != "tbody") continue;
            const auto* first = element.children.empty() ? nullptr : element.children.front()->child("content");
            const auto id = first == nullptr ? std::string_view() : first->attribute("ID");
            if (element.children.size() > 1 ? !labels.contains(id) : !pointed.contains(id))
                findings_.error(element, "the narrative says what no entry says", narrative_phrase);
            if (element.children.empty()) continue;
            for (const auto* each : element.children.front()->all("content"))
                if (each != first && !pointed.contains(each->attribute("ID")))
                    findings_.error(*each, "the narrative says what no entry says", narrative_phrase);
        }
    }

private:
    static const Element* section_of(const Element* element) {
        while (element != nullptr && element->name != "section") element = element->parent;
        return element;
    }

    // The content of the narrative which an originalText points to, or null.
    const Element* place_of(const Element* pointing) const {
        const auto* reference = pointing == nullptr ? nullptr : pointing->child("reference");
        if (reference == nullptr || reference->attribute("value").empty()) return nullptr;
        const auto found = places_.find(reference->attribute("value").substr(1));
        return found == places_.end() ? nullptr : found->second;
    }

    void germ(const Element& organizer) {
        const auto* code = organizer.at("specimen", "specimenRole", "specimenPlayingEntity", "code");
        if (code == nullptr) return;
        const bool coded = code->has_attribute("code");
        if (code->has_attribute("displayName") != coded || code->has_attribute("codeSystem") != coded)
            findings_.error(*code, "the code of a germ comes with its label and its system", isolate_phrase);
        if (coded && code->attribute("codeSystem") != codes::snomed_system)
            findings_.error(*code, "the code of a germ is of SNOMED CT, or a translation", isolate_phrase);
        const auto* place = place_of(code->child("originalText"));
        const auto said = place == nullptr ? std::string() : std::string(trim(place->all_text()));
        if (said.empty() || section_of(place) != section_of(&organizer) || !germs_.insert(place).second) {
            findings_.error(*code, "the narrative of its section does not name this germ", narrative_phrase);
            return;
        }
        if (coded && said != code->attribute("displayName"))
            findings_.error(*code, "the narrative names another germ", narrative_phrase);
        const auto* status = organizer.child("statusCode");
        const bool provisional = status != nullptr && status->attribute("code") == "active";
        if (provisional != (place->parent->text.find("provisoire") != std::string::npos))
            findings_.error(organizer, "the narrative does not say whether this germ is identified for good", narrative_phrase);
    }

    // Letters of an antibiogram; where there is no measure, the words are those of the letter.
    void antibiotic(const Element& observation) {
        const auto* flag = observation.child("interpretationCode");
        const auto* meaning = flag == nullptr ? nullptr : codes::find(codes::susceptibilities, flag->attribute("code"));
        if (flag != nullptr && meaning == nullptr)
            findings_.error(*flag, "a line of an antibiogram is S, I, R, SDD, NS or IE", isolate_phrase);
        if (const auto* range = observation.child("referenceRange"))
            findings_.error(*range, "a line of an antibiogram has no reference range", isolate_phrase);
        const auto* value = observation.child("value");
        if (value == nullptr || meaning == nullptr || value->attribute("xsi:type") != "CD") return;
        const auto* place = place_of(value->child("originalText"));
        if (place != nullptr && trim(place->all_text()) != meaning->label)
            findings_.error(*value, "the words of an antibiogram are not those of its letter", isolate_phrase);
    }

    static std::string_view unit_of(const Element& value) {
        return value.children.empty() ? value.attribute("unit") : value.children.front()->attribute("unit");
    }

    // 5.8: only what another laboratory performed names one.
    void performer(const Element& element) {
        if (!has_templates(element, {templates::laboratory_performer, templates::body_performer}))
            findings_.error(element, "a performing laboratory declares both of its templates", software_phrase);
        const auto* entity = element.child("assignedEntity");
        const auto* structure = entity == nullptr ? nullptr : entity->child("representedOrganization");
        const auto* id = structure == nullptr ? nullptr : structure->child("id");
        if (id == nullptr) return;
        if (id->attribute("extension") == laboratory_)
            findings_.error(*id, "the laboratory of the report performs its examinations without being named again", performer_phrase);
        const auto* own = entity->child("id");
        if (own != nullptr && own->attribute("root") == codes::structure_root &&
            own->attribute("extension") != id->attribute("extension"))
            findings_.error(*own, "a performing laboratory has two numbers", performer_phrase);
        if (own != nullptr && own->attribute("root") == codes::professional_root && entity->child("assignedPerson") == nullptr)
            findings_.error(*entity, "a director who is identified has a name", performer_phrase);
    }

    void examination(const Element& observation) {
        const auto* code = observation.child("code");
        if (code == nullptr) return;
        const auto system = code->attribute("codeSystem");
        const auto* translation = code->child("translation");
        if (!system.empty() && system != codes::loinc_system)
            findings_.error(*code, "the code of a result is LOINC, or empty with a translation", code_phrase);
        if (!code->has_attribute("code")) {
            if (translation == nullptr)
                findings_.error(*code, "a result has neither a code nor a translation", code_phrase);
            if (!system.empty() || code->has_attribute("displayName"))
                findings_.error(*code, "an empty code has no label and no system", code_phrase);
        } else if (system.empty() || !code->has_attribute("displayName")) {
            findings_.error(*code, "a code comes with its label and its system", code_phrase);
        }
    }

    void well_formed(const Element& value) {
        const auto type = value.attribute("xsi:type");
        if (type == "CD" && value.has_attribute("code")) {
            if (!value.has_attribute("codeSystem") || !value.has_attribute("displayName"))
                findings_.error(value, "a coded result comes with its label and its system", value_phrase);
        } else if (type == "CD" && (value.has_attribute("displayName") || value.has_attribute("codeSystem"))) {
            findings_.error(value, "a label without its code", value_phrase);
        } else if (type == "CD" && value.child("originalText") == nullptr) {
            findings_.error(value, "a result in words points to its words", value_phrase);
        } else if (type == "ST" && trim(value.text).empty()) {
            findings_.error(value, "an empty result", value_phrase);
        } else if (type == "IVL_PQ") {
            if (value.child("low") != nullptr && value.child("high") != nullptr)
                findings_.error(value, "a measured value is below or above one limit", value_phrase);
            if (const auto* limit = value.children.empty() ? nullptr : value.children.front();
                limit != nullptr && !limit->has_attribute("unit"))
                findings_.error(value, "a limit of measurement has its unit", value_phrase);
        }
    }

    void interpretation(const Element* flag) {
        if (flag == nullptr) return;
        const auto* entry = codes::find(codes::interpretations, flag->attribute("code"));
        if (entry == nullptr || flag->attribute("codeSystem") != codes::interpretation_system)
            findings_.error(*flag, "the flag is not of the value set of interpretations", value_phrase);
        else if (entry->label != flag->attribute("displayName"))
            findings_.warning(*flag, "the label of the flag is not that of the value set", software_phrase);
    }

    void reference_range(const Element& observation, const Element* value, const Element& range) {
        if (range.attribute("xsi:type") != "IVL_PQ") findings_.error(range, "a reference range is an interval (IVL_PQ)", range_phrase);
        const auto* low_element = range.child("low");
        const auto* high_element = range.child("high");
        const auto low = decimal(low_element);
        const auto high = decimal(high_element);
        if (low && high && *low > *high) findings_.error(range, "the low limit is above the high one", range_phrase);
        if (low_element != nullptr && high_element != nullptr &&
            low_element->attribute("unit") != high_element->attribute("unit"))
            findings_.error(range, "the limits have two units", range_phrase);
        if (const auto* meaning = range.parent->child("interpretationCode");
            meaning != nullptr && meaning->attribute("code") != "N")
            findings_.error(*meaning, "the range given is that of normal values", range_phrase);
        if (value == nullptr) return;
        const auto type = value->attribute("xsi:type");
        const auto* measured = type == "IVL_PQ" && !value->children.empty() ? value->children.front() : value;
        const auto* limit = low_element != nullptr ? low_element : high_element;
        if (type == "CD" || type == "ST") {
            findings_.error(range, "limits for a result that is no number", range_phrase);
            return;
        }
        if (limit != nullptr && limit->attribute("unit") != measured->attribute("unit"))
            findings_.error(range, "the range has another unit than the result", range_phrase);
        const auto* flag = observation.child("interpretationCode");
        const auto number = type == "IVL_PQ" ? std::nullopt : decimal(value);
        if (!number || flag == nullptr) return;
        const auto letter = flag->attribute("code");
        if (low && *number < *low && (letter == "N" || letter == "H" || letter == "HH"))
            findings_.warning(*flag, "the value is below the range and not flagged so", "Un résultat sous les valeurs de référence n'est pas signalé comme tel.");
        if (high && *number > *high && (letter == "N" || letter == "L" || letter == "LL"))
            findings_.warning(*flag, "the value is above the range and not flagged so", "Un résultat au-dessus des valeurs de référence n'est pas signalé comme tel.");
    }

    void previous_result(const Element& observation, const Element& previous) {
        const auto same_code = [](const Element* a, const Element* b) {
            if (a == nullptr || b == nullptr) return false;
            const auto of = [](const Element& code) {
                const auto* translation = code.child("translation");
                return translation != nullptr && !code.has_attribute("code") ? translation->attribute("code") : code.attribute("code");
            };
            return of(*a) == of(*b);
        };
        if (!same_code(observation.child("code"), previous.child("code")))
            findings_.error(previous, "the previous result is of another examination", previous_phrase);
        else if (observation.child("code") != nullptr &&
                 observation.child("code")->attribute("displayName") != previous.child("code")->attribute("displayName"))
            findings_.error(previous, "one code has two labels", code_phrase);
        examination(previous);
        interpretation(previous.child("interpretationCode"));
        const auto* now = observation.child("value");
        const auto* before = previous.child("value");
        if (before != nullptr) well_formed(*before);
        const auto unit = [](const Element* value) -> std::string_view {
            if (value == nullptr) return {};
            return value->children.empty() ? value->attribute("unit") : value->children.front()->attribute("unit");
        };
        if (!unit(now).empty() && !unit(before).empty() && unit(now) != unit(before))
            findings_.error(previous, "the previous result has another unit", previous_phrase);
        const auto time = [](const Element& of) -> std::optional<Instant> {
            const auto* element = of.child("effectiveTime");
            if (element == nullptr) return std::nullopt;
            const auto parsed = Timestamp::parse(element->attribute("value"));
            if (!parsed) return std::nullopt;
            return TimeZone::utc().to_instant(*parsed);
        };
        const auto then = time(previous);
        const auto here = time(observation);
        if (!then) findings_.error(previous, "a previous result has its date", previous_phrase);
        if (then && here && *then >= *here)
            findings_.error(previous, "the previous result is not earlier", previous_phrase);
    }

    // The row of the table that holds the label which the result points to, in the section of the result.
    const Element* row_of(const Element& observation) const {
        const auto* place = observation.at("code", "originalText", "reference");
        if (place == nullptr || place->attribute("value").empty()) return nullptr;
        const auto found = places_.find(place->attribute("value").substr(1));
        if (found == places_.end()) return nullptr;
        const Element* row = found->second;
        while (row != nullptr && row->name != "tr") row = row->parent;
        if (row == nullptr || trim(found->second->all_text()).empty()) return nullptr;
        return section_of(row) == section_of(&observation) ? row : nullptr;
    }

    // What a reader must find in the row for this value.
    static std::vector<std::string> words_of(const Element& value) {
        const auto type = value.attribute("xsi:type");
        const auto french = [](std::string_view number) { return replace_all(std::string(number), ".", ","); };
        if (type == "PQ" || type == "REAL") return {french(value.attribute("value"))};
        if (type == "IVL_PQ") {
            const auto* limit = value.children.empty() ? nullptr : value.children.front();
            if (limit == nullptr) return {};
            const bool strict = limit->attribute("inclusive") == "false";
            const std::string sign = limit->name == "high" ? (strict ? "<" : "≤") : (strict ? ">" : "≥");
            return {sign, french(limit->attribute("value"))};
        }
        if (type == "ST") {
            std::vector<std::string> lines;
            for (const auto line : split(value.text, '\n')) lines.emplace_back(trim(line));
            return lines;
        }
        return {std::string(value.attribute("displayName"))};
    }

    void in_narrative(const Element& observation, const Element* value, Kind kind) {
        const auto* row = row_of(observation);
        if (row == nullptr) {
            findings_.error(observation, "the result has no line in the narrative of its section", narrative_phrase);
            return;
        }
        const auto cells = row->all("td");
        const auto has = [](const std::string& text, const std::vector<std::string>& words) {
            for (const auto& word : words)
                if (!word.empty() && text.find(word) == std::string::npos) return false;
            return true;
        };
        if (value != nullptr) {
            // Second cell: the value in its content, then the flag. Nothing else may stand for either. The letter of an
            // antibiogram has the fourth cell.
            const auto* content = cells.size() > 1 ? cells[1]->child("content") : nullptr;
            const auto printed = content == nullptr ? std::string() : content->all_text();
            if (trim(printed).empty() || !has(printed, words_of(*value)))
                findings_.error(*value, "the narrative does not say this value", narrative_phrase);
            const auto* letter = observation.child("interpretationCode");
            const auto in_its_cell = cells.size() < 4 ? std::string() : std::string(trim(cells[3]->all_text()));
            if (kind == Kind::antibiotic && in_its_cell != (letter == nullptr ? std::string_view() : letter->attribute("code")))
                findings_.error(observation, "the narrative says another letter of the antibiogram", narrative_phrase);
            if (const auto* flag = observation.child("interpretationCode");
                kind == Kind::plain && flag != nullptr && (cells.size() < 2 || cells[1]->text.find(flag->attribute("code")) == std::string::npos))
                findings_.error(*flag, "the narrative does not say this flag", narrative_phrase);
            const auto unit = value->children.empty() ? value->attribute("unit") : value->children.front()->attribute("unit");
            const auto after = cells.size() < 2 ? std::string_view() : trim(cells[1]->text);
            if (observation.child("interpretationCode") == nullptr && !after.empty() && !after.starts_with("le "))
                findings_.error(observation, "the narrative says a flag that no entry says", narrative_phrase);
            const auto* type_place = value->child("originalText");
            if (type_place != nullptr) words_exist(*type_place);
            const auto said = cells.size() < 3 ? std::string() : std::string(trim(cells[2]->all_text()));
            if (!unit.empty() && !(unit.starts_with('{') && unit.ends_with('}')) && said.empty())
                findings_.error(*value, "the narrative does not say the unit", narrative_phrase);
            const auto printed_unit = units::simple_ucum(said);
            if (const auto coded_unit = units::simple_ucum(unit);
                !printed_unit.empty() && !unit.empty() && printed_unit != coded_unit)
                findings_.error(*value, "the narrative says another unit", narrative_phrase);
        }
        if (const auto* range = observation.at("referenceRange", "observationRange", "value");
            kind == Kind::plain && range != nullptr && (cells.size() < 4 || trim(cells[3]->all_text()).empty()))
            findings_.error(*range, "the narrative does not say the reference range", narrative_phrase);
        if (cells.size() > 3 && kind == Kind::plain) {
            const auto* range = observation.at("referenceRange", "observationRange", "value");
            const auto said = std::string(trim(cells[3]->all_text()));
            if (range != nullptr)
                range_said(*range, said);
            else if (value != nullptr && value->attribute("xsi:type") == "PQ" && is_plain_range(said))
                // The words of a catalogue or of an analyser may look like limits that nobody could read.
                findings_.warning(observation, "the narrative says a reference range that no entry says", narrative_phrase);
        }
        if (const auto* method = observation.at("methodCode", "originalText")) words_exist(*method);
        const auto* elsewhere = observation.child("performer");
        const auto* name = elsewhere == nullptr ? nullptr : elsewhere->at("assignedEntity", "representedOrganization", "name");
        const auto first_cell = cells.empty() ? std::string() : cells[0]->all_text();
        constexpr std::string_view performed_by = "Examen réalisé par ";
        const auto said = first_cell.find(performed_by);
        if (name != nullptr && (said == std::string::npos || trim(first_cell.substr(said + performed_by.size())) != name->text))
            findings_.error(*elsewhere, "the narrative does not name this laboratory", narrative_phrase);
        if (name == nullptr && said != std::string::npos)
            findings_.error(observation, "the narrative names a laboratory that no entry names", narrative_phrase);
        const auto relations = observation.all("entryRelationship");
        const auto earlier = std::ranges::count_if(relations, [](const Element* each) { return each->child("observation") != nullptr; });
        if (cells.size() > 4 && static_cast<std::ptrdiff_t>(cells[4]->all("content").size()) != earlier)
            findings_.error(observation, "the narrative says other previous results than the entry", narrative_phrase);
        for (const auto* relation : relations) {
            const auto* previous = relation->child("observation");
            const auto* before = previous == nullptr ? nullptr : previous->child("value");
            if (before != nullptr && (cells.size() < 5 || !has(cells[4]->all_text(), words_of(*before))))
                findings_.error(*before, "the narrative does not say this previous result", narrative_phrase);
            if (const auto* comment = relation->at("act", "text")) words_exist(*comment);
        }
    }

    static bool is_plain_range(std::string_view text) {
        constexpr std::string_view between = " à ";
        const auto at = text.find(between);
        if (at == std::string_view::npos) return false;
        const auto number = [](std::string_view word) { return Decimal::parse(replace_all(std::string(trim(word)), ",", ".")).has_value(); };
        return number(text.substr(0, at)) && number(text.substr(at + between.size()));
    }

    // A range printed as plain limits ("3,9 à 6,1", "≤ 5,0") is the one coded; words of a catalogue are not understood here.
    void range_said(const Element& range, std::string text) {
        const auto parsed = [](std::string_view number) { return Decimal::parse(replace_all(std::string(trim(number)), ",", ".")); };
        const auto differs = [&](const Element* limit, std::string_view number) {
            const auto said = parsed(number);
            const auto coded = decimal(limit);
            return said && (!coded || *coded != *said);
        };
        bool wrong = false;
        constexpr std::string_view between = " à ";
        if (const auto at = text.find(between); at != std::string::npos) {
            const auto from = text.substr(0, at);
            const auto to = text.substr(at + between.size());
            if (parsed(from) && parsed(to)) wrong = differs(range.child("low"), from) || differs(range.child("high"), to);
        } else if (text.starts_with("≤ ")) {
            wrong = differs(range.child("high"), text.substr(4));
        } else if (text.starts_with("≥ ")) {
            wrong = differs(range.child("low"), text.substr(4));
        }
        if (wrong) findings_.error(range, "the narrative says another reference range", narrative_phrase);
    }

    // The text pointed to is not empty (that it exists is a rule of pointers).
    void words_exist(const Element& pointing) {
        const auto* reference = pointing.child("reference");
        if (reference == nullptr || reference->attribute("value").empty()) return;
        const auto found = places_.find(reference->attribute("value").substr(1));
        if (found != places_.end() && trim(found->second->all_text()).empty())
            findings_.error(pointing, "the words pointed to are empty", narrative_phrase);
    }

    Findings& findings_;
    std::string_view laboratory_;  ///< of the header
    std::unordered_map<std::string_view, const Element*> places_;
    std::unordered_set<std::string> isolates_;
    std::unordered_set<const Element*> germs_;
};

}  // namespace

void result_rules(const Tree& tree, Findings& findings) {
    Results rules{tree, findings};
    rules.lines(tree);
    for (const auto& element : tree.elements) {
        const bool isolate = element.name == "organizer" && element.parent != nullptr && element.parent->name == "entryRelationship";
        if (isolate) rules.isolate(element);
        if (element.name != "observation" || element.parent == nullptr) continue;
        // A result stands directly under the act of its section, its isolate or its antibiogram; previous results are looked
        // at with theirs.
        const auto* above = element.parent->parent;
        if (element.parent->name == "entryRelationship" && above != nullptr && above->name == "act")
            rules.result(element, Results::Kind::plain);
        if (element.parent->name == "component" && above != nullptr && above->name == "organizer") {
            const bool of_isolate = above->parent->name == "entryRelationship";
            const bool of_battery = above->parent->name == "component" && above->attribute("classCode") == "BATTERY";
            if (of_isolate) rules.result(element, Results::Kind::plain);
            if (of_battery) rules.result(element, Results::Kind::antibiotic);
        }
    }
}

}  // namespace sgl::cda::detail

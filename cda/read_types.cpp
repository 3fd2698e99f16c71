// The data types of CDA, as the reader takes them from the tree.
#include <algorithm>
#include <array>

#include "cda/detail_parse.hpp"
#include "cda/detail_read.hpp"
#include "lib/base/text.hpp"

namespace sgl::cda::detail {

namespace {

// What the place of an element says already, or what repeats a code: not listed as unread.
bool is_structure(std::string_view attribute) {
    constexpr std::array<std::string_view, 14> names{"classCode",
                                                     "moodCode",
                                                     "determinerCode",
                                                     "contextControlCode",
                                                     "contextConductionInd",
                                                     "codeSystemName",
                                                     "codeSystemVersion",
                                                     "typeCode",
                                                     "xsi:schemaLocation",
                                                     "xsi:nil",
                                                     "typeId",
                                                     "valueSet",
                                                     "valueSetVersion",
                                                     "partType"};
    return std::ranges::find(names, attribute) != names.end();
}

bool blank(std::string_view text) {
    return trim(text).empty();
}

// Runs of blanks as one; the line ends that narrative_text made are kept.
std::string collapsed(std::string_view text) {
    std::string out;
    bool gap = false;
    for (const char c : text) {
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            gap = true;
            continue;
        }
        if (gap && !out.empty()) out += ' ';
        gap = false;
        out += c;
    }
    return out;
}

class Lines {
public:
    void add(const Element& element) {
        std::size_t from = 0;
        for (std::size_t i = 0; i < element.children.size(); ++i) {
            words(std::string_view(element.text).substr(from, element.places[i] - from));
            from = element.places[i];
            child(*element.children[i]);
        }
        words(std::string_view(element.text).substr(from));
    }
    std::string take() {
        end_line();
        if (!out_.empty() && out_.back() == '\n') out_.pop_back();
        return std::move(out_);
    }

private:
    void words(std::string_view text) {
        if (text.empty()) return;
        const bool leading = std::string_view(" \t\r\n").find(text.front()) != std::string_view::npos;
        const auto body = collapsed(text);
        if (leading) gap_ = true;
        if (body.empty()) return;
        if (gap_ && !line_.empty() && line_.back() != ' ') line_ += ' ';
        line_ += body;
        gap_ = std::string_view(" \t\r\n").find(text.back()) != std::string_view::npos;
    }
    void end_line() {
        const auto line = trim(line_);
        if (!line.empty()) out_.append(line) += '\n';
        line_.clear();
        gap_ = false;
    }
    void child(const Element& element) {
        const auto& name = element.name;
        if (name == "br") {
            end_line();
        } else if (name == "td" || name == "th") {
            // One line a row, whatever stands in its cells.
            Lines cell;
            cell.add(element);
            const auto text = replace_all(cell.take(), "\n", " / ");
            if (cells_++ > 0) line_ += " | ";
            line_ += text;
        } else if (name == "tr") {
            end_line();
            cells_ = 0;
            add(element);
            while (line_.ends_with(" | "))
                line_.resize(line_.size() - 3);
            end_line();
        } else if (name == "paragraph" || name == "item" || name == "caption" || name == "table" || name == "list") {
            end_line();
            add(element);
            end_line();
        } else {
            add(element);
        }
    }

    std::string out_;
    std::string line_;
    bool gap_{false};
    unsigned cells_{};
};

}  // namespace

std::string narrative_text(const Element& element) {
    Lines lines;
    lines.add(element);
    return lines.take();
}

Source::Source(const Tree& tree) : tree_(tree) {
    for (const auto& element : tree.elements)
        if (const auto id = element.attribute("ID"); !id.empty()) anchors_.emplace(id, &element);
}

const Element* Source::one(const Element& parent, std::string_view name) {
    for (const auto* each : parent.children)
        if (each->name == name && !taken_.contains(each)) {
            taken_.insert(each);
            return each;
        }
    return nullptr;
}

std::vector<const Element*> Source::many(const Element& parent, std::string_view name) {
    auto found = parent.all(name);
    for (const auto* each : found)
        taken_.insert(each);
    return found;
}

std::string Source::attribute(const Element& element, std::string_view name) {
    for (const auto& pair : element.attributes)
        if (pair.first == name) {
            taken_.insert(&pair);
            return pair.second;
        }
    return {};
}

std::string Source::words(const Element& element) {
    taken_.insert(&element.text);
    return std::string(trim(element.text));
}

void Source::whole(const Element& element) {
    taken_.insert(&element);
    taken_.insert(&element.text);
    for (const auto& pair : element.attributes)
        taken_.insert(&pair);
    for (const auto* child : element.children)
        whole(*child);
}

const Element* Source::anchor(std::string_view id) const {
    const auto found = anchors_.find(id);
    return found == anchors_.end() ? nullptr : found->second;
}

std::vector<received::Rest> Source::rest() const {
    std::vector<received::Rest> rest;
    for (const auto& element : tree_.elements) {
        if (&element != tree_.root() && !taken_.contains(&element) && element.attributes.empty() &&
            blank(element.text) && element.children.empty() && element.name != "templateId")
            rest.push_back({element.path(), {}});
        if (element.name == "templateId") continue;
        for (const auto& pair : element.attributes) {
            if (taken_.contains(&pair) || is_structure(pair.first)) continue;
            if (pair.first == "xsi:type" && element.name != "value") continue;
            rest.push_back({element.path() + "/@" + pair.first, pair.second});
        }
        if (!blank(element.text) && !taken_.contains(&element.text))
            rest.push_back({element.path(), std::string(trim(element.text))});
    }
    return rest;
}

std::vector<std::string> Source::templates(const Element& parent) {
    std::vector<std::string> roots;
    for (const auto* each : many(parent, "templateId"))
        roots.push_back(attribute(*each, "root"));
    return roots;
}

received::Id Source::id(const Element* element) {
    if (element == nullptr) return {};
    return {attribute(*element, "root"), attribute(*element, "extension"),
            attribute(*element, "assigningAuthorityName"), attribute(*element, "nullFlavor")};
}

std::vector<received::Id> Source::ids(const Element& parent, std::string_view name) {
    std::vector<received::Id> all;
    for (const auto* each : many(parent, name))
        all.push_back(id(each));
    return all;
}

std::string Source::text(const Element* element, std::string* pointed_at) {
    if (element == nullptr) return {};
    std::string pointer;
    if (const auto* reference = one(*element, "reference")) pointer = attribute(*reference, "value");
    if (!pointer.empty()) {
        const auto id = pointer.starts_with('#') ? pointer.substr(1) : pointer;
        if (pointed_at != nullptr) *pointed_at = id;
        const auto* place = anchor(id);
        auto own = words(*element);
        if (!own.empty() || place == nullptr) return own;
        own = narrative_text(*place);
        constexpr std::size_t enough = 64 * 1024 * 1024;  // a long text may be pointed to from everywhere
        pointed_ += own.size();
        if (pointed_ > enough) throw Unreadable{element->path(), "the narrative is pointed to too often"};
        return own;
    }
    whole(*element);
    return narrative_text(*element);
}

received::Coded Source::coded(const Element* element) {
    received::Coded result;
    if (element == nullptr) return result;
    result.code = attribute(*element, "code");
    result.system = attribute(*element, "codeSystem");
    result.display = attribute(*element, "displayName");
    result.null_flavor = attribute(*element, "nullFlavor");
    result.text = text(one(*element, "originalText"), &result.anchor);
    for (const auto* each : many(*element, "translation"))
        result.translations.push_back(coded(each));
    for (const auto* each : many(*element, "qualifier"))
        result.qualifiers.push_back({coded(one(*each, "name")), coded(one(*each, "value"))});
    return result;
}

received::Moment Source::moment(const Element* element) {
    received::Moment result;
    if (element == nullptr) return result;
    attribute(*element, "xsi:type");
    result.value = attribute(*element, "value");
    result.null_flavor = attribute(*element, "nullFlavor");
    const auto end = [&](std::string_view name) {
        const auto* each = one(*element, name);
        return each == nullptr ? std::string() : attribute(*each, "value");
    };
    result.low = end("low");
    result.high = end("high");
    return result;
}

received::Amount Source::amount(const Element& element) {
    received::Amount result{attribute(element, "value"),
                            attribute(element, "unit"),
                            attribute(element, "inclusive"),
                            attribute(element, "nullFlavor"),
                            {}};
    if (result.unit.empty()) result.unit = attribute(element, "currency");
    for (const auto* each : many(element, "translation")) {
        // PQR: the other unit stands where a code would.
        auto other = amount(*each);
        if (other.unit.empty()) other.unit = attribute(*each, "code");
        result.translations.push_back(std::move(other));
    }
    return result;
}

std::optional<received::Amount> Source::limit(const Element& parent, std::string_view name) {
    const auto* element = one(parent, name);
    if (element == nullptr) return std::nullopt;
    attribute(*element, "xsi:type");
    return amount(*element);
}

received::Value Source::value(const Element& element) {
    received::Value result;
    result.type = attribute(element, "xsi:type");
    result.null_flavor = attribute(element, "nullFlavor");
    const auto& type = result.type;
    if (type == "CD" || type == "CE" || type == "CV" || type == "CO" || type == "CS" || type == "SC") {
        result.coded = coded(&element);
        result.text = words(element);
    } else if (type == "TS" || type == "IVL_TS") {
        result.time = moment(&element);
    } else if (type == "II") {
        result.id = id(&element);
    } else if (type == "ED" || type == "ST" || type.empty()) {
        result.media = attribute(element, "mediaType");
        if (element.children.empty()) {
            taken_.insert(&element.text);
            result.text = element.text;  // line ends are part of a result in words
        } else {
            result.text = text(&element);
        }
    } else {
        result.low = limit(element, "low");
        result.high = limit(element, "high");
        result.center = limit(element, "center");
        result.width = limit(element, "width");
        result.numerator = limit(element, "numerator");
        result.denominator = limit(element, "denominator");
        if (element.has_attribute("value") || element.child("translation") != nullptr) result.amount = amount(element);
    }
    return result;
}

std::vector<received::Value> Source::values(const Element& parent) {
    std::vector<received::Value> all;
    for (const auto* each : many(parent, "value"))
        all.push_back(value(*each));
    return all;
}

received::Name Source::name(const Element& element) {
    received::Name result;
    result.use = attribute(element, "use");
    result.null_flavor = attribute(element, "nullFlavor");
    if (auto own = words(element); !own.empty()) result.parts.push_back({{}, {}, collapsed(own), {}});
    for (const auto* each : element.children) {
        if (each->name == "validTime") continue;
        taken_.insert(each);
        auto qualifier = attribute(*each, "qualifier");
        auto null_flavor = attribute(*each, "nullFlavor");
        result.parts.push_back({each->name, std::move(qualifier), collapsed(words(*each)), std::move(null_flavor)});
    }
    return result;
}

std::vector<received::Name> Source::names(const Element& parent, std::string_view name_of) {
    std::vector<received::Name> all;
    for (const auto* each : many(parent, name_of))
        all.push_back(name(*each));
    return all;
}

received::Address Source::address(const Element& element) {
    received::Address result;
    result.use = attribute(element, "use");
    result.null_flavor = attribute(element, "nullFlavor");
    if (auto own = words(element); !own.empty()) result.parts.push_back({{}, collapsed(own)});
    for (const auto* each : element.children) {
        if (each->name == "useablePeriod") continue;
        taken_.insert(each);
        result.parts.push_back({each->name, collapsed(words(*each))});
    }
    return result;
}

std::vector<received::Address> Source::addresses(const Element& parent) {
    std::vector<received::Address> all;
    for (const auto* each : many(parent, "addr"))
        all.push_back(address(*each));
    return all;
}

std::vector<received::Telecom> Source::telecoms(const Element& parent) {
    std::vector<received::Telecom> all;
    for (const auto* each : many(parent, "telecom"))
        all.push_back({attribute(*each, "value"), attribute(*each, "use"), attribute(*each, "nullFlavor")});
    return all;
}

received::Organisation Source::organisation(const Element& element) {
    received::Organisation result;
    result.ids = ids(element);
    result.names = names(element);
    result.telecoms = telecoms(element);
    result.addresses = addresses(element);
    result.setting = coded(one(element, "standardIndustryClassCode"));
    return result;
}

received::Party Source::party(const Element& role) {
    received::Party result;
    result.class_code = attribute(role, "classCode");
    templates(role);
    result.ids = ids(role);
    result.code = coded(one(role, "code"));
    result.addresses = addresses(role);
    result.telecoms = telecoms(role);
    for (const std::string_view kind : {"assignedPerson", "associatedPerson", "relatedPerson", "guardianPerson",
                                        "informationRecipient", "playingEntity", "subject"})
        if (const auto* person = one(role, kind)) {
            result.names = names(*person);
            if (const auto* code = one(*person, "code")) result.device = coded(code);
        }
    for (const std::string_view kind : {"assignedAuthoringDevice", "playingDevice"})
        if (const auto* device = one(role, kind)) {
            result.device = coded(one(*device, "code"));
            result.model = text(one(*device, "manufacturerModelName"));
            result.software = text(one(*device, "softwareName"));
        }
    for (const std::string_view kind : {"representedOrganization", "scopingOrganization", "receivedOrganization",
                                        "guardianOrganization", "scopingEntity"})
        if (const auto* structure = one(role, kind)) {
            result.organisation = organisation(*structure);
            if (kind == "scopingEntity") {
                if (const auto* desc = one(*structure, "desc"))
                    result.organisation->names.push_back({{{{}, {}, text(desc), {}}}, {}, {}});
                if (const auto* code = one(*structure, "code")) result.organisation->setting = coded(code);
            }
        }
    return result;
}

received::Participation Source::participation(const Element& element) {
    received::Participation result;
    result.kind = element.name;
    result.type = attribute(element, "typeCode");
    result.templates = templates(element);
    result.function = coded(one(element, "functionCode"));
    result.time = moment(one(element, "time"));
    result.signature = code_of(element, "signatureCode");
    for (const std::string_view role : {"assignedEntity", "assignedAuthor", "associatedEntity", "intendedRecipient",
                                        "relatedEntity", "participantRole", "relatedSubject", "guardian"})
        if (const auto* who = one(element, role)) result.who = party(*who);
    return result;
}

std::vector<received::Participation> Source::participations(const Element& parent) {
    std::vector<received::Participation> all;
    for (const auto* each : parent.children) {
        const auto& name = each->name;
        if (name != "subject" && name != "performer" && name != "author" && name != "informant" &&
            name != "participant" && name != "dataEnterer")
            continue;
        if (taken_.contains(each)) continue;
        taken_.insert(each);
        all.push_back(participation(*each));
    }
    return all;
}

received::Group::Specimen Source::specimen(const Element& role) {
    received::Group::Specimen result;
    result.ids = ids(role);
    for (const std::string_view kind : {"specimenPlayingEntity", "playingEntity"})
        if (const auto* entity = one(role, kind)) {
            result.class_code = attribute(*entity, "classCode");
            result.code = coded(one(*entity, "code"));
            result.names = names(*entity);
        }
    return result;
}

std::string Source::code_of(const Element& parent, std::string_view name) {
    const auto* element = one(parent, name);
    return element == nullptr ? std::string() : attribute(*element, "code");
}

}  // namespace sgl::cda::detail

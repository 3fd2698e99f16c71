// Inside `write`: the parts of the document shared by its header, its narrative and its entries. Not for other rooms.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cda/codes.hpp"
#include "cda/cr_bio.hpp"
#include "cda/xml_writer.hpp"

namespace sgl::cda::detail {

// Small pieces of the standard (section 4), each refusing what it cannot say.
void template_id(XmlWriter& w, std::string_view root, std::string_view extension = {});
void id(XmlWriter& w, const Identifier& identifier);
void bare_oid(XmlWriter& w, std::string_view name, std::string_view oid);
/// `<name code="…" displayName="…" codeSystem="…"/>`
void code(XmlWriter& w, const Code& code, std::string_view name = "code");
void code(XmlWriter& w, const codes::Entry& entry, std::string_view name = "code");
/// A time with its offset; anything shorter than minutes is refused.
void time_value(XmlWriter& w, std::string_view name, const Timestamp& time);
void time_high(XmlWriter& w, const Timestamp& time, std::string_view xsi_type = {});
void address(XmlWriter& w, const Address& address, std::string_view null_flavor);
void telecoms(XmlWriter& w, const std::vector<Telecom>& telecoms, std::string_view null_flavor);
void person_name(XmlWriter& w, const PersonName& name);
/// Children of an assignedEntity-like element up to telecom: ids, code, addr, telecom. Only one who takes part without
/// answering for the report (a prescriber, a collector) may lack an identifier.
enum class Ids : std::uint8_t { required, optional };
void professional(XmlWriter& w, const Professional& who, Ids ids = Ids::required);
/// Where the standard wants the practice setting, one that is not known says so.
enum class Setting : std::uint8_t { optional, unknown };
void organisation(XmlWriter& w, const Organisation& organisation, std::string_view name,
                  Setting without = Setting::optional);
std::string_view status_code(Progress progress);

void header(XmlWriter& w, const CrBio& report);
void body(XmlWriter& w, const CrBio& report);

/// IDs that tie a result to its line of the narrative: `c1-r3`, `c1s2-r3`…
struct Anchors {
    std::string group;  ///< "c1" or "c1s2"

    std::string label(std::size_t result) const { return group + "-r" + std::to_string(result + 1); }
    std::string value(std::size_t result) const { return label(result) + "-v"; }
    std::string method(std::size_t result) const { return label(result) + "-m"; }
    std::string previous(std::size_t result, std::size_t n) const { return label(result) + "-p" + std::to_string(n + 1); }
    std::string comment(std::size_t result, std::size_t n) const { return label(result) + "-c" + std::to_string(n + 1); }
    Anchors isolate(std::size_t n) const { return {group + "-i" + std::to_string(n + 1)}; }
    Anchors antibiogram() const { return {group + "-a"}; }  ///< of an isolate
    std::string germ() const { return group + "-g"; }       ///< likewise
    std::string group_comment(std::size_t n) const { return group + "-c" + std::to_string(n + 1); }
};

/// The `text` of a chapter or sub-chapter.
void narrative(XmlWriter& w, const ResultGroup& group, const Anchors& anchors);

}  // namespace sgl::cda::detail

#include "config/kit_defects.hpp"

#include "config/keys.hpp"

namespace sgl::config {

namespace {

const std::vector<Key<KitDefect>> keys{
    {"family", &KitDefect::family, "text", R"("")",
     "CR-BIO, CR-BIO 2024.01, IHE, ModelesDeContenusCDA or Modeles_ANS."},
    {"pattern", &KitDefect::pattern, "text", R"("")", "Identifier of the Schematron pattern."},
    {"test", &KitDefect::test, "text", R"("")", "The whole test."},
    {"message", &KitDefect::message, "text", R"("")", "A part of the message."},
    {"reason",
     &KitDefect::reason,
     "text",
     "",
     "Why it is a defect of the kit, and of which edition.",
     {.not_empty = true}},
};

constexpr std::string_view shipped =
    R"toml(# Published defects of the official kit (testContenuCDA of the ANS). A finding of ring 3 that one of them explains is told
# apart and never rejects a document. [cda] official_kit_defects, or `sgld check --kit-defects`, names a copy of this file.
#
# [[defect]]  each key may be left out, and then matches everything; one of pattern, test and message is needed.
#   family    "CR-BIO", "CR-BIO 2024.01", "IHE", "ModelesDeContenusCDA", "Modeles_ANS"
#   pattern   identifier of the Schematron pattern, as `sgld check --ring 3` prints it
#   test      the whole test, blanks as one
#   message   a part of the message
#   reason    why, and of which edition of the kit; required

[[defect]]
family = "ModelesDeContenusCDA"
pattern = "JDV_specimenType"
message = "JDV_SpecimenType_CISIS.xml"
reason = "Edition of 6 March 2025: the rule names a value set file that the kit has under another name, so that no specimen type can be known."
)toml";

}  // namespace

Result<std::vector<KitDefect>> parse_kit_defects(std::string_view toml) {
    const auto file = parse_toml(toml);
    if (!file) return file.error();
    std::vector<KitDefect> defects;
    for (const auto& member : file->members) {
        if (member.name != "defect" || member.value.kind != Node::Kind::array)
            return Error{Fault::malformed, place(member), "only [[defect]] belongs here"};
        for (const auto& item : member.value.items) {
            KitDefect defect;
            if (auto read = read_table<KitDefect>(item, "[[defect]]", keys, defect); !read) return read.error();
            if (defect.pattern.empty() && defect.test.empty() && defect.message.empty())
                return Error{Fault::refused, place(item),
                             "[[defect]]: pattern, test or message must say which findings are meant"};
            defects.push_back(std::move(defect));
        }
    }
    return defects;
}

std::string_view shipped_kit_defects() {
    return shipped;
}

}  // namespace sgl::config

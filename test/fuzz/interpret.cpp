// Any message that can be parsed is understood or refused, whatever the settings of its link: nothing unknown reaches
// an order, every trouble has its place, and what is shown of it is text.
#include <array>
#include <string>
#include <variant>

#include "hl7/message.hpp"
#include "lib/base/text.hpp"
#include "lib/domain/order_request.hpp"
#include "lib/interpret/identity.hpp"
#include "lib/interpret/order.hpp"
#include "lib/interpret/results.hpp"
#include "lib/interpret/waiting.hpp"
#include "lib/interpret/work.hpp"
#include "test/fuzz/target.hpp"

namespace {

using namespace sgl;

domain::Catalogue catalogue() {
    constexpr std::array kinds{domain::ValueKind::numeric,  domain::ValueKind::coded,      domain::ValueKind::text,
                               domain::ValueKind::titre,    domain::ValueKind::interval,   domain::ValueKind::graded,
                               domain::ValueKind::organism, domain::ValueKind::antibiotic, domain::ValueKind::marker};
    constexpr std::array codes{"NA", "AGHBS", "NOTE", "TITRE", "TRANCHE", "BU", "GERME", "AMX", "BLSE"};
    std::vector<domain::Analyte> analytes;
    for (std::size_t i = 0; i < kinds.size(); ++i) {
        domain::Analyte analyte;
        analyte.id = domain::AnalyteId{static_cast<int>(i) + 1};
        analyte.local_code = codes.at(i);
        analyte.kind = kinds.at(i);
        if (i == 0) {
            analyte.loinc = "2951-2";
            analyte.unit = "mmol/L";
            analyte.panels = {"IONO"};
        }
        analytes.push_back(analyte);
    }
    return domain::Catalogue(std::move(analytes));
}

/// Each bit is a habit of some analyser (hl7v2-lab 6.5, 6.6).
domain::Link link_of(unsigned habits) {
    const auto has = [&](unsigned bit) { return (habits >> bit & 1U) != 0; };
    domain::Link link;
    link.order_source = true;
    link.identity_source = true;
    link.decimal_comma = has(0);
    if (has(1)) {
        link.codes = {{"Na", "NA", "mmol/L", std::nullopt, ""},
                      {"Na", "NA", "g/L", Decimal::parse("43.5").value(), "OBX-5.2"},
                      {"GERM", "GERME", "", std::nullopt, "OBX-8"}};
        link.units = {{"mM", "mmol/L"}};
        link.values = {{"POS", "Positif"}, {"---", ""}};
    }
    if (has(2)) {
        link.number_paths = {"SAC-4", "SPM-2.2", "OBR-3.1", "PID-3"};
        link.code_paths = {"OBX-3.4", "OBX-4"};
        link.flag_paths = {"OBX-8", "NTE-3", "OBX-13"};
    }
    if (has(3)) {
        link.controls = {{"SPM-11", {"Q"}, {}}, {"OBR-3.3", {}, {"QC", "C"}}};
        link.ignored = {{"OBX-3.3", {}, {}}};
        link.control_prefixes = {"QC"};
        link.ignored_codes = {"08001"};
    }
    if (has(4)) {
        link.flags = {{"A", domain::Link::Flag::Does::comment, "à voir"},
                      {"!", domain::Link::Flag::Does::block, ""},
                      {"R", domain::Link::Flag::Does::hide, ""}};
        link.performing_laboratory = "Laboratoire partenaire";
    }
    if (has(5)) link.blanks = "_^";
    if (has(6)) link.default_status = "F";
    if (has(7)) link.message_types = {"ORU^R01", "OML^O21", "ADT^A40"};
    return link;
}

void troubles_have_a_place(const std::vector<domain::Trouble>& troubles) {
    for (const auto& trouble : troubles) {
        fuzz::demand(!trouble.coordinate.empty(), "a trouble has its place");
        fuzz::demand(is_utf8(trouble.what), "a trouble is text");
    }
}

void read_results(const hl7::Message& message, const domain::Link& link, const domain::Catalogue& known) {
    const auto reading = interpret::results(message, link, known);
    const auto* read = std::get_if<domain::Reading>(&reading);
    if (read == nullptr) return;
    troubles_have_a_place(read->troubles);
    for (const auto& trouble : read->troubles)
        (void)interpret::said_at(message, link, trouble.coordinate);
    for (const auto& group : read->groups) {
        for (const auto& result : group.results) {
            fuzz::demand(result.analyte || result.held, "an unknown code never reaches an order");
            fuzz::demand(is_utf8(result.code) && is_utf8(result.note), "what is kept is text");
        }
    }
}

void read_order(const hl7::Message& message, const domain::Link& link, const domain::Catalogue& known) {
    const auto read = interpret::order(message, link, known, {"1.2.250.1.99999.101", false});
    const auto* asked = std::get_if<interpret::ReadOrder>(&read);
    if (asked == nullptr) return;
    troubles_have_a_place(asked->troubles);
    const auto decided = domain::decide(*asked, {}, known);
    fuzz::demand(decided.lines.size() == asked->lines.size(), "every line has its answer");
    for (const auto& line : decided.lines) {
        fuzz::demand(line.refusal == domain::LineRefusal::none || !line.coordinate.empty(), "a refusal has its place");
        fuzz::demand(!line.order || *line.order < decided.orders.size(), "a line is of an order that is there");
    }
    fuzz::demand(decided.orders.size() <= 1, "a message makes one order at most");
}

}  // namespace

void sgl::fuzz::one(std::string_view input) {
    static const domain::Catalogue known = catalogue();
    if (input.size() < 2) return;
    hl7::ParseOptions options;
    options.charset = static_cast<hl7::LinkCharset>(static_cast<unsigned char>(input[0]) % 6);
    const auto link = link_of(static_cast<unsigned char>(input[1]));
    input.remove_prefix(2);
    const auto parsed = hl7::Message::parse(std::string(input), options);
    if (!parsed) return;
    (void)interpret::admit(*parsed, link);
    read_results(*parsed, link, known);
    read_order(*parsed, link, known);
    const auto person = interpret::identity(*parsed, link, {"1.2.250.1.99999.101", false});
    if (const auto* read = std::get_if<interpret::ReadIdentity>(&person)) troubles_have_a_place(read->troubles);
    (void)interpret::work_query(*parsed);
    (void)interpret::work_answer(*parsed);
    (void)interpret::without_forbidden(input);
    demand(is_utf8(interpret::masked(*parsed)) && is_utf8(interpret::readable(*parsed)), "what is shown is text");
}

SGL_FUZZ_TARGET

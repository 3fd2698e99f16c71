// Isolates as a report will show them (hl7v2-lab 8.8).
#include "lib/domain/microbiology.hpp"

#include <gtest/gtest.h>

namespace sgl::domain {
namespace {

CultureLine line(int id, std::string isolate, ValueKind kind, std::string code, std::optional<Value> value) {
    CultureLine line;
    line.result = ResultId{id};
    line.isolate = std::move(isolate);
    line.kind = kind;
    line.code = std::move(code);
    line.value = std::move(value);
    return line;
}

TEST(Isolates, HaveTheirOwnLines) {
    const Quantity concentration{Comparator::less_or_equal, Decimal::parse("0.25").value(), "mg/L"};
    const Quantity diameter{Comparator::none, Decimal::parse("19").value(), "mm"};
    auto cefotaxime = line(3, "1001-1#1", ValueKind::antibiotic, "CTX", concentration);
    cefotaxime.detail.susceptible = Susceptible::standard;
    auto vancomycin = line(4, "1001-1#2", ValueKind::antibiotic, "VAN", diameter);
    vancomycin.detail.unprinted = true;
    const auto found =
        isolates({line(1, "1001-1#1", ValueKind::organism, "GERME", Coded{"112283007", "SCT", "Escherichia coli"}),
                  line(2, "1001-1#2", ValueKind::organism, "GERME", Coded{"", "", "Enterococcus faecalis"}), cefotaxime,
                  vancomycin, line(5, "1001-1#1", ValueKind::marker, "BLSE", Words{"Négatif"}),
                  line(6, "", ValueKind::numeric, "LEUU", concentration)});
    ASSERT_EQ(found.size(), 2U) << "what is of no isolate makes none";
    EXPECT_EQ(found[0].result, ResultId{1});
    ASSERT_EQ(found[0].susceptibilities.size(), 1U);
    EXPECT_EQ(found[0].susceptibilities[0].concentration, concentration);
    EXPECT_EQ(found[0].susceptibilities[0].answer, Susceptible::standard);
    ASSERT_EQ(found[0].findings.size(), 1U);
    EXPECT_EQ(found[0].findings[0].code, "BLSE");
    ASSERT_EQ(found[1].susceptibilities.size(), 1U);
    EXPECT_EQ(found[1].susceptibilities[0].diameter, diameter);
    EXPECT_FALSE(found[1].susceptibilities[0].printed);
}

}  // namespace
}  // namespace sgl::domain

#include "cda/units.hpp"

#include <gtest/gtest.h>

namespace sgl::cda::units {
namespace {

TEST(Units, ContradictOnlyWhatIsSure) {
    EXPECT_TRUE(contradict("Glucose à jeun [Moles/Volume] Sérum/Plasma ; Numérique", "g/L"));
    EXPECT_TRUE(contradict("Glucose à jeun [Masse/Volume] Sérum/Plasma ; Numérique", "mmol/L"));
    EXPECT_TRUE(contradict("Hématocrite [Fraction volumique] Sang ; Numérique", "10*9/L"));
    EXPECT_TRUE(contradict("Plaquettes [Nombre/Volume] Sang ; Numérique", "g/L"));
    EXPECT_TRUE(contradict("Gamma glutamyltransférase [Catalytique/Volume] Sérum/Plasma ; Numérique", "mmol/L"));
    EXPECT_FALSE(contradict("Glucose à jeun [Moles/Volume] Sérum/Plasma ; Numérique", "mmol/L"));
    EXPECT_FALSE(contradict("Hémoglobine [Masse/Volume] Sang ; Numérique", "g/dL"));
    EXPECT_FALSE(contradict("Leucocytes [Nombre/Volume] Urine ; Numérique", "/uL"));
    EXPECT_FALSE(contradict("Plaquettes [Nombre/Volume] Sang ; Numérique", "10*9/L"));
    EXPECT_FALSE(contradict("Thyréostimuline [Arbitraire/Volume] Sérum/Plasma ; Numérique", "m[IU]/L"));
    EXPECT_FALSE(contradict("Indice de distribution plaquettaire [Volume d'entité] Sang ; Numérique", "%"));
    EXPECT_FALSE(contradict("Amoxicilline [Sensibilité] Isolat", "ug/mL"));
    EXPECT_FALSE(contradict("Hématocrite", "%"));
    EXPECT_FALSE(contradict("Glucose [Moles", "g/L"));
    EXPECT_FALSE(contradict("", ""));
}

TEST(Units, PrintedUnitsAreReadWhenTheyAreSimple) {
    EXPECT_EQ(simple_ucum("µmol/L"), "umol/L");
    EXPECT_EQ(simple_ucum("mg/dl"), "mg/dL");
    EXPECT_EQ(simple_ucum("g/L"), "g/L");
    EXPECT_EQ(simple_ucum("G/L"), "");
    EXPECT_EQ(simple_ucum("UI/L"), "");
    EXPECT_EQ(simple_ucum(""), "");
}

}  // namespace
}  // namespace sgl::cda::units

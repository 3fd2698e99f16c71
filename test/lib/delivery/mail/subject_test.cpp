#include "lib/delivery/mail/subject.hpp"

#include <gtest/gtest.h>

namespace sgl::mail {
namespace {

const Person vial{"Vial", "Paul", Timestamp::parse("19781126").value()};

TEST(XdmSubject, EqualsTheVectorsOfTheReferential) {
    EXPECT_EQ(xdm_subject({"CR d'examens biologiques"}, vial), "XDM/1.0/DDM+CR d'examens biologiques VIAL Paul 26/11/1978");
    EXPECT_EQ(xdm_subject({"Lettre de liaison à la sortie d'un établissement de santé"}, vial),
              "XDM/1.0/DDM+Lettre de liaison a la sortie d'un etabl VIAL Paul 26/11/1978");
    EXPECT_EQ(xdm_subject({"CR d'examens biologiques", "Autre"}, vial), "XDM/1.0/DDM+2 documents VIAL Paul 26/11/1978");
    EXPECT_EQ(xdm_subject({"ECHOGRAPHIE ABDOMINOPELVIENNE"}, {"CORSE", "FIGATELLIX", Timestamp::parse("19881012").value()}),
              "XDM/1.0/DDM+ECHOGRAPHIE ABDOMINOPELVIENNE CORSE FIGATELLIX 12/10/1988");
}

TEST(XdmSubject, IsAsciiWithoutAccents) {
    EXPECT_EQ(xdm_subject({"Cœlioscopie"}, {"D’Hérouville-Noël", "Zoé", std::nullopt}), "XDM/1.0/DDM+Coelioscopie D'HEROUVILLE-NOEL Zoe");
    EXPECT_EQ(xdm_subject({"x"}, {"Ωmega", "Paul\r\nBcc: x@y", std::nullopt}), "XDM/1.0/DDM+x ?MEGA Paul  Bcc: x@y");
}

TEST(XdmSubject, LeavesOutABirthDateWithoutItsDay) {
    EXPECT_EQ(xdm_subject({"x"}, {"VIAL", "Paul", Timestamp::parse("197811").value()}), "XDM/1.0/DDM+x VIAL Paul");
}

TEST(XdmSubject, CutsALabelOfFortyOneCharactersAtForty) {
    EXPECT_EQ(xdm_subject({std::string(41, 'x')}, {"A", "B", std::nullopt}), "XDM/1.0/DDM+" + std::string(40, 'x') + " A B");
    EXPECT_EQ(xdm_subject({std::string(39, 'x') + "œ"}, {"A", "B", std::nullopt}), "XDM/1.0/DDM+" + std::string(39, 'x') + "o A B");
}

TEST(PdfName, EqualsTheVectorOfTheReferential) {
    EXPECT_EQ(pdf_name(Timestamp::parse("20150802083000+0200").value(), "CR d'examens biologiques", vial, "12150302014578"),
              "20150802_CR d'examens biologiques_VIAL_Paul_12150302014578.pdf");
    EXPECT_EQ(pdf_name(Timestamp::parse("20150802").value(), "CR d'examens biologiques", vial, ""),
              "20150802_CR d'examens biologiques_VIAL_Paul.pdf");
}

TEST(PdfName, HoldsNothingThatAFileSystemWouldReadDifferently) {
    EXPECT_EQ(pdf_name(Timestamp::parse("2015").value(), "a/b\\c:d*e?f\"g<h>i|j", {"..", "é\n", std::nullopt}, "../1"),
              "2015_a_b_c_d_e_f_g_h_i_j_.._e_.._1.pdf");
}

}  // namespace
}  // namespace sgl::mail

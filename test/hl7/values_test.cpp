#include "hl7/values.hpp"

#include <gmock/gmock.h>

#include <stdexcept>

namespace sgl::hl7 {
namespace {

using testing::SizeIs;

Message with(std::string_view segment) {
    auto message = Message::parse("MSH|^~\\&|A|||||||||||||||UNICODE UTF-8\r" + std::string(segment) + "\r");
    if (!message) throw std::runtime_error(to_string(message.error()));
    return std::move(*message);
}

std::string number(std::string_view text) {
    const auto n = read_number(text);
    if (!n) return std::string(to_string(n.error().fault));
    return std::string(to_string(n->comparator)) + n->value.text() + (n->ambiguous ? " ambiguous" : "");
}

TEST(Timestamps, KeepThePrecisionTheyCameWith) {
    EXPECT_EQ(read_timestamp("20240315")->value.precision, Precision::day);
    EXPECT_EQ(read_timestamp(" 202405021530 ")->value.precision, Precision::minute);
    EXPECT_EQ(read_timestamp("20240502081530.1234+0200")->value.offset_minutes, 120);
    EXPECT_FALSE(read_timestamp("20240315")->iso_form);
    const auto m = with("OBX|20240502081530^S");
    EXPECT_EQ(to_hl7(read_timestamp(m.first("OBX").field(1))->value), "20240502081530");
}

TEST(Timestamps, AreReadInTheIsoFormWithAWarning) {
    for (const auto* text :
         {"2024-05-02T08:15:30", "2024-05-02T08:15:30Z", "2024-05-02 08:15:30.5+02:00", "2024-05-02"}) {
        const auto t = read_timestamp(text);
        ASSERT_TRUE(t) << text;
        EXPECT_TRUE(t->iso_form);
        EXPECT_EQ(t->value.day, 2U);
    }
    EXPECT_EQ(read_timestamp("2024-05-02T08:15:30.5+02:00")->value.offset_minutes, 120);
}

TEST(Timestamps, AreMissingOrMalformedOtherwise) {
    for (const auto* text : {"", "  ", "\"\"", "0000", "00000000000000"})
        EXPECT_EQ(read_timestamp(text).error().fault, Fault::missing) << text;
    for (const auto* text : {"20241332", "hier", "2024-13-02", "2024-05-02X08:15"}) {
        EXPECT_EQ(read_timestamp(text).error().fault, Fault::malformed) << text;
    }
}

TEST(Numbers, AreReadAsAnalysersWriteThem) {
    EXPECT_EQ(number("5.0"), "5.0");
    EXPECT_EQ(number("68,5"), "68.5");
    EXPECT_EQ(number("> 90"), ">90");
    EXPECT_EQ(number("<0.10"), "<0.10");
    EXPECT_EQ(number("≤ 5"), "<=5");
    EXPECT_EQ(number("=>5"), ">=5");
    EXPECT_EQ(number("~12"), "~12");
    EXPECT_EQ(number("−1.5"), "-1.5");
    EXPECT_EQ(number("12 345"), "12345");
    EXPECT_EQ(number("1\u202f234\u202f567,8"), "1234567.8");
    EXPECT_EQ(number("+3"), "3");
    EXPECT_EQ(number("1.5e3"), "1500");
    EXPECT_EQ(number("1.5E-3"), "0.0015");
    EXPECT_EQ(number("-12e0"), "-12");
    EXPECT_EQ(number("0e5"), "0");
}

TEST(Numbers, AreNotGuessed) {
    EXPECT_EQ(number("1,234"), "1.234 ambiguous");
    EXPECT_EQ(number("0,123"), "0.123");
    EXPECT_EQ(number("1,23"), "1.23");
    EXPECT_EQ(number(""), "missing");
    for (const auto* text : {"***.**", ".....", "----", "NEG", "1/80", "5-10", "2+", "12 34", "1 2345", "1.2.3", "1e99",
                             "1e", "<", ".", "5.", "5 mg", "12 345 6", "99999999999999999999999999999999999999"}) {
        EXPECT_EQ(number(text), "malformed") << text;
    }
    EXPECT_FALSE(read_number("1,2", {false}));
}

TEST(StructuredNumbers, AreReadInTheirFourShapes) {
    const auto read = [](std::string_view sn) {
        const auto m = with("OBX|" + std::string(sn));
        return read_structured_number(m.first("OBX").field(1).repetition(0));
    };
    EXPECT_EQ(read(">^90")->comparator, Comparator::greater);
    EXPECT_EQ(read(">^90")->first->text(), "90");
    EXPECT_EQ(read("^100^-^200")->separator, '-');
    EXPECT_EQ(read("^100^-^200")->second->text(), "200");
    EXPECT_EQ(read("^1^:^128")->separator, ':');
    EXPECT_EQ(read("^2^+")->separator, '+');
    EXPECT_FALSE(read("^2^+")->second);
    EXPECT_TRUE(read("<>^2")->not_equal);
    EXPECT_EQ(read("=^2")->comparator, Comparator::none);
    EXPECT_EQ(read("<0.10")->comparator, Comparator::less);
    EXPECT_EQ(read("<0.10")->first->text(), "0.10");
    for (const auto* bad : {"?^2", "^2^x", "^abc", "NEG", "^1^-^>2"})
        EXPECT_EQ(read(bad).error().fault, Fault::malformed) << bad;
    EXPECT_EQ(read("").error().fault, Fault::missing);
}

TEST(Values, AreReadFromTheirComponents) {
    const auto m = with(
        "PID|1||279035121518989^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.10&ISO^INS~^^^x~42^^^LABO||PAT-TROIS&x^"
        "DOMINIQUE^DOMINIQUE "
        "MARIE^^^^L||||||1 rue A^^PARIS^^75007^FRA^H~^^^^^^BDL^^63220||^PRN^CP^a@b.example^^^^^^^^0601020304");
    const auto pid = m.first("PID");
    const auto ids = read_extended_ids(pid.field(3));
    ASSERT_THAT(ids, SizeIs(2));
    EXPECT_EQ(ids[0].authority, (Authority{"ASIP-SANTE-INS-NIR", "1.2.250.1.213.1.4.10", "ISO"}));
    EXPECT_EQ(ids[0].type, "INS");
    EXPECT_EQ(ids[1].id, "42");
    EXPECT_EQ(read_person_name(pid.field(5).repetition(0)),
              (PersonName{"PAT-TROIS", "DOMINIQUE", "DOMINIQUE MARIE", "", "", "L"}));
    EXPECT_EQ(read_address(pid.field(11).repetition(0)),
              (Address{"1 rue A", "", "PARIS", "", "75007", "FRA", "H", ""}));
    EXPECT_EQ(read_address(pid.field(11).repetition(1)).county_code, "63220");
    EXPECT_EQ(read_telecom(pid.field(13).repetition(0)), (Telecom{"0601020304", "PRN", "CP", "a@b.example"}));

    const auto o = with(
        "OBR|1|P1^DPI^1.2^ISO||58410-2^NFS^LN^L1^Numération^L^^^orig|899900000017^DOC^ANNE^^^DR^^^ASIP-SANTE-PS&1.2."
        "250.1.71.4.2.1&ISO^D^^^RPPS"
        "|T1&DPI&1.3&ISO^F1|CHU^^^^^FINESS^FINEJ^^^690000001");
    const auto obr = o.first("OBR");
    EXPECT_EQ(read_entity(obr.field(2).repetition(0)), (EntityIdentifier{"P1", {"DPI", "1.2", "ISO"}}));
    EXPECT_EQ(read_coded(obr.field(4).repetition(0)), (Coded{"58410-2", "NFS", "LN", "L1", "Numération", "L", "orig"}));
    const auto doctor = read_professional(obr.field(5).repetition(0));
    EXPECT_EQ(doctor.id, "899900000017");
    EXPECT_EQ(doctor.name.family, "DOC");
    EXPECT_EQ(doctor.name.type, "D");
    EXPECT_EQ(doctor.id_type, "RPPS");
    EXPECT_EQ(doctor.authority.oid, "1.2.250.1.71.4.2.1");
    EXPECT_EQ(read_entity(obr.field(6).repetition(0).component(1)), (EntityIdentifier{"T1", {"DPI", "1.3", "ISO"}}));
    EXPECT_EQ(read_organisation(obr.field(7).repetition(0)),
              (Organisation{"CHU", "690000001", {"FINESS", "", ""}, "FINEJ"}));
    EXPECT_TRUE(read_coded(obr.field(40).repetition(0)).empty());
}

TEST(EncapsulatedData, IsDecodedAndKnownByItsBeginning) {
    const auto ed = [](std::string_view field) {
        const auto message = Message::parse("MSH|^~\\&|A\rOBX|" + std::string(field) + "\r");
        return read_encapsulated(message->first("OBX").field(1).repetition(0));
    };
    const auto pdf = ed("^AP^PDF^Base64^JVBERi0x\nLjQ K\\.br\\");
    ASSERT_TRUE(pdf);
    EXPECT_EQ(pdf->bytes, "%PDF-1.4\n");
    EXPECT_EQ(pdf->subtype, "PDF");
    EXPECT_EQ(sniff(pdf->bytes), ContentKind::pdf);
    EXPECT_EQ(ed("^TEXT^XML^A^<a/>")->bytes, "<a/>");
    EXPECT_EQ(ed("^IM^BMP^hex^42 4d")->bytes, "BM");
    EXPECT_EQ(ed("^AP^PDF^Base64^").error().fault, Fault::missing);
    EXPECT_EQ(ed("^AP^PDF^Base64^a$b").error().fault, Fault::malformed);
    EXPECT_EQ(ed("^IM^BMP^Hex^4x").error().fault, Fault::malformed);
    EXPECT_EQ(ed("^IM^BMP^Hex^424").error().fault, Fault::malformed);
    EXPECT_EQ(ed("^AP^PDF^uuencode^x").error().fault, Fault::unsupported);
    EXPECT_EQ(sniff("\xEF\xBB\xBF \n<?xml"), ContentKind::xml);
    EXPECT_EQ(sniff("\xFF\xD8\xFF\xE0"), ContentKind::jpeg);
    EXPECT_EQ(sniff("hello"), ContentKind::unknown);
}

TEST(TimeOfDay, KeepsItsPrecision) {
    EXPECT_EQ(read_time_of_day("0815")->minute, 15U);
    EXPECT_EQ(read_time_of_day("0815")->precision, Precision::minute);
    EXPECT_EQ(read_time_of_day("08")->precision, Precision::hour);
    EXPECT_EQ(read_time_of_day(" 081530.25+0200 ")->offset_minutes, 120);
    EXPECT_EQ(read_time_of_day("081530.25")->microsecond, 250'000U);
    EXPECT_EQ(read_time_of_day("").error().fault, Fault::missing);
    for (const auto* wrong : {"8", "2460", "0860", "081", "08:15", "x", "+0200"})
        EXPECT_EQ(read_time_of_day(wrong).error().fault, Fault::malformed) << wrong;
}

TEST(Lines, AreRepetitionsAndLineBreaks) {
    const auto message = Message::parse("MSH|^~\\&|A\rNTE|a\\.br\\b~~c\\.sp2\\d||\r");
    EXPECT_THAT(read_lines(message->first("NTE").field(1)), testing::ElementsAre("a", "b", "", "c", "", "d"));
    EXPECT_THAT(read_lines(message->first("NTE").field(2)), testing::IsEmpty());
}

}  // namespace
}  // namespace sgl::hl7

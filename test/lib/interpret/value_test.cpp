// Numbers, units and answers as senders write them (hl7v2-lab 8.2, 8.3, 8.5): what is ambiguous never becomes a number.
#include "lib/interpret/value.hpp"

#include "test/lib/interpret/samples.hpp"

namespace sgl::interpret {
namespace {

using domain::Coded;
using domain::Quantity;
using domain::Words;
using test::analyser;
using test::catalogue;

/// `text` as printed with its sign, "none" when it is no number, "ambiguous".
std::string number(std::string_view text, bool decimal_comma = true) {
    const auto read = read_number(text, decimal_comma);
    if (!read) return "ambiguous";
    if (!*read) return "none";
    return std::string(to_string((*read)->comparator)) + (*read)->number.text();
}

TEST(Number, KeepsTheDigitsThatCame) {
    for (const auto& [text, wanted] :
         {std::pair{"140", "140"}, std::pair{"5.0", "5.0"}, std::pair{"0.10", "0.10"}, std::pair{" 4.5 ", "4.5"},
          std::pair{"-3.2", "-3.2"}, std::pair{"+3.2", "3.2"}, std::pair{"1.234", "1.234"}}) {
        EXPECT_EQ(number(text), wanted) << text;
    }
}

TEST(Number, ReadsTheFrenchComma) {
    EXPECT_EQ(number("12,5"), "12.5");
    EXPECT_EQ(number("0,123"), "0.123");  // nothing before the comma: it can't be thousands
    EXPECT_EQ(number("1,2345"), "1.2345");
    EXPECT_EQ(number("12,5", false), "none");
    EXPECT_EQ(number("1.234,5"), "none");
    EXPECT_EQ(number("1,2,3"), "none");
}

TEST(Number, LosesTheZerosInFrontAndKeepsThoseBehind) {
    EXPECT_EQ(number("0065.880"), "65.880");
    EXPECT_EQ(number("00.02"), "0.02");
    EXPECT_EQ(number("-007"), "-7");
    EXPECT_EQ(number("0"), "0");
    EXPECT_EQ(number("000"), "0");
}

TEST(Number, LeavesWhatMayBeThousandsToAPerson) {
    EXPECT_EQ(number("1,234"), "ambiguous");
    EXPECT_EQ(number("-12,500"), "ambiguous");
    EXPECT_EQ(number("<1,000"), "ambiguous");
    EXPECT_EQ(number("1,234", false), "none") << "a link without decimal comma doesn't make it a number either";
}

TEST(Number, ReadsThousandsAfterABlankOfAnyKind) {
    EXPECT_EQ(number("12 345"), "12345");
    EXPECT_EQ(number("1 234 567"), "1234567");
    EXPECT_EQ(number("12\u202F345,6"), "12345.6");
    EXPECT_EQ(number("12\u00A0345"), "12345");
    EXPECT_EQ(number("-12 345"), "-12345");
    EXPECT_EQ(number("12  345"), "12345");
}

TEST(Number, NeverJoinsTwoNumbers) {
    // 1.5 and 234 once became 1.5234.
    for (const auto* text : {"1.5 234", "1,5 234", "1200 150", "12 34", "12 345 6", "5 10 15"}) {
        EXPECT_EQ(number(text), "none") << text;
    }
}

TEST(Number, ReadsComparatorsInAllTheirSpellings) {
    for (const auto& [text, wanted] :
         {std::pair{"<0.10", "<0.10"}, std::pair{"< 0,10", "<0.10"}, std::pair{"\u2264 5", "<=5"},
          std::pair{"=<5", "<=5"}, std::pair{">=90", ">=90"}, std::pair{"=> 90", ">=90"},
          std::pair{"\u2265 90", ">=90"}, std::pair{"> 12 345", ">12345"}}) {
        EXPECT_EQ(number(text), wanted) << text;
    }
    EXPECT_EQ(number("<>5"), "none");
    EXPECT_EQ(number("<"), "none");
}

TEST(Number, ReadsExponentsExactly) {
    EXPECT_EQ(number("1.2E3"), "1200");
    EXPECT_EQ(number("1,5e-2"), "0.015");
    EXPECT_EQ(number("-2.50E+01"), "-25.0");
    EXPECT_EQ(number("0.001E3"), "1");  // once printed as 0001
    EXPECT_EQ(number("1E99"), "none");
    EXPECT_EQ(number("1E"), "none");
    EXPECT_EQ(number("E5"), "none");
}

TEST(Number, SeesNoNumberInTitresIntervalsCrossesAndWords) {
    for (const auto* text : {"", " ", ".5", "5.", "1/80", "1:128", "5-10", "++", "2+", "Traces", "NaN", "inf", "0x1F",
                             "5 mmol/L", "1.2.3", "--5", "1e2e3", "١٢", "123456789012345678901234567890123"}) {
        EXPECT_EQ(number(text), "none") << text;
    }
}

TEST(Unit, TellsGigaFromGram) {
    EXPECT_EQ(ucum_of("G/L"), "10*9/L");
    EXPECT_EQ(ucum_of("g/L"), "g/L");
    EXPECT_EQ(ucum_of("T/L"), "10*12/L");
    EXPECT_EQ(ucum_of("g/l"), "g/L");
    EXPECT_EQ(ucum_of("mU/L"), "m[IU]/L");
    EXPECT_EQ(ucum_of("kU/L"), "k[IU]/L");
    EXPECT_EQ(ucum_of("IU/mL"), "[IU]/mL");
    EXPECT_EQ(ucum_of("MU/L"), std::nullopt) << "mega and milli are nine orders apart: no case folding";
    EXPECT_EQ(ucum_of("Mmol/L"), std::nullopt);
}

TEST(Unit, TakesBothMicroSigns) {
    EXPECT_EQ(ucum_of("\u00B5mol/L"), "umol/L");
    EXPECT_EQ(ucum_of("\u03BCmol/L"), "umol/L");
    EXPECT_EQ(ucum_of("\u00B5g/L"), "ug/L");
}

TEST(Unit, ReadsPowersOfTenInAllTheirSpellings) {
    for (const auto* text : {"10^9/L", "10*9/L", "10e9/L", "10E9/L", "x10^9/L", "10^3/\u00B5L", "10*3/uL",
                             "10&&S&&3/\u03BCL", "10*3/mm3", "G/L"}) {
        EXPECT_EQ(ucum_of(text), "10*9/L") << text;
    }
    for (const auto* text : {"10^12/L", "10*6/uL", "10^6/mm3", "T/L"})
        EXPECT_EQ(ucum_of(text), "10*12/L") << text;
}

TEST(Unit, KnowsNothingOfWhatIsNotInTheTable) {
    for (const auto* text : {"", "furlong", "MCG/MG CREAT", "mmol", "L"})
        EXPECT_EQ(ucum_of(text), std::nullopt) << text;
}

TEST(Unit, EveryTranslationIsAUnitThatItTranslatesToItself) {
    for (const auto* text : {"G/L", "T/L", "UI/L", "mUI/L", "UI/mL", "ug/l", "g/100mL", "um3", "mEq/L", "ratio"}) {
        const auto ucum = ucum_of(text);
        ASSERT_TRUE(ucum) << text;
        EXPECT_EQ(ucum_of(*ucum), ucum) << text;
    }
}

/// OBX-5 with its type and unit, read for an analysis of the sample catalogue (none: a code that nobody knows).
ReadValue value(std::string_view code, const std::string& type, const std::string& field,
                const std::string& unit = {}) {
    const auto obx = "OBX|1|" + type + "|X||" + field + "|" + unit;
    const auto message = test::message({test::msh_oru, obx});
    return read_value(message.first("OBX"), catalogue().by_code(code), analyser());
}

std::string quantity(const ReadValue& read) {
    if (read.trouble) return "trouble " + read.trouble->where;
    if (!read.value || !std::holds_alternative<Quantity>(*read.value)) return "no quantity";
    const auto& it = std::get<Quantity>(*read.value);
    return std::string(to_string(it.comparator)) + it.number.text() + " " + it.unit;
}

std::string words(const ReadValue& read) {
    return read.value && std::holds_alternative<Words>(*read.value) ? std::get<Words>(*read.value).text : "no words";
}

TEST(NumericValue, IsReadFromNmStTxAndAnEmptyType) {
    for (const auto* type : {"NM", "ST", "TX", "", "ZZ"})
        EXPECT_EQ(quantity(value("NA", type, "140", "mmol/L")), "140 mmol/L") << type;
    EXPECT_EQ(quantity(value("NA", "NM", "<0,10", "mmol/l")), "<0.10 mmol/L");
}

TEST(NumericValue, IsReadFromAStructuredNumber) {
    EXPECT_EQ(quantity(value("NA", "SN", "^140", "mmol/L")), "140 mmol/L");
    EXPECT_EQ(quantity(value("NA", "SN", "=^140", "mmol/L")), "140 mmol/L");
    EXPECT_EQ(quantity(value("NA", "SN", "<^0.10", "mmol/L")), "<0.10 mmol/L");
    EXPECT_EQ(quantity(value("NA", "SN", ">=^90", "mmol/L")), ">=90 mmol/L");
    EXPECT_EQ(quantity(value("NA", "SN", "<0.10", "mmol/L")), "<0.10 mmol/L");  // all in SN.1, seen at GeneXpert
}

TEST(NumericValue, NeverStandsForARatioOrAnInterval) {
    for (const auto& [sn, shown] :
         {std::pair{"^1^:^128", "1 : 128"}, std::pair{"^10^-^20", "10 - 20"}, std::pair{"^10^^20", "10 20"}}) {
        const auto read = value("NA", "SN", sn, "mmol/L");
        EXPECT_EQ(quantity(read), "trouble OBX-5") << sn;
        EXPECT_EQ(words(read), shown) << "a person sees all of it";
    }
}

TEST(NumericValue, NeverTakesOneOfSeveralNumbers) {
    // 60~120: the second repetition once vanished without a word; 12^34 became 12.
    for (const auto* type : {"NM", "ST"}) {
        const auto several = value("NA", type, "60~120", "mmol/L");
        EXPECT_EQ(quantity(several), "trouble OBX-5");
        EXPECT_EQ(words(several), "60\n120");
        EXPECT_EQ(quantity(value("NA", type, "12^34", "mmol/L")), "trouble OBX-5");
    }
}

TEST(NumericValue, IsHeldAtTheUnitThatIsNotTheOneOfTheAnalysis) {
    EXPECT_EQ(quantity(value("HB", "NM", "140", "g/L")), "trouble OBX-6");   // g/dL expected: a factor of ten
    EXPECT_EQ(quantity(value("GB", "NM", "7.2", "g/L")), "trouble OBX-6");   // gram for giga
    EXPECT_EQ(quantity(value("PROT", "NM", "72", "G/L")), "trouble OBX-6");  // giga for gram
    EXPECT_EQ(quantity(value("NA", "NM", "140", "furlong")), "trouble OBX-6");
    EXPECT_EQ(quantity(value("NA", "NM", "140", "")), "trouble OBX-6");  // never assumed
    EXPECT_EQ(words(value("HB", "NM", "140", "g/L")), "140") << "kept for the person who decides";
}

TEST(NumericValue, NeedsNoUnitWhereTheAnalysisHasNone) {
    EXPECT_EQ(quantity(value("INR", "NM", "2.5", "")), "2.5 ");
}

TEST(NumericValue, TakesTheUnitOfTheCatalogueAsItIsWritten) {
    EXPECT_EQ(quantity(value("DFG", "NM", "88", "mL/min/{1.73_m2}")), "88 mL/min/{1.73_m2}");
}

TEST(NumericValue, ReadsUnitsThatTheFieldSeparatorsHaveTorn) {
    EXPECT_EQ(quantity(value("GB", "NM", "7.2", "10^9/L")), "7.2 10*9/L");  // `^` not escaped: two components
    EXPECT_EQ(quantity(value("GB", "NM", "7.2", "x10^9/L")), "7.2 10*9/L");
    EXPECT_EQ(quantity(value("GB", "NM", "7.2", R"(10\S\9/L)")), "7.2 10*9/L");  // escaped as it should be
    EXPECT_EQ(quantity(value("GB", "NM", "7.2", "10*9/L^giga par litre^UCUM")), "7.2 10*9/L");
    EXPECT_EQ(quantity(value("GB", "NM", "7.2", "^G/L")), "7.2 10*9/L");  // only a text
}

TEST(NumericValue, IsHeldWhereThereAreWords) {
    for (const auto* text : {"Hémolysé", "1/80", "++", "1,234", "5-10"}) {
        const auto read = value("NA", "ST", text, "mmol/L");
        EXPECT_EQ(quantity(read), "trouble OBX-5") << text;
        EXPECT_EQ(words(read), text);
    }
}

TEST(Value, IsAbsentWhereTheSenderSaysSo) {
    for (const auto* text : {"", R"("")", "***.**", ".....", "----", "ValueNotSet", "null", "NaN"}) {
        const auto read = value("NA", "NM", text, "mmol/L");
        EXPECT_FALSE(read.value) << text;
        EXPECT_FALSE(read.trouble) << text;
    }
}

TEST(CodedValue, IsFoundByCodeOrByText) {
    const Coded negative{"260385009", "2.16.840.1.113883.6.96", "Négatif"};
    for (const auto& [type, field] :
         {std::pair{"CE", "NEG"}, std::pair{"CWE", "NEG^Négatif^L"}, std::pair{"CE", "^Négatif"},
          std::pair{"ST", "NEG"}, std::pair{"CWE", "^^^NEG^Négatif^L"}, std::pair{"ST", " NEG "}}) {
        const auto read = value("VIH", type, field);
        ASSERT_FALSE(read.trouble) << field;
        ASSERT_TRUE(read.value && std::holds_alternative<Coded>(*read.value)) << field;
        EXPECT_EQ(std::get<Coded>(*read.value), negative) << field;
    }
}

TEST(CodedValue, IsHeldWhenUnknownContradictoryOrManifold) {
    for (const auto* field : {"BIZARRE", "POS^Négatif", "POS~NEG", "neg", "<5"}) {
        const auto read = value("VIH", "CWE", field);
        ASSERT_TRUE(read.trouble) << field;
        EXPECT_EQ(read.trouble->where, "OBX-5");
    }
    EXPECT_EQ(words(value("VIH", "CWE", "POS^Négatif")), "POS Négatif");
    EXPECT_EQ(words(value("VIH", "CWE", "POS~NEG")), "POS\nNEG");
}

TEST(TextValue, KeepsAllItsLinesAndSeparators) {
    EXPECT_EQ(words(value("ASP", "TX", "Limpide~Jaune citrin")), "Limpide\nJaune citrin");
    EXPECT_EQ(words(value("ASP", "ST", "A^B")), "A^B") << "a `^` that was not escaped once cut the text";
    EXPECT_EQ(words(value("ASP", "ST", R"(P \T\ Q)")), "P & Q");
    EXPECT_EQ(words(value("ASP", "FT", R"(ligne 1\.br\ligne 2)")), "ligne 1\nligne 2");
    EXPECT_EQ(words(value("ASP", "CWE", "TRB^Trouble^L")), "Trouble");
    EXPECT_EQ(words(value("ASP", "CE", "TRB")), "TRB");
    EXPECT_EQ(words(value("ASP", "CE", "A^Trouble~B^Hématique")), "Trouble\nHématique");
    EXPECT_EQ(words(value("ASP", "SN", "<^5")), "< 5");
}

TEST(Value, OfAnUnknownAnalysisIsShownWhole) {
    EXPECT_EQ(words(value("?", "NM", "7.2", "G/L")), "7.2");
    EXPECT_EQ(words(value("?", "SN", "<^10")), "< 10");
    EXPECT_EQ(words(value("?", "CWE", "260385009^Négatif^SCT")), "260385009 Négatif SCT");
}

TEST(Value, RefusesEmbeddedDocumentsClearly) {
    for (const auto* type : {"ED", "RP"}) {
        const auto read = value("ASP", type, "LAB^Application^PDF^Base64^JVBERi0=");
        ASSERT_TRUE(read.trouble);
        EXPECT_EQ(read.trouble->fault, Fault::unsupported);
        EXPECT_FALSE(read.value);
    }
}

TEST(Titre, IsOneOverSomething) {
    EXPECT_EQ(read_titre("1/80"), "1/80");
    EXPECT_EQ(read_titre("1:640"), "1/640");
    EXPECT_EQ(read_titre(" < 1 / 80 "), "<1/80");
    EXPECT_EQ(read_titre("\u2265 1:80"), ">=1/80");
    for (const auto* text : {"80", "1/", "1/0", "1/8.5", "2/80", "1/80 dil", "<>1/80", "", "1/1234567890"})
        EXPECT_EQ(read_titre(text), std::nullopt) << text;
}

TEST(Interval, GoesFromLowToHigh) {
    EXPECT_EQ(read_interval("5-10", true), "5-10");
    EXPECT_EQ(read_interval("5 \u00E0 10 /champ", true), "5-10 /champ");
    EXPECT_EQ(read_interval("0,5 - 1,5", true), "0.5-1.5");
    for (const auto* text : {"10-5", "5", "5-", "-5", "<5-10", "5-10 ou plus", "a-b", ""})
        EXPECT_EQ(read_interval(text, true), std::nullopt) << text;
}

TEST(Grade, IsPlusSignsOrTraces) {
    EXPECT_EQ(read_grade("++"), "++");
    EXPECT_EQ(read_grade("3+"), "+++");
    EXPECT_EQ(read_grade("traces"), "Traces");
    for (const auto* text : {"+++++", "5+", "-", "0", "beaucoup", ""})
        EXPECT_EQ(read_grade(text), std::nullopt) << text;
}

TEST(Value, IsConvertedByTheFactorOfItsUnitOnly) {
    auto link = analyser();
    link.codes = {{"Creat", "CREA", "mg/L", Decimal::parse("8.84").value(), {}}};
    const auto read = [&](std::string_view obx) {
        const auto parsed = test::message({test::msh_oru, test::obr, obx});
        const auto segment = parsed.first("OBX");
        return read_value(segment, catalogue().by_code("CREA"), link, code_entry(link, "Creat", segment));
    };
    const auto converted = read("OBX|1|NM|Creat||12.5|mg/L|||||F");
    ASSERT_TRUE(converted.value && !converted.trouble);
    EXPECT_EQ(std::get<Quantity>(*converted.value).number.text(), "110.5");
    EXPECT_EQ(std::get<Quantity>(*converted.value).unit, "umol/L");
    EXPECT_FALSE(read("OBX|1|NM|Creat||12.5||||||F").trouble) << "the unit that the link says";
    EXPECT_FALSE(read("OBX|1|NM|Creat||110|umol/L|||||F").trouble) << "the unit of the catalogue needs no factor";
    EXPECT_TRUE(read("OBX|1|NM|Creat||1.25|mg/dL|||||F").trouble) << "another unit has no factor";
}

}  // namespace
}  // namespace sgl::interpret

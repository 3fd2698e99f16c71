#include "test/bench/material.hpp"

#include <fmt/format.h>

#include <array>

#include "hl7/builder.hpp"
#include "lib/base/clock.hpp"
#include "lib/base/time.hpp"

namespace sgl::bench {

namespace {

struct Examination {
    const char* loinc;
    const char* label;
    const char* chapter;
    const char* chapter_label;
    const char* unit;
    unsigned decimals;
    double low;
    double high;
};
// LOINC codes of config/catalogue.sample.csv, calcium and magnesium from LOINC itself; ranges are ours, for load only.
constexpr std::array<Examination, observations> examinations{{
    {"2951-2", "Sodium", "18719-5", "Biochimie", "mmol/L", 0, 136, 145},
    {"2823-3", "Potassium", "18719-5", "Biochimie", "mmol/L", 1, 3.5, 5.1},
    {"2075-0", "Chlorures", "18719-5", "Biochimie", "mmol/L", 0, 98, 107},
    {"14749-6", "Glucose", "18719-5", "Biochimie", "mmol/L", 2, 3.9, 6.1},
    {"14682-9", "Créatinine", "18719-5", "Biochimie", "umol/L", 0, 45, 104},
    {"22664-7", "Urée", "18719-5", "Biochimie", "mmol/L", 1, 3.5, 8.0},
    {"1988-5", "Protéine C réactive", "18719-5", "Biochimie", "mg/L", 1, 0.5, 5.0},
    {"1743-4", "ALAT (TGP)", "18719-5", "Biochimie", "[IU]/L", 0, 10, 50},
    {"30239-8", "ASAT (TGO)", "18719-5", "Biochimie", "[IU]/L", 0, 10, 50},
    {"2093-3", "Cholestérol total", "18719-5", "Biochimie", "g/L", 2, 1.5, 2.0},
    {"2000-8", "Calcium", "18719-5", "Biochimie", "mmol/L", 2, 2.2, 2.6},
    {"2601-3", "Magnésium", "18719-5", "Biochimie", "mmol/L", 2, 0.66, 1.07},
    {"6690-2", "Leucocytes", "18723-7", "Hématologie", "10*9/L", 2, 4, 10},
    {"789-8", "Hématies", "18723-7", "Hématologie", "10*12/L", 2, 3.8, 6.5},
    {"718-7", "Hémoglobine", "18723-7", "Hématologie", "g/dL", 1, 11.5, 17.5},
    {"4544-3", "Hématocrite", "18723-7", "Hématologie", "%", 1, 37, 54},
    {"30428-7", "Volume globulaire moyen", "18723-7", "Hématologie", "fL", 1, 80, 100},
    {"777-3", "Plaquettes", "18723-7", "Hématologie", "10*9/L", 0, 150, 400},
    {"6301-6", "INR", "18720-3", "Hémostase, coagulation", "1", 2, 0.8, 1.2},
    {"5894-1", "Taux de prothrombine", "18720-3", "Hémostase, coagulation", "%", 0, 70, 100},
}};

constexpr std::size_t people = 1000;  // each comes back now and then, as in a laboratory

std::string code_of(std::size_t index) { return fmt::format("B{:02}", index + 1); }

/// Deterministic and different from one message to the next: a bit outside the range now and then.
std::string value_of(const Examination& examination, std::size_t n, std::size_t index) {
    const double part = static_cast<double>((n * 7919 + index * 104729) % 1000) / 1000.0;
    const double span = examination.high - examination.low;
    return fmt::format("{:.{}f}", examination.low + span * (1.1 * part - 0.02), examination.decimals);
}

std::string flag_of(const Examination& examination, const std::string& value) {
    const double number = std::stod(value);
    return number < examination.low ? "L" : number > examination.high ? "H" : "N";
}

struct Person {
    std::string local_id;
    std::string family;
    std::string ins;
};
Person person_of(std::size_t n) {
    const std::size_t index = n % people;
    Person person;
    person.local_id = fmt::format("BENCH{:04}", index);
    std::string letters;
    for (std::size_t rest = index, i = 0; i < 3; ++i, rest /= 10) letters += static_cast<char>('A' + rest % 10);
    person.family = "PATBENCH-" + letters;
    const std::string number = fmt::format("2790363220{:03}", index);
    person.ins = fmt::format("{}{:02}", number, 97 - std::stoll(number) % 97);
    return person;
}

constexpr std::string_view local_authority = "1.2.250.1.99999.101";
constexpr std::string_view test_ins_oid = "1.2.250.1.213.1.4.10";

std::string specimen_number(std::size_t n) { return fmt::format("S{:08}", n); }

Timestamp minutes_ago(int minutes) {
    return TimeZone::paris().to_local(SystemClock{}.now() - std::chrono::minutes(minutes));
}

hl7::Header header_of(std::string_view application) {
    hl7::Header header;
    header.sending_application = application;
    header.sending_facility = "690000001";
    header.receiving_application = "SGLD";
    header.receiving_facility = "690000011";
    header.time = minutes_ago(0);
    header.processing_id = "T";
    return header;
}

void prescriber(hl7::Builder& to, std::size_t field) {
    to.components(field, {"899900000025", "MEDECIN", "PAUL", "", "", "DR", "", "", "", "D", "", "", "IDNPS"});
    to.at(field, 9, 1, "ASIP-SANTE-PS").at(field, 9, 2, "1.2.250.1.71.4.2.1").at(field, 9, 3, "ISO");
}

}  // namespace

std::string catalogue_csv() {
    std::string csv =
        "site;position;local_code;loinc;label;loinc_label;chapter;chapter_label;panels;kind;unit;decimals;specimen;method;ranges;"
        "critical;answers;active\n";
    for (std::size_t i = 0; i < observations; ++i) {
        const auto& e = examinations[i];
        csv += fmt::format("*;{};{};{};{};{};{};{};BENCH;numeric;{};{};SER;Automate;{}..{};;;yes\n", (i + 1) * 10, code_of(i), e.loinc,
                           e.label, e.label, e.chapter, e.chapter_label, e.unit, e.decimals, e.low, e.high);
    }
    return csv;
}

std::string order_control_id(std::size_t n) { return fmt::format("BO{:010}", n); }
std::string result_control_id(std::size_t n) { return fmt::format("BR{:010}", n); }
std::string group_number(std::size_t n) { return fmt::format("G{:08}", n); }

std::string order_message(std::size_t n) {
    const Person person = person_of(n);
    hl7::Header header = header_of("ENREG");
    header.type = "OML";
    header.trigger = "O21";
    header.structure = "OML_O21";
    header.control_id = order_control_id(n);
    header.version = "2.5";
    const Timestamp collected = minutes_ago(90);
    hl7::Builder to;
    to.header(header).field(17, "FRA");
    to.segment("PID").field(1, "1");
    to.components(3, {person.ins, "", "", "", "INS"}).at(3, 4, 1, "ASIP-SANTE-INS-NIR").at(3, 4, 2, test_ins_oid).at(3, 4, 3, "ISO");
    to.repeat(3, {person.local_id, "", "", "", "PI"}).at(3, 4, 1, "IPP").at(3, 4, 2, local_authority).at(3, 4, 3, "ISO");
    to.components(5, {person.family, "DOMINIQUE", "DOMINIQUE", "", "", "", "L"});
    to.field(7, "19790328").field(8, "F");
    to.components(11, {"28 Av de Breteuil", "", "PARIS", "", "75007", "FRA", "H"});
    to.repeat(11, {"", "", "", "", "", "", "BDL", "", "63220"});
    to.field(31, "N").field(32, "VALI");
    to.segment("PV1").field(1, "1").field(2, "N");
    const std::string placer = group_number(n) + "-01";
    to.segment("ORC").field(1, "NW").field(2, placer).field(4, group_number(n)).time(9, minutes_ago(60));
    prescriber(to, 12);
    to.segment("TQ1").field(1, "1").field(9, "R");
    to.segment("OBR").field(1, "1").field(2, placer).components(4, {"BENCH", "Bilan de charge", "L"}).time(7, collected);
    to.components(10, {"", "INFIRMIERE", "LEA"});
    prescriber(to, 16);
    to.segment("SPM").field(1, "1").field(2, specimen_number(n)).components(4, {"SER", "", "HL70487"});
    to.time(17, collected).time(18, minutes_ago(60));
    return to.bytes().bytes;
}

std::string result_message(std::size_t n) {
    const Person person = person_of(n);
    hl7::Header header = header_of("AUTOMATE1");
    header.type = "ORU";
    header.trigger = "R01";
    header.structure = "ORU_R01";
    header.control_id = result_control_id(n);
    const Timestamp measured = minutes_ago(5);
    hl7::Builder to;
    to.header(header).field(17, "FRA");
    to.segment("PID").field(1, "1").components(3, {person.local_id, "", "", "IPP", "PI"});
    to.components(5, {person.family, "DOMINIQUE"}).field(7, "19790328").field(8, "F");
    to.segment("ORC").field(1, "RE").field(2, group_number(n) + "-01").field(3, specimen_number(n));
    to.segment("OBR").field(1, "1").field(2, group_number(n) + "-01").field(3, specimen_number(n));
    to.components(4, {"BENCH", "Bilan de charge", "L"}).time(7, minutes_ago(90)).field(25, "F");
    for (std::size_t i = 0; i < observations; ++i) {
        const auto& e = examinations[i];
        const std::string value = value_of(e, n, i);
        to.segment("OBX").field(1, std::to_string(i + 1)).field(2, "NM").components(3, {code_of(i), e.label, "L"});
        to.field(5, value).field(6, e.unit).field(7, fmt::format("{}-{}", e.low, e.high)).field(8, flag_of(e, value));
        to.field(11, "F").time(14, measured);
    }
    to.segment("SPM").field(1, "1").field(2, specimen_number(n)).components(4, {"SER", "", "HL70487"});
    return to.bytes().bytes;
}

}  // namespace sgl::bench

// What comes beside the value of a result and is kept with it: how it was measured (ISO 15189), by which laboratory
// (hl7v2-lab 8.10), and what an antibiogram says. Texts as received unless said.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sgl::domain {

/// How an isolate answers to an antibiotic. `increased_exposure` is the I of EUCAST and CA-SFM since 2019: susceptible
/// at high dose, no middle.
enum class Susceptible : std::uint8_t {
    standard,
    increased_exposure,
    resistant,
    dose_dependent,
    non_susceptible,
    unclear
};
std::string_view to_string(Susceptible answer);  ///< S, I, R, SDD, NS, IE
std::optional<Susceptible> susceptible_of(std::string_view code);

struct ResultDetail {
    std::string dilution;        ///< TCD: "1:10"; the value is that of the undiluted specimen
    std::string repeat_status;   ///< TCD-8, table 0389: O original, R repeated, D diluted, F reflex
    std::string equipment;       ///< OBX-18, lowest level first
    std::string observer;        ///< OBX-16: who, as the sender writes him
    std::string lots;            ///< INV: reagents with their lots
    std::string interpretation;  ///< what other OBX of the same run say: "Réactif" beside a number
    // Of another laboratory:
    std::string laboratory;       ///< who performed it: OBX-23, 15 or what the link says
    std::string laboratory_id;    ///< its number, mostly FINESS
    std::string method;           ///< OBX-17
    std::string reference_range;  ///< OBX-7
    // Of a line of an antibiogram:
    std::optional<Susceptible> susceptible;
    std::string breakpoints;  ///< OBX-7: "S<=1;R>2"
    bool unprinted{};         ///< selective reporting: for the biologist, not for the report
    bool operator==(const ResultDetail&) const = default;
};

/// What the bytes of a document are, by their beginning: senders often name another type.
enum class DocumentForm : std::uint8_t { pdf, jpeg, png, bmp };
std::string_view to_string(DocumentForm form);  ///< media type: application/pdf, image/jpeg…

}  // namespace sgl::domain

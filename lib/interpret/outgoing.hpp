// What all messages to the peer of a link have in common: header, patient, the analysis as this peer calls it.
#pragma once

#include <string>

#include "hl7/builder.hpp"
#include "lib/domain/catalogue.hpp"
#include "lib/domain/link.hpp"
#include "lib/domain/people.hpp"

namespace sgl::interpret {

/// What a message is, beside its link.
struct Outgoing {
    std::string trigger;      ///< of OML: O21, O33
    std::string transaction;  ///< MSH-21: LAB-2
    std::string control_id;
    Instant at;
    bool law{};  ///< MSH-15 NE and MSH-16 AL; LTW has the original mode only (hl7v2-lab 3.2)
};

/// MSH of an OML to the peer of the link.
void write_header(hl7::Builder& b, const Outgoing& message, const domain::Link& link, hl7::Charset charset);
/// PID with number, name, birth date, sex.
void write_patient(hl7::Builder& b, const domain::Patient& patient);
/// The analysis as this peer calls it, with LOINC beside.
void write_code(hl7::Builder& b, std::size_t field, const domain::Analyte& analyte, const domain::Link& link);

/// `write(charset)` gives a Builder; in the character set of the link, or in UTF-8 where that can't hold every letter:
/// no name is written with `?`.
template <class Write>
std::string bytes_for(const domain::Link& link, Write write);

hl7::Charset charset_of(const domain::Link& link);

template <class Write>
std::string bytes_for(const domain::Link& link, Write write) {
    auto written = write(charset_of(link)).bytes();
    if (written.lost > 0) written = write(hl7::Charset::utf_8).bytes();
    return std::move(written.bytes);
}

}  // namespace sgl::interpret

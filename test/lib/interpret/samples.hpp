// A small catalogue, two links and messages written field by field, for the tests of this room.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <ostream>
#include <string>
#include <string_view>

#include "hl7/message.hpp"
#include "lib/base/result.hpp"
#include "lib/domain/catalogue.hpp"
#include "lib/domain/link.hpp"
#include "lib/domain/received.hpp"

namespace sgl::domain {
// What a failing test prints: the catalogue and the people here are invented.
inline void PrintTo(const Trouble& trouble, std::ostream* out) {
    *out << trouble.kind << " at " << trouble.coordinate;
}
}  // namespace sgl::domain

namespace sgl::interpret::test {

inline domain::Analyte analyte(int id, std::string code, std::string loinc, std::string unit,
                               domain::ValueKind kind = domain::ValueKind::numeric) {
    domain::Analyte analyte;
    analyte.id = domain::AnalyteId{id};
    analyte.local_code = std::move(code);
    analyte.loinc = std::move(loinc);
    analyte.unit = std::move(unit);
    analyte.kind = kind;
    return analyte;
}

inline const domain::Catalogue& catalogue() {
    static const domain::Catalogue catalogue = [] {
        auto hiv = analyte(5, "VIH", "75622-1", "", domain::ValueKind::coded);
        hiv.answers = {{"NEG", {"260385009", "2.16.840.1.113883.6.96", "Négatif"}, domain::Flag::normal},
                       {"Négatif", {"260385009", "2.16.840.1.113883.6.96", "Négatif"}, domain::Flag::normal},
                       {"POS", {"10828004", "2.16.840.1.113883.6.96", "Positif"}, domain::Flag::abnormal}};
        auto leukocytes = analyte(3, "GB", "6690-2", "10*9/L");
        leukocytes.panels = {"NFS"};
        auto haemoglobin = analyte(4, "HB", "718-7", "g/dL");
        haemoglobin.panels = {"NFS"};
        return domain::Catalogue{{analyte(1, "NA", "2951-2", "mmol/L"), analyte(2, "K", "2823-3", "mmol/L"), leukocytes,
                                  haemoglobin, hiv, analyte(6, "ASP", "", "", domain::ValueKind::text),
                                  analyte(7, "INR", "6301-6", "1"), analyte(8, "CREA", "14682-9", "umol/L"),
                                  analyte(9, "DFG", "62238-1", "mL/min/{1.73_m2}"),
                                  // Two analyses that share a LOINC code: only the local code tells them apart.
                                  analyte(10, "GLU1", "14749-6", "mmol/L"), analyte(11, "GLU2", "14749-6", "mmol/L"),
                                  analyte(12, "PROT", "2885-2", "g/L")}};
    }();
    return catalogue;
}

/// A link of an analyser: may say results, neither orders nor identities.
inline domain::Link analyser() {
    domain::Link link;
    link.name = "automate";
    return link;
}

/// A link of a registration system (design D16).
inline domain::Link registration() {
    domain::Link link;
    link.name = "gestion";
    link.order_source = true;
    link.identity_source = true;
    return link;
}

inline hl7::Message message(std::initializer_list<std::string_view> segments) {
    std::string bytes;
    for (const auto segment : segments)
        bytes += std::string(segment) + "\r";
    auto message = hl7::Message::parse(std::move(bytes));
    if (!message) throw std::runtime_error("the sample is no message: " + to_string(message.error()));
    return std::move(*message);
}

inline constexpr std::string_view msh_oru =
    R"(MSH|^~\&|AUTO1|BIO|SGL|LBM|20260314081500||ORU^R01|1001|P|2.5.1|||||FRA|UNICODE UTF-8)";
inline constexpr std::string_view pid = "PID|||4056601^^^LBM^PI||PAT-TROIS^DOMINIQUE^^^^^L||19790328|F";
inline constexpr std::string_view obr = "OBR|1|P001|24050200123|NFS^Numération";

}  // namespace sgl::interpret::test

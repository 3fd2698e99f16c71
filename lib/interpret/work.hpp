// The work of analysers as HL7 says it: their queries, our work orders, their answers (IHE LAW LAB-27 and LAB-28, its
// elder LDA, and GeneXpert's own; hl7v2-lab 6.2, 6.3).
#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "hl7/message.hpp"
#include "lib/domain/catalogue.hpp"
#include "lib/domain/order.hpp"
#include "lib/domain/work.hpp"
#include "lib/interpret/admission.hpp"

namespace sgl::interpret {

struct WorkQuery {
    enum class About : std::uint8_t {
        specimen,
        all,    ///< whatever waits for this analyser
        place,  ///< a rack or a tray: which tubes stand there, only the analyser knows
    };
    About about{};
    std::string specimen;  ///< its barcode
    bool in_answer{};      ///< the work is wanted in the answer itself (GeneXpert), not as messages of its own
};
/// QBP^Q11, QBP^WOS, QBP^Z01, QBP^Z03.
std::variant<WorkQuery, Refusal> work_query(const hl7::Message& message);

/// A step as it is told.
struct WorkStep {
    std::int64_t number{};
    const domain::Analyte* analyte{};
};

struct WorkOrder {
    enum class What : std::uint8_t {
        work,
        nothing,  ///< the answer to a query for a specimen without work; only `specimen.number` counts
        cancel,
    };
    What what{};
    std::string control_id;  ///< MSH-10
    Instant at;
    domain::Specimen specimen;
    const domain::Patient* patient{};  ///< null: not told
    bool urgent{};
    std::vector<WorkStep> steps;
};
/// OML^O33, not framed.
std::string work_message(const WorkOrder& order, const domain::Link& link);
/// The same work as segments for an answer to GeneXpert (RSP^Z02); UTF-8, with the usual separators.
std::string work_segments(const std::vector<WorkOrder>& orders, const domain::Link& link);

/// The analysis as this analyser calls it (OBR-4.1).
std::string code_for(const domain::Link& link, const domain::Analyte& analyte);
/// Whether this analyser measures it, as far as the link says.
bool measures(const domain::Link& link, const domain::Analyte& analyte);

/// An ORL^O34, or a bare acknowledgement of the whole message.
struct WorkAnswer {
    bool accepted{};                                   ///< AA or CA
    std::map<std::int64_t, domain::StepAnswer> steps;  ///< by number; empty: nothing is said of each
    std::map<std::string, std::string> placers;        ///< the requester's numbers (NA) for ours
    std::size_t unable{};                              ///< lines that it can't take (UA)
};
Result<WorkAnswer> work_answer(const hl7::Message& message);

}  // namespace sgl::interpret

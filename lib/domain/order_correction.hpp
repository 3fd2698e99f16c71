// What a person at the desk asks or corrects: the request of a message, and beside its lines what is corrected of the
// order as a whole. Decided by the same rules (order_request.hpp).
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lib/domain/order_request.hpp"

namespace sgl::domain {

/// What is not said stays. Nothing of it once the order is signed; a tube that something was measured from keeps its
/// number.
struct OrderCorrection {
    std::string number;  ///< ours, of that order
    std::optional<Professional> prescriber;
    std::optional<std::vector<Professional>> copies;  ///< all of them
    std::optional<std::string> clinical_context;
    std::optional<bool> urgent;
    struct Tube {
        std::string was;  ///< its number so far
        Specimen is;      ///< number, type, label, time of collection and refusal count; a refusal is not taken back
    };
    std::vector<Tube> tubes;
};

struct DeskRequest : OrderRequest {
    std::optional<OrderCorrection> correction;  ///< then the specimens of `order` are new ones of that order
};

struct DeskDecision : Decision {
    std::vector<LineOutcome> corrections;  ///< what can't be taken beside the lines, at "ORC-3" or "SPM[2]-2"
    std::vector<std::pair<std::string, std::string>> renamed;  ///< a number that no tube has any more, one that is new
};

/// What the desk leaves to us, from a number that no order has: those of its lines, of the order when it is a new one,
/// and of tubes without any. Each line is made from the tubes of its kind, or from any of them.
void give_numbers(DeskRequest& request, const std::string& number, const Catalogue& catalogue);

/// The correction first, then the lines.
DeskDecision decide(const DeskRequest& request, std::vector<KnownOrder> known, const Catalogue& catalogue);

}  // namespace sgl::domain

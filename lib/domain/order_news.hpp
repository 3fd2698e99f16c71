// What a requester hears of his orders beside their results: what the laboratory adds to them, cancels or can't do (IHE
// LTW LAB-2, hl7v2-lab 7.1 and 7.4). Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "lib/domain/order_request.hpp"

namespace sgl::domain {

struct OrderNews {
    enum class What : std::uint8_t {
        added,      ///< asked for at the laboratory; the requester has no number for it yet
        cancelled,  ///< by the laboratory
        not_done,   ///< what it was to be made from was refused
    };
    What what{};
    RequestedExam exam;  ///< as it is now
};

/// Its number is ours alone: whoever requested the order has none for it yet.
inline bool numbered_here(const RequestedExam& exam) {
    return !exam.filler_number.empty() && exam.placer_number == exam.filler_number;
}

/// What became of the lines of an order. `before`: null when it is new.
std::vector<OrderNews> news_of(const KnownOrder* before, const KnownOrder& after);

}  // namespace sgl::domain

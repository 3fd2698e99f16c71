// Batches (hl7v2-lab 3.7): several messages in one block, with or without FHS/BHS around them, and one batch of
// answers.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hl7/ack.hpp"

namespace sgl::hl7 {

/// A block looked at as a batch; views into it.
struct Batch {
    std::vector<std::string_view> messages;  ///< as split_messages gives them; a batch may hold none
    bool envelope{};                         ///< FHS or BHS stood before
    std::string control_id;                  ///< BHS-11, as written
    std::vector<std::string> wrong_counts;   ///< coordinates of counts that are not true: "BTS[2]-1", "FTS-1"

    /// More than one plain message.
    bool is_batch() const { return envelope || messages.size() > 1; }
};
Batch read_batch(std::string_view block);

/// BHS, the answers as they are, BTS with their number. BHS-12 names the batch that is answered.
std::string batch_answer(const Batch& incoming, std::span<const std::string> answers, const AnswerContext& context);

}  // namespace sgl::hl7

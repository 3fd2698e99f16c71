// Messages that were sent in parts: MSH-14, DSC and ADD (hl7v2-lab 5).
#pragma once

#include <optional>
#include <string>

#include "hl7/message.hpp"
#include "lib/base/result.hpp"

namespace sgl::hl7 {

/// A part of a longer message says with MSH-14 that it continues another, with DSC-1 that more follows.
struct Continuation {
    std::string continues;  ///< MSH-14: the DSC-1 of the part before; empty: a beginning
    std::string next;       ///< DSC-1: the MSH-14 of the part to come; empty: the end
};
std::optional<Continuation> continuation(const Message& message);

/// `next` put behind `first`: an ADD segment goes on where the last segment of `first` broke off, all others follow.
/// The header is that of `first`, DSC that of `next`. Errors: conflict when MSH-14 is not the DSC-1 of `first`, or
/// their separators differ; malformed as Message::parse.
Result<Message> join_parts(const Message& first, const Message& next, const ParseOptions& options = {});

}  // namespace sgl::hl7

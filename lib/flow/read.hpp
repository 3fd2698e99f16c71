// What a message of a link says, with the settings of now: the same for a message that arrives and for one that is read
// again.
#pragma once

#include <string>

#include "hl7/message.hpp"
#include "lib/domain/laboratory.hpp"
#include "lib/domain/received.hpp"

namespace sgl::flow {

hl7::ParseOptions parse_options(const domain::Link& link);

/// Where a message says that it is a part of a longer one (MSH-14, DSC-1); empty: it is whole.
std::string part_of(const hl7::Message& message);

/// The results of a message that was taken when it came. Fault::unsupported when it is none of results, refused when
/// the link would not take it any more.
Result<domain::Reading> read_results(const hl7::Message& message, const domain::Link& link,
                                     const domain::Laboratory& laboratory);

}  // namespace sgl::flow

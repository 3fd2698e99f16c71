#include "lib/flow/read.hpp"

#include <variant>

#include "hl7/ack.hpp"
#include "lib/interpret/results.hpp"

namespace sgl::flow {

namespace {

Error error_of(const interpret::Refusal& refusal) {
    return {Fault::refused, refusal.coordinate, refusal.what};
}

}  // namespace

hl7::ParseOptions parse_options(const domain::Link& link) {
    hl7::ParseOptions options;
    if (const auto charset = hl7::parse_link_charset(link.charset)) options.charset = *charset;
    return options;
}

std::string part_of(const hl7::Message& message) {
    for (const auto& anomaly : message.anomalies())
        if (anomaly.kind == hl7::Anomaly::Kind::fragmented) return anomaly.where;
    return {};
}

Result<domain::Reading> read_results(const hl7::Message& message, const domain::Link& link,
                                     const domain::Laboratory& laboratory) {
    const auto admission = interpret::admit(message, link);
    if (admission.refusal) return error_of(*admission.refusal);
    if (admission.kind != interpret::Kind::results || hl7::is_answer(message))
        return Error{Fault::unsupported, "MSH-9",
                     "only messages of results are read again: their sender sends others again"};
    if (const std::string part = part_of(message); !part.empty())
        return Error{Fault::unsupported, part, "a part of a longer message: parts are not joined"};
    auto reading = interpret::results(message, link, laboratory.catalogue(link.site));
    if (const auto* refused = std::get_if<interpret::Refusal>(&reading)) return error_of(*refused);
    return std::move(std::get<domain::Reading>(reading));
}

}  // namespace sgl::flow

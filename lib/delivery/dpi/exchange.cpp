#include "lib/delivery/dpi/exchange.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "hl7/ack.hpp"
#include "hl7/message.hpp"

namespace sgl::delivery {

namespace {

using domain::Reason;

/// The peer's words are not for logs; its codes and coordinates are, when they look like some.
std::string machine_word(std::string_view text, std::string_view otherwise) {
    constexpr std::size_t longest = 24;
    const bool plain = !text.empty() && text.size() <= longest && std::ranges::all_of(text, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '[' || c == ']' || c == '-' || c == '.';
    });
    return std::string(plain ? text : otherwise);
}

Error refusal(const hl7::AckReading& reading, Fault fault) {
    Error error{fault, "MSA-1", fmt::format("the hospital record answers {}", hl7::to_string(reading.code))};
    if (reading.problems.empty()) return error;
    const auto& first = reading.problems.front();
    error.where = machine_word(first.where, "MSA-1");
    error.what += fmt::format(", error {}", machine_word(first.code, "?"));
    if (const auto code = machine_word(first.application_code, ""); !code.empty()) error.what += fmt::format(" / {}", code);
    if (reading.problems.size() > 1) error.what += fmt::format(" and {} more", reading.problems.size() - 1);
    return error;
}

}  // namespace

std::optional<Outcome> dpi_outcome(std::string_view answer, std::string_view control_id) {
    const auto message = hl7::Message::parse(std::string(answer));
    if (!message) return std::nullopt;
    const auto reading = hl7::read_ack(*message);
    if (!reading || reading->control_id != control_id) return std::nullopt;
    if (reading->never_again()) return refused(Reason::partner_refused, refusal(*reading, Fault::unsupported));
    switch (reading->code) {
        case hl7::AckCode::aa:
        case hl7::AckCode::ca: return accepted(message->control_id());
        case hl7::AckCode::ae:
        case hl7::AckCode::ce: return refused(Reason::partner_refused, refusal(*reading, Fault::refused));
        case hl7::AckCode::ar:
        case hl7::AckCode::cr: return try_later(Reason::partner_unavailable, refusal(*reading, Fault::unavailable));
    }
    return std::nullopt;
}

Outcome dpi_outcome(const mllp::Exchange& exchange, std::string_view control_id) {
    switch (exchange.kind) {
        case mllp::Exchange::Kind::answered:
            if (auto outcome = dpi_outcome(exchange.answer, control_id)) return std::move(*outcome);
            return in_doubt(Error{Fault::unavailable, "MLLP", "the answer can't be read; the message may have been taken"});
        case mllp::Exchange::Kind::not_sent: {
            const bool trust = exchange.error.fault == Fault::refused;
            return try_later(trust ? Reason::certificate_expired : Reason::partner_unavailable, exchange.error);
        }
        case mllp::Exchange::Kind::in_doubt: return in_doubt(exchange.error);
    }
    return in_doubt(exchange.error);
}

}  // namespace sgl::delivery

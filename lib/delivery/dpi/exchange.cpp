#include "lib/delivery/dpi/exchange.hpp"

#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "hl7/ack.hpp"
#include "hl7/framer.hpp"
#include "hl7/message.hpp"
#include "lib/base/failpoint.hpp"
#include "lib/net/timeout.hpp"

namespace sgl::delivery {

namespace {

using domain::Reason;

constexpr std::size_t answer_limit = std::size_t{1024} * 1024;  // an acknowledgement is small

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

/// `whole`: the end of the block may have left, so the message may have been taken.
Outcome cut(bool whole, std::string what) {
    Error error{Fault::unavailable, "MLLP", std::move(what)};
    if (whole) return in_doubt(std::move(error));
    return try_later(Reason::partner_unavailable, std::move(error));
}

/// Reads until our answer is there; nothing when the peer has finished.
asio::awaitable<std::optional<Outcome>> answer_to(net::Stream& stream, std::string_view control_id, std::uint64_t& ignored) {
    hl7::Framer framer(answer_limit);
    std::array<char, 8192> buffer{};
    for (;;) {
        const std::size_t count = co_await stream.read_some(buffer);
        if (count == 0) co_return std::nullopt;
        for (const auto& event : framer.feed(std::string_view(buffer.data(), count))) {
            if (event.kind != hl7::FramerEvent::Kind::block) {
                ++ignored;
                continue;
            }
            if (auto outcome = dpi_outcome(event.bytes, control_id)) co_return outcome;
            ++ignored;
        }
    }
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

asio::awaitable<Outcome> mllp_exchange(net::Stream& stream, std::string_view message, std::string_view control_id,
                                       Duration limit, std::uint64_t& ignored) {
    const std::string framed = hl7::frame(message);
    const std::string_view bytes = framed;
    const std::size_t half = bytes.size() / 2;
    bool whole = false;  // the end of the block may have left
    try {
        bool written = co_await net::within(limit, stream.write(bytes.substr(0, half)));
        if (written) {
            failpoint("after_request_bytes_half");
            whole = true;  // before the write: a part of it may have left when it fails
            written = co_await net::within(limit, stream.write(bytes.substr(half)));
        }
        if (!written) {
            co_return cut(whole, "the hospital record does not take our bytes");
        }
        failpoint("after_request_sent");
        auto answer = co_await net::within(limit, answer_to(stream, control_id, ignored));
        if (!answer) co_return cut(whole, "no acknowledgement in time; the message may have been taken");
        if (!*answer) co_return cut(whole, "closed without an acknowledgement; the message may have been taken");
        co_return std::move(**answer);
    } catch (const boost::system::system_error&) {
        co_return cut(whole, "the connection to the hospital record broke");
    }
}

}  // namespace sgl::delivery

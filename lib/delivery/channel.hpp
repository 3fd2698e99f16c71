// A channel carries one letter to one recipient. It is idempotent by letter (design D7): every identifier and date that
// the partner sees comes from the letter, so that a repeat is recognised.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <optional>
#include <string>

#include "lib/base/personal.hpp"
#include "lib/domain/letter.hpp"
#include "lib/domain/report.hpp"

namespace sgl::delivery {

namespace asio = boost::asio;

/// What a channel knows of its letter.
struct Letter {
    domain::LetterId id;
    domain::Channel channel{};
    domain::Act act{domain::Act::deliver};
    std::string recipient_key;
    std::string recipient_name;
    Personal<std::string> address;             ///< mailbox; empty for DMP and DPI
    std::optional<domain::PartnerId> partner;  ///< the DPI
    int attempt{1};
    bool in_doubt{};  ///< an earlier attempt may have arrived: ask first where one can ask
    Instant sent_at;  ///< fixed at the first attempt: Date, submission time, MSH-7 of every repeat
    std::optional<domain::LetterId> first_arrived;  ///< the first about this report that the recipient has
    /// False once the lease may have ended: this daemon stood still for long, another one may have sent the letter and
    /// the version after it. Nothing: always ours.
    std::function<bool()> lease_holds;

    /// A channel asks right before the bytes after which the partner acts, and answers `overslept` else.
    bool may_leave() const { return !lease_holds || lease_holds(); }
};

/// The stored bytes of the report version, exactly as they leave.
struct Documents {
    std::string n3;   ///< CDA R2 N3, UTF-8
    std::string pdf;  ///< PDF/A-1b, also inside the N3
};

struct Outcome {
    enum class Kind : std::uint8_t { accepted, refused, try_later, in_doubt, not_applicable };
    Kind kind{Kind::try_later};
    domain::Reason reason{domain::Reason::none};
    std::optional<Error> error;     ///< what the worklist shows; no patient data
    std::string partner_reference;  ///< the partner's identifier of what it took: DMP document id, SMTP queue id, MSA…
    bool possible_duplicate{};      ///< a repeat after doubt that could not be asked (mail)
    bool recipient_only{};          ///< the destination works: this recipient alone can't be served now
};

inline Outcome accepted(std::string reference) {
    return {Outcome::Kind::accepted, domain::Reason::none, std::nullopt, std::move(reference), false, false};
}
inline Outcome refused(domain::Reason reason, Error error) {
    return {Outcome::Kind::refused, reason, std::move(error), {}, false, false};
}
inline Outcome try_later(domain::Reason reason, Error error) {
    return {Outcome::Kind::try_later, reason, std::move(error), {}, false, false};
}
inline Outcome in_doubt(Error error) {
    return {Outcome::Kind::in_doubt, domain::Reason::partner_unavailable, std::move(error), {}, false, false};
}
/// The letter is another daemon's, or nobody's: nothing left.
inline Outcome overslept() {
    auto outcome = try_later(domain::Reason::partner_unavailable,
                             {Fault::unavailable, "lease", "the lease ended before anything left"});
    outcome.recipient_only = true;  // says nothing about the destination
    return outcome;
}
inline Outcome not_applicable(domain::Reason reason, Error error) {
    return {Outcome::Kind::not_applicable, reason, std::move(error), {}, false, false};
}

class Channel {
public:
    Channel() = default;
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;
    virtual ~Channel() = default;
    /// Never throws for what a partner does; the three references outlive the call.
    virtual asio::awaitable<Outcome> deliver(const Letter& letter, const domain::Report& report,
                                             const Documents& documents) = 0;
};

}  // namespace sgl::delivery

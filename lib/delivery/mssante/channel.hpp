// The MSSanté channel: one letter, one mail, to a correspondent or to the patient, through the operator of our
// applicative mailbox (spec/mssante.md 3 to 5).
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "lib/delivery/channel.hpp"
#include "lib/delivery/mail/smtp_client.hpp"
#include "lib/delivery/partners.hpp"

namespace sgl::delivery {

/// What an SMTP exchange means for the letter (spec/mssante.md 5.1). `reference` stands in an accepted outcome.
Outcome mss_outcome(const mail::SmtpOutcome& smtp, const Letter& letter, std::string reference);

/// Serves MSS_PRO and MSS_CITIZEN letters. Any number of letters at once: a connection for each, so that one recipient
/// never delays another.
class MssChannel final : public Channel {
public:
    /// The path of a certificate, key or authority named in the partner's definition; null: the name is the path.
    using Resolver = std::function<std::string(std::string_view)>;
    /// A connection to the operator and how to secure it (mail::SmtpClient); null `upgrade`: it is TLS already.
    struct Connection {
        net::StreamPtr stream;
        mail::Upgrade upgrade;
    };
    /// Fault::refused: no trust or no credentials; other faults: not reached. For tests; null: TCP and TLS.
    using Connector = std::function<asio::awaitable<Result<Connection>>()>;

    explicit MssChannel(MssPartner partner, const Resolver& resolve = {}, Connector connector = {});

    /// Certificates are read again for each letter, so that new ones are used without a restart.
    asio::awaitable<Outcome> deliver(const Letter& letter, const domain::Report& report,
                                     const Documents& documents) override;

private:
    asio::awaitable<Result<Connection>> connect();

    MssPartner partner_;
    Connector connector_;
};

}  // namespace sgl::delivery

// The channel that feeds the national record: one letter, one submission (dmp.md 5 and 8, design D7). Nothing that
// matters after a restart is held here.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <string>

#include "lib/base/clock.hpp"
#include "lib/delivery/channel.hpp"
#include "lib/delivery/dmp/answer.hpp"
#include "lib/delivery/dmp/soap.hpp"
#include "lib/delivery/dmp/stamp.hpp"
#include "lib/delivery/dmp/submission.hpp"
#include "lib/delivery/partners.hpp"
#include "lib/net/http_client.hpp"

namespace sgl::dmp {

/// The HTTP client's options for this partner.
net::HttpClientOptions http_options(const delivery::DmpPartner& partner);

/// Any number of letters at once. Versions of one report would have to follow each other (dmp.md 8); this version of
/// the product feeds only first ones. `clock` outlives it.
class DmpChannel final : public delivery::Channel {
public:
    DmpChannel(delivery::DmpPartner partner, std::unique_ptr<net::HttpClient> client, const Clock& clock);
    /// With a client of its own. Errors: net::HttpClient::make.
    static Result<std::unique_ptr<DmpChannel>> make(const delivery::asio::any_io_executor& executor,
                                                    delivery::DmpPartner partner, const Clock& clock);

    /// A letter in doubt is asked for first: found, it is accepted; not found, the same submission leaves again.
    /// A withdrawal always asks first, for the entry that it deletes: what the DMP no longer holds is withdrawn.
    delivery::asio::awaitable<delivery::Outcome> deliver(const delivery::Letter& letter, const domain::Report& report,
                                                         const delivery::Documents& documents) override;

private:
    struct Sent {
        net::HttpAnswer::Kind kind{};
        Answer answer;
        Error error;
    };
    enum class Presence : std::uint8_t { there, absent, unknown };
    struct Asked {
        Presence presence{Presence::unknown};
        delivery::Outcome outcome;  ///< unless absent
        std::vector<Found> found;
    };

    Result<Call> call(const domain::Report& report, Instant signed_at, const Stamp& stamp, std::string_view service,
                      std::string_view action) const;
    delivery::asio::awaitable<delivery::Outcome> attempt(const delivery::Letter& letter, const domain::Report& report,
                                                         const delivery::Documents& documents);
    delivery::asio::awaitable<delivery::Outcome> withdraw(const delivery::Letter& letter, const domain::Report& report,
                                                          const delivery::Documents& documents, const Stamp& stamp);
    delivery::asio::awaitable<Sent> exchange(std::string url, std::string message_id, Mtom message);
    delivery::asio::awaitable<Asked> ask(const domain::Report& report, Instant signed_at, const Stamp& stamp,
                                         Tell tell = Tell::references);
    static std::optional<delivery::Outcome> without_answer(const Sent& sent);

    delivery::DmpPartner partner_;
    std::unique_ptr<net::HttpClient> client_;
    const Clock& clock_;
    Stamps stamps_;
};

}  // namespace sgl::dmp

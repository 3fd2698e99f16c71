// The channel to a hospital record (DPI): ORU^R01 with the CDA over MLLP (spec/hl7v2-cda-to-dpi.md).
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "lib/delivery/channel.hpp"
#include "lib/delivery/partners.hpp"
#include "lib/mllp/client.hpp"
#include "lib/net/stream.hpp"

namespace sgl::delivery {

/// One lasting connection, one message in flight. After a doubt the same bytes leave again, with the same MSH-10: the
/// record recognises the repeat; when its late answer has come meanwhile, that is taken and nothing is sent.
class DpiChannel final : public Channel {
public:
    /// The path of a certificate, key or authority named in the partner's definition; null: the name is the path.
    using Resolver = std::function<std::string(std::string_view)>;
    /// For tests; null: TCP, and TLS when the partner says so.
    using Connector = mllp::Client::Connector;

    explicit DpiChannel(DpiPartner partner, const Resolver& resolve = {}, Connector connector = {});

    asio::awaitable<Outcome> deliver(const Letter& letter, const domain::Report& report,
                                     const Documents& documents) override;

    /// Blocks that were no answer to what we had sent.
    std::uint64_t ignored_answers() const { return client_.figures().others; }

private:
    mllp::Target target() const;

    DpiPartner partner_;
    mllp::Client client_;
};

}  // namespace sgl::delivery

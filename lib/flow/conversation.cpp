#include "lib/flow/conversation.hpp"

#include <algorithm>
#include <array>

#include "hl7/framer.hpp"
#include "lib/base/failpoint.hpp"
#include "lib/base/log.hpp"
#include "lib/net/timeout.hpp"

namespace sgl::flow {

namespace {

bool may_be(const domain::Link& link, const net::Peer& peer) {
    if (!link.active) return false;
    if (!link.tls_subject.empty() && (!peer.certificate || peer.certificate->subject != link.tls_subject)) return false;
    if (!link.tls_fingerprint.empty() && (!peer.certificate || peer.certificate->sha256 != link.tls_fingerprint))
        return false;
    return link.addresses.empty() || std::ranges::any_of(link.addresses, [&](const std::string& allowed) {
               return net::address_in(peer.address, allowed);
           });
}

std::vector<const domain::Link*> links_of(const domain::Laboratory& laboratory, const ConversationOptions& options,
                                          const net::Peer& peer) {
    std::vector<const domain::Link*> links;
    for (const auto* link : laboratory.links_of(options.listener)) {
        const bool named = options.links.empty() || std::ranges::find(options.links, link->name) != options.links.end();
        if (named && may_be(*link, peer)) links.push_back(link);
    }
    return links;
}

}  // namespace

asio::awaitable<void> converse(net::StreamPtr stream, Intake& intake, const LiveLaboratory& laboratory,
                               const Clock& clock, const ConversationOptions& options) {
    hl7::Framer framer(options.max_message_bytes);
    std::array<char, 65536> buffer{};
    Instant block_since = clock.now();
    for (;;) {
        std::size_t count = 0;
        if (framer.inside_block()) {
            const Duration left = options.frame_timeout - (clock.now() - block_since);
            std::optional<std::size_t> read;
            if (left > Duration::zero()) read = co_await net::within(left, stream->read_some(buffer));
            if (!read) {
                log::warn("block not finished in time", {{"bytes", framer.buffered()}});
                break;
            }
            count = *read;
        } else {
            count = co_await stream->read_some(buffer);
            block_since = clock.now();
        }
        if (count == 0) break;
        const Instant received_at = clock.now();
        // The laboratory as it is now: a link that was changed or closed holds from the next message on.
        const domain::LaboratoryPtr current = laboratory.current();
        const std::vector<const domain::Link*> links = links_of(*current, options, stream->peer());
        std::vector<hl7::FramerEvent> events = framer.feed(std::string_view(buffer.data(), count));
        bool close = false;
        for (auto& event : events) {
            using Kind = hl7::FramerEvent::Kind;
            Reply reply;
            switch (event.kind) {
                case Kind::block:
                    if (links.empty()) {
                        log::warn("no link for this connection", {{"listener", log::Token{options.listener}},
                                                                  {"address", log::Token{stream->peer().address}}});
                        close = true;
                        break;
                    }
                    reply = co_await intake.receive(links, std::move(event.bytes), received_at);
                    break;
                case Kind::oversize:
                    if (!links.empty())
                        reply = co_await intake.refuse_oversize(*links.front(), std::move(event.bytes), event.size,
                                                                received_at);
                    close = true;
                    break;
                case Kind::unterminated:
                    log::warn("block without end", {{"bytes", event.size}});
                    break;
                case Kind::garbage:
                    log::warn("bytes outside blocks", {{"listener", log::Token{options.listener}}});
                    break;
                case Kind::not_hl7:
                    log::warn("an ASTM transmission on an HL7 port", {{"listener", log::Token{options.listener}}});
                    close = true;
                    break;
                case Kind::commit_byte:
                    log::warn("the peer speaks MLLP release 2");
                    break;
                case Kind::incomplete:
                    break;
            }
            if (!reply.bytes.empty()) {
                const std::string framed = hl7::frame(reply.bytes);
                co_await stream->write(framed);
                failpoint("after_ack");
            }
            close = close || reply.close;
            if (close) break;
        }
        if (!framer.inside_block()) block_since = received_at;
        if (close) break;
    }
    if (const auto rest = framer.finish()) log::warn("connection ended inside a block", {{"bytes", rest->size}});
    co_await stream->close();
}

}  // namespace sgl::flow

// Sends what goes out on our own connection to the peer of a link: application acknowledgements of their own (hl7v2-lab
// 3.2) and work orders (6.3). Both are rows before they are said, and are said until the peer has answered.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "lib/flow/intake.hpp"
#include "lib/mllp/client.hpp"
#include "lib/net/timeout.hpp"

namespace sgl::flow {

class LinkSender {
public:
    /// Connects to what a link says of its outgoing connection; bounded in time by itself.
    using Connect = std::function<asio::awaitable<Result<net::StreamPtr>>(const domain::Link::Outgoing&)>;

    LinkSender(asio::any_io_executor executor, Intake& intake, const Clock& clock, const LiveLaboratory& laboratory,
               Connect connect);
    LinkSender(const LinkSender&) = delete;
    LinkSender& operator=(const LinkSender&) = delete;

    /// Starts sending what is due, one task for each link that may have something; returns at once. Call it every
    /// second or so, and when there is something new: a peer that is away is tried again after 1, 2, 5, 10, then every
    /// 30 seconds, and given up after three days. Work that goes out on the peer's connection is only written here.
    void look();
    /// No new attempts; those under way end at once.
    void stop();

private:
    struct Line {
        std::unique_ptr<mllp::Client> client;
        domain::Link::Outgoing to;
        unsigned release{};
        bool busy{};
        bool again{};  // asked to look while busy
        Instant quiet_until{};
        Instant take_back_at{};
        unsigned failures{};
    };

    asio::awaitable<void> serve(std::int32_t link, std::shared_ptr<Line> line);
    mllp::Client& client_of(const domain::Link& link, Line& line);
    // True when there may be more.
    asio::awaitable<bool> send_answers(const domain::Link& link, Line& line);
    asio::awaitable<bool> send_work(const domain::Link& link, Line& line);
    /// The peer could not be told; when to try again.
    Instant put_off(Line& line);

    asio::any_io_executor executor_;
    Intake& intake_;
    const Clock& clock_;
    const LiveLaboratory& laboratory_;
    Connect connect_;
    std::map<std::int32_t, std::shared_ptr<Line>> lines_;
    net::TaskGroup tasks_;
};

}  // namespace sgl::flow

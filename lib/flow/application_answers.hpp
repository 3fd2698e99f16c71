// Sends the application acknowledgements that go out as messages of their own, on our own connection to the peer
// (hl7v2-lab 3.2): owed from the moment the message was stored, sent until the peer has them.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "lib/flow/intake.hpp"
#include "lib/mllp/client.hpp"
#include "lib/net/timeout.hpp"

namespace sgl::flow {

class ApplicationAnswers {
public:
    /// Connects to what a link says of its outgoing connection; bounded in time by itself.
    using Connect = std::function<asio::awaitable<Result<net::StreamPtr>>(const domain::Link::Outgoing&)>;

    ApplicationAnswers(asio::any_io_executor executor, Intake& intake, const Clock& clock,
                       const LiveLaboratory& laboratory, Connect connect);
    ApplicationAnswers(const ApplicationAnswers&) = delete;
    ApplicationAnswers& operator=(const ApplicationAnswers&) = delete;

    /// Starts sending what is due, one task for each link that has something; returns at once. Call it every second or
    /// so: a peer that is away is tried again after 1, 2, 5, 10, then every 30 seconds, and given up after three days.
    void look();
    /// No new attempts; those under way end at once.
    void stop();

private:
    struct Line {
        std::unique_ptr<mllp::Client> client;
        domain::Link::Outgoing to;
        unsigned release{};
        bool busy{};
        Instant quiet_until{};
        unsigned failures{};
    };

    asio::awaitable<void> serve(std::int32_t link, std::shared_ptr<Line> line);
    /// True when there may be more.
    asio::awaitable<bool> send_due(const domain::Link& link, Line& line);

    asio::any_io_executor executor_;
    Intake& intake_;
    const Clock& clock_;
    const LiveLaboratory& laboratory_;
    Connect connect_;
    std::map<std::int32_t, std::shared_ptr<Line>> lines_;
    net::TaskGroup tasks_;
};

}  // namespace sgl::flow

// pgbench beside us: what the same PostgreSQL on the same disk does with one durable transaction per message that inserts the
// same raw bytes and 20 result rows, and nothing else.
#pragma once

#include <cstddef>
#include <string>

#include "test/bench/instance.hpp"

namespace sgl::bench {

struct PeerFigures {
    double per_second{};
    double p50{};  ///< milliseconds
    double p99{};
    double postgres_ms{};  ///< processor time of PostgreSQL per transaction
};

class Peer {
public:
    /// Makes database `bench` with its two tables in the cluster of the instance. `raw`: the bytes of one message.
    Peer(const Instance& instance, const std::string& raw);

    PeerFigures measure(std::size_t connections, int seconds) const;

private:
    const Instance& instance_;
    std::string raw_;  // as PostgreSQL writes bytes in text
};

}  // namespace sgl::bench

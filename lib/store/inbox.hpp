// The inbox: every message byte for byte, with its results and the work it gives, durable in one transaction before it
// is answered (design D2). Messages that wait together share one commit.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/digest.hpp"
#include "lib/domain/link.hpp"
#include "lib/domain/received.hpp"
#include "lib/store/pg/pool.hpp"

namespace sgl::store {

namespace asio = boost::asio;

/// Bytes of Arrival::key that MSH-3, 4 and 10 decide; the others are MSH-7's.
inline constexpr std::size_t number_part = 16;

/// A message as it came, with what we read in it.
struct Arrival {
    domain::LinkId link;
    std::string link_name;
    domain::SiteId site;
    domain::LegalEntityId legal_entity;
    Instant received_at;
    std::string control_id;            ///< MSH-10
    std::string type;                  ///< "ORU^R01"
    std::string raw;                   ///< the bytes between VT and FS; of an oversize message its head
    std::uint64_t size{};              ///< of the whole message
    Sha256 key{};                      ///< of MSH-3, 4, 10 and, behind `number_part`, of MSH-7 (hl7v2-lab 2.5)
    Sha256 sha256{};                   ///< of the message, from MSH to the last CR (hl7v2-lab 2.5)
    std::optional<Sha256> raw_sha256;  ///< of `raw` when those are other bytes
    std::string answer;                ///< code to answer when it is new: AA, AE or AR
    std::string answer_errors;         ///< ERR lines that go with it, kept for a repeat; ours, without patient data
    domain::Reading reading;           ///< empty when refused
    std::string owed_control_id;       ///< MSH-10 of the application acknowledgement that it is owed; empty: none
    std::vector<domain::LinkId> work_links;  ///< of an order: analysers that get its work unasked
    std::optional<std::int64_t> sequence;    ///< the number taken (MSH-13), -1: forget the last; nothing: leave it
};

/// What became of it.
struct Kept {
    domain::MessageId id;
    bool duplicate{};  ///< had been answered before: nothing new was stored
    std::string answer;
    std::string answer_errors;
    bool reused{};  ///< its MSH-10 had been that of another message: counted (hl7v2-lab 2.5)
};

class Inbox {
public:
    explicit Inbox(pg::Pool& pool) : pool_(pool) {}

    /// All in one transaction, answers in the same order. Throws pg::DatabaseError when nothing was stored;
    /// is_in_doubt() when nobody knows: the caller answers nothing and the sender repeats.
    asio::awaitable<std::vector<Kept>> keep(const std::vector<Arrival>& arrivals, Instant now);

    /// Those that had been answered before, as they were.
    asio::awaitable<std::vector<Kept>> known(const std::vector<Arrival>& arrivals);

    /// For a transaction that has more to do (orders): the step that looks for one message among those that came
    /// before, what its rows say of it (`duplicate`, `reused`), and the steps that store it as it is.
    static pg::Step look_for(const Arrival& arrival);
    static Kept found(const Arrival& arrival, const pg::Rows& rows);
    static std::vector<pg::Step> message_steps(const Arrival& arrival, domain::MessageId id, bool reused, Instant now);
    asio::awaitable<domain::MessageId> next_id();

    /// Deletes keys older than the window (30 days), a bounded number at a time; gives how many.
    asio::awaitable<std::size_t> forget_keys(const std::vector<std::int32_t>& sites, Instant before);

private:
    pg::Pool& pool_;
    std::int64_t next_{0};
    std::int64_t end_{0};
};

}  // namespace sgl::store

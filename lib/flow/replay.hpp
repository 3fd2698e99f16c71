// Messages that were kept and could not be understood wholly: what they wait for, and reading them again with today's
// settings, as if those had held when the message came.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "hl7/message.hpp"
#include "lib/domain/laboratory.hpp"
#include "lib/store/replay.hpp"
#include "lib/store/waiting.hpp"

namespace sgl::flow {

namespace asio = boost::asio;

using store::Expectation;
using store::ReplaySum;
using store::WaitingGroup;

class Replay {
public:
    explicit Replay(pg::Pool& pool) : pool_(pool), waiting_(pool) {}

    /// The groups of all that waits on those sites, the largest first.
    asio::awaitable<std::vector<WaitingGroup>> groups(domain::LaboratoryPtr laboratory,
                                                      std::vector<std::int32_t> sites);

    /// One message, read again with that laboratory. Idempotent. Fault::missing when it is not on the sites, refused
    /// when it was refused to its sender (who sends it again), unsupported when it brings no results. `assigned`: the
    /// order or specimen number that a person chose for the group of that coordinate ("OBR[2]"); the rules that refuse
    /// another patient's result hold all the same.
    struct Assigned {
        std::string coordinate;
        std::string number;
    };
    asio::awaitable<Result<store::Replayed>> message(domain::LaboratoryPtr laboratory, store::Deed deed,
                                                     domain::MessageId id, std::optional<Assigned> assigned);
    /// Several, in the order of their arrival; each is a transaction of its own.
    asio::awaitable<ReplaySum> messages(domain::LaboratoryPtr laboratory, store::Deed deed,
                                        std::vector<domain::MessageId> ids);

    /// The results of that point are of the order or tube of that number.
    asio::awaitable<Result<ReplaySum>> assign(domain::LaboratoryPtr laboratory, store::Deed deed,
                                              store::WaitingItem item, std::string number);

    /// With the mapping over the laboratory; the messages of that group.
    asio::awaitable<Expectation> expect(domain::LaboratoryPtr laboratory, std::vector<std::int32_t> sites,
                                        domain::Mapping mapping, std::vector<domain::MessageId> messages);

    store::Waiting& waiting() { return waiting_; }

private:
    pg::Pool& pool_;
    store::Waiting waiting_;
};

/// The link of a laboratory by its number; null: none.
const domain::Link* link_of(const domain::Laboratory& laboratory, domain::LinkId id);

/// A kept message as its link says it is written.
Result<hl7::Message> parsed(const store::KeptMessage& message, const domain::Link& link);

}  // namespace sgl::flow

// Partners of the simulation: what they took over, in which order, and the ways in which they fail.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "lib/delivery/channel.hpp"
#include "test/lib/delivery/engine/sim/letters.hpp"
#include "test/lib/delivery/engine/sim/world.hpp"

namespace sgl::delivery::sim {

/// What is found wrong, and figures that show what the run went through.
struct Findings {
    std::vector<std::string> violations;
    std::map<std::string, std::size_t> seen;
    std::vector<std::string>* story{};  ///< when somebody reads it
    std::uint64_t digest{14695981039346656037ULL};

    void violated(const std::string& what);
    void happened(Instant at, const std::string& what);
    void count(const std::string& what) { ++seen[what]; }
};

enum class Mood : std::uint8_t {
    up,
    down,       ///< nobody listens
    refusing,   ///< 4xx, 5xx that says later
    rejecting,  ///< says no for good
    lost,       ///< the answer is lost, the bytes may be as well
    silent,     ///< takes it or not, never answers
    garbage,    ///< answers what can't be read
    other_id,   ///< answers for another message
    slow,
    lying,  ///< says yes and keeps nothing
};
inline constexpr std::array bad_moods{Mood::down,    Mood::refusing, Mood::rejecting, Mood::lost, Mood::silent,
                                      Mood::garbage, Mood::other_id, Mood::slow,      Mood::lying};
std::string_view to_string(Mood mood);

enum class Mailbox : std::uint8_t { open, full, unknown, closed };

struct Arrival {
    domain::LetterId letter;
    Instant left_at;  ///< the last byte at our side
    Instant dated;    ///< what the message says
    Instant taken_at;
};

class Partner {
public:
    Partner(World& world, Letters& letters, Findings& findings, std::string name, bool can_be_asked)
        : world_(world), letters_(letters), findings_(findings), name_(std::move(name)), can_be_asked_(can_be_asked) {}

    const std::string& name() const { return name_; }
    bool can_be_asked() const { return can_be_asked_; }
    bool has(domain::LetterId letter) const { return taken_.contains(letter); }
    std::size_t times(domain::LetterId letter) const {
        const auto found = taken_.find(letter);
        return found == taken_.end() ? 0 : found->second;
    }
    void take(Arrival arrival);
    void lied(domain::LetterId letter) { lied_[letter] = true; }
    bool has_lied(domain::LetterId letter) const { return lied_.contains(letter); }
    /// What it took of a report for a recipient, in the order of arrival.
    std::vector<Arrival> taken_of(domain::ReportSetId set, domain::Channel channel, const std::string& key) const;

    Mood mood{Mood::up};
    std::map<std::string, Mailbox> mailboxes;

private:
    World& world_;
    Letters& letters_;
    Findings& findings_;
    std::string name_;
    bool can_be_asked_;
    std::map<domain::LetterId, std::size_t> taken_;
    std::map<domain::LetterId, Instant> dated_;
    std::map<domain::LetterId, bool> lied_;
    std::map<std::tuple<domain::ReportSetId, domain::Channel, std::string>, std::vector<Arrival>> streams_;
};

/// How a daemon reaches a partner: the steps of a real channel, each of which may be the last one of its process.
class SimChannel final : public Channel {
public:
    /// `half_way` is called when half of a letter's bytes have left.
    SimChannel(World& world, Process& process, Partner& partner, Findings& findings, Mutant mutant,
               std::function<void()> half_way)
        : world_(world),
          process_(process),
          partner_(partner),
          findings_(findings),
          mutant_(mutant),
          half_way_(std::move(half_way)) {}
    asio::awaitable<Outcome> deliver(const Letter& letter, const domain::Report& report,
                                     const Documents& documents) override;

private:
    Outcome unreached(Mood mood) const;

    World& world_;
    Process& process_;
    Partner& partner_;
    Findings& findings_;
    Mutant mutant_;
    std::function<void()> half_way_;
};

}  // namespace sgl::delivery::sim

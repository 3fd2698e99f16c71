// What analysers say and nobody has told yet what it means: the words to map, the messages to read again; the commands
// behind the pages, and the pages.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "lib/store/console.hpp"
#include "lib/store/waiting.hpp"

namespace sgl::web {

namespace asio = boost::asio;

class Html;
struct Frame;
struct Notice;

/// An examination of a site, to choose from.
struct Examination {
    std::string code;
    std::string loinc;
    std::string label;
    std::string unit;
};

/// One point of the work to do with the message that gave it.
struct WaitingPoint {
    store::WaitingItem item;
    std::string link_name;
    std::string text;  ///< of the message, one segment a line
    bool masked{};     ///< without what names the patient: the reader may not know him
};

/// As Commands: implemented by the daemon over lib/flow, a fake in tests; rights are checked here and there.
class WaitingCommands {
public:
    WaitingCommands() = default;
    WaitingCommands(const WaitingCommands&) = delete;
    WaitingCommands& operator=(const WaitingCommands&) = delete;
    virtual ~WaitingCommands() = default;

    /// On the sites where he may read the work to do, the largest group first.
    virtual asio::awaitable<std::vector<store::WaitingGroup>> waiting(store::User user) = 0;
    /// Audited when the message is shown whole.
    virtual asio::awaitable<Result<WaitingPoint>> waiting_point(store::User user, domain::WorkItemId item) = 0;
    virtual std::vector<Examination> examinations(domain::SiteId site) = 0;
    /// Changes nothing. Fault::malformed, missing: the mapping can't be meant (domain::check).
    virtual asio::awaitable<Result<store::Expectation>> expect(store::User user, domain::Mapping mapping,
                                                               std::vector<domain::MessageId> messages) = 0;
    /// Keeps the mapping, then reads those messages again. Refused unless he may map on the link's site.
    virtual asio::awaitable<Result<store::ReplaySum>> map(store::User user, domain::Mapping mapping,
                                                          std::vector<domain::MessageId> messages, std::string why) = 0;
    virtual asio::awaitable<Result<store::ReplaySum>> replay(store::User user,
                                                             std::vector<domain::MessageId> messages) = 0;
    /// The results of that point are of the order or tube of that number; the identity is checked all the same.
    virtual asio::awaitable<Result<store::ReplaySum>> assign(store::User user, domain::WorkItemId item,
                                                             std::string number, std::string why) = 0;
};

/// What a person typed for a word; as typed, so that nothing is lost by a refusal.
struct TypedMapping {
    std::string means;  ///< code, unit, value or flag: which mapping he wants
    std::string ours;
    std::string unit;
    std::string factor;
    std::string does;
    std::string text;
    std::string why;
};
struct WordScreen {
    store::WaitingGroup group;
    std::vector<Examination> examinations;
    TypedMapping typed;
    std::optional<store::Expectation> expected;
    bool may_map{};
};
std::string word_page(const Frame& frame, const WordScreen& screen, const std::optional<Notice>& notice);
std::string waiting_point_page(const Frame& frame, const WaitingPoint& point, const std::optional<Notice>& notice);
/// The work to do: the words that a mapping mends above, then every item.
std::string work_page(const Frame& frame, const store::WorkItems& items, const std::vector<store::WaitingGroup>& groups,
                      const std::optional<Notice>& notice);
/// Where the screen of a group is.
std::string word_path(const store::WaitingGroup& group);
/// What reading messages again has brought.
std::string replay_words(std::int64_t messages, std::int64_t results, std::int64_t waiting);

}  // namespace sgl::web

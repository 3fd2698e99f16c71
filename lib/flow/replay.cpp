#include "lib/flow/replay.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "lib/flow/read.hpp"
#include "lib/interpret/waiting.hpp"

namespace sgl::flow {

namespace {

constexpr std::size_t most_items = 5000;
constexpr std::size_t most_read = 500;  // messages that are read for the words of their groups
constexpr std::size_t most_lines = 12;

Error refusal(Fault fault, std::string where, std::string what) {
    return {fault, std::move(where), std::move(what)};
}

std::optional<domain::Mapping::Kind> mended_by(std::string_view kind) {
    using enum domain::Mapping::Kind;
    if (kind == "unknown_code") return code;
    if (kind == "unit") return unit;
    if (kind == "value") return value;
    if (kind == "unknown_flag") return flag;
    return std::nullopt;
}

/// Has the link a word for it by now?
bool is_mapped(const domain::Laboratory& laboratory, const domain::Link& link, const WaitingGroup& group) {
    domain::Mapping wanted;
    wanted.kind = *group.mends;
    wanted.theirs = group.theirs;
    if (*group.mends != domain::Mapping::Kind::code) return domain::names(link, wanted);
    const auto& catalogue = laboratory.catalogue(link.site);
    return std::ranges::any_of(link.codes,
                               [&](const auto& code) {
                                   return code.theirs == group.theirs && catalogue.by_code(code.ours) != nullptr;
                               }) ||
           catalogue.by_code(group.theirs) != nullptr;
}

/// What its OBX says, for the group that it belongs to.
void take_words(WaitingGroup& group, const interpret::Said& said) {
    group.label = said.label;
    using enum domain::Mapping::Kind;
    switch (*group.mends) {
        case code:
            group.theirs = said.code;
            group.unit = said.unit;
            return;
        case unit:
            group.theirs = said.unit;
            group.code = said.code;
            // No unit at all, or one of another size: the code says what it means (`codes`, with unit and factor).
            if (said.unit.empty()) {
                group.mends = code;
                group.theirs = said.code;
            }
            return;
        case value:
            group.theirs = said.value;
            group.code = said.code;
            return;
        case flag:
            if (!said.unknown_flags.empty()) group.theirs = said.unknown_flags.front();
            group.code = said.code;
            return;
    }
}

void add(ReplaySum& sum, const store::Replayed& done) {
    ++sum.messages;
    sum.results += static_cast<std::size_t>(done.results);
    sum.waiting += static_cast<std::size_t>(done.waiting);
    sum.mended += static_cast<std::size_t>(done.mended);
}

std::string text_of(const std::optional<domain::Value>& value) {
    return value ? domain::to_french(*value) : std::string();
}

}  // namespace

const domain::Link* link_of(const domain::Laboratory& laboratory, domain::LinkId id) {
    const auto found = std::ranges::find(laboratory.links(), id, &domain::Link::id);
    return found == laboratory.links().end() ? nullptr : &*found;
}

Result<hl7::Message> parsed(const store::KeptMessage& message, const domain::Link& link) {
    return hl7::Message::parse(message.raw, parse_options(link));
}

asio::awaitable<std::vector<WaitingGroup>> Replay::groups(domain::LaboratoryPtr laboratory,
                                                          std::vector<std::int32_t> sites) {
    const std::vector<store::WaitingItem> items = co_await waiting_.items(sites, most_items);
    std::vector<std::int64_t> wanted;
    for (const auto& item : items) {
        if (!mended_by(item.kind) || wanted.size() >= most_read) continue;
        if (wanted.empty() || wanted.back() != item.message.value()) wanted.push_back(item.message.value());
    }
    const std::vector<store::KeptMessage> kept = co_await waiting_.messages(sites, wanted);
    std::map<std::int64_t, hl7::Message> messages;
    for (const auto& message : kept) {
        const auto* link = link_of(*laboratory, message.link);
        if (link == nullptr) continue;
        if (auto read = parsed(message, *link)) messages.emplace(message.id.value(), std::move(*read));
    }
    std::map<std::tuple<std::int32_t, std::string, std::string, std::string>, WaitingGroup> found;
    for (const auto& item : items) {
        const auto* link = link_of(*laboratory, item.link);
        WaitingGroup group;
        group.link = item.link;
        group.link_name = link == nullptr ? std::string() : link->name;
        group.site = item.site;
        group.kind = item.kind;
        group.mends = link == nullptr ? std::nullopt : mended_by(item.kind);
        const auto message = messages.find(item.message.value());
        if (group.mends && message != messages.end()) {
            if (const auto said = interpret::said_at(message->second, *link, item.coordinate)) take_words(group, *said);
        }
        if (group.theirs.empty()) group.mends.reset();
        if (group.mends) group.mapped = is_mapped(*laboratory, *link, group);
        auto& of_word = found[{item.link.value(), item.kind, group.theirs, group.code}];
        if (of_word.items.empty()) of_word = std::move(group);
        if (of_word.messages.empty() || of_word.messages.back() != item.message)
            of_word.messages.push_back(item.message);
        of_word.items.push_back(item);
    }
    std::vector<WaitingGroup> groups;
    groups.reserve(found.size());
    for (auto& [key, group] : found)
        groups.push_back(std::move(group));
    std::ranges::stable_sort(groups, [](const auto& a, const auto& b) {
        return std::pair(!a.mends, b.items.size()) < std::pair(!b.mends, a.items.size());
    });
    co_return groups;
}

asio::awaitable<Result<store::Replayed>> Replay::message(domain::LaboratoryPtr laboratory, store::Deed deed,
                                                         domain::MessageId id, std::optional<Assigned> assigned) {
    const std::optional<store::KeptMessage> kept = co_await waiting_.message(deed.sites, id);
    if (!kept) co_return refusal(Fault::missing, "message", "no such message on your sites");
    if (kept->answer != "AA")
        co_return refusal(Fault::refused, "message", "it was refused to its sender, who sends it again");
    const auto* link = link_of(*laboratory, kept->link);
    if (link == nullptr) co_return refusal(Fault::missing, "link", "the link of this message is gone");
    const Result<hl7::Message> message = parsed(*kept, *link);
    if (!message) co_return message.error();
    auto read = read_results(*message, *link, *laboratory);
    if (!read) co_return read.error();
    store::Arrival arrival;
    arrival.link = link->id;
    arrival.link_name = link->name;
    arrival.site = kept->site;
    arrival.legal_entity = kept->legal_entity;
    arrival.received_at = kept->received_at;
    arrival.control_id = kept->control_id;
    arrival.type = kept->type;
    arrival.answer = kept->answer;
    arrival.reading = std::move(*read);
    if (assigned) {
        auto& groups = arrival.reading.groups;
        const auto group = std::ranges::find(groups, assigned->coordinate, &domain::ReceivedGroup::coordinate);
        if (group == groups.end())
            co_return refusal(Fault::missing, "coordinate", "the message has no such group of results");
        group->numbers.assign(1, assigned->number);
    }
    store::Replayed done = co_await store::replay(pool_, std::move(arrival), id, std::move(deed));
    co_return done;
}

asio::awaitable<ReplaySum> Replay::messages(domain::LaboratoryPtr laboratory, store::Deed deed,
                                            std::vector<domain::MessageId> ids) {
    ReplaySum sum;
    for (const auto id : ids) {
        std::optional<Assigned> none;
        store::Deed mine = deed;
        const Result<store::Replayed> done = co_await message(laboratory, std::move(mine), id, std::move(none));
        if (done) {
            add(sum, *done);
        } else {
            ++sum.messages;
            sum.refused.push_back({id, done.error()});
        }
    }
    co_return sum;
}

asio::awaitable<Result<ReplaySum>> Replay::assign(domain::LaboratoryPtr laboratory, store::Deed deed,
                                                  store::WaitingItem item, std::string number) {
    Assigned wanted{item.coordinate.substr(0, item.coordinate.find('-')), std::move(number)};
    std::optional<Assigned> assigned(std::move(wanted));
    const Result<store::Replayed> done =
        co_await message(std::move(laboratory), std::move(deed), item.message, std::move(assigned));
    if (!done) co_return done.error();
    ReplaySum sum;
    add(sum, *done);
    co_return sum;
}

asio::awaitable<Expectation> Replay::expect(domain::LaboratoryPtr laboratory, std::vector<std::int32_t> sites,
                                            domain::Mapping mapping, std::vector<domain::MessageId> messages) {
    Expectation expectation;
    const auto* known = link_of(*laboratory, mapping.link);
    if (known == nullptr) co_return expectation;
    domain::Link link = *known;
    domain::add_to(link, mapping);
    std::vector<std::int64_t> ids;
    for (const auto id : messages) {
        if (ids.size() < most_read) ids.push_back(id.value());
    }
    const std::vector<store::KeptMessage> kept = co_await waiting_.messages(sites, std::move(ids));
    for (const auto& one : kept) {
        const Result<hl7::Message> message = parsed(one, link);
        if (!message) continue;
        const auto before = read_results(*message, *known, *laboratory);
        const auto after = read_results(*message, link, *laboratory);
        if (!before || !after) continue;
        ++expectation.messages;
        std::map<int, bool> held;
        for (const auto& group : before->groups) {
            for (const auto& result : group.results)
                held[result.position] = result.held;
        }
        for (const auto& group : after->groups) {
            for (const auto& result : group.results) {
                if (!held[result.position]) continue;
                ++(result.held ? expectation.waiting : expectation.results);
                if (expectation.lines.size() >= most_lines) continue;
                Expectation::Line line;
                line.coordinate = "OBX[" + std::to_string(result.position) + "]";
                if (const auto said = interpret::said_at(*message, link, line.coordinate))
                    line.said = said->code + " " + said->value + (said->unit.empty() ? "" : " " + said->unit);
                if (!result.held) line.read = text_of(result.value);
                for (const auto& trouble : after->troubles) {
                    const bool here = trouble.coordinate.starts_with(line.coordinate + "-") ||
                                      (result.position == 1 && trouble.coordinate.starts_with("OBX-"));
                    if (result.held && here && line.why.empty()) line.why = trouble.what;
                }
                expectation.lines.push_back(std::move(line));
            }
        }
    }
    co_return expectation;
}

}  // namespace sgl::flow

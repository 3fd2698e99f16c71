#include "daemon/work_commands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "daemon/command.hpp"
#include "lib/flow/replay.hpp"
#include "lib/interpret/waiting.hpp"
#include "lib/store/laboratory.hpp"
#include "lib/store/mapping.hpp"

namespace sgl::daemon {

namespace {

namespace json = boost::json;
using Ids = std::vector<domain::MessageId>;

struct Desk {
    Database& database;
    const SystemClock& clock;
    const WorkCommand& command;
    domain::LaboratoryPtr laboratory;
    flow::Replay replay;
    std::vector<std::int32_t> sites;

    store::Deed deed(std::string_view usual) const {
        return {sites, operator_name(), command.why.empty() ? std::string(usual) : command.why, clock.now()};
    }
};

std::string word_of(const flow::WaitingGroup& group) {
    std::string text = group.theirs;
    if (!group.code.empty()) text += " of " + group.code;
    if (!group.label.empty() && group.label != group.theirs) text += " (" + group.label + ")";
    return text;
}

json::object to_json(const flow::WaitingGroup& group) {
    json::array items;
    for (const auto& item : group.items) {
        items.push_back(json::object{{"id", item.id.value()},
                                     {"message", item.message.value()},
                                     {"at", item.coordinate},
                                     {"what", item.what},
                                     {"order", item.order_number},
                                     {"since", to_iso8601(item.created_at)}});
    }
    return {{"link", group.link_name},
            {"kind", group.kind},
            {"theirs", group.theirs},
            {"code", group.code},
            {"label", group.label},
            {"unit", group.unit},
            {"mended_by", group.mends ? to_string(*group.mends) : ""},
            {"mapped", group.mapped},
            {"messages", group.messages.size()},
            {"items", std::move(items)}};
}

asio::awaitable<int> list(Desk& desk) {
    const std::vector<flow::WaitingGroup> groups = co_await desk.replay.groups(desk.laboratory, desk.sites);
    json::array out;
    for (const auto& group : groups) {
        if (!desk.command.link.empty() && group.link_name != desk.command.link) continue;
        if (desk.command.json) {
            out.push_back(to_json(group));
            continue;
        }
        std::cout << fmt::format("{:<20} {:<18} {:>5} waiting in {} messages  {}{}\n", group.link_name, group.kind,
                                 group.items.size(), group.messages.size(), word_of(group),
                                 group.mapped ? "  (mapped: replay)" : "");
        for (std::size_t i = 0; i < group.items.size() && i < 3; ++i) {
            const auto& item = group.items[i];
            std::cout << fmt::format("    item {}  message {}  {}  {}{}\n", item.id.value(), item.message.value(),
                                     item.coordinate, item.what,
                                     item.order_number.empty() ? "" : "  order " + item.order_number);
        }
        if (group.items.size() > 3) std::cout << fmt::format("    and {} more\n", group.items.size() - 3);
    }
    if (desk.command.json) std::cout << json::serialize(out) << '\n';
    co_return 0;
}

/// Without what names the patient: this output is copied into tickets (SEC-70).
asio::awaitable<int> show(Desk& desk) {
    const domain::WorkItemId id{desk.command.id};
    const std::optional<store::WaitingItem> item = co_await desk.replay.waiting().item(desk.sites, id);
    if (!item) co_return refused({Fault::missing, "work_item", "no such work item of a message"});
    const std::optional<store::KeptMessage> kept = co_await desk.replay.waiting().message(desk.sites, item->message);
    const auto* link = flow::link_of(*desk.laboratory, item->link);
    std::string text;
    if (kept && link != nullptr) {
        const Result<hl7::Message> message = flow::parsed(*kept, *link);
        text = message ? interpret::masked(*message) : "(" + to_string(message.error()) + ")\n";
    }
    if (desk.command.json) {
        const json::object out{{"id", item->id.value()},
                               {"kind", item->kind},
                               {"at", item->coordinate},
                               {"what", item->what},
                               {"link", link == nullptr ? "" : link->name},
                               {"message", item->message.value()},
                               {"received_at", to_iso8601(item->received_at)},
                               {"order", item->order_number},
                               {"text", text}};
        std::cout << json::serialize(out) << '\n';
        co_return 0;
    }
    std::cout << fmt::format("{} at {}: {}\nlink {}, message {} of {}{}\n\n{}", item->kind, item->coordinate,
                             item->what, link == nullptr ? "" : link->name, item->message.value(),
                             to_iso8601(item->received_at),
                             item->order_number.empty() ? "" : ", order " + item->order_number, text);
    co_return 0;
}

int tell(const Desk& desk, const flow::ReplaySum& sum) {
    if (desk.command.json) {
        json::array refusals;
        for (const auto& one : sum.refused)
            refusals.push_back(json::object{{"message", one.message.value()}, {"why", to_string(one.why)}});
        const json::object out{{"messages", sum.messages},
                               {"results", sum.results},
                               {"waiting", sum.waiting},
                               {"mended", sum.mended},
                               {"refused", std::move(refusals)}};
        std::cout << json::serialize(out) << '\n';
    } else {
        std::cout << fmt::format("{} messages read again: {} results went their way, {} wait, {} work items mended\n",
                                 sum.messages, sum.results, sum.waiting, sum.mended);
        for (const auto& one : sum.refused)
            std::cerr << fmt::format("sgld: message {}: {}\n", one.message.value(), to_string(one.why));
    }
    return sum.refused.empty() ? 0 : 1;
}

asio::awaitable<int> replay(Desk& desk) {
    const auto& command = desk.command;
    Ids ids;
    if (command.message != 0) {
        ids.emplace_back(command.message);
    } else if (command.id != 0) {
        ids = co_await desk.replay.waiting().beside(desk.sites, domain::WorkItemId{command.id});
        if (ids.empty()) co_return refused({Fault::missing, "work_item", "no such work item of a message"});
    } else if (command.all || !command.link.empty()) {
        std::optional<domain::LinkId> of_link;
        if (!command.link.empty()) {
            const auto* link = desk.laboratory->link(command.link);
            if (link == nullptr) co_return refused({Fault::missing, "link", "no such link"});
            of_link = link->id;
        }
        ids = co_await desk.replay.waiting().waiting(desk.sites, of_link);
    } else {
        co_return refused({Fault::missing, "replay", "which? a work item, --message, --link or --all"});
    }
    store::Deed deed = desk.deed("with the settings of now");
    const flow::ReplaySum sum = co_await desk.replay.messages(desk.laboratory, std::move(deed), std::move(ids));
    co_return tell(desk, sum);
}

Result<domain::Mapping> mapping_of(const Desk& desk) {
    const auto& command = desk.command;
    domain::Mapping mapping;
    const auto* link = desk.laboratory->link(command.link);
    if (link == nullptr) return Error{Fault::missing, "link", "no such link"};
    mapping.link = link->id;
    const auto kind = domain::mapping_kind_of(command.kind);
    if (!kind) return Error{Fault::malformed, "kind", "code, unit, value or flag"};
    mapping.kind = *kind;
    mapping.theirs = command.theirs;
    mapping.unit = command.unit;
    mapping.text = command.text;
    if (*kind == domain::Mapping::Kind::flag) {
        const auto does = domain::flag_does_of(command.ours);
        if (!does) return Error{Fault::malformed, "ours", "a flag is to ignore, comment, block or hide"};
        mapping.does = *does;
    } else {
        mapping.ours = command.ours;
    }
    if (!command.factor.empty()) {
        const auto factor = Decimal::parse(command.factor);
        if (!factor) return Error{Fault::malformed, "factor", "a number with a point is needed"};
        mapping.factor = *factor;
    }
    if (auto good = domain::check(mapping, desk.laboratory->catalogue(link->site)); !good) return good.error();
    return mapping;
}

int tell(const Desk& desk, const flow::Expectation& expectation) {
    json::array lines;
    for (const auto& line : expectation.lines) {
        if (desk.command.json)
            lines.push_back(
                json::object{{"at", line.coordinate}, {"said", line.said}, {"read", line.read}, {"why", line.why}});
        else
            std::cout << fmt::format("    {:<10} {:<30} -> {}\n", line.coordinate, line.said,
                                     line.read.empty() ? "waits: " + line.why : line.read);
    }
    if (desk.command.json) {
        const json::object out{{"messages", expectation.messages},
                               {"results", expectation.results},
                               {"waiting", expectation.waiting},
                               {"lines", std::move(lines)}};
        std::cout << json::serialize(out) << '\n';
    } else {
        std::cout << fmt::format("{} messages: {} results would go their way, {} would wait\n", expectation.messages,
                                 expectation.results, expectation.waiting);
    }
    return 0;
}

asio::awaitable<int> map(Desk& desk) {
    const Result<domain::Mapping> mapping = mapping_of(desk);
    if (!mapping) co_return refused(mapping.error());
    // Everything of that link that waits: what the mapping does not mend stays as it is.
    Ids ids = co_await desk.replay.waiting().waiting(desk.sites, mapping->link);
    if (desk.command.only_expect) {
        const flow::Expectation expectation =
            co_await desk.replay.expect(desk.laboratory, desk.sites, *mapping, std::move(ids));
        co_return tell(desk, expectation);
    }
    if (desk.command.why.empty()) co_return refused({Fault::missing, "why", "--why: a reason, kept with your name"});
    store::Deed deed = desk.deed("");
    const Result<std::int64_t> change = co_await store::keep_mapping(desk.database.app(), deed, *mapping);
    if (!change) co_return refused(change.error());
    const domain::LaboratoryPtr now = co_await store::load(desk.database.app());
    const flow::ReplaySum sum = co_await desk.replay.messages(now, std::move(deed), std::move(ids));
    co_return tell(desk, sum);
}

asio::awaitable<int> assign(Desk& desk) {
    const domain::WorkItemId id{desk.command.id};
    const std::optional<store::WaitingItem> item = co_await desk.replay.waiting().item(desk.sites, id);
    if (!item) co_return refused({Fault::missing, "work_item", "no such work item of a message"});
    store::Deed deed = desk.deed("");
    const Result<flow::ReplaySum> done =
        co_await desk.replay.assign(desk.laboratory, std::move(deed), *item, desk.command.number);
    if (!done) co_return refused(done.error());
    if (done->results == 0 && done->mended == 0)
        co_return refused({Fault::missing, "number", "no order or specimen of this site has this number"});
    co_return tell(desk, *done);
}

asio::awaitable<int> dismiss(Desk& desk) {
    store::Work work(desk.database.app());
    store::Deed deed = desk.deed("");
    const Result<void> done = co_await work.close(std::move(deed), domain::WorkItemId{desk.command.id});
    if (!done) co_return refused(done.error());
    std::cout << "done\n";
    co_return 0;
}

asio::awaitable<int> mappings(Desk& desk) {
    const std::vector<store::MappingLine> lines = co_await store::mappings(desk.database.app(), desk.sites);
    json::array out;
    for (const auto& [mapping, counts] : lines) {
        const auto* link = flow::link_of(*desk.laboratory, mapping.link);
        const std::string name = link == nullptr ? std::string() : link->name;
        const std::string ours(mapping.kind == domain::Mapping::Kind::flag ? std::string(to_string(mapping.does))
                                                                           : mapping.ours);
        const std::string factor = mapping.factor ? mapping.factor->text() : std::string();
        if (desk.command.json) {
            out.push_back(json::object{{"id", mapping.id},
                                       {"link", name},
                                       {"kind", to_string(mapping.kind)},
                                       {"theirs", mapping.theirs},
                                       {"ours", ours},
                                       {"unit", mapping.unit},
                                       {"factor", factor},
                                       {"text", mapping.text},
                                       {"made_at", to_iso8601(mapping.made_at)},
                                       {"made_by", mapping.made_by},
                                       {"why", mapping.made_why},
                                       {"counts", counts}});
        } else {
            std::cout << fmt::format("{:>6}  {:<20} {:<6} {} -> {}{}{}  {} {}{}\n", mapping.id, name,
                                     to_string(mapping.kind), mapping.theirs, ours,
                                     mapping.unit.empty() ? "" : " for " + mapping.unit,
                                     factor.empty() ? "" : " times " + factor, mapping.made_by,
                                     to_iso8601(mapping.made_at), counts ? "" : "  (the imported link says it by now)");
        }
    }
    if (desk.command.json) std::cout << json::serialize(out) << '\n';
    co_return 0;
}

asio::awaitable<int> forget(Desk& desk) {
    store::Deed deed = desk.deed("");
    const Result<std::int64_t> done =
        co_await store::end_mapping(desk.database.app(), std::move(deed), desk.command.id);
    if (!done) co_return refused(done.error());
    std::cout << "done\n";
    co_return 0;
}

}  // namespace

int work(const config::Settings& settings, const WorkCommand& command) {
    return with_database(settings, [&](Database& database, const SystemClock& clock) -> asio::awaitable<int> {
        const domain::LaboratoryPtr laboratory = co_await store::load(database.app());
        Desk desk{database, clock, command, laboratory, flow::Replay(database.app()), sites_of(*laboratory)};
        if (command.verb == "show") co_return co_await show(desk);
        if (command.verb == "map") co_return co_await map(desk);
        if (command.verb == "replay") co_return co_await replay(desk);
        if (command.verb == "assign") co_return co_await assign(desk);
        if (command.verb == "dismiss") co_return co_await dismiss(desk);
        if (command.verb == "mappings") co_return co_await mappings(desk);
        if (command.verb == "forget") co_return co_await forget(desk);
        co_return co_await list(desk);
    });
}

}  // namespace sgl::daemon

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/log.hpp"
#include "lib/web/call.hpp"
#include "lib/web/words.hpp"

namespace sgl::web {

namespace {

/// Of the form, else of the address.
std::string asked(const net::Pairs& form, const net::Pairs& query, std::string_view name) {
    auto value = net::find_value(form, name);
    if (!value) value = net::find_value(query, name);
    return std::string(value.value_or(""));
}

/// `GLU — Glucose` typed whole is the code GLU; a LOINC or a label names its only examination.
std::string examination_of(const std::string& typed, const std::vector<Examination>& all) {
    std::vector<std::string> found;
    for (const auto& one : all) {
        if (one.code == typed) return one.code;
        if ((!one.loinc.empty() && one.loinc == typed) || one.label == typed) found.push_back(one.code);
    }
    return found.size() == 1 ? found.front() : typed;
}

Result<domain::Mapping> mapping_of(const store::WaitingGroup& group, const TypedMapping& typed) {
    domain::Mapping mapping;
    mapping.link = group.link;
    const auto means = domain::mapping_kind_of(typed.means);
    const bool converts = means == domain::Mapping::Kind::code && group.mends == domain::Mapping::Kind::unit;
    if (!means || (*means != *group.mends && !converts))
        return Error{Fault::malformed, "sens", "this word is not mapped so"};
    mapping.kind = *means;
    mapping.theirs = converts ? group.code : group.theirs;
    mapping.unit = typed.unit;
    mapping.text = typed.text;
    if (mapping.kind == domain::Mapping::Kind::flag) {
        const auto does = domain::flag_does_of(typed.does);
        if (!does) return Error{Fault::malformed, "fait", "what a flag does is not known"};
        mapping.does = *does;
    } else {
        mapping.ours = typed.ours;
    }
    if (!typed.factor.empty()) {
        std::string number = typed.factor;
        std::ranges::replace(number, ',', '.');
        const auto factor = Decimal::parse(number);
        if (!factor) return Error{Fault::malformed, "factor", "the factor is not a number"};
        mapping.factor = *factor;
    }
    return mapping;
}

std::string refusal_words(const Error& error) {
    if (error.where == "ours" && error.fault == Fault::missing) return "Cet examen n'est pas au catalogue du site.";
    if (error.where == "ours") return "Dites ce que cela veut dire.";
    if (error.where == "factor")
        return "Le facteur est un nombre plus grand que zéro, et il lui faut l'unité de l'automate.";
    if (error.where == "text") return "Le commentaire manque.";
    if (error.where == "theirs" && error.fault == Fault::conflict)
        return "Ce mot a déjà un sens, dans le fichier des liens ou à l'écran : c'est là qu'il se change.";
    if (error.where == "rights") return "Vous n'avez pas ce droit sur ce site.";
    return "Refusé : " + to_string(error);
}

std::string after(const store::ReplaySum& sum) {
    return fmt::format("/a-traiter?rejoues={}&rendus={}&restent={}", sum.messages, sum.results, sum.waiting);
}

}  // namespace

asio::awaitable<std::optional<store::WaitingGroup>> Web::group_asked(Call& call) {
    const auto field = [&](std::string_view name) { return asked(call.form, call.request.query, name); };
    const auto link = integer(field("lien"));
    const auto groups = co_await waiting_.waiting(call.user());
    const auto found = std::ranges::find_if(groups, [&](const store::WaitingGroup& group) {
        return link && group.link.value() == *link && group.kind == field("type") && group.theirs == field("mot") &&
               group.code == field("examen") && group.mends;
    });
    std::optional<store::WaitingGroup> group;
    if (found != groups.end()) group = *found;
    co_return group;
}

Web::Answer Web::word_with(Call& call, store::WaitingGroup group, std::optional<Notice> notice, unsigned status) {
    WordScreen screen;
    screen.group = std::move(group);
    screen.examinations = waiting_.examinations(screen.group.site);
    screen.may_map = may(call.user(), Action::map_words, screen.group.site);
    auto& typed = screen.typed;
    typed.means = call.text("sens");
    typed.ours = call.text("notre");
    typed.unit = call.text("unite");
    typed.factor = call.text("facteur");
    typed.does = call.text("fait");
    typed.text = call.text("texte");
    typed.why = call.text("motif");
    if (typed.means.empty() && screen.group.mends == domain::Mapping::Kind::unit) typed.unit = screen.group.theirs;
    if (typed.means == "code") typed.ours = examination_of(typed.ours, screen.examinations);
    if (!call.form.empty() && !notice && screen.may_map) {
        auto mapping = mapping_of(screen.group, typed);
        Result<store::Expectation> expected = Error{Fault::malformed, "form", "nothing was asked"};
        if (mapping) {
            domain::Mapping wanted = *mapping;
            std::vector<domain::MessageId> messages = screen.group.messages;
            expected = co_await waiting_.expect(call.user(), std::move(wanted), std::move(messages));
        } else {
            expected = mapping.error();
        }
        if (expected) {
            screen.expected = *expected;
        } else {
            Notice refusal{false, refusal_words(expected.error()), "", ""};
            notice = std::move(refusal);
            status = answers::status_of(expected.error().fault);
        }
    }
    const Frame around = co_await frame(call, Place::work);
    co_return answers::html(word_page(around, screen, notice), status);
}

Web::Answer Web::word(Call& call) {
    auto group = co_await group_asked(call);
    if (!group) co_return answers::redirect("/a-traiter");
    store::WaitingGroup wanted = std::move(*group);
    std::optional<Notice> notice;
    co_return co_await word_with(call, std::move(wanted), std::move(notice), 200);
}

Web::Answer Web::map_word(Call& call) {
    auto group = co_await group_asked(call);
    if (!group) co_return answers::redirect("/a-traiter");
    store::WaitingGroup wanted = *group;
    std::optional<Notice> notice;
    if (!call.text("apercu").empty()) co_return co_await word_with(call, std::move(wanted), std::move(notice), 200);
    TypedMapping typed{call.text("sens"), call.text("notre"), call.text("unite"), call.text("facteur"),
                       call.text("fait"), call.text("texte"), call.text("motif")};
    if (typed.means == "code") typed.ours = examination_of(typed.ours, waiting_.examinations(group->site));
    auto mapping = mapping_of(*group, typed);
    Result<store::ReplaySum> done = Error{Fault::malformed, "form", "nothing was asked"};
    if (mapping) {
        domain::Mapping meant = *mapping;
        std::vector<domain::MessageId> messages = group->messages;
        done = co_await waiting_.map(call.user(), std::move(meant), std::move(messages), typed.why);
    } else {
        done = mapping.error();
    }
    if (!done) {
        Notice refusal{false, refusal_words(done.error()), "", ""};
        notice = std::move(refusal);
        co_return co_await word_with(call, std::move(wanted), std::move(notice),
                                     answers::status_of(done.error().fault));
    }
    log::info("word of a link mapped in the console",
              {{"link", group->link}, {"messages", done->messages}, {"user", call.user().id}});
    co_return answers::redirect(after(*done));
}

Web::Answer Web::replay_word(Call& call) {
    auto group = co_await group_asked(call);
    if (!group) co_return answers::redirect("/a-traiter");
    std::vector<domain::MessageId> messages = group->messages;
    const auto done = co_await waiting_.replay(call.user(), std::move(messages));
    if (!done) co_return error_answer(call, done.error());
    co_return answers::redirect(after(*done));
}

Web::Answer Web::waiting_point_with(Call& call, domain::WorkItemId item, std::optional<Notice> notice,
                                    unsigned status) {
    const auto point = co_await waiting_.waiting_point(call.user(), item);
    if (!point) co_return error_answer(call, point.error());
    const Frame around = co_await frame(call, Place::work);
    co_return answers::html(waiting_point_page(around, *point, notice), status);
}

Web::Answer Web::waiting_point(Call& call) {
    const auto number = integer(call.parts.front());
    if (!number) {
        const Error missing{Fault::missing, "work_item", "no such work item"};
        co_return error_answer(call, missing);
    }
    std::optional<Notice> notice;
    co_return co_await waiting_point_with(call, domain::WorkItemId{*number}, std::move(notice), 200);
}

Web::Answer Web::replay_point(Call& call) {
    const auto number = integer(call.parts.front());
    const domain::WorkItemId item{number.value_or(0)};
    const auto point = co_await waiting_.waiting_point(call.user(), item);
    if (!point) co_return error_answer(call, point.error());
    std::vector<domain::MessageId> messages(1, point->item.message);
    const auto done = co_await waiting_.replay(call.user(), std::move(messages));
    if (!done) co_return error_answer(call, done.error());
    if (!done->refused.empty()) {
        Notice refusal{false, "Ce message ne peut pas être rejoué : " + to_string(done->refused.front().why), "", ""};
        std::optional<Notice> notice(std::move(refusal));
        co_return co_await waiting_point_with(call, item, std::move(notice), 409);
    }
    co_return answers::redirect(after(*done));
}

Web::Answer Web::assign_point(Call& call) {
    const auto number = integer(call.parts.front());
    const domain::WorkItemId item{number.value_or(0)};
    auto reason = reason_of(call.text("motif"));
    if (!reason) co_return error_answer(call, reason.error());
    std::string why = *reason;
    const auto done = co_await waiting_.assign(call.user(), item, call.text("numero"), std::move(why));
    if (!done) {
        Notice refusal{false,
                       done.error().where == "number" ? "Aucun dossier de ce site n'a ce numéro."
                                                      : "Refusé : " + to_string(done.error()),
                       "", ""};
        std::optional<Notice> notice(std::move(refusal));
        co_return co_await waiting_point_with(call, item, std::move(notice), answers::status_of(done.error().fault));
    }
    if (done->results == 0 && done->mended == 0) {
        Notice refusal{false, "Aucun dossier de ce site n'a ce numéro.", "", ""};
        std::optional<Notice> notice(std::move(refusal));
        co_return co_await waiting_point_with(call, item, std::move(notice), 409);
    }
    co_return answers::redirect(after(*done));
}

}  // namespace sgl::web

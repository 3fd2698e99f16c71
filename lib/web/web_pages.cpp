#include <fmt/format.h>

#include <algorithm>

#include "lib/base/log.hpp"
#include "lib/base/text.hpp"
#include "lib/web/call.hpp"
#include "lib/web/words.hpp"

namespace sgl::web {

namespace {

/// Why this user can't sign this order now, in French; empty when he can.
std::string why_not(const store::User& user, const store::OrderView& order, const std::optional<Draft>& draft) {
    if (!user.has(store::Role::biologist, order.site)) return "La validation est réservée aux biologistes médicaux de ce site.";
    if (user.rpps.empty()) return "Votre compte n'a pas de numéro RPPS : il ne peut pas valider.";
    if (order.state == domain::OrderState::cancelled) return "Ce dossier est annulé.";
    const std::string report = order.reports.empty() ? std::string() : order.reports.front().state;
    if (report == "withdrawn") return "Le compte rendu a été retiré. Ce qui reste à rendre fait l'objet d'un nouveau dossier.";
    if (report == "validated") return "Le compte rendu signé est en préparation : la suite se signe dès qu'il est parti.";
    if (report == "refused") return "Le compte rendu signé n'a pas pu être composé : voir « À traiter ».";
    if (!domain::is_open(order.state) && report != "published") return "Ce dossier est validé : rien n'est à signer.";
    if (!draft) return "Le projet de compte rendu n'a pas pu être préparé.";
    if (draft->results.empty()) return "Aucun résultat à valider.";
    return {};
}

/// What a biologist reads when the screen he signed is not the order any more.
std::vector<std::string> changes_since(const store::OrderView& order, const std::optional<Draft>& draft, const std::vector<domain::ResultId>& seen, int seen_version) {
    std::vector<std::string> changes;
    const auto label = [&](const store::KeptResult& result) {
        if (draft) {
            const auto found = std::ranges::find(draft->results, result.id, &domain::ReportedLine::result);
            if (found != draft->results.end()) return fmt::format("{} : {}", found->reported.label, domain::to_french(found->reported.value));
        }
        return fmt::format("code {} : {}", result.code, result.value);
    };
    for (const auto& result : order.results) {
        if (std::ranges::find(seen, result.id) == seen.end()) changes.push_back("Résultat reçu ou corrigé depuis : " + label(result));
    }
    const auto gone = std::ranges::count_if(seen, [&](domain::ResultId id) { return std::ranges::find(order.results, id, &store::KeptResult::id) == order.results.end(); });
    if (gone > 0) changes.push_back(fmt::format("{} résultat{} affiché{} {} remplacé{} par l'automate", gone, gone > 1 ? "s" : "", gone > 1 ? "s" : "", gone > 1 ? "ont été" : "a été", gone > 1 ? "s" : ""));
    if (!domain::is_open(order.state)) changes.push_back(fmt::format("Le dossier est maintenant : {}", french(order.state)));
    if (changes.empty() && order.row_version != seen_version) changes.emplace_back("La demande ou l'identité du patient a été modifiée");
    return changes;
}

std::string refusal_words(const Error& error) {
    switch (error.fault) {
        case Fault::refused:
            if (error.where == "rules") return "Validation refusée : une valeur invraisemblable se confirme une à une, avec un motif.";
            return "Validation refusée : " + (error.where == "rights" ? std::string("vous n'avez pas ce droit sur ce site.") : to_string(error));
        case Fault::missing: return "Validation refusée : " + missing_words(error) + ".";
        case Fault::unavailable: return "Validation non enregistrée : le service est indisponible. Réessayez.";
        case Fault::conflict:
        case Fault::malformed:
        case Fault::unsupported: break;
    }
    return "Validation refusée : " + to_string(error);
}

/// What became of a filter that was to be kept or forgotten.
std::optional<Notice> filter_notice(const std::string& done) {
    if (done == "garde") return Notice{true, "Filtre gardé.", "", ""};
    if (done == "oublie") return Notice{true, "Filtre oublié.", "", ""};
    if (done == "plein") return Notice{false, "Vous avez déjà vingt filtres : oubliez-en un d'abord.", "", ""};
    if (done == "refuse") return Notice{false, "Donnez au filtre un nom de 60 caractères au plus.", "", ""};
    return std::nullopt;
}

/// Only inside the console: never a way to another site.
std::string back_path(const std::string& wanted) {
    const bool inside = wanted.starts_with("/envois") || wanted.starts_with("/comptes-rendus/");
    const bool clean = std::ranges::all_of(wanted, [](char c) { return c > ' ' && c < 0x7F && c != '\\'; });
    return inside && clean ? wanted : "/envois";
}

}  // namespace

Web::Answer Web::home(Call& call) {
    if (!call.sites(Action::read_patient).empty()) co_return answers::redirect("/dossiers");
    if (!call.sites(Action::read_letters).empty()) co_return answers::redirect("/envois");
    if (!call.sites(Action::read_account).empty()) co_return answers::redirect("/activite");
    co_return answers::redirect("/a-propos");
}

Web::Answer Web::worklist(Call& call) {
    auto choice = worklist_choice(call.request.query);
    auto sites = call.sites(Action::read_patient);
    if (choice.site && std::ranges::find(sites, *choice.site) == sites.end()) choice.site.reset();
    if (choice.site) sites = {*choice.site};
    std::optional<Notice> notice;
    if (const auto done = Uuid::parse(call.query("fait").value_or(""))) {
        notice = Notice{true, "Dossier validé.", "/comptes-rendus/" + to_string(*done), "Voir le compte rendu"};
    }
    if (const auto filter = call.query("filtre")) notice = filter_notice(*filter);
    const auto facets = co_await store_.facets(sites, choice.filter, choice.narrow);
    std::optional<std::vector<Uuid>> only;
    if (choice.narrow.any()) only = facets.chosen;
    const auto list = co_await store_.worklist(sites, choice.filter, std::move(only));
    const auto saved = co_await store_.saved_filters(call.user().id);
    const Frame around = co_await frame(call, Place::orders);
    co_return answers::html(worklist_page(around, list, choice, facets, saved, notice));
}

Web::Answer Web::keep_filter(Call& call) {
    const auto query = worklist_query(worklist_choice(call.form));
    const std::string name(trim(call.text("nom")));
    if (name.empty() || first_characters(name, 60) != name || query.size() > 1000) co_return answers::redirect("/dossiers?" + query + "&filtre=refuse");
    const auto kept = co_await store_.save_filter(call.user().id, name, query);
    co_return answers::redirect("/dossiers?" + query + (kept ? "&filtre=garde" : "&filtre=plein"));
}

Web::Answer Web::forget_filter(Call& call) {
    if (const auto filter = integer(call.parts.front())) co_await store_.drop_filter(call.user().id, *filter);
    const auto query = worklist_query(worklist_choice(call.form));
    co_return answers::redirect("/dossiers?" + query + "&filtre=oublie");
}

Web::Answer Web::order_with(Call& call, domain::OrderId id, TypedSignature typed, std::vector<domain::ResultId> seen, int seen_version,
                            std::optional<Error> refused, std::optional<Notice> notice, unsigned status) {
    const auto order = co_await store_.order(call.user(), call.sites(Action::read_patient), id);
    if (!order) co_return error_answer(call, order.error());
    OrderScreen screen;
    screen.order = *order;
    screen.comment = std::move(typed.comment);
    screen.reason = std::move(typed.reason);
    screen.may_set_aside = may(call.user(), Action::validate, screen.order.site);
    const auto draft = co_await commands_.draft(call.user(), id);
    if (draft) {
        screen.draft = *draft;
    } else {
        screen.draft_error = "Le projet de compte rendu n'a pas pu être préparé : " + to_string(draft.error());
    }
    screen.why_not = why_not(call.user(), screen.order, screen.draft);
    screen.may_validate = screen.why_not.empty();
    if (refused) {
        status = answers::status_of(refused->fault);
        if (refused->fault == Fault::conflict) {
            screen.changes = changes_since(screen.order, screen.draft, seen, seen_version);
            if (screen.changes.empty()) screen.changes.push_back(to_string(*refused));
        } else {
            notice = Notice{false, refusal_words(*refused), "", ""};
        }
    }
    const Frame around = co_await frame(call, Place::orders);
    co_return answers::html(order_page(around, screen, notice), status);
}

Web::Answer Web::order(Call& call) {
    const auto id = id_of<domain::OrderId>(call.parts.front(), "order");
    if (!id) co_return error_answer(call, id.error());
    std::optional<Notice> notice;
    if (const auto letters = integer(call.query("retire").value_or(""))) {
        notice = Notice{true, fmt::format("Compte rendu retiré : {} destinataire{} prévenu{}.", *letters, *letters > 1 ? "s" : "", *letters > 1 ? "s" : ""), "", ""};
    }
    if (call.query("cree")) notice = Notice{true, "Demande enregistrée.", "/patients", "Autre patient"};
    if (call.query("rejoint")) notice = Notice{true, "Examens ajoutés à ce dossier, qui avait déjà ce tube.", "", ""};
    if (call.query("corrige")) notice = Notice{true, "Correction enregistrée.", "", ""};
    if (call.query("ecarte")) notice = Notice{true, "Résultat écarté, avec son motif.", "", ""};
    co_return co_await order_after(call, *id, std::move(notice), 200);
}

Web::Answer Web::order_after(Call& call, domain::OrderId id, std::optional<Notice> notice, unsigned status) {
    std::vector<domain::ResultId> none;
    std::optional<Error> no_refusal;
    TypedSignature nothing;
    co_return co_await order_with(call, id, std::move(nothing), std::move(none), 0, std::move(no_refusal), std::move(notice), status);
}

Web::Answer Web::validate(Call& call) {
    const auto id = id_of<domain::OrderId>(call.parts.front(), "order");
    if (!id) co_return error_answer(call, id.error());
    ValidationRequest wish;
    wish.order = *id;
    wish.comment = call.text("commentaire");
    wish.reason = call.text("motif");
    wish.partial = call.text("partiel") == "1";
    const auto version = integer(call.text("version"));
    bool readable = version.has_value() && *version > 0 && *version < 1'000'000'000;
    for (const auto& [name, value] : call.form) {
        if (name != "vu") continue;
        const auto result = integer(value);
        readable = readable && result.has_value();
        if (result) wish.seen.emplace_back(*result);
    }
    for (const auto& [name, value] : call.form) {
        if (name != "confirme") continue;
        const auto result = integer(value);
        readable = readable && result.has_value();
        if (result) wish.confirmed.emplace_back(*result);
    }
    if (!wish.confirmed.empty()) wish.confirmed_why = call.text("motif-confirme");
    if (!readable) {
        const Error unreadable{Fault::malformed, "form", "the form does not say which versions were seen"};
        co_return error_answer(call, unreadable);
    }
    wish.row_version = static_cast<int>(*version);
    TypedSignature typed{wish.comment, wish.reason};
    auto seen = wish.seen;
    const auto done = co_await commands_.validate(call.user(), std::move(wish));
    if (!done) {
        std::optional<Error> refused = done.error();
        std::optional<Notice> notice;
        co_return co_await order_with(call, *id, std::move(typed), std::move(seen), static_cast<int>(*version), std::move(refused), std::move(notice), 200);
    }
    log::info("validated in the console", {{"order", *id}, {"version", done->version}, {"user", call.user().id}});
    co_return answers::redirect("/dossiers?fait=" + to_string(done->version.value()));
}

Web::Answer Web::withdraw(Call& call) {
    const auto id = id_of<domain::OrderId>(call.parts.front(), "order");
    if (!id) co_return error_answer(call, id.error());
    auto reason = reason_of(call.text("motif"));
    if (!reason) co_return error_answer(call, reason.error());
    const auto version = integer(call.text("version"));
    const int seen = version && *version > 0 && *version < 1'000'000'000 ? static_cast<int>(*version) : 0;
    const auto done = co_await commands_.withdraw(call.user(), *id, seen, *reason);
    if (!done) {
        if (done.error().fault != Fault::conflict) co_return error_answer(call, done.error());
        Notice stale{false, "Rien n'a été retiré : le dossier a changé depuis son affichage. Relisez-le.", "", ""};
        std::optional<Notice> notice(std::move(stale));
        co_return co_await order_after(call, *id, std::move(notice), 409);
    }
    log::info("report withdrawn in the console", {{"order", *id}, {"letters", *done}, {"user", call.user().id}});
    co_return answers::redirect("/dossiers/" + call.parts[0] + "?retire=" + std::to_string(*done));
}

Web::Answer Web::compose_again(Call& call) {
    const auto id = id_of<domain::ReportVersionId>(call.parts.front(), "report");
    if (!id) co_return error_answer(call, id.error());
    const auto done = co_await commands_.compose_again(call.user(), *id);
    if (!done && done.error().fault != Fault::conflict) co_return error_answer(call, done.error());
    co_return answers::redirect("/comptes-rendus/" + call.parts[0]);
}

/// What stands in the path names an order and one of its results.
asio::awaitable<Result<void>> Web::act_on_result(Call& call, std::string why) {
    const auto order = id_of<domain::OrderId>(call.parts[0], "order");
    if (!order) co_return order.error();
    const auto result = integer(call.parts[1]);
    if (!result) co_return Error{Fault::missing, "result", "no such result"};
    auto reason = reason_of(std::move(why));
    if (!reason) co_return reason.error();
    const domain::ResultId id{*result};
    const auto done = co_await commands_.set_aside(call.user(), *order, id, *reason);
    if (done) log::info("held result set aside", {{"order", *order}, {"result", *result}, {"user", call.user().id}});
    co_return done;
}

Web::Answer Web::set_aside(Call& call) {
    const auto done = co_await act_on_result(call, call.text("motif"));
    if (done) co_return answers::redirect("/dossiers/" + call.parts[0] + "?ecarte=1");
    if (done.error().fault != Fault::conflict) co_return error_answer(call, done.error());
    const auto id = id_of<domain::OrderId>(call.parts[0], "order");
    Notice gone{false, "Ce résultat n'est plus retenu : le dossier a changé entre-temps.", "", ""};
    std::optional<Notice> notice(std::move(gone));
    co_return co_await order_after(call, *id, std::move(notice), 409);
}

Web::Answer Web::report(Call& call) {
    const auto id = id_of<domain::ReportVersionId>(call.parts.front(), "report");
    if (!id) co_return error_answer(call, id.error());
    const auto report = co_await store_.report(call.user(), call.sites(Action::read_patient), *id);
    if (!report) co_return error_answer(call, report.error());
    const Frame around = co_await frame(call, Place::orders);
    co_return answers::html(report_page(around, *report, std::nullopt));
}

Web::Answer Web::document(Call& call, std::string form) {
    const auto id = id_of<domain::ReportVersionId>(call.parts.front(), "report");
    if (!id) co_return error_answer(call, id.error());
    const auto document = co_await store_.document(call.user(), call.sites(Action::read_patient), *id, form);
    if (!document) co_return error_answer(call, document.error());
    std::string number;
    for (const char c : document->order_number) {
        const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-';
        number += plain ? c : '_';
    }
    const bool pdf_form = form == "pdf";
    auto name = fmt::format("CR-{}-v{}.{}", number, document->version, pdf_form ? "pdf" : "xml");
    co_return answers::bytes(document->bytes, pdf_form ? "application/pdf" : "application/xml", std::move(name));
}

Web::Answer Web::pdf(Call& call) { co_return co_await document(call, std::string("pdf")); }
Web::Answer Web::cda(Call& call) { co_return co_await document(call, std::string("n3")); }

Web::Answer Web::letters(Call& call) {
    store::LetterFilter filter;
    filter.state = domain::letter_state_of(call.query("etat").value_or(""));
    filter.channel = domain::channel_of(call.query("canal").value_or(""));
    const auto list = co_await store_.letters(call.sites(Action::read_letters), filter);
    const Frame around = co_await frame(call, Place::letters);
    co_return answers::html(letters_page(around, list, filter, std::nullopt));
}

asio::awaitable<Result<void>> Web::act_on_letter(Call& call, domain::LetterId id, std::string verb, std::string why) {
    const auto action = verb == "retry" ? Action::retry_letter : verb == "hold" ? Action::hold_letter : Action::abandon_letter;
    if (verb != "retry" && verb != "hold" && verb != "abandon") co_return Error{Fault::missing, "verb", "a letter can be retried, held or abandoned"};
    const auto letter = co_await store_.letter(call.sites(Action::read_letters), id);
    if (!letter) co_return letter.error();
    if (!may(call.user(), action, letter->site)) co_return Error{Fault::refused, "rights", "no role of yours on this site allows this"};
    if (verb == "retry") co_return co_await commands_.retry_letter(call.user(), id);
    if (const auto reason = reason_of(why); !reason) co_return reason.error();
    if (verb == "hold") co_return co_await commands_.hold_letter(call.user(), id, std::move(why));
    co_return co_await commands_.abandon_letter(call.user(), id, std::move(why));
}

Web::Answer Web::letter_act(Call& call) {
    const auto id = id_of<domain::LetterId>(call.parts.front(), "letter");
    if (!id) co_return error_answer(call, id.error());
    const auto& word = call.parts[1];
    std::string verb = word == "relancer" ? "retry" : word == "retenir" ? "hold" : word == "abandonner" ? "abandon" : "";
    const auto done = co_await act_on_letter(call, *id, std::move(verb), call.text("motif"));
    if (!done) co_return error_answer(call, done.error());
    co_return answers::redirect(back_path(call.text("retour")));
}

Web::Answer Web::work_items_with(Call& call, std::optional<Notice> notice, unsigned status) {
    const auto items = co_await store_.work_items(call.sites(Action::read_work_items));
    const auto groups = co_await waiting_.waiting(call.user());
    const Frame around = co_await frame(call, Place::work);
    co_return answers::html(work_page(around, items, groups, notice), status);
}

Web::Answer Web::work_items(Call& call) {
    std::optional<Notice> notice;
    if (call.query("clos")) notice = Notice{true, "Point clos, avec son motif.", "", ""};
    if (const auto played = integer(call.query("rejoues").value_or(""))) {
        const auto went = integer(call.query("rendus").value_or("")).value_or(0);
        const auto waiting = integer(call.query("restent").value_or("")).value_or(0);
        notice = Notice{true, replay_words(*played, went, waiting), "", ""};
    }
    co_return co_await work_items_with(call, std::move(notice), 200);
}

asio::awaitable<Result<void>> Web::act_on_work_item(Call& call, std::string why) {
    const auto number = integer(call.parts.front());
    if (!number) co_return Error{Fault::missing, "work_item", "no such work item"};
    auto reason = reason_of(std::move(why));
    if (!reason) co_return reason.error();
    const domain::WorkItemId id{*number};
    const auto done = co_await commands_.close_work_item(call.user(), id, *reason);
    if (done) log::info("work item closed", {{"work_item", *number}, {"user", call.user().id}});
    co_return done;
}

Web::Answer Web::close_work_item(Call& call) {
    const auto done = co_await act_on_work_item(call, call.text("motif"));
    if (done) co_return answers::redirect("/a-traiter?clos=1");
    if (done.error().fault != Fault::conflict) co_return error_answer(call, done.error());
    const bool holds = done.error().where == "result";
    Notice refusal{false, holds ? "Ce résultat retient encore son dossier : c'est là qu'un biologiste l'écarte." : "Ce point est déjà clos.", "", ""};
    std::optional<Notice> notice(std::move(refusal));
    co_return co_await work_items_with(call, std::move(notice), 409);
}

Web::Answer Web::account(Call& call) {
    const auto account = co_await commands_.account(call.user());
    if (!account) co_return error_answer(call, account.error());
    const Frame around = co_await frame(call, Place::account);
    co_return answers::html(account_page(around, *account));
}

Web::Answer Web::about(Call& call) {
    const auto instance = co_await store_.instance();
    const Frame around = co_await frame(call, Place::about);
    co_return answers::html(about_page(around, instance));
}

}  // namespace sgl::web

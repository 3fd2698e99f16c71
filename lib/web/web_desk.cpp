#include <fmt/format.h>

#include <algorithm>

#include "lib/base/digest.hpp"
#include "lib/base/log.hpp"
#include "lib/base/text.hpp"
#include "lib/web/call.hpp"

namespace sgl::web {

namespace {

using domain::DeskForm;

std::vector<std::string> all(const net::Pairs& form, std::string_view name) {
    std::vector<std::string> values;
    for (const auto& [key, value] : form) {
        if (key == name) values.push_back(value);
    }
    return values;
}

std::string one(const net::Pairs& form, std::string_view name) {
    return std::string(net::find_value(form, name).value_or(""));
}

DeskForm form_of(const net::Pairs& typed) {
    DeskForm form;
    if (const auto patient = Uuid::parse(one(typed, "patient"))) form.patient = domain::PatientId{*patient};
    auto& traits = form.traits;
    traits.birth_name = one(typed, "nom");
    traits.first_given_name = one(typed, "prenom");
    traits.birth_given_names = one(typed, "prenoms");
    traits.used_name = one(typed, "nom_usage");
    traits.birth_date = one(typed, "naissance");
    traits.sex = one(typed, "sexe");
    traits.birth_place = one(typed, "lieu");
    traits.address = one(typed, "adresse");
    traits.postal_code = one(typed, "code_postal");
    traits.city = one(typed, "ville");
    traits.phone = one(typed, "telephone");
    form.homonym = one(typed, "homonyme") == "1";
    form.prescriber = one(typed, "prescripteur");
    form.copies = all(typed, "copie");
    form.collector = one(typed, "preleveur");
    form.prescribed_on = one(typed, "prescrit");
    form.stay_number = one(typed, "sejour");
    form.clinical_context = one(typed, "renseignements");
    form.urgent = one(typed, "urgent") == "1";
    form.exams = all(typed, "examen");
    form.more_exams = one(typed, "plus");
    const auto was = all(typed, "tube_avant");
    const auto numbers = all(typed, "tube_numero");
    const auto types = all(typed, "tube_type");
    const auto times = all(typed, "tube_preleve");
    const auto refusals = all(typed, "tube_refus");  // of a correction only
    for (std::size_t i = 0; i < numbers.size() && i < was.size() && i < types.size() && i < times.size(); ++i)
        form.tubes.push_back(
            {was[i], numbers[i], types[i], times[i], i < refusals.size() ? refusals[i] : std::string()});
    form.collected = one(typed, "preleve");
    form.cancelled = all(typed, "annuler");
    form.cancel_reason = one(typed, "motif");
    return form;
}

/// One of his, or nothing.
std::optional<domain::SiteId> site_among(const std::vector<domain::SiteId>& sites, std::string_view wanted) {
    const auto number = integer(wanted);
    for (const auto site : sites) {
        if (number && site.value() == *number) return site;
    }
    return std::nullopt;
}

std::optional<Notice> nothing_to_say() {
    return std::nullopt;
}

/// Until it is signed; one that was cancelled may be asked again.
bool may_be_corrected(domain::OrderState state) {
    return domain::is_open(state) || state == domain::OrderState::cancelled;
}

}  // namespace

// ── Patients ──

Web::Answer Web::patients_with(Call& call, PatientsScreen screen) {
    screen.may_order = !call.sites(Action::order_at_desk).empty();
    const unsigned status = screen.problem.empty() ? 200U : 422U;
    const Frame around = co_await frame(call, Place::patients);
    co_return answers::html(patients_page(around, screen, std::nullopt), status);
}

Web::Answer Web::patients(Call& call) {
    PatientsScreen screen;
    co_return co_await patients_with(call, std::move(screen));
}

asio::awaitable<Result<store::PatientHits>> Web::search_patients(Call& call, TypedSearch typed) {
    store::PatientSearch wanted;
    wanted.number = std::string(trim(typed.number));
    wanted.name = std::string(trim(typed.name));
    wanted.given = std::string(trim(typed.given));
    if (const auto born = trim(typed.birth_date); !born.empty()) {
        wanted.birth_date = domain::typed_day(born);
        if (!wanted.birth_date) co_return Error{Fault::malformed, "birth_date", "the birth date is no date"};
    }
    if (wanted.empty()) co_return Error{Fault::malformed, "name", "a name or a number is needed"};
    if (wanted.number.empty() && wanted.name.size() < 2)
        co_return Error{Fault::malformed, "name", "two letters of the name are needed"};
    co_return co_await patients_.search(call.user(), call.sites(Action::read_patient), std::move(wanted));
}

Web::Answer Web::find_patients(Call& call) {
    PatientsScreen screen;
    screen.typed = {call.text("numero"), call.text("nom"), call.text("prenom"), call.text("naissance")};
    TypedSearch typed = screen.typed;
    const auto hits = co_await search_patients(call, std::move(typed));
    if (hits)
        screen.hits = *hits;
    else
        screen.problem = hits.error().where == "birth_date" ? "Cette date de naissance n'existe pas : jj/mm/aaaa."
                                                            : "Donnez un numéro, ou deux lettres du nom au moins.";
    co_return co_await patients_with(call, std::move(screen));
}

Web::Answer Web::patient_with(Call& call, domain::PatientId id, std::optional<Notice> notice, unsigned status) {
    const auto file = co_await patients_.file(call.user(), call.sites(Action::read_patient), id);
    if (!file) co_return error_answer(call, file.error());
    PatientScreen screen;
    screen.file = *file;
    screen.may_order = !desk_sites(call, screen.file.entity).empty();
    const Frame around = co_await frame(call, Place::patients);
    co_return answers::html(patient_page(around, screen, notice), status);
}

Web::Answer Web::patient(Call& call) {
    const auto id = id_of<domain::PatientId>(call.parts.front(), "patient");
    if (!id) co_return error_answer(call, id.error());
    std::optional<Notice> notice;
    if (call.query("clos")) notice = Notice{true, "Liste close, avec son motif.", "", ""};
    co_return co_await patient_with(call, *id, std::move(notice), 200);
}

asio::awaitable<Result<void>> Web::act_on_identity_change(Call& call, std::string number, std::string why) {
    const auto change = integer(number);
    if (!change) co_return Error{Fault::missing, "identity_change", "no such change"};
    auto reason = reason_of(std::move(why));
    if (!reason) co_return reason.error();
    co_return co_await desk_.close_identity_change(call.user(), *change, *reason);
}

Web::Answer Web::close_identity_change(Call& call) {
    const auto id = id_of<domain::PatientId>(call.parts.front(), "patient");
    if (!id) co_return error_answer(call, id.error());
    const auto done = co_await act_on_identity_change(call, call.parts[1], call.text("motif"));
    if (!done) co_return error_answer(call, done.error());
    co_return answers::redirect("/patients/" + call.parts[0] + "?clos=1");
}

// ── The desk ──

/// Of that legal entity; of any when none is given.
std::vector<domain::SiteId> Web::desk_sites(const Call& call, std::optional<domain::LegalEntityId> entity) {
    std::vector<domain::SiteId> sites;
    for (const auto site : call.sites(Action::order_at_desk)) {
        const auto* known = call.user().site(site);
        if (!entity || (known != nullptr && known->entity == *entity)) sites.push_back(site);
    }
    return sites;
}

/// The screen with what was typed; `screen` says the form, its errors, and of a correction the order.
Web::Answer Web::desk_with(Call& call, DeskScreen screen, std::optional<Notice> notice, unsigned status) {
    std::optional<domain::LegalEntityId> entity;
    if (screen.known) {
        screen.site = screen.known->site;
        screen.patient = screen.known->patient;
    } else if (screen.form.patient) {
        const auto file = co_await patients_.file(call.user(), call.sites(Action::read_patient), *screen.form.patient);
        if (!file) co_return error_answer(call, file.error());
        if (file->merged_into) {  // the one who goes on
            screen.form.patient = file->merged_into;
            const auto survivor =
                co_await patients_.file(call.user(), call.sites(Action::read_patient), *file->merged_into);
            if (!survivor) co_return error_answer(call, survivor.error());
            screen.patient = survivor->patient;
        } else {
            screen.patient = file->patient;
        }
        entity = file->entity;
    }
    if (!screen.known) {
        screen.sites = desk_sites(call, entity);
        const std::string wanted = call.form.empty() ? call.query("site").value_or("") : call.text("site");
        const auto site = site_among(screen.sites, wanted);
        if (screen.sites.empty()) {
            const Error nowhere{Fault::refused, "rights", "no role of yours allows this there"};
            co_return error_answer(call, nowhere);
        }
        screen.site = site.value_or(screen.sites.front());
    }
    auto choices = co_await desk_.desk_choices(call.user(), screen.site);
    if (!choices) co_return error_answer(call, choices.error());
    screen.choices = std::move(*choices);
    if (screen.token.empty()) screen.token = random_token(16);
    if (!screen.known && !screen.form.patient && screen.choices.identity_slave && screen.errors.empty()) {
        Notice slave{false,
                     "Les identités de ce site viennent du serveur d'identités de l'établissement : c'est là que ce "
                     "patient se crée.",
                     "", ""};
        notice = std::move(slave);
    }
    const Frame around = co_await frame(call, screen.known ? Place::orders : Place::patients);
    co_return answers::html(desk_page(around, screen, notice), status);
}

Web::Answer Web::new_order(Call& call) {
    DeskScreen screen;
    const auto id = id_of<domain::PatientId>(call.query("patient").value_or(""), "patient");
    if (!id) co_return answers::redirect("/patients");
    screen.form.patient = *id;
    co_return co_await desk_with(call, std::move(screen), nothing_to_say(), 200);
}

Web::Answer Web::post_order(Call& call) {
    DeskScreen screen;
    screen.form = form_of(call.form);
    screen.token = call.text("jeton");
    if (const auto chosen = Uuid::parse(call.text("choisir"))) screen.form.patient = domain::PatientId{*chosen};
    if (call.text("faire") != "enregistrer")
        co_return co_await desk_with(call, std::move(screen), nothing_to_say(), 200);
    const auto sites = desk_sites(call, std::nullopt);
    const auto site = site_among(sites, call.text("site"));
    if (!site) {
        const Error nowhere{Fault::refused, "rights", "no role of yours on this site allows this"};
        co_return error_answer(call, nowhere);
    }
    DeskForm form = screen.form;
    const auto taken = co_await desk_.register_order(call.user(), *site, std::move(form), screen.token);
    if (!taken) co_return error_answer(call, taken.error());
    if (!taken->order) {
        screen.errors = taken->errors;
        screen.namesakes = taken->namesakes;
        std::optional<Notice> notice;
        if (screen.errors.empty())
            notice = Notice{
                false, "Rien n'est enregistré : un patient de ce nom et de cette date de naissance est connu.", "", ""};
        co_return co_await desk_with(call, std::move(screen), std::move(notice), 422);
    }
    log::info("order typed in the console", {{"order", *taken->order}, {"user", call.user().id}});
    co_return answers::redirect("/dossiers/" + to_string(taken->order->value()) +
                                (taken->joined ? "?rejoint=1" : "?cree=1"));
}

Web::Answer Web::correction(Call& call) {
    const auto id = id_of<domain::OrderId>(call.parts.front(), "order");
    if (!id) co_return error_answer(call, id.error());
    auto known = co_await desk_.desk_order(call.user(), *id);
    if (!known) co_return error_answer(call, known.error());
    if (!may(call.user(), Action::order_at_desk, known->site)) {
        const Error nowhere{Fault::refused, "rights", "no role of yours on this site allows this"};
        co_return error_answer(call, nowhere);
    }
    if (!may_be_corrected(known->order.state)) co_return answers::redirect("/dossiers/" + call.parts.front());
    DeskScreen screen;
    const auto* site = call.user().site(known->site);
    screen.form = domain::form_of(known->order, site == nullptr ? TimeZone::paris() : site->zone);
    screen.known = std::move(*known);
    co_return co_await desk_with(call, std::move(screen), nothing_to_say(), 200);
}

Web::Answer Web::post_correction(Call& call) {
    const auto id = id_of<domain::OrderId>(call.parts.front(), "order");
    if (!id) co_return error_answer(call, id.error());
    auto known = co_await desk_.desk_order(call.user(), *id);
    if (!known) co_return error_answer(call, known.error());
    if (!may(call.user(), Action::order_at_desk, known->site)) {
        const Error nowhere{Fault::refused, "rights", "no role of yours on this site allows this"};
        co_return error_answer(call, nowhere);
    }
    DeskScreen screen;
    screen.form = form_of(call.form);
    screen.token = call.text("jeton");
    screen.known = std::move(*known);
    const auto version = integer(call.text("version"));
    const int seen = version && *version > 0 && *version < 1'000'000'000 ? static_cast<int>(*version) : 0;
    if (call.text("faire") != "enregistrer") {
        screen.known->seen_version = seen;  // reading again is not seeing again
        co_return co_await desk_with(call, std::move(screen), nothing_to_say(), 200);
    }
    DeskForm form = screen.form;
    const auto taken = co_await desk_.correct_order(call.user(), *id, seen, std::move(form), screen.token);
    if (!taken && taken.error().fault != Fault::conflict) co_return error_answer(call, taken.error());
    if (!taken) {
        // What was typed stays; it is about the order as it is now.
        Notice stale{false,
                     "Rien n'est enregistré : le dossier a changé depuis son affichage. Votre saisie est gardée ; "
                     "relisez-la et enregistrez.",
                     "/dossiers/" + call.parts.front(), "Voir le dossier"};
        std::optional<Notice> notice(std::move(stale));
        co_return co_await desk_with(call, std::move(screen), std::move(notice), 409);
    }
    if (!taken->order) {
        screen.errors = taken->errors;
        screen.known->seen_version = seen;
        co_return co_await desk_with(call, std::move(screen), nothing_to_say(), 422);
    }
    log::info("order corrected in the console", {{"order", *id}, {"user", call.user().id}});
    co_return answers::redirect("/dossiers/" + call.parts.front() + "?corrige=1");
}

}  // namespace sgl::web

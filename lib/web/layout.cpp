#include "lib/web/layout.hpp"

#include <fmt/format.h>

#include "lib/web/assets.hpp"
#include "lib/web/rights.hpp"

namespace sgl::web::layout {

namespace {

struct NavEntry {
    Place place;
    const char* path;
    const char* words;
    Action needs;
};
constexpr std::array nav{
    NavEntry{Place::orders, "/dossiers", "Dossiers", Action::read_patient},
    NavEntry{Place::patients, "/patients", "Patients", Action::read_patient},
    NavEntry{Place::letters, "/envois", "Envois", Action::read_letters},
    NavEntry{Place::work, "/a-traiter", "À traiter", Action::read_work_items},
    NavEntry{Place::account, "/activite", "Activité", Action::read_account},
};

std::string roles_of(const store::User& user) {
    std::string text;
    for (const auto& held : user.roles) {
        const std::string role(french(held.role));
        if (text.find(role) == std::string::npos) text += (text.empty() ? "" : ", ") + role;
    }
    return text;
}

void bar(Html& h, const Frame& frame) {
    h.tag("header", {{"class", "bar"}}, [&] {
        h.tag("a", {{"class", "brand"}, {"href", "/"}}, "sgld");
        if (frame.user == nullptr) return;
        h.tag("nav", {{"aria-label", "Principal"}}, [&] {
            for (const auto& entry : nav) {
                if (sites_for(*frame.user, entry.needs).empty()) continue;
                const bool here = entry.place == frame.place;
                h.tag("a", {{"href", entry.path}, {"class", here ? "here" : ""}, {"aria-current", here ? "page" : "false"}}, [&] {
                    h.text(entry.words);
                    if (entry.place == Place::work && frame.open_work && *frame.open_work > 0) {
                        h.tag("span", {{"class", "count"}}, std::to_string(*frame.open_work));
                    }
                });
            }
        });
        h.tag("div", {{"class", "who"}}, [&] {
            h.tag("span", {{"class", "name"}}, frame.user->name);
            h.tag("span", {{"class", "role"}}, roles_of(*frame.user));
        });
        h.tag("form", {{"method", "post"}, {"action", "/deconnexion"}}, [&] {
            csrf_field(h, frame);
            h.tag("button", {{"class", "quiet"}, {"type", "submit"}}, "Se déconnecter");
        });
    });
}

}  // namespace

void csrf_field(Html& h, const Frame& frame) {
    h.single("input", {{"type", "hidden"}, {"name", "csrf"}, {"value", frame.csrf}});
}

std::string page(const Frame& frame, const Page& page, const std::optional<Notice>& notice,
                 const std::function<void(Html&)>& content) {
    Html h;
    h.doctype();
    h.tag("html", {{"lang", "fr"}}, [&] {
        h.tag("head", [&] {
            h.single("meta", {{"charset", "utf-8"}});
            h.single("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
            h.single("meta", {{"name", "robots"}, {"content", "noindex"}});
            h.tag("title", fmt::format("{} · sgld", page.title));
            h.single("link", {{"rel", "icon"}, {"href", "data:,"}});
            h.single("link", {{"rel", "stylesheet"}, {"href", assets::stylesheet_path()}});
            h.tag("script", {{"src", assets::script_path()}, {"defer", true}}, "");
        });
        const auto refresh = page.refresh_seconds > 0 ? std::to_string(page.refresh_seconds) : std::string();
        h.tag("body", {{"class", page.kind}, {"data-refresh", refresh}}, [&] {
            h.tag("a", {{"class", "skip"}, {"href", "#contenu"}}, "Aller au contenu");
            if (frame.demonstration) {
                h.tag("section", {{"class", "demonstration"}, {"aria-label", "Avertissement"}}, "Démonstration – comptes locaux");
            }
            bar(h, frame);
            h.tag("main", {{"id", "contenu"}, {"tabindex", "-1"}}, [&] {
                if (frame.user != nullptr)
                    h.tag("p", {{"class", "printed"}}, fmt::format("Écran imprimé le {} par {} : n'est pas un compte rendu.", moment(TimeZone::paris(), frame.now), frame.user->name));
                if (notice) {
                    h.tag("div", {{"class", notice->good ? "notice good" : "notice bad"}, {"role", notice->good ? "status" : "alert"}}, [&] {
                        h.tag("span", {{"class", "sign"}, {"aria-hidden", "true"}}, notice->good ? "✓" : "!");
                        h.tag("span", notice->text);
                        if (!notice->link.empty()) {
                            h.text(" ");
                            h.tag("a", {{"href", notice->link}}, notice->link_words);
                        }
                    });
                }
                content(h);
            });
            h.tag("footer", [&] {
                h.tag("a", {{"href", "/a-propos"}}, "À propos");
                if (frame.user != nullptr) h.tag("a", {{"href", "/a-propos#clavier"}}, "Raccourcis clavier");
                h.tag("span", fmt::format("sgld {}", SGL_VERSION));
                if (!frame.production) h.tag("span", "instance de test");
            });
        });
    });
    return h.take();
}

void mark(Html& h, const Mark& mark, bool shown, std::string_view prefix) {
    std::string words(prefix);
    words += mark.words;
    const auto classes = fmt::format("mark {}", mark.kind);
    h.tag("span", {{"class", classes}, {"title", words}}, [&] {
        h.tag("span", {{"class", "sign"}, {"aria-hidden", "true"}}, mark.sign);
        h.tag("span", {{"class", shown ? "" : "heard"}}, words);
    });
}

void letter_mark(Html& h, domain::Channel channel, domain::LetterState state, domain::Reason reason) {
    const auto shown = web::mark(state);
    auto words = fmt::format("{} : {}", domain::french(channel), shown.words);
    if (reason != domain::Reason::none) words += fmt::format(" – {}", domain::french(reason).meaning);
    const auto classes = fmt::format("mark {}", shown.kind);
    h.tag("span", {{"class", classes}, {"title", words}}, [&] {
        h.tag("span", {{"aria-hidden", "true"}}, fmt::format("{}\u00A0{}", short_french(channel), shown.sign));
        h.tag("span", {{"class", "heard"}}, words);
    });
}

void person(Html& h, const domain::Patient& patient, const Timestamp& at) {
    const auto& traits = patient.traits.reveal();
    h.tag("div", {{"class", "person"}}, [&] {
        h.tag("h1", [&] {
            h.tag("span", {{"class", "name"}}, traits.used_name.empty() ? traits.birth_name : traits.used_name);
            h.text(" ");
            h.text(traits.used_given_name.empty() ? traits.first_given_name : traits.used_given_name);
        });
        h.tag("p", [&] {
            h.text(fmt::format("{} · ", traits.sex == domain::Sex::female ? "née" : traits.sex == domain::Sex::male ? "né" : "né(e)"));
            h.tag("strong", fmt::format("{} {}", traits.birth_name, traits.birth_given_names.empty() ? traits.first_given_name : traits.birth_given_names));
            if (traits.birth_date) h.text(fmt::format(" le {}", to_french_date(*traits.birth_date)));
            if (!traits.birth_place.empty()) h.text(fmt::format(" (COG {})", traits.birth_place));
            h.text(fmt::format(" · {} · ", french(traits.sex)));
            h.tag("strong", age(traits.birth_date, at));
        });
    });
    h.tag("div", {{"class", "ins"}}, [&] {
        layout::mark(h, identity_mark(patient), true);
        if (patient.ins) {
            h.tag("span", {{"class", "matricule"}}, grouped_ins(patient.ins->reveal().matricule.text()));
        }
        h.tag("a", {{"class", "dim"}, {"href", "/patients/" + to_string(patient.id.value())}}, fmt::format("IPP {}", patient.local_id));
    });
}

const TimeZone& zone(const Frame& frame, domain::SiteId site) {
    static const TimeZone paris = TimeZone::paris();
    const auto* const found = frame.user != nullptr ? frame.user->site(site) : nullptr;
    return found != nullptr ? found->zone : paris;
}

std::string site_name(const Frame& frame, domain::SiteId site) {
    const auto* const found = frame.user != nullptr ? frame.user->site(site) : nullptr;
    return found != nullptr ? found->name : fmt::format("site {}", site.value());
}

std::string moment(const Timestamp& local) {
    if (local.precision < Precision::minute) return to_french_date(local);
    return fmt::format("{} {:02}:{:02}", to_french_date(local), local.hour, local.minute);
}

std::string moment(const TimeZone& zone, Instant at) { return moment(zone.to_local(at, Precision::minute)); }

std::string moment(const Frame& frame, domain::SiteId site, Instant at) { return moment(zone(frame, site), at); }

void reason_form(Html& h, const Frame& frame, std::string_view path, std::string_view words) {
    h.tag("form", {{"method", "post"}, {"action", path}, {"class", "inline"}}, [&] {
        csrf_field(h, frame);
        h.single("input", {{"name", "motif"}, {"required", true}, {"maxlength", "200"}, {"placeholder", "motif"},
                           {"aria-label", fmt::format("Motif : {}", words)}});
        h.tag("button", {{"type", "submit"}, {"class", "small"}}, words);
    });
}

void letter_actions(Html& h, const Frame& frame, const store::LetterLine& letter, std::string_view back) {
    using domain::LetterState;
    const auto& user = *frame.user;
    const bool waits = letter.state == LetterState::due || letter.state == LetterState::retry || letter.state == LetterState::in_doubt;
    const bool stopped = letter.state == LetterState::dead || letter.state == LetterState::held;
    const auto id = to_string(letter.id.value());
    const auto button = [&](Action action, std::string_view verb, std::string_view words, bool with_reason) {
        if (!may(user, action, letter.site)) return;
        h.tag("form", {{"method", "post"}, {"action", fmt::format("/envois/{}/{}", id, verb)}, {"class", "inline"}}, [&] {
            csrf_field(h, frame);
            h.single("input", {{"type", "hidden"}, {"name", "retour"}, {"value", back}});
            if (with_reason) {
                h.single("input", {{"name", "motif"}, {"required", true}, {"maxlength", "200"}, {"placeholder", "motif"},
                                   {"aria-label", fmt::format("Motif : {}", words)}});
            }
            h.tag("button", {{"type", "submit"}, {"class", "small"}}, words);
        });
    };
    if (stopped || letter.state == LetterState::retry || letter.state == LetterState::in_doubt) button(Action::retry_letter, "relancer", "Relancer", false);
    if (waits || stopped || letter.state == LetterState::blocked) {
        h.tag("details", {{"class", "more"}}, [&] {
            h.tag("summary", "Autres actions");
            if (waits) button(Action::hold_letter, "retenir", "Retenir", true);
            button(Action::abandon_letter, "abandonner", "Abandonner", true);
        });
    }
}

}  // namespace sgl::web::layout

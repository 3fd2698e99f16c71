#include <fmt/format.h>

#include <array>

#include "lib/web/layout.hpp"

namespace sgl::web {

namespace {

using domain::Channel;
using domain::LetterState;

std::string path(const std::optional<LetterState>& state, const std::optional<Channel>& channel) {
    std::string text = "/envois";
    if (state) text += fmt::format("?etat={}", to_string(*state));
    if (channel) text += fmt::format("{}canal={}", state ? '&' : '?', to_string(*channel));
    return text;
}

void row_of(Html& h, const Frame& frame, const store::LetterLine& letter, std::string_view back) {
    h.tag("tr", [&] {
        h.tag("td", {{"class", "tight"}}, [&] {
            h.tag("a", {{"href", fmt::format("/comptes-rendus/{}", to_string(letter.version.value()))}, {"class", "row-link"}}, letter.order_number);
        });
        h.tag("td", domain::french(letter.channel));
        h.tag("td", {{"class", "clip"}}, letter.recipient_name.empty() && letter.channel == Channel::mss_patient ? "le patient" : letter.channel == Channel::dmp ? "le dossier du patient" : letter.recipient_name);
        h.tag("td", [&] { layout::mark(h, mark(letter.state), true); });
        h.tag("td", {{"class", "wrap"}}, [&] {
            if (letter.reason != domain::Reason::none) {
                const auto why = domain::french(letter.reason);
                h.text(fmt::format("{}. ", why.meaning));
                h.tag("span", {{"class", "dim"}}, fmt::format("{}.", why.remedy));
            }
            if (!letter.error_what.empty()) h.tag("code", {{"class", "detail"}}, letter.error_what);
        });
        h.tag("td", {{"class", "num"}}, std::to_string(letter.attempts));
        h.tag("td", {{"class", "clip"}}, layout::site_name(frame, letter.site));
        h.tag("td", {{"class", "tight num"}, {"title", layout::moment(frame, letter.site, letter.created_at)}}, delay(frame.now - letter.created_at));
        h.tag("td", {{"class", "actions"}}, [&] { layout::letter_actions(h, frame, letter, back); });
    });
}

}  // namespace

std::string letters_page(const Frame& frame, const store::Letters& letters, const store::LetterFilter& filter,
                         const std::optional<Notice>& notice) {
    return layout::page(frame, {.title = "Envois", .kind = "wide", .refresh_seconds = 15}, notice, [&](Html& h) {
        h.tag("div", {{"class", "head"}}, [&] {
            h.tag("h1", {{"class", "heard"}}, "Envois");
            h.tag("nav", {{"class", "tabs"}, {"aria-label", "État des envois"}}, [&] {
                h.tag("a", {{"href", path(std::nullopt, filter.channel)}, {"class", filter.state ? "tab" : "tab here"}}, "Tous");
                for (const auto& [state, count] : letters.counts) {
                    h.tag("a", {{"href", path(state, filter.channel)}, {"class", filter.state == state ? "tab here" : "tab"}}, [&] {
                        const auto shown = mark(state);
                        h.tag("span", {{"class", fmt::format("sign {}", shown.kind)}, {"aria-hidden", "true"}}, shown.sign);
                        h.text(fmt::format(" {}", shown.words));
                        h.tag("span", {{"class", "count"}}, std::to_string(count));
                    });
                }
            });
            h.tag("nav", {{"class", "sites"}, {"aria-label", "Canal"}}, [&] {
                h.tag("a", {{"href", path(filter.state, std::nullopt)}, {"class", filter.channel ? "" : "here"}}, "Tous les canaux");
                for (const auto channel : {Channel::dmp, Channel::mss_professional, Channel::mss_patient, Channel::dpi}) {
                    h.tag("a", {{"href", path(filter.state, channel)}, {"class", filter.channel == channel ? "here" : ""}}, domain::french(channel));
                }
            });
        });
        if (letters.rows.empty()) {
            h.tag("p", {{"class", "empty"}}, "Aucun envoi dans cette liste.");
            return;
        }
        h.tag("table", {{"class", "rows"}}, [&] {
            h.tag("thead", [&] {
                h.tag("tr", [&] {
                    for (const auto* const title : {"Dossier", "Canal", "Destinataire", "État", "Raison et remède", "Essais", "Site", "Âge", "Actions"}) {
                        h.tag("th", {{"scope", "col"}}, title);
                    }
                });
            });
            const auto back = path(filter.state, filter.channel);
            h.tag("tbody", [&] {
                for (const auto& letter : letters.rows) row_of(h, frame, letter, back);
            });
        });
        if (letters.cut) h.tag("p", {{"class", "dim"}}, "La liste est limitée aux envois les plus récents ; affinez par état ou par canal.");
    });
}

}  // namespace sgl::web

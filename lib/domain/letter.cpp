#include "lib/domain/letter.hpp"

#include <array>

namespace sgl::domain {

namespace {

template <class Enum, std::size_t N>
std::optional<Enum> find(std::string_view text, const std::array<Enum, N>& all) {
    for (const auto value : all) {
        if (to_string(value) == text) return value;
    }
    return std::nullopt;
}

constexpr std::array all_channels{Channel::dmp, Channel::mss_professional, Channel::mss_patient, Channel::dpi};
constexpr std::array all_acts{Act::deliver, Act::withdraw};
constexpr std::array all_states{
    LetterState::due,      LetterState::sending,   LetterState::retry,   LetterState::in_doubt,
    LetterState::accepted, LetterState::delivered, LetterState::blocked, LetterState::not_applicable,
    LetterState::dead,     LetterState::cancelled, LetterState::held};
constexpr std::array all_reasons{Reason::none,
                                 Reason::ins_not_qualified,
                                 Reason::identity_doubtful,
                                 Reason::patient_opposed,
                                 Reason::no_dmp,
                                 Reason::dmp_closed,
                                 Reason::no_citizen_mailbox,
                                 Reason::correspondent_no_mss,
                                 Reason::site_channel_disabled,
                                 Reason::certificate_expired,
                                 Reason::manual_hold,
                                 Reason::too_large,
                                 Reason::test_identity,
                                 Reason::restricted_confidentiality,
                                 Reason::partner_unavailable,
                                 Reason::partner_refused,
                                 Reason::gave_up,
                                 Reason::integrity,
                                 Reason::abandoned,
                                 Reason::superseded,
                                 Reason::partner_not_configured,
                                 Reason::partial_report};

bool waits(LetterState state) {
    return state == LetterState::due || state == LetterState::retry || state == LetterState::in_doubt;
}
bool ended(LetterState state) {
    return state == LetterState::accepted || state == LetterState::delivered || state == LetterState::not_applicable ||
           state == LetterState::cancelled;
}

Error not_now(LetterState state, std::string_view what) {
    return {Fault::conflict, "letter",
            "a letter that is " + std::string(to_string(state)) + " can't be " + std::string(what)};
}

Duration delay_after(int attempts, const RetryPolicy& policy) {
    if (policy.delays.empty()) return std::chrono::minutes{1};
    const auto index = static_cast<std::size_t>(attempts > 0 ? attempts - 1 : 0);
    return policy.delays[index < policy.delays.size() ? index : policy.delays.size() - 1];
}

struct Decide {
    const LetterFacts& facts;
    Instant now;
    const RetryPolicy& policy;

    Result<LetterFacts> to(LetterState state, Reason reason = Reason::none) const {
        LetterFacts next = facts;
        next.state = state;
        next.reason = reason;
        return next;
    }

    Result<LetterFacts> later(LetterState state, Reason reason) const {
        LetterFacts next = facts;
        next.state = state;
        next.reason = reason;
        next.next_attempt_at = now + delay_after(facts.attempts, policy);
        if (now - facts.created_at >= policy.give_up_after) {
            next.state = LetterState::dead;
            next.reason = Reason::gave_up;
        }
        return next;
    }

    Result<LetterFacts> operator()(letter_event::Claimed) const {
        if (!waits(facts.state)) return not_now(facts.state, "sent");
        LetterFacts next = facts;
        next.state = LetterState::sending;
        ++next.attempts;
        return next;
    }
    Result<LetterFacts> operator()(letter_event::Accepted) const {
        if (facts.state != LetterState::sending) return not_now(facts.state, "accepted");
        return to(LetterState::accepted);
    }
    Result<LetterFacts> operator()(letter_event::Refused event) const {
        if (facts.state != LetterState::sending) return not_now(facts.state, "refused");
        return to(LetterState::dead, event.reason);
    }
    Result<LetterFacts> operator()(letter_event::NotApplicable event) const {
        if (facts.state != LetterState::sending) return not_now(facts.state, "not applicable");
        return to(LetterState::not_applicable, event.reason);
    }
    Result<LetterFacts> operator()(letter_event::TryLater event) const {
        if (facts.state != LetterState::sending) return not_now(facts.state, "tried later");
        return later(LetterState::retry, event.reason);
    }
    Result<LetterFacts> operator()(letter_event::InDoubt) const {
        if (facts.state != LetterState::sending) return not_now(facts.state, "in doubt");
        return later(LetterState::in_doubt, Reason::partner_unavailable);
    }
    Result<LetterFacts> operator()(letter_event::LeaseExpired) const {
        if (facts.state != LetterState::sending) return not_now(facts.state, "taken back");
        LetterFacts next = facts;  // at once: the worker is gone, the partner did not fail
        next.state = LetterState::in_doubt;
        next.next_attempt_at = now;
        return next;
    }
    Result<LetterFacts> operator()(letter_event::Held) const {
        // A doubt is answered first: held and retried, it would be forgotten that the bytes may have arrived.
        if (!waits(facts.state) || facts.state == LetterState::in_doubt) return not_now(facts.state, "held");
        return to(LetterState::held, Reason::manual_hold);
    }
    Result<LetterFacts> operator()(letter_event::Retried) const {
        if (ended(facts.state) || facts.state == LetterState::sending || facts.state == LetterState::blocked) {
            return not_now(facts.state, "retried");
        }
        LetterFacts next = facts;
        // What was given up may have arrived at one of its attempts: ask first again. So may what a missing partner or
        // broken bytes stopped on our side after an earlier attempt: nobody was asked since.
        const bool unasked = facts.reason == Reason::partner_not_configured || facts.reason == Reason::integrity;
        const bool doubtful =
            facts.state == LetterState::in_doubt || facts.reason == Reason::gave_up || (unasked && facts.attempts > 1);
        next.state = doubtful ? LetterState::in_doubt : LetterState::due;
        next.reason = Reason::none;
        next.next_attempt_at = now;
        // A person's retry starts a new life for the give-up time; what was tried stays counted.
        if (facts.state == LetterState::dead) next.created_at = now;
        return next;
    }
    Result<LetterFacts> operator()(letter_event::Abandoned) const {
        if (ended(facts.state) || facts.state == LetterState::sending) return not_now(facts.state, "abandoned");
        return to(LetterState::cancelled, Reason::abandoned);
    }
    Result<LetterFacts> operator()(letter_event::Superseded) const {
        if (facts.state == LetterState::sending || ended(facts.state)) return not_now(facts.state, "superseded");
        return to(LetterState::cancelled, Reason::superseded);
    }
};

}  // namespace

std::string_view to_string(Channel channel) {
    switch (channel) {
        case Channel::dmp:
            return "DMP";
        case Channel::mss_professional:
            return "MSS_PRO";
        case Channel::mss_patient:
            return "MSS_CITIZEN";
        case Channel::dpi:
            return "ORU_HOSPITAL";
    }
    return "";
}

std::string_view to_string(Act act) {
    return act == Act::deliver ? "deliver" : "withdraw";
}

std::string_view to_string(LetterState state) {
    switch (state) {
        case LetterState::due:
            return "due";
        case LetterState::sending:
            return "sending";
        case LetterState::retry:
            return "retry";
        case LetterState::in_doubt:
            return "in_doubt";
        case LetterState::accepted:
            return "accepted";
        case LetterState::delivered:
            return "delivered";
        case LetterState::blocked:
            return "blocked";
        case LetterState::not_applicable:
            return "not_applicable";
        case LetterState::dead:
            return "dead";
        case LetterState::cancelled:
            return "cancelled";
        case LetterState::held:
            return "held";
    }
    return "";
}

std::string_view to_string(Reason reason) {
    switch (reason) {
        case Reason::none:
            return "";
        case Reason::ins_not_qualified:
            return "INS_NOT_QUALIFIED";
        case Reason::identity_doubtful:
            return "IDENTITY_DOUBTFUL";
        case Reason::patient_opposed:
            return "PATIENT_OPPOSED";
        case Reason::no_dmp:
            return "NO_DMP";
        case Reason::dmp_closed:
            return "DMP_CLOSED";
        case Reason::no_citizen_mailbox:
            return "NO_CITIZEN_MAILBOX";
        case Reason::correspondent_no_mss:
            return "CORRESPONDENT_NO_MSS";
        case Reason::site_channel_disabled:
            return "SITE_CHANNEL_DISABLED";
        case Reason::certificate_expired:
            return "CERTIFICATE_EXPIRED";
        case Reason::manual_hold:
            return "MANUAL_HOLD";
        case Reason::too_large:
            return "TOO_LARGE";
        case Reason::test_identity:
            return "TEST_IDENTITY";
        case Reason::restricted_confidentiality:
            return "RESTRICTED_CONFIDENTIALITY";
        case Reason::partner_unavailable:
            return "PARTNER_UNAVAILABLE";
        case Reason::partner_refused:
            return "PARTNER_REFUSED";
        case Reason::gave_up:
            return "GAVE_UP";
        case Reason::integrity:
            return "INTEGRITY";
        case Reason::abandoned:
            return "ABANDONED";
        case Reason::superseded:
            return "SUPERSEDED";
        case Reason::partner_not_configured:
            return "PARTNER_NOT_CONFIGURED";
        case Reason::partial_report:
            return "PARTIAL_REPORT";
    }
    return "";
}

std::optional<Channel> channel_of(std::string_view text) {
    return find(text, all_channels);
}
std::optional<Act> act_of(std::string_view text) {
    return find(text, all_acts);
}
std::optional<LetterState> letter_state_of(std::string_view text) {
    return find(text, all_states);
}
std::optional<Reason> reason_of(std::string_view text) {
    return find(text, all_reasons);
}

ReasonText french(Reason reason) {
    switch (reason) {
        case Reason::none:
            return {"", ""};
        case Reason::ins_not_qualified:
            return {"L'identité n'est pas qualifiée (INS)", "L'accueil qualifie l'identité : INSi et pièce d'identité"};
        case Reason::identity_doubtful:
            return {"Identité douteuse ou fictive", "La cellule d'identitovigilance lève le doute"};
        case Reason::patient_opposed:
            return {"Le patient s'est opposé à cet envoi", "Aucune action : le choix du patient"};
        case Reason::no_dmp:
            return {"Le patient n'a pas de DMP", "Aucune action"};
        case Reason::dmp_closed:
            return {"Le DMP du patient est fermé", "Aucune action"};
        case Reason::no_citizen_mailbox:
            return {"Pas de messagerie Mon espace santé ouverte", "Aucune action ; remettre le compte rendu autrement"};
        case Reason::correspondent_no_mss:
            return {"Aucune adresse MSSanté connue pour ce correspondant",
                    "Le secrétariat complète l'adresse ou remet sur papier"};
        case Reason::site_channel_disabled:
            return {"Ce canal n'est pas activé pour le site", "L'administrateur l'active dans les réglages du site"};
        case Reason::certificate_expired:
            return {"Le certificat du laboratoire n'est plus valable", "L'informatique installe le nouveau certificat"};
        case Reason::manual_hold:
            return {"Retenu par une personne", "La même personne, ou le biologiste, relance l'envoi"};
        case Reason::too_large:
            return {"Message trop volumineux pour le destinataire", "Alléger les pièces jointes ou remettre autrement"};
        case Reason::test_identity:
            return {"Identité de test, ou identité réelle sur une instance de test",
                    "L'informatique vérifie l'environnement"};
        case Reason::restricted_confidentiality:
            return {"Compte rendu restreint : n'alimente pas le DMP", "Le biologiste décide d'un autre mode de remise"};
        case Reason::partner_unavailable:
            return {"Le partenaire ne répond pas", "Nouvel essai automatique ; l'informatique vérifie la liaison"};
        case Reason::partner_refused:
            return {"Le partenaire a refusé le message", "L'informatique lit la réponse et corrige, puis relance"};
        case Reason::gave_up:
            return {"Abandon après trop d'essais", "L'informatique rétablit la liaison, puis relance"};
        case Reason::integrity:
            return {"Le document enregistré ne correspond plus à son empreinte",
                    "L'informatique restaure la base et alerte l'éditeur"};
        case Reason::abandoned:
            return {"Envoi abandonné par une personne", "Voir la trace : nom et motif"};
        case Reason::superseded:
            return {"Jamais parti : une version plus récente le remplace",
                    "Rien à faire : voir l'envoi de la nouvelle version"};
        case Reason::partner_not_configured:
            return {"Aucun partenaire configuré pour ce canal", "L'informatique déclare le partenaire"};
        case Reason::partial_report:
            return {"Compte rendu partiel : le DMP ne reçoit que des comptes rendus complets",
                    "Aucune action : le compte rendu complet partira à sa signature"};
    }
    return {"", ""};
}

std::string_view french(Channel channel) {
    switch (channel) {
        case Channel::dmp:
            return "DMP";
        case Channel::mss_professional:
            return "MSSanté correspondant";
        case Channel::mss_patient:
            return "Mon espace santé";
        case Channel::dpi:
            return "Dossier hospitalier (DPI)";
    }
    return "";
}

std::string_view french(LetterState state) {
    switch (state) {
        case LetterState::due:
            return "à envoyer";
        case LetterState::sending:
            return "envoi en cours";
        case LetterState::retry:
            return "nouvel essai prévu";
        case LetterState::in_doubt:
            return "réponse attendue";
        case LetterState::accepted:
            return "accepté";
        case LetterState::delivered:
            return "remis";
        case LetterState::blocked:
            return "bloqué";
        case LetterState::not_applicable:
            return "sans objet";
        case LetterState::dead:
            return "échec";
        case LetterState::cancelled:
            return "annulé";
        case LetterState::held:
            return "retenu";
    }
    return "";
}

Result<LetterFacts> decide(const LetterFacts& facts, const LetterEvent& event, Instant now, const RetryPolicy& policy) {
    const Decide decision{facts, now, policy};
    return std::visit(decision, event);
}

}  // namespace sgl::domain

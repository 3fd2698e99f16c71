#include "lib/delivery/mssante/letter_mail.hpp"

#include <fmt/format.h>

#include "lib/base/text.hpp"
#include "lib/delivery/mail/message.hpp"
#include "lib/delivery/mail/subject.hpp"
#include "lib/delivery/xds/codes.hpp"
#include "lib/delivery/xds/report_metadata.hpp"
#include "lib/delivery/xds/xdm.hpp"

namespace sgl::delivery {

namespace {

using domain::Report;

// Version-5 name space of what a mail names: "<letter>/<thing>".
constexpr Uuid mail_space{{0x0c, 0x6b, 0x2e, 0x5d, 0x93, 0x14, 0x4f, 0x7a, 0xb2, 0x6e, 0x5f, 0x81, 0x2a, 0xd0, 0x47, 0xc6}};

Uuid derived(domain::LetterId id, std::string_view thing) {
    return Uuid::v5(mail_space, fmt::format("{}/{}", to_string(id.value()), thing));
}

std::string joined(const domain::Address& address) {
    std::string line;
    const auto add = [&line](std::string_view part, std::string_view separator) {
        if (part.empty()) return;
        if (!line.empty()) line += separator;
        line += part;
    };
    for (const auto& one : address.lines) add(one, ", ");
    add(address.postal_code, ", ");
    add(address.city, address.postal_code.empty() ? ", " : " ");
    return line;
}

std::string laboratory_name(const Report& report) {
    return report.site.name.empty() ? report.entity.name : report.entity.name + " - " + report.site.name;
}

/// serviceEvent/effectiveTime/low of the CDA, as the site lives it.
Timestamp act_date(const Report& report) {
    const auto& zone = report.site.time_zone;
    return zone.to_local(zone.to_instant(report.registered_at), Precision::day);
}

std::string first_collection(const Report& report) {
    const auto& zone = report.site.time_zone;
    const Timestamp* first = nullptr;
    for (const auto& specimen : report.specimens) {
        if (!specimen.collected_at) continue;
        if (first == nullptr || zone.to_instant(*specimen.collected_at) < zone.to_instant(*first)) first = &*specimen.collected_at;
    }
    if (first == nullptr) return {};
    if (first->precision < Precision::hour) return to_french_date(*first);
    return to_french_date(zone.to_local(zone.to_instant(*first), Precision::day));
}

/// A number that the rules of the trust space forbid to show is looked for in the bytes that leave, not believed absent.
bool holds_ins(const Report& report, const Documents& documents) {
    if (!report.patient.ins) return false;
    const auto& matricule = report.patient.ins->reveal().matricule.text();
    return documents.n3.find(matricule) != std::string::npos || documents.pdf.find(matricule) != std::string::npos;
}

Result<void> check_recipient(const Letter& letter, const Report& report) {
    if (letter.channel != domain::Channel::mss_patient) return {};
    if (!report.patient.ins_may_leave()) {
        return Error{Fault::refused, "patient.ins", "only a qualified identity has a mailbox in Mon espace santé"};
    }
    if (letter.address.reveal() != citizen_address(report.patient.ins->reveal().matricule)) {
        return Error{Fault::refused, "letter.address", "the address is not the one made of the patient's INS"};
    }
    return {};
}

/// `composed`: the day of the report, as people read it.
std::string delivery_text(const Letter& letter, const Report& report, const std::string& composed) {
    const bool to_patient = letter.channel == domain::Channel::mss_patient;
    std::string text;
    const bool completes = report.replaces && report.replaces->kind == domain::ReportKind::partial;
    const bool partial = report.kind == domain::ReportKind::partial;
    if (completes) {
        text += fmt::format("Ce message annule et remplace le compte rendu partiel (version {}) de ce dossier ; la version {} ci-jointe, {}, est du {}.\n\n",
                            report.ids.version - 1, report.ids.version, partial ? "partielle elle aussi" : "complète", composed);
    } else if (report.ids.version > 1) {
        text += fmt::format("Ce message annule et remplace la version {} de ce compte rendu ; la version {} ci-jointe est du {}.\n\n",
                            report.ids.version - 1, report.ids.version, composed);
    }
    if (partial) text += "Résultats partiels : d'autres résultats suivront, dans un compte rendu qui remplacera celui-ci.\n\n";
    text += "Bonjour,\n\n";
    const auto collected = first_collection(report);
    const std::string sample = collected.empty() ? std::string() : fmt::format(" (prélèvement du {})", collected);
    text += to_patient ? fmt::format("Veuillez trouver ci-joint votre compte rendu d'examens de biologie médicale{}.\n", sample)
                       : fmt::format("Veuillez trouver ci-joint le compte rendu d'examens de biologie médicale de votre patient{}.\n", sample);
    if (to_patient) {
        text += "\nPour toute question sur vos résultats, adressez-vous à votre médecin ou au laboratoire.\n";
    }
    return text;
}

/// First of all that it no longer counts; then which report, what to do, and whom to ask.
std::string withdrawal_text(const Letter& letter, const Report& report, const MssPartner& partner,
                            const std::string& composed) {
    const bool to_patient = letter.channel == domain::Channel::mss_patient;
    const auto collected = first_collection(report);
    const std::string sample = collected.empty() ? std::string() : fmt::format(", prélèvement du {}", collected);
    auto text = fmt::format("Ce compte rendu est annulé : n'en tenez pas compte.\n\nBonjour,\n\n"
                            "Le laboratoire annule {} compte rendu d'examens de biologie médicale{} du {} (version {}{}), "
                            "qui vous a été adressé par messagerie sécurisée.\n",
                            to_patient ? "votre" : "le", to_patient ? "" : " de votre patient", composed,
                            report.ids.version, sample);
    text += to_patient ? "N'utilisez plus ses résultats et ne les transmettez à personne.\n"
                       : "N'utilisez plus ses résultats, et retirez-le du dossier où il a pu être classé.\n";
    text += partner.withdrawal_with_pdf
                ? "Le compte rendu annulé est joint à ce message pour que vous puissiez le reconnaître.\n"
                : "L'archive jointe permet à votre logiciel de le reconnaître.\n";
    text += to_patient ? "\nPour toute question, adressez-vous au laboratoire ou à votre médecin.\n"
                       : "\nPour toute question, et si ces résultats ont déjà servi, appelez le laboratoire.\n";
    return text;
}

}  // namespace

std::string citizen_address(const domain::InsMatricule& matricule) { return matricule.text() + "@patient.mssante.fr"; }

std::string message_id(domain::LetterId id, const MssPartner& partner) {
    const auto at = partner.from_address.rfind('@');
    const auto domain = at == std::string::npos ? std::string("localhost") : partner.from_address.substr(at + 1);
    return fmt::format("{}@{}", to_string(id.value()), domain);
}

std::string mail_text(const Letter& letter, const Report& report, const MssPartner& partner) {
    const auto& zone = report.site.time_zone;
    const auto composed = to_french_date(zone.to_local(zone.to_instant(report.created_at), Precision::day));
    const bool withdraws = letter.act == domain::Act::withdraw;
    auto text = withdraws ? withdrawal_text(letter, report, partner, composed) : delivery_text(letter, report, composed);
    text += fmt::format("\n{}\n", laboratory_name(report));
    if (const auto address = joined(report.site.address); !address.empty()) text += address + "\n";
    const auto& phone = report.site.phone.empty() ? report.entity.phone : report.site.phone;
    if (!phone.empty()) text += fmt::format("Téléphone : {}\n", phone);
    if (!partner.reply_to.empty()) text += fmt::format("Pour répondre : {}\n", partner.reply_to);
    return text;
}

Result<LetterMail> letter_mail(const Letter& letter, const Report& report, const Documents& documents,
                               const MssPartner& partner) {
    if (auto ok = check_recipient(letter, report); !ok) return ok.error();
    if (documents.n3.empty() || documents.pdf.empty()) {
        return Error{Fault::missing, "documents", "the mail carries the structured and the printed report"};
    }
    const bool with_ins = report.patient.ins_may_leave();
    if (!with_ins && holds_ins(report, documents)) {
        return Error{Fault::refused, "documents", "a document holds an INS that is not qualified"};
    }

    xds::SubmissionIdentity identity;
    identity.set_entry_id = "urn:uuid:" + to_string(derived(letter.id, "set"));
    identity.document_entry_id = "urn:uuid:" + to_string(derived(letter.id, "document"));
    identity.unique_id = derived(letter.id, "submission").to_oid();
    identity.source_id = report.entity.oid;
    identity.submission_time = letter.sent_at;
    auto submission = xds::report_submission(report, identity, documents.n3);
    if (!submission) return submission.error();
    const bool withdraws = letter.act == domain::Act::withdraw;
    if (withdraws) submission->documents.front().action = "D";  // spec/mssante.md 4.2, for any version

    xds::XdmSender sender;
    sender.name = laboratory_name(report);
    sender.organisation = report.entity.name;
    sender.finess = report.site.finess.text();
    sender.address = joined(report.site.address);
    sender.phone = report.site.phone;
    auto archive = xds::xdm_zip(std::move(*submission), documents.n3, sender);
    if (!archive) return archive.error();

    const auto& traits = report.patient.traits.reveal();
    const mail::Person person{traits.birth_name, traits.first_given_name, traits.birth_date};
    const auto label = xds::type_cr_bio().label;
    const auto& zone = report.site.time_zone;
    mail::Message message;
    message.from = {partner.from_label, partner.from_address};
    message.to = letter.address;
    message.reply_to = partner.reply_to;
    message.subject = mail::xdm_subject({label}, person);
    message.date = zone.to_local(letter.sent_at, Precision::second);
    message.date.offset_minutes = zone.offset_minutes(letter.sent_at);
    message.message_id = message_id(letter.id, partner);
    // A new version and a withdrawal stand below what they are about in the recipient's mailbox (mssante.md 3.1).
    if (letter.first_arrived) message.in_reply_to = message_id(*letter.first_arrived, partner);
    message.body = mail_text(letter, report, partner);
    message.x_mss_codecda = xds::type_cr_bio().code;
    message.x_mss_ins = with_ins;
    message.x_mss_nil = partner.nil;
    message.attachments.push_back({"application/zip", "IHE_XDM.zip", std::move(*archive)});
    if (!withdraws || partner.withdrawal_with_pdf)
        message.attachments.push_back({"application/pdf", mail::pdf_name(act_date(report), label, person, report.order_number), documents.pdf});
    auto bytes = mail::render(message, to_string(letter.id.value()));
    if (!bytes) return bytes.error();
    return LetterMail{message.message_id, to_string(letter.id.value()), std::move(*bytes)};
}

}  // namespace sgl::delivery

// The mail that a letter becomes: the IHE XDM archive, the bare PDF, headers and French text (spec/mssante.md 3 and 4).
// Pure: the same letter, report and documents give the same bytes, so that a repeat is recognised (design D7).
#pragma once

#include <string>

#include "lib/base/result.hpp"
#include "lib/delivery/channel.hpp"
#include "lib/delivery/partners.hpp"

namespace sgl::delivery {

/// What the mail channel hands to SMTP.
struct LetterMail {
    std::string message_id;   ///< without `<` `>`
    std::string envelope_id;  ///< ENVID: the letter's id, comes back in delivery reports
    std::string bytes;        ///< CRLF
};

/// A withdrawal is a mail of its own with the same document, which its metadata calls deleted (spec/mssante.md 4.2).
/// The INS is in the mail (metadata, X-MSS-INS: O) only when it may leave; otherwise neither in the archive nor in any
/// header. Errors: Fault::refused for a patient's mail without a qualified INS or to another address than the one made of
/// it, and when a document holds an INS that may not leave; Fault::missing or malformed for what cannot be
/// composed. No text holds patient data.
Result<LetterMail> letter_mail(const Letter& letter, const domain::Report& report, const Documents& documents,
                               const MssPartner& partner);

/// The French text of the mail. No result is in it.
std::string mail_text(const Letter& letter, const domain::Report& report, const MssPartner& partner);

/// The mailbox of the patient in Mon espace santé, from the matricule.
std::string citizen_address(const domain::InsMatricule& matricule);

/// Message-ID of that letter, without `<` `>`.
std::string message_id(domain::LetterId id, const MssPartner& partner);

}  // namespace sgl::delivery

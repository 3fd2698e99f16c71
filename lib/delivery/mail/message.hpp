// The bytes of a MSSanté mail: RFC 5322 and MIME, the same bytes for the same input (spec/mssante.md 3.1, 3.3, 3.4).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/personal.hpp"
#include "lib/base/result.hpp"
#include "lib/base/time.hpp"

namespace sgl::mail {

struct Mailbox {
    std::string label;    ///< `Hôpital C – Biologie`; may be empty
    std::string address;  ///< ASCII `local@domain`
};

struct Attachment {
    std::string type;       ///< `application/zip`
    std::string file_name;  ///< UTF-8
    std::string bytes;
};

struct Message {
    Mailbox from;               ///< the applicative mailbox; also MAIL FROM
    Personal<std::string> to;   ///< one recipient: a mail is about one patient and discloses nobody else
    std::string reply_to;       ///< the organisational mailbox; may be empty
    std::string subject;
    Timestamp date;             ///< local, with its offset, to the second
    std::string message_id;     ///< without `<` `>`; from the letter, so that a repeat is recognised (design D7)
    std::string in_reply_to;    ///< Message-ID of the mail that this one replaces; may be empty
    std::string body;           ///< plain text, UTF-8, LF or CRLF; never empty
    std::string x_mss_codecda;  ///< `11502-2`; empty: no CDA inside, then x_mss_ins is not sent either
    bool x_mss_ins{false};      ///< O or N (design D17)
    std::string x_mss_nil;      ///< product number of the Convergence platform; may be empty
    bool no_answer_wanted{false};  ///< X-MSS-MES: FIN, patients only
    bool read_receipt{false};      ///< Disposition-Notification-To: the From address (RFC 8098)
    std::vector<Attachment> attachments;
};

/// CRLF line ends, no line above 998 bytes, ASCII only. `boundary_seed`: anything that belongs to this mail alone, e.g.
/// its letter's id. Fault::malformed for a header value with a line end, an address that is none, a text that is no UTF-8;
/// Fault::missing for what is required.
Result<std::string> render(const Message& message, std::string_view boundary_seed);

/// `local@domain`, ASCII, no blank, at most 254 characters, no character that SMTP or a header would read differently.
bool is_mail_address(std::string_view text);

}  // namespace sgl::mail

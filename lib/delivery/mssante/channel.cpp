#include "lib/delivery/mssante/channel.hpp"

#include <algorithm>

#include "lib/base/failpoint.hpp"
#include "lib/delivery/mssante/letter_mail.hpp"
#include "lib/net/tcp.hpp"

namespace sgl::delivery {

namespace {

using domain::Reason;
using mail::SmtpOutcome;
using mail::SmtpPhase;
using mail::SmtpReason;

constexpr std::size_t mebibyte = std::size_t{1024} * 1024;
constexpr std::size_t citizen_limit = 25'000'000;  // spec/mssante.md 3.5, the whole message, strict

/// Why no mail could be made of the letter.
Reason reason_of(const Error& error) {
    if (error.where == "patient.ins" || error.where == "letter.address") return Reason::ins_not_qualified;
    if (error.where == "documents") return Reason::integrity;
    if (error.where == "To") return Reason::correspondent_no_mss;
    return error.fault == Fault::unsupported ? Reason::partner_refused : Reason::partner_not_configured;
}

std::string domain_of(std::string_view address) {
    const auto at = address.rfind('@');
    return std::string(at == std::string_view::npos ? std::string_view("localhost") : address.substr(at + 1));
}

}  // namespace

Outcome mss_outcome(const SmtpOutcome& smtp, const Letter& letter, std::string reference) {
    using Kind = SmtpOutcome::Kind;
    if (smtp.kind == Kind::done) {
        auto outcome = accepted(std::move(reference));
        outcome.possible_duplicate = letter.in_doubt;
        return outcome;
    }
    if (smtp.kind == Kind::in_doubt) return in_doubt(smtp.error());
    const bool permanent = smtp.kind == Kind::permanent;
    const auto of_the_mailbox = [](Outcome outcome) {  // a full mailbox is no reason to let the operator rest
        outcome.recipient_only = true;
        return outcome;
    };
    const auto by_recipient = [&]() -> Outcome {
        return permanent ? refused(Reason::partner_refused, smtp.error()) : try_later(Reason::partner_unavailable, smtp.error());
    };
    switch (smtp.reason) {
        case SmtpReason::tls:
        case SmtpReason::credentials: return try_later(Reason::certificate_expired, smtp.error());
        case SmtpReason::too_large: return refused(Reason::too_large, smtp.error());
        case SmtpReason::quota: return of_the_mailbox(try_later(Reason::partner_unavailable, smtp.error()));  // also 552 5.2.2
        case SmtpReason::mailbox_closed:
            if (permanent && letter.channel == domain::Channel::mss_patient) {
                return not_applicable(Reason::no_citizen_mailbox, smtp.error());
            }
            return of_the_mailbox(by_recipient());
        case SmtpReason::unknown_mailbox: return of_the_mailbox(by_recipient());
        case SmtpReason::none:
        case SmtpReason::connection:
        case SmtpReason::busy:
        case SmtpReason::outside:
        case SmtpReason::protocol:
        case SmtpReason::other: return by_recipient();
    }
    return by_recipient();
}

MssChannel::MssChannel(MssPartner partner, const Resolver& resolve, Connector connector)
    : partner_(std::move(partner)), connector_(std::move(connector)) {
    if (partner_.server_name.empty()) partner_.server_name = partner_.host;
    if (!resolve) return;
    for (std::string* file : {&partner_.ca, &partner_.certificate, &partner_.key}) *file = resolve(*file);
}

asio::awaitable<Result<MssChannel::Connection>> MssChannel::connect() {
    const net::TlsFiles files{partner_.certificate, partner_.key, partner_.ca};
    const auto context = net::tls_client(files);
    if (!context) co_return Error{Fault::refused, context.error().where, context.error().what};
    auto plain = co_await net::connect(partner_.host, partner_.port, partner_.timeout);
    if (!plain) co_return plain.error();
    Connection made;
    const net::TlsContextPtr tls = *context;
    const std::string name = partner_.server_name;
    const Duration timeout = partner_.timeout;
    if (partner_.implicit_tls) {
        auto secured = co_await net::start_tls_client(std::move(*plain), tls, name, timeout);
        if (!secured) co_return secured.error();
        made.stream = std::move(*secured);
        co_return made;
    }
    made.stream = std::move(*plain);
    made.upgrade = [tls, name, timeout](net::StreamPtr stream) {
        return net::start_tls_client(std::move(stream), tls, name, timeout);
    };
    co_return made;
}

asio::awaitable<Outcome> MssChannel::deliver(const Letter& letter, const domain::Report& report,
                                             const Documents& documents) {
    auto made = letter_mail(letter, report, documents, partner_);
    if (!made) co_return refused(reason_of(made.error()), made.error());
    std::size_t limit = partner_.size_limit_mb * mebibyte;
    if (letter.channel == domain::Channel::mss_patient) limit = std::min(limit, citizen_limit);
    if (made->bytes.size() > limit) {
        Error error{Fault::refused, "mail", "the message is larger than the recipient's operator takes"};
        co_return refused(Reason::too_large, std::move(error));
    }

    failpoint("after_claim_before_connect");
    asio::awaitable<Result<Connection>> connecting = connector_ ? connector_() : connect();
    auto connection = co_await std::move(connecting);
    if (!connection) {
        const bool trust = connection.error().fault == Fault::refused;
        co_return try_later(trust ? Reason::certificate_expired : Reason::partner_unavailable, connection.error());
    }
    mail::SmtpOptions options;
    options.client_name = domain_of(partner_.from_address);
    options.reply = partner_.timeout;
    options.end_of_data = partner_.data_timeout;
    mail::SmtpClient client(std::move(connection->stream), std::move(options), std::move(connection->upgrade));
    auto smtp = co_await client.open();
    if (smtp.ok()) {
        mail::SmtpMail mail;
        mail.from = partner_.from_address;
        mail.to = letter.address;
        mail.envelope_id = made->envelope_id;
        mail.bytes = made->bytes;
        mail.wanted = [&letter] { return letter.may_leave(); };
        smtp = co_await client.send(mail);
    }
    co_await client.quit();
    if (smtp.kind == mail::SmtpOutcome::Kind::temporary && !letter.may_leave()) co_return overslept();
    co_return mss_outcome(smtp, letter, made->message_id);
}

}  // namespace sgl::delivery

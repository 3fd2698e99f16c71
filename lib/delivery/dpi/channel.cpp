#include "lib/delivery/dpi/channel.hpp"

#include "lib/base/failpoint.hpp"
#include "lib/base/log.hpp"
#include "lib/delivery/dpi/document_message.hpp"
#include "lib/delivery/dpi/exchange.hpp"
#include "lib/delivery/dpi/result_message.hpp"

namespace sgl::delivery {

namespace {

using domain::Reason;

/// Why no message could be made of the letter.
Reason reason_of(const Error& error) {
    if (error.where == "PID-3") return Reason::test_identity;
    if (error.where == "OBX[1]-5") return Reason::integrity;
    return error.fault == Fault::unsupported ? Reason::partner_refused : Reason::partner_not_configured;
}

}  // namespace

DpiChannel::DpiChannel(DpiPartner partner, const Resolver& resolve, Connector connector)
    : partner_(std::move(partner)),
      client_(connector ? std::move(connector) : [this] { return mllp::connect(target()); },
              mllp::ClientOptions{partner_.answer_timeout, partner_.mllp_release}) {
    if (!resolve) return;
    for (std::string* file : {&partner_.ca, &partner_.certificate, &partner_.key}) {
        if (!file->empty()) *file = resolve(*file);
    }
}

mllp::Target DpiChannel::target() const {
    return {partner_.host, partner_.port, partner_.tls, partner_.server_name,
            partner_.ca,   partner_.certificate, partner_.key, partner_.connect_timeout};
}

asio::awaitable<Outcome> DpiChannel::deliver(const Letter& letter, const domain::Report& report,
                                             const Documents& documents) {
    const auto message = partner_.profile == "lab3" ? result_message(letter, report, partner_)
                                                    : document_message(letter, report, documents, partner_);
    if (!message) co_return refused(reason_of(message.error()), message.error());

    failpoint("after_claim_before_connect");
    const std::uint64_t before = client_.figures().others;
    std::string id = control_id(letter.id);
    std::string bytes = *message;
    mllp::Client::Wanted wanted = [&letter] { return letter.may_leave(); };
    const mllp::Exchange exchange = co_await client_.exchange(std::move(bytes), id, std::move(wanted));
    if (exchange.kind == mllp::Exchange::Kind::not_sent && !letter.may_leave()) co_return overslept();
    if (const std::uint64_t ignored = client_.figures().others - before; ignored > 0)
        log::warn("hospital record sent what answers nothing of ours", {{"letter", letter.id}, {"blocks", ignored}});
    Outcome outcome = dpi_outcome(exchange, id);
    co_return outcome;
}

}  // namespace sgl::delivery

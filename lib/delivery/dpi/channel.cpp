#include "lib/delivery/dpi/channel.hpp"

#include "lib/base/failpoint.hpp"
#include "lib/base/log.hpp"
#include "lib/delivery/dpi/document_message.hpp"
#include "lib/delivery/dpi/exchange.hpp"
#include "lib/net/tcp.hpp"
#include "lib/net/tls.hpp"

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
    : partner_(std::move(partner)), connector_(std::move(connector)) {
    if (partner_.server_name.empty()) partner_.server_name = partner_.host;
    if (!resolve) return;
    for (std::string* file : {&partner_.ca, &partner_.certificate, &partner_.key}) {
        if (!file->empty()) *file = resolve(*file);
    }
}

asio::awaitable<Result<net::StreamPtr>> DpiChannel::connect() {
    net::TlsContextPtr tls;
    if (partner_.tls) {
        const net::TlsFiles files{partner_.certificate, partner_.key, partner_.ca};
        const auto context = net::tls_client(files);
        if (!context) co_return Error{Fault::refused, context.error().where, context.error().what};
        tls = *context;
    }
    auto plain = co_await net::connect(partner_.host, partner_.port, partner_.connect_timeout);
    if (!plain || !tls) co_return plain;
    co_return co_await net::start_tls_client(std::move(*plain), std::move(tls), partner_.server_name, partner_.connect_timeout);
}

asio::awaitable<Outcome> DpiChannel::deliver(const Letter& letter, const domain::Report& report,
                                             const Documents& documents) {
    const auto message = document_message(letter, report, documents, partner_);
    if (!message) co_return refused(reason_of(message.error()), message.error());

    failpoint("after_claim_before_connect");
    asio::awaitable<Result<net::StreamPtr>> connecting = connector_ ? connector_() : connect();
    auto stream = co_await std::move(connecting);
    if (!stream) {
        const bool trust = stream.error().fault == Fault::refused;
        co_return try_later(trust ? Reason::certificate_expired : Reason::partner_unavailable, stream.error());
    }
    failpoint("after_connect");
    std::uint64_t ignored = 0;
    const std::string id = control_id(letter.id);
    auto outcome = co_await mllp_exchange(**stream, *message, id, partner_.answer_timeout, ignored);
    if (ignored > 0) {
        ignored_ += ignored;
        log::warn("hospital record sent what answers nothing of ours", {{"letter", letter.id}, {"blocks", ignored}});
    }
    co_await (*stream)->close();
    co_return outcome;
}

}  // namespace sgl::delivery

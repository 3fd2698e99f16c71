#include "daemon/service.hpp"

#include <systemd/sd-daemon.h>
#include <unistd.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <thread>

#include "cda/checker.hpp"
#include "daemon/certificates.hpp"
#include "daemon/channels.hpp"
#include "daemon/console_commands.hpp"
#include "daemon/database.hpp"
#include "daemon/official_rules.hpp"
#include "lib/base/log.hpp"
#include "lib/compose/pdf.hpp"
#include "lib/delivery/engine.hpp"
#include "lib/flow/link_sender.hpp"
#include "lib/flow/conversation.hpp"
#include "lib/flow/intake.hpp"
#include "lib/flow/line.hpp"
#include "lib/net/http_server.hpp"
#include "lib/net/listener.hpp"
#include "lib/net/timeout.hpp"
#include "lib/store/audit.hpp"
#include "lib/store/laboratory.hpp"
#include "lib/web/web.hpp"

namespace sgl::daemon {

namespace {

namespace asio = boost::asio;

constexpr pg::Query newest_change{"service.newest_change", "select coalesce(max(id), 0) from configuration_change"};
constexpr pg::Query hold_seal{"service.hold_seal", R"sql(
    insert into lease (name, owner, until, fence) values ('audit-seal', $1, $2, 1)
    on conflict (name) do update set owner = excluded.owner, until = excluded.until, fence = lease.fence + 1
    where lease.owner = excluded.owner or lease.until < $3)sql"};

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("can't read " + path);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string host_name() {
    char name[256]{};
    return gethostname(name, sizeof name - 1) == 0 ? name : "sgld";
}

net::ListenerOptions options_of(const config::Settings::Listener& from) {
    net::ListenerOptions options;
    options.name = from.name;
    options.address = from.address;
    options.port = from.port;
    options.trusted_network = from.trusted_network;
    options.allowed_peers = from.allow;
    options.max_connections = from.max_connections;
    options.max_connections_per_peer = from.max_connections_per_peer;
    return options;
}

/// A wait that somebody can end early.
class Bell {
public:
    explicit Bell(const asio::any_io_executor& executor) : timer_(executor) {}
    void ring() {
        rung_ = true;
        timer_.cancel();
    }
    asio::awaitable<void> wait(Duration limit) {
        if (!rung_) {
            timer_.expires_after(limit);
            boost::system::error_code ended;
            co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ended));
        }
        rung_ = false;
    }

private:
    asio::steady_timer timer_;
    bool rung_{};
};

class Service {
public:
    explicit Service(const config::Settings& settings)
        : settings_(settings),
          name_(settings.daemon.name.empty() ? host_name() : settings.daemon.name),
          executor_(context_.get_executor()),
          workers_(settings.daemon.threads == 0 ? std::max(1U, std::thread::hardware_concurrency())
                                                : settings.daemon.threads),
          database_(executor_, settings),
          channels_(executor_, settings, clock_),
          compose_bell_(executor_),
          stop_bell_(executor_),
          signals_(context_, SIGTERM, SIGINT) {}

    int run() {
        asio::co_spawn(context_, life(), [this](const std::exception_ptr& failure) {
            if (failure) report(failure);
            context_.stop();
        });
        context_.run();
        workers_.join();
        log::flush();
        return failed_ ? 1 : 0;
    }

private:
    void report(const std::exception_ptr& failure) {
        failed_ = true;
        try {
            std::rethrow_exception(failure);
        } catch (const std::exception& error) {
            // By contract of the rooms below, no patient data in these sentences.
            std::cerr << "sgld: " << error.what() << '\n';
            log::error("the daemon can't go on", {{"what", log::Token{error.what()}}});
        }
    }

    asio::awaitable<void> life() {
        signals_.async_wait([this](const boost::system::error_code& error, int) {
            if (!error) end();
        });
        co_await database_.open(clock_.now());
        if (auto* cluster = database_.cluster()) {
            asio::co_spawn(executor_, cluster->supervise([](pg::EmbeddedCluster::Event event) { told(event); }),
                           asio::detached);
        }
        const domain::LaboratoryPtr laboratory = co_await store::load(database_.app());
        laboratory_.replace(laboratory);
        remember_catalogues();
        build();
        open_listeners();
        asio::co_spawn(executor_, links_loop(), asio::detached);
        asio::co_spawn(executor_, compose_loop(), asio::detached);
        asio::co_spawn(executor_, seal_loop(), asio::detached);
        asio::co_spawn(executor_, watch_loop(), asio::detached);
        asio::co_spawn(executor_, deliver(), asio::detached);
        tell_ready();
        while (!ending_)
            co_await stop_bell_.wait(std::chrono::hours(1));
        co_await wind_down();
    }

    void end() {
        ending_ = true;
        stop_bell_.ring();
    }

    static void told(pg::EmbeddedCluster::Event event) {
        switch (event) {
            case pg::EmbeddedCluster::Event::exited:
                log::error("the database server ended; it is started again");
                break;
            case pg::EmbeddedCluster::Event::restarted:
                log::info("the database server runs again");
                break;
            case pg::EmbeddedCluster::Event::restart_failed:
                log::error("the database server can't be started; trying again");
                break;
            case pg::EmbeddedCluster::Event::took_over:
                log::info("supervising the database server now");
                break;
        }
    }

    /// Ring 3, where the kit is installed. A kit that is configured and can't be used stops the start: nobody must believe
    /// that it runs.
    void load_official_rules() {
        const auto& cda = settings_.cda;
        if (cda.official_kit.empty() || cda.official_kit_share == 0) return;
        auto kit = official_rules(cda.official_kit, cda.official_kit_defects);
        if (!kit) throw std::runtime_error("cda.official_kit: " + to_string(kit.error()));
        for (const auto& note : kit->notes())
            log::warn("the official kit is incomplete", {{"what", log::Token(note)}});
        kit_.emplace(std::move(*kit));
        official_.emplace(flow::OfficialRules{*kit_, cda.official_kit_share, cda.official_blocks()});
        log::info("documents pass the official rules too", {{"share", cda.official_kit_share}, {"failure", log::Token(cda.official_kit_failure)}});
    }

    void build() {
        auto pdf = compose::PdfRenderer::open(settings_.cda.fonts, read_file(settings_.cda.icc_profile));
        if (!pdf) throw std::runtime_error("cda.fonts, cda.icc_profile: " + to_string(pdf.error()));
        pdf_ = std::make_unique<compose::PdfRenderer>(std::move(*pdf));
        checker_ = std::make_unique<cda::Checker>();
        auto& pool = database_.app();
        inbox_ = std::make_unique<store::Inbox>(pool);
        orders_ = std::make_unique<store::Orders>(pool, *inbox_);
        reports_ = std::make_unique<store::Reports>(pool);
        outbox_ = std::make_unique<store::Outbox>(pool, name_);
        intake_ = std::make_unique<flow::Intake>(executor_, database_.intake(), clock_, laboratory_,
                                                 settings_.instance.production());
        budget_ = std::make_unique<flow::Budget>(executor_, settings_.intake.max_bytes, settings_.intake.max_messages);
        link_sender_ = std::make_unique<flow::LinkSender>(
            executor_, *intake_, clock_, laboratory_, [this](const domain::Link::Outgoing& to) { return connect(to); });
        intake_->on_work([this] { link_sender_->look(); });
        load_official_rules();
        flow::Line::Parts parts{pool,      *orders_, *reports_, laboratory_, clock_,
                                *checker_, *pdf_,    workers_,  name_,       settings_.instance.production(),
                                official_ ? &*official_ : nullptr};
        line_ = std::make_unique<flow::Line>(parts);
        engine_ = std::make_unique<delivery::Engine>(*outbox_, clock_, engine_settings(), engine_sources());
        console_ =
            std::make_unique<store::Console>(pool, clock_, [this](domain::SiteId site) { return catalogue_of(site); });
        desk_orders_ = std::make_unique<store::DeskOrders>(pool, *orders_);
        flow::Desk::Parts desk{*desk_orders_, laboratory_, clock_,
                               [this](domain::SiteId site) { return intake_->work().pushed(site); },
                               [this] { link_sender_->look(); }};
        desk_ = std::make_unique<flow::Desk>(std::move(desk));
        identities_ = std::make_unique<store::Identities>(pool, *inbox_);
        patients_ = std::make_unique<store::PatientFiles>(pool, clock_);
        ConsoleCommands::Parts commands{
            pool,
            *line_,
            *desk_,
            *desk_orders_,
            *identities_,
            *outbox_,
            laboratory_,
            clock_,
            [this](domain::Channel channel) -> const domain::RetryPolicy& { return engine_->policy(channel); },
            [this] { compose_bell_.ring(); },
            [this] { engine_->wake(); },
            [this] { return read_laboratory(); }};
        commands_ = std::make_unique<ConsoleCommands>(std::move(commands));
        web::WebSettings web;
        web.demonstration_accounts = settings_.web.demonstration_accounts;
        web.production = settings_.instance.production();
        web.tls = !settings_.web.tls_certificate.empty();
        web.session.idle = settings_.web.session_idle;
        web.session.absolute = settings_.web.session_absolute;
        web_ = std::make_unique<web::Web>(*console_, *patients_, *commands_, *commands_, *commands_, clock_, web);
        http_.hosts = settings_.web.hosts;
        handler_ = [this](net::Request request) { return web_->handle(std::move(request)); };
    }

    asio::awaitable<Result<net::StreamPtr>> connect(const domain::Link::Outgoing& to) const {
        const auto file = [this](const std::string& name) {
            return name.empty() ? std::string() : config::credential(settings_, name);
        };
        return mllp::connect({to.host, to.port, to.tls, to.server_name, file(to.ca), file(to.certificate), file(to.key),
                              to.connect_timeout});
    }

    delivery::EngineSettings engine_settings() const {
        const auto& from = settings_.delivery;
        delivery::EngineSettings to;
        const auto policy = [&](Duration give_up) { return domain::RetryPolicy{from.retry_delays, give_up}; };
        to.policies[domain::Channel::dmp] = policy(from.give_up_after_dmp);
        to.policies[domain::Channel::mss_professional] = policy(from.give_up_after_mail);
        to.policies[domain::Channel::mss_patient] = policy(from.give_up_after_mail);
        to.policies[domain::Channel::dpi] = policy(from.give_up_after_dpi);
        to.workers[domain::Channel::dmp] = from.workers_dmp;
        to.workers[domain::Channel::mss_professional] = from.workers_mail;
        to.workers[domain::Channel::mss_patient] = from.workers_mail;
        to.workers[domain::Channel::dpi] = from.workers_dpi;
        to.lease = from.lease;
        to.poll = from.poll;
        to.breaker_failures = from.circuit_breaker_failures;
        to.breaker_pause = from.circuit_breaker_pause;
        return to;
    }

    delivery::EngineSources engine_sources() {
        delivery::EngineSources sources;
        sources.sites = [this] { return all_sites(); };
        sources.channel = [this](const store::LeasedLetter& letter) {
            return channels_.of(letter, *laboratory_.current());
        };
        sources.report = [this](domain::ReportVersionId version) { return line_->report(version); };
        sources.documents = [this](domain::ReportVersionId version) { return documents(version); };
        return sources;
    }

    asio::awaitable<Result<delivery::Documents>> documents(domain::ReportVersionId version) {
        Result<store::StoredDocuments> stored = co_await reports_->documents(all_sites(), version);
        if (!stored) co_return stored.error();
        co_return delivery::Documents{std::move(stored->n3), std::move(stored->pdf)};
    }

    std::vector<std::int32_t> all_sites() const {
        std::vector<std::int32_t> sites;
        for (const auto& site : laboratory_.current()->sites())
            sites.push_back(site.id.value());
        return sites;
    }

    void remember_catalogues() {
        catalogues_.clear();
        const auto laboratory = laboratory_.current();
        for (const auto& site : laboratory->sites()) {
            // The catalogue lives in the laboratory: keep that alive with it.
            catalogues_.emplace(site.id.value(),
                                std::shared_ptr<const domain::Catalogue>(laboratory, &laboratory->catalogue(site.id)));
        }
    }

    std::shared_ptr<const domain::Catalogue> catalogue_of(domain::SiteId site) const {
        const auto found = catalogues_.find(site.value());
        return found == catalogues_.end() ? nullptr : found->second;
    }

    void open_listeners() {
        for (const auto& from : settings_.listeners) {
            const net::ListenerOptions options = options_of(from);
            net::TlsContextPtr tls;
            net::TlsFiles files;
            if (from.tls) {
                files = {config::credential(settings_, from.certificate), config::credential(settings_, from.key),
                         config::credential(settings_, from.client_ca)};
                tls = server_tls(files, net::ClientCertificate::required, from.name);
            }
            auto conversation = std::make_unique<flow::ConversationOptions>();
            conversation->listener = from.name;
            conversation->links = from.links;
            conversation->max_message_bytes = from.max_message_bytes;
            conversation->first_byte_timeout = from.first_byte_timeout;
            conversation->frame_timeout = from.frame_timeout;
            const auto* how = conversation.get();
            conversations_.push_back(std::move(conversation));
            listen(options, std::move(tls), [this, how](net::StreamPtr stream) {
                return flow::converse(std::move(stream), *intake_, *budget_, laboratory_, clock_, *how);
            });
            if (from.tls)
                certificates_.add(from.name, files, net::ClientCertificate::required, *listeners_.back().second);
        }
        net::ListenerOptions options;
        options.name = "web";
        options.address = settings_.web.address;
        options.port = settings_.web.port;
        options.max_connections = settings_.web.max_connections;
        options.max_connections_per_peer = settings_.web.max_connections;
        net::TlsContextPtr tls;
        net::TlsFiles files;
        if (!settings_.web.tls_certificate.empty()) {
            files = {config::credential(settings_, settings_.web.tls_certificate),
                     config::credential(settings_, settings_.web.tls_key), ""};
            tls = server_tls(files, net::ClientCertificate::none, "web");
        } else if (!net::address_in(settings_.web.address, "127.0.0.0/8") && settings_.web.address != "::1") {
            throw std::runtime_error("web: off loopback the console needs web.tls_certificate (SEC-01)");
        }
        listen(options, std::move(tls),
               [this](net::StreamPtr stream) { return net::serve_http(std::move(stream), http_, handler_); });
        if (!files.certificate_chain.empty())
            certificates_.add("web", files, net::ClientCertificate::none, *listeners_.back().second);
    }

    static net::TlsContextPtr server_tls(const net::TlsFiles& files, net::ClientCertificate client,
                                         const std::string& listener) {
        auto context = net::tls_server(files, client);
        if (!context) throw std::runtime_error("listener " + listener + ": " + to_string(context.error()));
        return *context;
    }

    void listen(const net::ListenerOptions& options, net::TlsContextPtr tls, net::ConnectionHandler handler) {
        auto listener = net::Listener::open(executor_, options, std::move(tls), std::move(handler));
        if (!listener) throw std::runtime_error("listener " + options.name + ": " + to_string(listener.error()));
        if (options.trusted_network)
            log::warn("listener open on a trusted network without client certificates",
                      {{"listener", log::Token{options.name}}});
        log::info("listening", {{"listener", log::Token{options.name}},
                                {"address", log::Token{options.address}},
                                {"port", (*listener)->port()}});
        (*listener)->start();
        listeners_.emplace_back(options.name, std::move(*listener));
    }

    void tell_ready() {
        if (!settings_.ready.file.empty()) {
            boost::json::object ports;
            std::uint16_t web_port = 0;
            for (const auto& [name, listener] : listeners_) {
                if (name == "web")
                    web_port = listener->port();
                else
                    ports[name] = listener->port();
            }
            const boost::json::object ready{
                {"listeners", ports},
                {"web", web_port},
                {"pid", getpid()},
                {"socket_dir", database_.cluster() ? database_.cluster()->socket_dir().string() : ""},
                {"conninfo", database_.conninfo("lab_app")}};
            const std::string partial = settings_.ready.file + ".partial";
            std::ofstream(partial) << boost::json::serialize(ready) << '\n';
            std::rename(partial.c_str(), settings_.ready.file.c_str());
        }
        sd_notify(0, "READY=1");
        log::info("ready", {{"version", log::Token{SGL_VERSION}}, {"sites", laboratory_.current()->sites().size()}});
    }

    asio::awaitable<void> deliver() {
        co_await engine_->run();
        delivered_ = true;
        stop_bell_.ring();
    }

    asio::awaitable<void> compose_loop() {
        while (!ending_) {
            try {
                const std::size_t published = co_await line_->publish_waiting();
                if (published > 0) engine_->wake();
            } catch (const std::exception&) {
                log::warn("reports can't be composed now");
            }
            co_await compose_bell_.wait(settings_.delivery.poll);
        }
    }

    asio::awaitable<void> seal_loop() {
        store::Sealer sealer(database_.audit());
        while (!ending_) {
            try {
                const Instant now = clock_.now();
                const pg::Rows held =
                    co_await database_.audit().query(hold_seal, pg::params(name_, now + std::chrono::seconds(15), now));
                if (held.affected() == 1) {
                    while (co_await sealer.seal(5000, clock_.now()) >= 5000) {
                    }
                }
            } catch (const std::exception&) {
                log::warn("audit events can't be sealed now");
            }
            co_await net::pause(std::chrono::milliseconds(500));
        }
    }

    /// Renewed certificates, application acknowledgements that are owed, and work orders.
    asio::awaitable<void> links_loop() {
        while (!ending_) {
            certificates_.look(clock_.now());
            link_sender_->look();
            co_await net::pause(std::chrono::seconds(1));
        }
        link_sender_->stop();
    }

    asio::awaitable<void> read_laboratory() {
        const domain::LaboratoryPtr laboratory = co_await store::load(database_.app());
        laboratory_.replace(laboratory);
        remember_catalogues();
        log::info("laboratory read again", {{"change", laboratory->change()}});
    }

    /// What was imported holds from now on, without restart (design D15); old message keys go (hl7v2-lab 2.5).
    asio::awaitable<void> watch_loop() {
        Instant forget_at = clock_.now();
        while (!ending_) {
            co_await net::pause(std::chrono::seconds(1));
            sd_notify(0, "WATCHDOG=1");
            try {
                const pg::Rows newest = co_await database_.app().query(newest_change);
                if (newest[0].int64(0) != laboratory_.current()->change()) co_await read_laboratory();
                if (clock_.now() >= forget_at) {
                    const std::size_t gone =
                        co_await inbox_->forget_keys(all_sites(), clock_.now() - std::chrono::days(30));
                    forget_at = clock_.now() +
                                (gone == 0 ? Duration{std::chrono::hours(1)} : Duration{std::chrono::seconds(1)});
                }
            } catch (const std::exception&) {
                log::warn("the laboratory can't be read now");
            }
        }
    }

    asio::awaitable<void> wind_down() {
        log::info("ending");
        sd_notify(0, "STOPPING=1");
        for (auto& [name, listener] : listeners_)
            listener->stop();
        compose_bell_.ring();
        engine_->stop();
        for (auto& [name, listener] : listeners_)
            co_await listener->drain(std::chrono::seconds(2));
        const Instant until = clock_.now() + settings_.daemon.stop_within;
        while (!delivered_ && clock_.now() < until)
            co_await stop_bell_.wait(std::chrono::milliseconds(100));
        co_await database_.close();
        if (!settings_.ready.file.empty()) std::remove(settings_.ready.file.c_str());
        log::info("ended");
    }

    const config::Settings& settings_;
    SystemClock clock_;
    std::string name_;
    asio::io_context context_{1};
    asio::any_io_executor executor_;
    asio::thread_pool workers_;
    Database database_;
    flow::LiveLaboratory laboratory_;
    std::map<std::int32_t, std::shared_ptr<const domain::Catalogue>> catalogues_;
    std::unique_ptr<compose::PdfRenderer> pdf_;
    std::unique_ptr<cda::Checker> checker_;
    std::optional<cda::schematron::OfficialKit> kit_;
    std::optional<flow::OfficialRules> official_;  ///< over kit_
    std::unique_ptr<store::Inbox> inbox_;
    std::unique_ptr<store::Orders> orders_;
    std::unique_ptr<store::Reports> reports_;
    std::unique_ptr<store::Outbox> outbox_;
    std::unique_ptr<flow::Intake> intake_;
    std::unique_ptr<flow::Budget> budget_;
    std::unique_ptr<flow::LinkSender> link_sender_;
    std::unique_ptr<flow::Line> line_;
    Channels channels_;
    std::unique_ptr<delivery::Engine> engine_;
    std::unique_ptr<store::Console> console_;
    std::unique_ptr<store::DeskOrders> desk_orders_;
    std::unique_ptr<store::PatientFiles> patients_;
    std::unique_ptr<flow::Desk> desk_;
    std::unique_ptr<store::Identities> identities_;
    std::unique_ptr<ConsoleCommands> commands_;
    std::unique_ptr<web::Web> web_;
    net::HttpServerOptions http_;
    net::HttpHandler handler_;
    std::vector<std::unique_ptr<flow::ConversationOptions>> conversations_;
    std::vector<std::pair<std::string, std::unique_ptr<net::Listener>>> listeners_;
    CertificateWatch certificates_;
    Bell compose_bell_;
    Bell stop_bell_;
    asio::signal_set signals_;
    bool ending_{};
    bool delivered_{};
    bool failed_{};
};

}  // namespace

Result<void> check_listeners(const config::Settings& settings) {
    for (const auto& listener : settings.listeners) {
        const bool client_certificates = listener.tls && !listener.client_ca.empty();
        if (listener.tls && !client_certificates)
            return Error{Fault::missing, "listener " + listener.name,
                         "tls needs client_ca: MLLP peers show a certificate (SEC-01)"};
        if (auto allowed = net::check_listener_policy(options_of(listener), listener.tls, client_certificates); !allowed)
            return Error{allowed.error().fault, "listener " + listener.name, allowed.error().what};
    }
    return {};
}

int run_service(const config::Settings& settings) {
    std::signal(SIGPIPE, SIG_IGN);
    if (auto allowed = check_listeners(settings); !allowed) {
        std::cerr << "sgld: " << to_string(allowed.error()) << '\n';
        return 1;
    }
    Service service(settings);
    return service.run();
}

}  // namespace sgl::daemon

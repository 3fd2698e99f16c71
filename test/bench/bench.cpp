// sgld-bench: what the line costs on this machine, beside what PostgreSQL alone does there (README.md).
#include <fmt/format.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "hl7/framer.hpp"
#include "test/bench/driver.hpp"
#include "test/bench/instance.hpp"
#include "test/bench/material.hpp"
#include "test/bench/micro.hpp"
#include "test/bench/peer.hpp"
#include "test/bench/reports.hpp"

namespace {

using namespace sgl::bench;

struct Options {
    std::filesystem::path sgld{"build/release/daemon/sgld"};
    std::filesystem::path config{"config"};
    std::vector<std::size_t> connections{1, 4, 16};
    int seconds{10};
    std::size_t rate{0};
    std::size_t reports{100};
    std::vector<std::string> only;
    bool keep{};

    bool wanted(const std::string& part) const { return only.empty() || std::ranges::find(only, part) != only.end(); }
};

/// What one phase used, of whom.
class Meter {
public:
    explicit Meter(const Instance& instance) : instance_(instance) { restart(); }
    void restart() {
        sgld_ = cpu_of(instance_.daemon());
        postgres_ = cpu_of_server(instance_.postmaster());
        bench_ = cpu_of(getpid());
        machine_ = cpu_of_machine();
    }
    struct Used {
        double sgld{};
        double postgres{};
        double bench{};
        double others{};  ///< seconds that neither we nor what we started used
    };
    Used used() const {
        Used used{cpu_of(instance_.daemon()) - sgld_, cpu_of_server(instance_.postmaster()) - postgres_, cpu_of(getpid()) - bench_, 0};
        used.others = std::max(0.0, cpu_of_machine() - machine_ - used.sgld - used.postgres - used.bench);
        return used;
    }

private:
    const Instance& instance_;
    double sgld_{};
    double postgres_{};
    double bench_{};
    double machine_{};
};

std::string busy_others(double seconds_of_others, double seconds) {
    return fmt::format("{:.0f} %", 100 * seconds_of_others / (seconds * processors()));
}

/// Orders are registered as they are needed, so that each message meets one that waits for it.
class Orders {
public:
    explicit Orders(const Instance& instance) : instance_(instance) {}

    /// Numbers from first() on, `count` of them, are then there.
    void add(std::size_t count) {
        first_ = last_;
        last_ += count;
        std::vector<Sending> frames;
        frames.reserve(count);
        for (std::size_t n = first_; n < last_; ++n) frames.push_back({sgl::hl7::frame(order_message(n)), order_control_id(n)});
        const LoadFigures figures = drive(instance_.mllp_port(), 16, 3600, count, [&](std::size_t i) -> const Sending& { return frames[i]; });
        if (figures.refused > 0) throw std::runtime_error("an order was refused: " + figures.first_refusal);
        fmt::print("  {} orders registered by OML^O21 on 16 connections: {:.0f}/s, p99 {:.1f} ms\n", count, figures.per_second(), figures.percentile(0.99));
    }
    std::size_t first() const { return first_; }
    std::size_t last() const { return last_; }

private:
    const Instance& instance_;
    std::size_t first_{};
    std::size_t last_{};
};

/// Nothing of what was acknowledged may be missing, or have gone to a person's work instead of an order.
void verify(const Instance& instance, std::size_t accepted) {
    const auto applied = instance.number("select count(*) from message where type = 'ORU^R01' and state = 'applied' and answer = 'AA'");
    const auto results = instance.number("select count(*) from result where order_id is not null and analyte_id is not null and state = 'raw'");
    const auto audited = instance.number("select count(*) from audit_event where action = 'receive' and actor = 'link:analyser-centre'");
    const auto expected = static_cast<std::int64_t>(accepted);
    if (applied != expected || results != expected * static_cast<std::int64_t>(observations) || audited != expected) {
        throw std::runtime_error(fmt::format("{} messages were accepted; in the database: {} applied, {} mapped and matched results, {} audit events",
                                             accepted, applied, results, audited));
    }
    fmt::print("  checked in the database: {} messages applied, {} results mapped and matched, {} audit events\n", applied, results, audited);
}

std::size_t load(const Instance& instance, const Options& options, const Peer* peer) {
    Orders orders(instance);
    std::size_t accepted = 0;
    for (const std::size_t connections : options.connections) {
        fmt::print("\n== {} connection{}, {} s, ORU^R01 with {} OBX ==\n", connections, connections == 1 ? "" : "s", options.seconds, observations);
        // Twice the goals of the issue, so that a fast machine does not run out.
        const std::size_t rate = options.rate > 0 ? options.rate : connections == 1 ? 800 : connections <= 4 ? 1600 : 3000;
        orders.add(rate * static_cast<std::size_t>(options.seconds));
        std::vector<Sending> frames;
        frames.reserve(orders.last() - orders.first());
        for (std::size_t n = orders.first(); n < orders.last(); ++n) frames.push_back({sgl::hl7::frame(result_message(n)), result_control_id(n)});
        Meter meter(instance);
        const LoadFigures figures = drive(instance.mllp_port(), connections, options.seconds, frames.size(), [&](std::size_t i) -> const Sending& { return frames[i]; });
        const Meter::Used used = meter.used();
        const Memory memory = memory_of(instance.daemon());
        accepted += figures.accepted;
        if (figures.refused > 0) throw std::runtime_error("a message was not acknowledged AA: " + figures.first_refusal);
        const auto each = static_cast<double>(figures.accepted) / 1000;
        fmt::print("  sgld     {:7.0f} durable acknowledgements/s   p50 {:6.2f} ms   p99 {:6.2f} ms   ({} in {:.1f} s{})\n", figures.per_second(),
                   figures.percentile(0.5), figures.percentile(0.99), figures.accepted, figures.seconds, figures.ran_out ? ", all orders used" : "");
        fmt::print("           processor per message: sgld {:.3f} ms, PostgreSQL {:.3f} ms, together {:.3f} ms; the bench itself {:.3f} ms\n", used.sgld / each,
                   used.postgres / each, (used.sgld + used.postgres) / each, used.bench / each);
        fmt::print("           resident memory of sgld {:.0f} MB (peak {:.0f} MB); load average {}; other programs used {} of the processors\n", memory.resident_mb,
                   memory.peak_mb, load_average(), busy_others(used.others, figures.seconds));
        if (peer != nullptr) {
            meter.restart();
            const PeerFigures theirs = peer->measure(connections, options.seconds);
            const Meter::Used beside = meter.used();
            fmt::print("  pgbench  {:7.0f} transactions/s               p50 {:6.2f} ms   p99 {:6.2f} ms   PostgreSQL {:.3f} ms each; other programs {}\n", theirs.per_second, theirs.p50,
                       theirs.p99, theirs.postgres_ms, busy_others(beside.others, options.seconds));
            fmt::print("  ratio    {:7.2f} (sgld / pgbench; pgbench and other programs cannot be told apart in the figure above)\n", figures.per_second() / theirs.per_second);
        }
    }
    verify(instance, accepted);
    return accepted;
}

/// A hospital record that takes connections and never says a word: the kernel accepts for it.
class SilentPartner {
public:
    SilentPartner() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const plain = reinterpret_cast<sockaddr*>(&address);
        if (socket_ < 0 || bind(socket_, plain, size) != 0 || listen(socket_, 64) != 0 || getsockname(socket_, plain, &size) != 0)
            throw std::runtime_error("can't listen");
        port_ = ntohs(address.sin_port);
    }
    SilentPartner(const SilentPartner&) = delete;
    SilentPartner& operator=(const SilentPartner&) = delete;
    ~SilentPartner() { close(socket_); }
    std::string definition() const {
        return fmt::format(
            "[[partner]]\nname = \"silent\"\nlegal_entity = \"690000001\"\n[partner.dpi]\nhost = \"127.0.0.1\"\nport = {}\n"
            "sending_facility = \"690000001\"\nreceiving_application = \"DPI\"\nreceiving_facility = \"690000001\"\nprocessing_id = \"T\"\n",
            port_);
    }

private:
    int socket_;
    std::uint16_t port_{};
};

/// The same load three times: as it is, while letters wait for a partner that never answers, and as it is once more.
void stalled(const Instance& instance, const Options& options) {
    constexpr std::size_t connections = 16;
    constexpr std::size_t letters = 64;
    fmt::print("\n== a delivery partner that never answers, {} connections, {} s each ==\n", connections, options.seconds);
    const SilentPartner partner;
    Orders orders(instance);
    const auto measure = [&](const char* when) {
        orders.add(3000 * static_cast<std::size_t>(options.seconds));
        std::vector<Sending> frames;
        for (std::size_t n = orders.first(); n < orders.last(); ++n) frames.push_back({sgl::hl7::frame(result_message(n)), result_control_id(n)});
        Meter meter(instance);
        const LoadFigures figures = drive(instance.mllp_port(), connections, options.seconds, frames.size(), [&](std::size_t i) -> const Sending& { return frames[i]; });
        if (figures.refused > 0) throw std::runtime_error("a message was not acknowledged AA: " + figures.first_refusal);
        fmt::print("  {:<22} {:7.0f} durable acknowledgements/s   p50 {:6.2f} ms   p99 {:6.2f} ms; other programs {}\n", when, figures.per_second(),
                   figures.percentile(0.5), figures.percentile(0.99), busy_others(meter.used().others, figures.seconds));
        return figures.per_second();
    };
    const double before = measure("no partner");
    instance.import("silent.toml", partner.definition());
    validate_reports(instance, letters);
    const auto waiting = [&] { return instance.number("select count(*) from letter where channel = 'ORU_HOSPITAL' and state = 'sending'"); };
    for (int turn = 0; waiting() == 0; ++turn) {
        if (turn == 100) throw std::runtime_error("no letter waits for the silent partner");
        usleep(100'000);
    }
    const double during = measure("silent partner");
    if (const auto accepted = instance.number("select count(*) from letter where channel = 'ORU_HOSPITAL' and state in ('accepted', 'delivered')"); accepted != 0)
        throw std::runtime_error("the silent partner accepted a letter");
    instance.sql("update letter set state = 'held' where channel = 'ORU_HOSPITAL' and state not in ('sending')");
    const double after = measure("its letters held");
    fmt::print("  ratio    {:7.2f} (with the silent partner / mean of before and after; goal: above 0.90)\n", during / ((before + after) / 2));
}

void reports(const Instance& instance, const Options& options, bool loaded) {
    fmt::print("\n== {} reports, from validation by the JSON API to stored letters; no partner is configured ==\n", options.reports);
    if (!loaded) {
        Orders orders(instance);
        orders.add(options.reports);
        std::vector<Sending> frames;
        for (std::size_t n = orders.first(); n < orders.last(); ++n) frames.push_back({sgl::hl7::frame(result_message(n)), result_control_id(n)});
        const auto figures = drive(instance.mllp_port(), 4, 3600, frames.size(), [&](std::size_t i) -> const Sending& { return frames[i]; });
        if (figures.refused > 0) throw std::runtime_error("a message was not acknowledged AA: " + figures.first_refusal);
    }
    Meter meter(instance);
    const ReportFigures figures = validate_reports(instance, options.reports);
    const Memory memory = memory_of(instance.daemon());
    fmt::print("  {} reports and {} letters in {:.1f} s: {:.1f}/s\n", figures.reports, figures.letters, figures.seconds, static_cast<double>(figures.reports) / figures.seconds);
    fmt::print("  processor per report: sgld {:.1f} ms, PostgreSQL {:.1f} ms (goal: composed, checked and stored in 30 ms)\n", figures.sgld_ms, figures.postgres_ms);
    fmt::print("  resident memory of sgld {:.0f} MB (peak {:.0f} MB); load average {}\n", memory.resident_mb, memory.peak_mb, load_average());
}

int work(const Options& options) {
    fmt::print("sgld-bench: {} processors, load average {}\n", processors(), load_average());
    if (options.wanted("load") || options.wanted("reports")) {
        const Instance instance(options.sgld, options.config, options.keep);
        fmt::print("sgld {} (process {}), PostgreSQL process {}, folder {}\n", options.sgld.string(), instance.daemon(), instance.postmaster(), instance.folder().string());
        fmt::print("  resident memory of sgld at rest {:.0f} MB\n", memory_of(instance.daemon()).resident_mb);
        try {
            if (options.wanted("load")) {
                std::unique_ptr<Peer> peer;
                if (options.wanted("pgbench")) peer = std::make_unique<Peer>(instance, result_message(1));
                load(instance, options, peer.get());
            }
            if (options.wanted("reports")) reports(instance, options, options.wanted("load"));
        } catch (const std::exception&) {
            fmt::print(stderr, "-- the end of the daemon's log --\n{}\n", instance.log_tail());
            throw;
        }
    }
    if (options.wanted("stalled")) {
        const Instance instance(options.sgld, options.config, options.keep);
        try {
            stalled(instance, options);
        } catch (const std::exception&) {
            fmt::print(stderr, "-- the end of the daemon's log --\n{}\n", instance.log_tail());
            throw;
        }
    }
    if (options.wanted("micro")) {
        fmt::print("\n== single steps ==\n");
        std::fflush(stdout);
        run_micro(options.config);
    }
    return 0;
}

}  // namespace

int main(int count, char** arguments) {
    Options options;
    CLI::App app{"Figures of sgld on this machine: durable acknowledgements, processor time and memory, beside pgbench in the same run"};
    app.add_option("--sgld", options.sgld, "the daemon, a release build")->capture_default_str();
    app.add_option("--config", options.config, "folder of the samples")->capture_default_str();
    app.add_option("--connections", options.connections, "numbers of connections to try")->delimiter(',')->capture_default_str();
    app.add_option("--seconds", options.seconds, "of each phase")->capture_default_str();
    app.add_option("--rate", options.rate, "orders made ready per second of a phase (default: enough for twice the goals)");
    app.add_option("--reports", options.reports, "reports to validate")->capture_default_str();
    app.add_option("--only", options.only, "parts: load, pgbench (with load), reports, stalled, micro")->delimiter(',');
    app.add_flag("--keep", options.keep, "leave the instance's folder behind");
    CLI11_PARSE(app, count, arguments);
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    try {
        return work(options);
    } catch (const std::exception& problem) {
        fmt::print(stderr, "sgld-bench: {}\n", problem.what());
        return 1;
    }
}

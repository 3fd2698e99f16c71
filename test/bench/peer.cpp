#include "test/bench/peer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "test/bench/material.hpp"

namespace sgl::bench {

namespace {

constexpr std::string_view tables = R"sql(
    create table message (id bigint generated always as identity primary key, received_at timestamptz not null,
                          control_id text not null, raw bytea not null);
    create table result (id bigint generated always as identity primary key, message_id bigint not null, position integer not null,
                         code text not null, value_kind text not null, value text not null, unit text not null, flags text not null,
                         status text not null, measured_at text not null, received_at timestamptz not null);
    create index result_message on result (message_id))sql";

/// One statement is one transaction and one round trip: the fastest way that pgbench has.
std::string script() {
    std::string rows;
    for (std::size_t i = 1; i <= observations; ++i) {
        rows += fmt::format("{}({}, 'B{:02}', '{}.{}')", i == 1 ? "" : ", ", i, i, 100 + i, i % 10);
    }
    return fmt::format(
        "\\set number random(1, 1000000000)\n"
        "with m as (insert into message (received_at, control_id, raw) values (now(), 'BR' || :number, :raw::bytea) returning id) "
        "insert into result (message_id, position, code, value_kind, value, unit, flags, status, measured_at, received_at) "
        "select m.id, v.position, v.code, 'q', v.value, 'mmol/L', 'N', 'F', '20260315081500+0100', now() "
        "from m, (values {}) as v(position, code, value);\n",
        rows);
}

std::string hexadecimal(const std::string& bytes) {
    std::string text = "\\x";
    for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return text;
}

double after(const std::string& text, std::string_view label) {
    const auto at = text.find(label);
    if (at == std::string::npos) throw std::runtime_error("pgbench says nothing of " + std::string(label) + "\n" + text);
    return std::stod(text.substr(at + label.size()));
}

double rank(const std::vector<double>& sorted, double part) {
    return sorted.empty() ? 0 : sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(part * static_cast<double>(sorted.size())))];
}

}  // namespace

Peer::Peer(const Instance& instance, const std::string& raw) : instance_(instance), raw_(hexadecimal(raw)) {
    instance_.sql("create database bench");
    instance_.sql(std::string(tables), "bench");
    const auto file = instance_.sockets() / "pgbench.sql";
    std::ofstream(file) << script();
    give(file, instance_.account());
}

PeerFigures Peer::measure(std::size_t connections, int seconds) const {
    const auto prefix = instance_.sockets() / fmt::format("pgbench-{}", connections);
    const double before = cpu_of_server(instance_.postmaster());
    const std::string output =
        run({"/usr/lib/postgresql/15/bin/pgbench", "-h", instance_.sockets().string(), "-U", instance_.account().name, "-n", "-M", "prepared",
             "-c", std::to_string(connections), "-j", "1", "-T", std::to_string(seconds), "-D", "raw=" + raw_, "-l", "--log-prefix", prefix.string(), "-f",
             (instance_.sockets() / "pgbench.sql").string(), "bench"},
            &instance_.account(), seconds + 120);
    const double used = cpu_of_server(instance_.postmaster()) - before;
    PeerFigures figures;
    figures.per_second = after(output, "tps = ");
    std::vector<double> latencies;
    for (const auto& entry : std::filesystem::directory_iterator(instance_.sockets())) {
        if (!entry.path().string().starts_with(prefix.string() + ".")) continue;
        std::ifstream lines(entry.path());
        for (std::string line; std::getline(lines, line);) {
            std::istringstream fields(line);
            std::string client;
            std::string transaction;
            double microseconds = 0;
            if (fields >> client >> transaction >> microseconds) latencies.push_back(microseconds / 1000);
        }
    }
    std::ranges::sort(latencies);
    figures.p50 = rank(latencies, 0.5);
    figures.p99 = rank(latencies, 0.99);
    if (!latencies.empty()) figures.postgres_ms = used * 1000 / static_cast<double>(latencies.size());
    return figures;
}

}  // namespace sgl::bench

#include "test/bench/instance.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "test/bench/material.hpp"

namespace sgl::bench {

namespace {

namespace fs = std::filesystem;

void write_file(const fs::path& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary);
    file << text;
    if (!file.flush()) throw std::runtime_error("can't write " + path.string());
}

std::string read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

volatile pid_t running = 0;  // for the handler below

/// An interrupted bench takes its daemon with it; the folder stays.
void interrupted(int signal) {
    const pid_t daemon = running;
    if (daemon > 0 && kill(daemon, SIGTERM) == 0) waitpid(daemon, nullptr, 0);
    _exit(128 + signal);
}

}  // namespace

Instance::Instance(fs::path sgld, fs::path config_folder, bool keep)
    : sgld_(fs::canonical(sgld)), keep_(keep), account_(service_account()) {
    char name[] = "/tmp/sglb-XXXXXX";
    if (mkdtemp(name) == nullptr) throw std::runtime_error("no folder under /tmp");
    folder_ = name;
    sockets_ = folder_ / "run";
    chmod(name, 0711);
    try {
        for (const char* part : {"run", "data", "lab"}) {
            fs::create_directory(folder_ / part);
            give(folder_ / part, account_);
        }
        write_files(config_folder);
        start_daemon();
    } catch (...) {
        close();
        throw;
    }
}

Instance::~Instance() { close(); }

void Instance::write_files(const fs::path& config_folder) {
    std::string settings = fmt::format(
        "[instance]\nlabel = \"bench\"\nenvironment = \"test\"\n\n[daemon]\nuser = \"{}\"\nstate_dir = \"{}\"\n"
        "credentials_dir = \"{}\"\nstop_within = \"5s\"\n\n[log]\nlevel = \"info\"\n\n[database]\nsocket_dir = \"{}\"\n\n"
        "[web]\nport = 0\ndemonstration_accounts = true\n\n[ready]\nfile = \"{}\"\n",
        account_.name, (folder_ / "data").string(), (folder_ / "lab").string(), sockets_.string(), (sockets_ / "ready.json").string());
    // Everything else, sizes of PostgreSQL included, is as shipped: that is what is measured.
    for (const char* listener : {"centre", "nord", "hopital"}) {
        settings += fmt::format("\n[[listener]]\nname = \"{}\"\nport = 0\nmax_connections_per_peer = 64\n", listener);
    }
    write_file(folder_ / "sgld.toml", settings);
    for (const char* sample : {"laboratory.sample.toml", "links.sample.toml", "users.sample.toml", "correspondents.sample.csv"}) {
        const fs::path copy = folder_ / "lab" / sample;
        write_file(copy, read_file(config_folder / sample));
        imports_.push_back(copy.string());
    }
    write_file(folder_ / "lab" / "catalogue.csv", catalogue_csv());
    imports_.push_back((folder_ / "lab" / "catalogue.csv").string());
    for (const auto& file : imports_) give(file, account_);
}

void Instance::start_daemon() {
    const fs::path ready = sockets_ / "ready.json";
    daemon_ = start({sgld_.string(), "-c", (folder_ / "sgld.toml").string(), "run"}, nullptr, folder_ / "sgld.log");
    running = daemon_;
    for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, interrupted);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(120);
    while (!fs::exists(ready)) {
        if (!alive()) throw std::runtime_error("sgld ended while starting:\n" + log_tail());
        if (std::chrono::steady_clock::now() > end) throw std::runtime_error("sgld is not ready after two minutes:\n" + log_tail());
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    const auto value = boost::json::parse(read_file(ready));
    mllp_port_ = value.at("listeners").at("centre").to_number<std::uint16_t>();
    web_port_ = value.at("web").to_number<std::uint16_t>();
    std::vector<std::string> arguments{"import"};
    arguments.insert(arguments.end(), imports_.begin(), imports_.end());
    command(arguments);
    postmaster_ = static_cast<pid_t>(number("select (regexp_match(pg_read_file('postmaster.pid'), '^\\d+'))[1]"));
    std::this_thread::sleep_for(std::chrono::seconds(2));  // the daemon looks for imports every second
}

std::string Instance::command(const std::vector<std::string>& arguments) const {
    std::vector<std::string> words{sgld_.string(), "-c", (folder_ / "sgld.toml").string()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return run(words, nullptr);
}

void Instance::import(const std::string& name, const std::string& text) const {
    const fs::path path = folder_ / "lab" / name;
    write_file(path, text);
    give(path, account_);
    command({"import", path.string()});
    std::this_thread::sleep_for(std::chrono::seconds(2));  // the daemon looks for imports every second
}

std::vector<std::string> Instance::sql(const std::string& statement, const std::string& database) const {
    const std::string output = run({"/usr/lib/postgresql/15/bin/psql", "-h", sockets_.string(), "-U", account_.name, "-d", database, "-XAtq",
                                    "-v", "ON_ERROR_STOP=1", "-c", statement},
                                   &account_, 300);
    std::vector<std::string> rows;
    std::istringstream lines(output);
    for (std::string line; std::getline(lines, line);) rows.push_back(line);
    return rows;
}

std::int64_t Instance::number(const std::string& statement) const {
    const auto rows = sql(statement);
    if (rows.empty()) throw std::runtime_error("no answer to: " + statement);
    return std::stoll(rows.front());
}

std::string Instance::log_tail() const {
    const std::string log = read_file(folder_ / "sgld.log");
    return log.size() > 4000 ? log.substr(log.size() - 4000) : log;
}

bool Instance::alive() const { return daemon_ > 0 && waitpid(daemon_, nullptr, WNOHANG) == 0; }

void Instance::close() noexcept {
    try {
        if (alive()) {
            kill(daemon_, SIGTERM);
            wait_for(daemon_, 60);
        }
        daemon_ = 0;
        running = 0;
        if (keep_) fmt::print("kept: {}\n", folder_.string());
        else fs::remove_all(folder_);
    } catch (const std::exception& problem) {
        fmt::print(stderr, "{}\n", problem.what());
    }
}

}  // namespace sgl::bench

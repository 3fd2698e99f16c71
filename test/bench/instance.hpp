// A private sgld for the time of the bench: embedded PostgreSQL, the sample laboratory and the bench's catalogue, in a short
// folder of its own under /tmp.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "test/bench/process.hpp"

namespace sgl::bench {

class Instance {
public:
    /// Starts it and waits until it serves. `keep`: leaves the folder behind.
    Instance(std::filesystem::path sgld, std::filesystem::path config_folder, bool keep);
    ~Instance();
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;

    std::uint16_t mllp_port() const { return mllp_port_; }  ///< listener `centre`
    std::uint16_t web_port() const { return web_port_; }
    pid_t daemon() const { return daemon_; }
    pid_t postmaster() const { return postmaster_; }
    const std::filesystem::path& folder() const { return folder_; }
    const std::filesystem::path& sockets() const { return sockets_; }
    const Account& account() const { return account_; }

    /// psql as superuser (the bench only: sgld itself never is); rows, columns separated by `|`.
    std::vector<std::string> sql(const std::string& statement, const std::string& database = "sgl") const;
    std::int64_t number(const std::string& statement) const;
    /// `sgld import` of one more file with this content.
    void import(const std::string& name, const std::string& text) const;
    /// The last lines of its log.
    std::string log_tail() const;
    bool alive() const;

private:
    void write_files(const std::filesystem::path& config_folder);
    void start_daemon();
    void close() noexcept;
    std::string command(const std::vector<std::string>& arguments) const;

    std::filesystem::path sgld_;
    bool keep_;
    Account account_;
    std::filesystem::path folder_;
    std::filesystem::path sockets_;
    std::vector<std::string> imports_;
    pid_t daemon_{};
    pid_t postmaster_{};
    std::uint16_t mllp_port_{};
    std::uint16_t web_port_{};
};

}  // namespace sgl::bench

#include "test/lib/delivery/mssante/partner_process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

namespace sgl::test {

namespace {

int start(const std::vector<std::string>& arguments, const std::string& output) {
    std::vector<std::string> copies = arguments;
    std::vector<char*> argv;
    for (auto& one : copies) argv.push_back(one.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    int pid = -1;
    const int failed = posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) throw std::runtime_error("cannot start " + arguments.front());
    return pid;
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "sgld-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
    std::filesystem::permissions(path_, std::filesystem::perms(0755));
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

PartnerProcess::PartnerProcess(const std::string& script, const std::string& out, const std::vector<std::string>& arguments) {
    std::filesystem::create_directories(out);
    const std::string ready_file = out + "/" + script + ".ready.json";
    std::vector<std::string> all{"/usr/bin/python3", "test/partners/" + script, "--ready", ready_file, "--out", out};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const std::string log = out + "/" + script + ".log";
    pid_ = start(all, log);
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!std::filesystem::exists(ready_file)) {
        const bool ended = ::waitpid(pid_, nullptr, WNOHANG) != 0;
        if (ended) pid_ = -1;
        if (ended || std::chrono::steady_clock::now() > limit) throw std::runtime_error(script + " did not start:\n" + read_file(log));
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    ready_ = read_file(ready_file);
}

PartnerProcess::~PartnerProcess() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
}

unsigned PartnerProcess::number(const std::string& name) const {
    const auto at = ready_.find("\"" + name + "\":");
    if (at == std::string::npos) throw std::runtime_error("no " + name + " in the ready file");
    return static_cast<unsigned>(std::stoul(ready_.substr(at + name.size() + 3)));
}

std::string PartnerProcess::request(const std::string& text) const {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(number("control_port")));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::string answer;
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 &&
        ::send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size())) {
        std::array<char, 4096> buffer{};
        ssize_t count = 0;
        while ((count = ::recv(fd, buffer.data(), buffer.size(), 0)) > 0) answer.append(buffer.data(), static_cast<std::size_t>(count));
    }
    ::close(fd);
    if (answer.find(" 200 ") == std::string::npos) throw std::runtime_error("control port: " + answer);
    return answer.substr(answer.find("\r\n\r\n") + 4);
}

void PartnerProcess::post(const std::string& command, const std::string& json) const {
    request("POST /" + command + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: " +
            std::to_string(json.size()) + "\r\n\r\n" + json);
}

std::string PartnerProcess::state() const {
    return request("GET /state HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
}

int run_program(const std::vector<std::string>& arguments, const std::string& output) {
    int status = 0;
    ::waitpid(start(arguments, output), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const std::string& path, const std::string& content) {
    std::ofstream(path, std::ios::binary) << content;
}

}  // namespace sgl::test

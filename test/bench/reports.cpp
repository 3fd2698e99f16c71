#include "test/bench/reports.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cctype>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace sgl::bench {

namespace {

namespace json = boost::json;
using Steady = std::chrono::steady_clock;

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

/// HTTP/1.1 over one connection, just enough for the API of sgld.
class Api {
public:
    Api(std::uint16_t port, const std::string& login, const std::string& password) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), port_(port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (socket_ < 0 || connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            throw std::runtime_error("can't connect to the console");
        }
        const int on = 1;
        setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        const json::value session = call("POST", "/api/v1/session", json::object{{"login", login}, {"password", password}}, 201);
        token_ = session.at("csrf_token").as_string().c_str();
    }
    Api(const Api&) = delete;
    Api& operator=(const Api&) = delete;
    ~Api() { close(socket_); }

    json::value call(const std::string& method, const std::string& target, const json::value& body, int expected) {
        const std::string text = method == "GET" ? std::string() : json::serialize(body);
        std::string request = fmt::format("{} {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAccept: application/json\r\n", method, target, port_);
        if (!cookie_.empty()) request += "Cookie: " + cookie_ + "\r\n";
        if (method != "GET") request += fmt::format("Content-Type: application/json\r\nX-CSRF-Token: {}\r\nContent-Length: {}\r\n", token_, text.size());
        request += "\r\n" + text;
        if (send(socket_, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
            throw std::runtime_error("the console closed");
        }
        const auto end_of_head = fill_until("\r\n\r\n");
        const std::string head = buffer_.substr(0, end_of_head);
        const std::string small = lower(head);
        const auto length_at = small.find("\r\ncontent-length:");
        const std::size_t length = length_at == std::string::npos ? 0 : std::stoul(small.substr(length_at + 17));
        while (buffer_.size() < end_of_head + 4 + length) fill();
        const std::string answer = buffer_.substr(end_of_head + 4, length);
        buffer_.erase(0, end_of_head + 4 + length);
        if (const auto at = small.find("\r\nset-cookie:"); at != std::string::npos) {
            const auto from = head.find_first_not_of(' ', at + 13);
            cookie_ = head.substr(from, head.find_first_of(";\r", from) - from);
        }
        const int status = std::stoi(head.substr(head.find(' ') + 1));
        if (status != expected) throw std::runtime_error(fmt::format("{} {}: {} {}", method, target, status, answer));
        return answer.empty() ? json::value() : json::parse(answer);
    }

private:
    void fill() {
        char chunk[65536];
        const ssize_t count = recv(socket_, chunk, sizeof chunk, 0);
        if (count <= 0) throw std::runtime_error("the console closed");
        buffer_.append(chunk, static_cast<std::size_t>(count));
    }
    std::size_t fill_until(std::string_view mark) {
        for (;;) {
            if (const auto at = buffer_.find(mark); at != std::string::npos) return at;
            fill();
        }
    }

    int socket_;
    std::uint16_t port_;
    std::string buffer_;
    std::string cookie_;
    std::string token_;
};

struct Wish {
    std::string path;
    json::object command;
};

}  // namespace

ReportFigures validate_reports(const Instance& instance, std::size_t count) {
    Api api(instance.web_port(), "claire.biologiste", "demonstration");
    const auto orders = instance.sql(fmt::format(
        "select id from lab_order where state = 'in_progress' and (select count(*) from result where order_id = lab_order.id) = 20 "
        "order by registered_at limit {}", count));
    // What the biologist reads is not part of the figure; what she signs is.
    std::vector<Wish> wishes;
    for (const auto& id : orders) {
        const json::value order = api.call("GET", "/api/v1/orders/" + id, {}, 200);
        if (order.at("draft").is_null()) throw std::runtime_error("an order has no draft: " + json::serialize(order.at("draft_error")));
        json::array seen;
        for (const auto& result : order.at("draft").at("results").as_array()) seen.push_back(result.at("id"));
        wishes.push_back({"/api/v1/orders/" + id + "/validation", {{"row_version", order.at("row_version")}, {"results", seen}}});
    }
    ReportFigures figures;
    figures.reports = wishes.size();
    if (wishes.empty()) throw std::runtime_error("no order has all its results");
    std::this_thread::sleep_for(std::chrono::seconds(1));
    const double sgld = cpu_of(instance.daemon());
    const double postgres = cpu_of_server(instance.postmaster());
    const auto begin = Steady::now();
    for (const auto& wish : wishes) api.call("POST", wish.path, wish.command, 201);
    const auto validated = Steady::now();
    for (;;) {
        const auto left = instance.number("select count(*) from report_version where state = 'validated'");
        if (left == 0) break;
        if (Steady::now() - validated > std::chrono::minutes(2)) throw std::runtime_error(fmt::format("{} reports are not published", left));
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    figures.seconds = std::chrono::duration<double>(Steady::now() - begin).count();
    const auto reports = static_cast<double>(figures.reports);
    figures.sgld_ms = (cpu_of(instance.daemon()) - sgld) * 1000 / reports;
    figures.postgres_ms = (cpu_of_server(instance.postmaster()) - postgres) * 1000 / reports;
    if (const auto refused = instance.number("select count(*) from report_version where state = 'refused'"); refused != 0) {
        throw std::runtime_error(fmt::format("{} reports were refused: {}", refused, instance.sql("select refusal from report_version where state = 'refused' limit 1").front()));
    }
    figures.letters = static_cast<std::size_t>(instance.number("select count(*) from letter"));
    return figures;
}

}  // namespace sgl::bench

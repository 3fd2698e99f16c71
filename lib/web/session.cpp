#include "lib/web/session.hpp"

#include <algorithm>
#include <chrono>

#include "lib/base/text.hpp"

namespace sgl::web {

std::string_view cookie_name(bool tls) { return tls ? "__Host-sgld_session" : "sgld_session"; }

std::string set_cookie(std::string_view token, bool tls) {
    std::string cookie(cookie_name(tls));
    cookie += '=';
    cookie += token;
    cookie += "; Path=/; HttpOnly; SameSite=Strict";
    if (tls) cookie += "; Secure";
    return cookie;
}

std::string clear_cookie(bool tls) { return set_cookie("", tls) + "; Max-Age=0"; }

std::optional<std::string> session_token(const net::Headers& headers, bool tls) {
    std::optional<std::string> token;
    for (const auto& [name, value] : headers) {
        if (!net::same_header_name(name, "Cookie")) continue;
        for (const auto part : split(value, ';')) {
            const auto pair = trim(part);
            const auto equals = pair.find('=');
            if (equals == std::string_view::npos || pair.substr(0, equals) != cookie_name(tls)) continue;
            if (token) return std::nullopt;
            token = std::string(pair.substr(equals + 1));
        }
    }
    if (!token || token->size() != 64) return std::nullopt;
    const bool hexadecimal = std::ranges::all_of(*token, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
    if (!hexadecimal) return std::nullopt;
    return token;
}

bool own_origin(const net::Headers& headers, bool tls) {
    if (const auto site = headers.find("Sec-Fetch-Site"); site && *site != "same-origin" && *site != "none") return false;
    const auto origin = headers.find("Origin");
    if (!origin) return true;
    const auto host = headers.find("Host");
    if (!host) return false;
    std::string own(tls ? "https://" : "http://");
    own += *host;
    return *origin == own;
}

Duration SignInGuard::wait_of(const std::string& key, Instant now) const {
    const auto found = failures_.find(key);
    if (found == failures_.end() || found->second.count < 3) return Duration::zero();
    const auto doublings = std::min(found->second.count - 3, 9U);
    const Duration pause = std::min<Duration>(std::chrono::seconds{2} * (1U << doublings), std::chrono::minutes{15});
    return std::max(Duration::zero(), found->second.last + pause - now);
}

Duration SignInGuard::wait(std::string_view login, std::string_view address, Instant now) {
    const std::scoped_lock lock(mutex_);
    return std::max(wait_of("login:" + std::string(login), now), wait_of("address:" + std::string(address), now));
}

void SignInGuard::add(const std::string& key, Instant now) {
    auto& entry = failures_[key];
    if (now - entry.last > std::chrono::hours{1}) entry.count = 0;
    ++entry.count;
    entry.last = now;
}

void SignInGuard::failed(std::string_view login, std::string_view address, Instant now) {
    const std::scoped_lock lock(mutex_);
    if (failures_.size() > 10'000) {
        std::erase_if(failures_, [&](const auto& entry) { return now - entry.second.last > std::chrono::minutes{15}; });
        if (failures_.size() > 10'000) failures_.clear();
    }
    add("login:" + std::string(login), now);
    add("address:" + std::string(address), now);
}

void SignInGuard::succeeded(std::string_view login) {
    const std::scoped_lock lock(mutex_);
    failures_.erase("login:" + std::string(login));
}

}  // namespace sgl::web

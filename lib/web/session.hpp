// Cookies, CSRF and the back-off of sign-in (SEC-41, SEC-46, SEC-49): pure, so that each rule is a test.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/clock.hpp"
#include "lib/net/http.hpp"

namespace sgl::web {

/// `__Host-sgld_session` under TLS; browsers refuse that prefix without Secure, so plain `sgld_session` on loopback HTTP.
std::string_view cookie_name(bool tls);
std::string set_cookie(std::string_view token, bool tls);
std::string clear_cookie(bool tls);
/// The session's token from all Cookie headers; nothing when absent, repeated, or not 64 hexadecimal digits.
std::optional<std::string> session_token(const net::Headers& headers, bool tls);

/// An unsafe request comes from our own pages, as far as the browser says: Origin is our Host, Sec-Fetch-Site same-origin.
/// A program that sends neither is let through to the token check.
bool own_origin(const net::Headers& headers, bool tls);

/// Failed sign-ins by login and by address: after three, each waits twice as long as the one before, up to 15 minutes.
/// Forgotten after an hour without a failure. Thread-safe, bounded. Lost by a restart: it only slows down.
class SignInGuard {
public:
    /// How long until this one may try again; 0: now.
    Duration wait(std::string_view login, std::string_view address, Instant now);
    void failed(std::string_view login, std::string_view address, Instant now);
    void succeeded(std::string_view login);

private:
    struct Failures {
        unsigned count{};
        Instant last;
    };
    Duration wait_of(const std::string& key, Instant now) const;
    void add(const std::string& key, Instant now);

    mutable std::mutex mutex_;
    std::map<std::string, Failures, std::less<>> failures_;
};

}  // namespace sgl::web

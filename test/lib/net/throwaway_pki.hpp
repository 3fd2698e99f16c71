// A throw-away certificate authority for tests: files in a temporary folder that disappears with the object.
#pragma once

#include <filesystem>
#include <string>

#include "lib/net/tls.hpp"

namespace sgl::test {

class ThrowawayPki {
public:
    ThrowawayPki();
    ThrowawayPki(const ThrowawayPki&) = delete;
    ThrowawayPki& operator=(const ThrowawayPki&) = delete;
    ~ThrowawayPki();

    std::string ca() const { return path("ca.pem"); }
    /// A certificate of our authority for `common_name`, with DNS:localhost and IP:127.0.0.1.
    net::TlsFiles issue(const std::string& common_name) const;
    /// The same from an authority that nobody believes; `ca` in the result is still ours.
    net::TlsFiles issue_by_stranger(const std::string& common_name) const;
    /// For the name `elsewhere.test` only.
    net::TlsFiles issue_for_other_host() const;

    std::string path(const std::string& file) const { return (folder_ / file).string(); }

private:
    std::filesystem::path folder_;
};

}  // namespace sgl::test

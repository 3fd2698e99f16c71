// The listeners' certificates while the daemon runs: renewed files count without restart, and what is about to end is
// said in time (SEC-06).
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "lib/base/clock.hpp"
#include "lib/net/listener.hpp"
#include "lib/net/tls.hpp"

namespace sgl::daemon {

class CertificateWatch {
public:
    /// `listener` outlives the watch.
    void add(std::string name, net::TlsFiles files, net::ClientCertificate client, net::Listener& listener);

    /// Looks at the files; call it every second or so. Files that can't be used leave the old ones in force.
    void look(Instant now);

private:
    struct Watched {
        std::string name;
        net::TlsFiles files;
        net::ClientCertificate client{};
        net::Listener* listener{};
        std::array<std::filesystem::file_time_type, 3> seen{};
        Instant next_warning{};
    };
    static std::array<std::filesystem::file_time_type, 3> times(const net::TlsFiles& files);
    static void warn_of_the_end(Watched& one, Instant now);

    std::vector<Watched> all_;
};

}  // namespace sgl::daemon

#include "daemon/certificates.hpp"

#include <chrono>
#include <system_error>

#include "lib/base/log.hpp"

namespace sgl::daemon {

std::array<std::filesystem::file_time_type, 3> CertificateWatch::times(const net::TlsFiles& files) {
    const auto of = [](const std::string& path) {
        std::error_code missing;
        const auto time =
            path.empty() ? std::filesystem::file_time_type{} : std::filesystem::last_write_time(path, missing);
        return missing ? std::filesystem::file_time_type{} : time;
    };
    return {of(files.certificate_chain), of(files.private_key), of(files.ca)};
}

void CertificateWatch::add(std::string name, net::TlsFiles files, net::ClientCertificate client,
                           net::Listener& listener) {
    const auto seen = times(files);
    all_.push_back({std::move(name), std::move(files), client, &listener, seen, {}});
}

void CertificateWatch::look(Instant now) {
    for (auto& one : all_) {
        if (const auto changed = times(one.files); changed != one.seen) {
            one.seen = changed;
            auto context = net::tls_server(one.files, one.client);
            if (context) {
                one.listener->use(std::move(*context));
                one.next_warning = now;
                log::info("certificates read again", {{"listener", log::Token{one.name}}});
            } else {
                log::warn("new certificates can't be used; the old ones stay", context.error());
            }
        }
        if (now >= one.next_warning) warn_of_the_end(one, now);
    }
}

void CertificateWatch::warn_of_the_end(Watched& one, Instant now) {
    using std::chrono::days;
    one.next_warning = now + days(1);
    const auto end = net::valid_until(one.files.certificate_chain);
    if (!end) return;
    const auto left = std::chrono::floor<days>(*end - now).count();
    // SEC-06: 60, 30, 7 and 1 days before, then each day.
    const bool tell = left == 60 || left == 30 || left <= 7;
    if (!tell) return;
    const log::Fields fields{{"listener", log::Token{one.name}}, {"days_left", left}};
    left <= 1 ? log::error("a certificate ends", fields) : log::warn("a certificate ends soon", fields);
}

}  // namespace sgl::daemon

#include "lib/web/password.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <charconv>
#include <optional>
#include <stdexcept>

#include "lib/base/digest.hpp"
#include "lib/base/text.hpp"

namespace sgl::web {

namespace {

struct Cost {
    unsigned log_n{15};
    unsigned r{8};
    unsigned p{1};
};

std::string derive(std::string_view password, std::string_view salt, const Cost& cost) {
    std::string hash(32, '\0');
    constexpr std::uint64_t memory = 128ULL * 1024 * 1024;
    const int done = EVP_PBE_scrypt(password.data(), password.size(), reinterpret_cast<const unsigned char*>(salt.data()), salt.size(),
                                    1ULL << cost.log_n, cost.r, cost.p, memory, reinterpret_cast<unsigned char*>(hash.data()), hash.size());
    if (done != 1) throw std::runtime_error("scrypt can't run");
    return hash;
}

std::optional<unsigned> number(std::string_view text, unsigned most) {
    unsigned value = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (ec != std::errc() || end != text.data() + text.size() || value == 0 || value > most) return std::nullopt;
    return value;
}

}  // namespace

std::string hash_password(std::string_view password) {
    const auto salt = random_token(16);
    const Cost cost;
    return fmt::format("scrypt${}${}${}${}${}", cost.log_n, cost.r, cost.p, base64_encode(salt), base64_encode(derive(password, salt, cost)));
}

bool password_matches(std::string_view password, std::string_view stored) {
    const auto parts = split(stored, '$');
    if (parts.size() != 6 || parts[0] != "scrypt") return false;
    const auto log_n = number(parts[1], 16);
    const auto r = number(parts[2], 8);
    const auto p = number(parts[3], 4);
    const auto salt = base64_decode(parts[4]);
    const auto hash = base64_decode(parts[5]);
    if (!log_n || !r || !p || !salt || !hash || hash->size() != 32) return false;
    return equal_constant_time(derive(password, *salt, {*log_n, *r, *p}), *hash);
}

}  // namespace sgl::web

#include "lib/base/password.hpp"

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <stdexcept>

#include "lib/base/digest.hpp"
#include "lib/base/text.hpp"

namespace sgl {

namespace {

constexpr std::string_view parameters = "ln=14,r=8,p=1";
constexpr std::uint64_t cost = 1U << 14U;
constexpr std::uint64_t block_size = 8;
constexpr std::uint64_t parallel = 1;
constexpr std::uint64_t memory_limit = 64U << 20U;

/// The salt's hexadecimal form itself is what goes in: no decoding that could fail.
std::string derive(std::string_view password, std::string_view salt) {
    std::array<std::uint8_t, 32> key{};
    std::array<std::uint8_t, 128> salt_bytes{};
    const auto size = std::min(salt.size(), salt_bytes.size());
    for (std::size_t i = 0; i < size; ++i)
        salt_bytes[i] = static_cast<std::uint8_t>(salt[i]);
    if (EVP_PBE_scrypt(password.data(), password.size(), salt_bytes.data(), size, cost, block_size, parallel,
                       memory_limit, key.data(), key.size()) != 1)
        throw std::runtime_error("scrypt failed");
    return to_hex(key);
}

}  // namespace

std::string hash_password(std::string_view password) {
    const auto salt = random_token(16);
    return "$scrypt$" + std::string(parameters) + "$" + salt + "$" + derive(password, salt);
}

bool verify_password(std::string_view stored, std::string_view password) {
    const auto parts = split(stored, '$');
    if (parts.size() != 5 || !parts[0].empty() || parts[1] != "scrypt" || parts[2] != parameters) return false;
    return equal_constant_time(parts[4], derive(password, parts[3]));
}

}  // namespace sgl

#include "lib/base/uuid.hpp"

#include <openssl/rand.h>
#include <cstring>
#include <stdexcept>

#include "lib/base/digest.hpp"

namespace sgl {

Uuid Uuid::v7(Instant now) {
    Uuid uuid;
    if (RAND_bytes(uuid.bytes.data(), static_cast<int>(uuid.bytes.size())) != 1) {
        throw std::runtime_error("no random bytes from the operating system");
    }
    const auto millis = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count());
    for (std::size_t i = 0; i < 6; ++i)
        uuid.bytes[i] = static_cast<std::uint8_t>(millis >> (8 * (5 - i)));
    uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0F) | 0x70);
    uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3F) | 0x80);
    return uuid;
}

Uuid Uuid::v5(const Uuid& space, std::string_view name) {
    std::string input(reinterpret_cast<const char*>(space.bytes.data()), space.bytes.size());
    input += name;
    const auto digest = sha1(input);
    Uuid uuid;
    std::memcpy(uuid.bytes.data(), digest.data(), uuid.bytes.size());
    uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0F) | 0x50);
    uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3F) | 0x80);
    return uuid;
}

Result<Uuid> Uuid::parse(std::string_view text) {
    const auto bad = [] { return Error{Fault::malformed, "", "not a UUID"}; };
    if (text.size() != 36) return bad();
    Uuid uuid;
    std::size_t at = 0;
    int high = -1;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (c != '-') return bad();
            continue;
        }
        int digit = 0;
        if (c >= '0' && c <= '9')
            digit = c - '0';
        else if (c >= 'a' && c <= 'f')
            digit = c - 'a' + 10;
        else if (c >= 'A' && c <= 'F')
            digit = c - 'A' + 10;
        else
            return bad();
        if (high < 0) {
            high = digit;
        } else {
            uuid.bytes[at++] = static_cast<std::uint8_t>(high * 16 + digit);
            high = -1;
        }
    }
    return uuid;
}

std::string Uuid::to_oid() const {
    std::array<std::uint8_t, 16> number = bytes;
    std::string digits;
    for (bool more = true; more;) {
        unsigned remainder = 0;
        more = false;
        for (auto& byte : number) {
            const unsigned value = remainder * 256 + byte;
            byte = static_cast<std::uint8_t>(value / 10);
            remainder = value % 10;
            more = more || byte != 0;
        }
        digits.insert(digits.begin(), static_cast<char>('0' + remainder));
    }
    return "2.25." + digits;
}

std::string to_string(const Uuid& uuid) {
    static constexpr char hex[] = "0123456789abcdef";
    std::string text;
    text.reserve(36);
    for (std::size_t i = 0; i < uuid.bytes.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        text += hex[uuid.bytes[i] >> 4];
        text += hex[uuid.bytes[i] & 0x0F];
    }
    return text;
}

}  // namespace sgl

std::size_t std::hash<sgl::Uuid>::operator()(const sgl::Uuid& uuid) const noexcept {
    std::size_t value = 0;
    std::memcpy(&value, uuid.bytes.data() + 8, sizeof value);
    return value;
}

// Digests and the two text forms of bytes. SHA-1 only where a standard asks for it (XDS hash, UUID version 5).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sgl {

using Sha256 = std::array<std::uint8_t, 32>;
using Sha1 = std::array<std::uint8_t, 20>;

Sha256 sha256(std::string_view bytes);
Sha1 sha1(std::string_view bytes);
std::string to_hex(std::span<const std::uint8_t> bytes);  ///< lower case

std::string base64_encode(std::string_view bytes);  ///< RFC 4648 with padding, no line break
/// Blanks and line ends inside are ignored; missing padding is accepted; anything else gives nothing.
std::optional<std::string> base64_decode(std::string_view text);

std::string random_token(std::size_t bytes);  ///< from the OS, in hexadecimal (2 characters a byte)
bool equal_constant_time(std::string_view a, std::string_view b);

}  // namespace sgl

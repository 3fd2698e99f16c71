// Passwords of demonstration accounts, kept as scrypt hashes (RFC 7914) with a salt of their own.
#pragma once

#include <string>
#include <string_view>

namespace sgl {

/// `$scrypt$ln=14,r=8,p=1$<salt>$<hash>`, both in hexadecimal. Takes some 50 ms and 16 MiB on purpose.
std::string hash_password(std::string_view password);

/// False for a wrong password and for anything that is not such a hash; in constant time for equal forms.
bool verify_password(std::string_view stored, std::string_view password);

}  // namespace sgl

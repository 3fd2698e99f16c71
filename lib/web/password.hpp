// Passwords of demonstration accounts: scrypt, in one text `scrypt$<log2 N>$<r>$<p>$<salt>$<hash>` (base64).
#pragma once

#include <string>
#include <string_view>

namespace sgl::web {

/// Some 32 MiB and 100 ms: never on an I/O thread.
std::string hash_password(std::string_view password);
/// False for a stored text of another form. Takes the same time whatever differs.
bool password_matches(std::string_view password, std::string_view stored);

}  // namespace sgl::web

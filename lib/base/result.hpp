// What a function returns when refusing is one of its answers (style, section 5): a Result, never an exception.
#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace sgl {

/// Why something was refused. One switch on it makes the text for people (ACK, HTTP status, worklist).
enum class Fault : std::uint8_t {
    malformed,    ///< cannot be read as what it claims to be
    missing,      ///< something required is absent
    unsupported,  ///< understood, but not handled by this version
    conflict,     ///< somebody else changed it first, or it contradicts what we hold
    refused,      ///< a rule or a partner says no
    unavailable,  ///< a partner or resource cannot answer now; trying later may help
};

constexpr std::string_view to_string(Fault fault) {
    switch (fault) {
        case Fault::malformed:
            return "malformed";
        case Fault::missing:
            return "missing";
        case Fault::unsupported:
            return "unsupported";
        case Fault::conflict:
            return "conflict";
        case Fault::refused:
            return "refused";
        case Fault::unavailable:
            return "unavailable";
    }
    return "";
}

/// `where` is a place ("OBX[3]-5", "/ClinicalDocument/id"), never a value; `what` is a sentence for the laboratory's
/// IT, without patient data.
struct Error {
    Fault fault{};
    std::string where;
    std::string what;

    bool operator==(const Error&) const = default;
};

inline std::string to_string(const Error& error) {
    return error.where.empty() ? error.what : error.where + ": " + error.what;
}

[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location& location);

template <class T>
class [[nodiscard]] Result : public boost::system::result<T, Error> {
public:
    using boost::system::result<T, Error>::result;
};

}  // namespace sgl

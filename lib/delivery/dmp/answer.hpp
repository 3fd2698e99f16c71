// What the DMP answers, read and judged (dmp.md 3.3 and 8): MIME first, then XML, faults included, whatever the HTTP
// status.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/delivery/channel.hpp"

namespace sgl::dmp {

struct Problem {
    std::string code;      ///< `DMPClosed`, `XDSRepositoryBusy`…: letters, digits, `.`, `_`, `-`; at most 80 characters
    std::string location;  ///< an id of our submission (`Doc01`), or empty
    bool warning{};
};

/// An object that a query found.
struct Found {
    std::string id;      ///< `urn:uuid:` + entryUUID
    std::string status;  ///< availability status; empty when only references were told
};

struct Answer {
    enum class Kind : std::uint8_t {
        success,     ///< RegistryResponse or AdhocQueryResponse with status Success and no error
        failure,     ///< any other status, or an error in the list
        fault,       ///< SOAP fault
        http,        ///< no SOAP, but an HTTP status above 299
        unreadable,  ///< what was done is not known
    } kind{Kind::unreadable};
    unsigned status{};  ///< HTTP
    std::vector<Problem> problems;
    std::vector<Found> found;  ///< by a query
};

/// `message_id`: of the request; an answer to another one is unreadable. Answers above `largest_answer` bytes are too.
Answer read_answer(unsigned status, std::string_view content_type, std::string_view body, std::string_view message_id);
inline constexpr std::size_t largest_answer = 4 * 1024 * 1024;

/// The entry is not, or no more, as our message said: read it again, then once more (dmp.md 8).
bool says_stale(const Answer& answer);

/// What it means for the letter, or nothing: our submission was registered before, so ask for the document by its
/// uniqueId. The error's text is the code and our own words: what the partner wrote may name the patient.
std::optional<delivery::Outcome> judge(const Answer& answer, const std::string& document_id);

}  // namespace sgl::dmp

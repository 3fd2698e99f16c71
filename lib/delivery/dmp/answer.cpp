#include "lib/delivery/dmp/answer.hpp"

#include <gmime/gmime.h>

#include <algorithm>
#include <array>
#include <memory>

#include "lib/base/text.hpp"
#include "lib/delivery/dmp/xml.hpp"

namespace sgl::dmp {

namespace {

using delivery::Outcome;
using domain::Reason;

constexpr std::string_view soap = "http://www.w3.org/2003/05/soap-envelope";
constexpr std::string_view addressing = "http://www.w3.org/2005/08/addressing";
constexpr std::string_view rs = "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0";
constexpr std::string_view query = "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0";
constexpr std::string_view rim = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0";
constexpr std::string_view success = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success";
constexpr std::string_view warning_severity = "urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Warning";
constexpr std::size_t most_problems = 50;
constexpr std::size_t longest_code = 80;

// ------------------------------------------------------------------------------------------------------------- MIME

struct Unref {
    void operator()(void* object) const { g_object_unref(object); }
};
template <class T>
using Object = std::unique_ptr<T, Unref>;

GMimeObject* root_part(GMimeObject* whole) {
    if (!GMIME_IS_MULTIPART(whole)) return whole;
    auto* const parts = GMIME_MULTIPART(whole);
    const int count = g_mime_multipart_get_count(parts);
    if (count <= 0) return nullptr;
    const char* const start = g_mime_object_get_content_type_parameter(whole, "start");
    std::string_view wanted = start == nullptr ? std::string_view() : std::string_view(start);
    if (wanted.starts_with('<') && wanted.ends_with('>')) wanted = wanted.substr(1, wanted.size() - 2);
    for (int i = 0; i < count && !wanted.empty(); ++i) {
        auto* const part = g_mime_multipart_get_part(parts, i);
        const char* const id = g_mime_object_get_content_id(part);
        if (id != nullptr && wanted == id) return part;
    }
    return g_mime_multipart_get_part(parts, 0);
}

/// The XML of the answer: the root part of a multipart, or all of it.
std::string root_of(std::string_view content_type, std::string_view body) {
    static const bool ready = [] {
        g_mime_init();
        return true;
    }();
    static_cast<void>(ready);
    if (!to_upper_ascii(trim(content_type)).starts_with("MULTIPART/")) return std::string(body);
    std::string whole = "MIME-Version: 1.0\r\nContent-Type: ";
    whole += replace_all(replace_all(std::string(content_type), "\r", " "), "\n", " ");
    whole += "\r\n\r\n";
    whole += body;
    const Object<GMimeStream> stream{g_mime_stream_mem_new_with_buffer(whole.data(), whole.size())};
    const Object<GMimeParser> parser{g_mime_parser_new_with_stream(stream.get())};
    const Object<GMimeObject> message{g_mime_parser_construct_part(parser.get(), nullptr)};
    if (!message) return {};
    auto* const part = root_part(message.get());
    if (part == nullptr || !GMIME_IS_PART(part)) return {};
    auto* const content = g_mime_part_get_content(GMIME_PART(part));
    if (content == nullptr) return {};
    const Object<GMimeStream> out{g_mime_stream_mem_new()};
    if (g_mime_data_wrapper_write_to_stream(content, out.get()) < 0) return {};
    const auto* const bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(out.get()));
    return std::string(reinterpret_cast<const char*>(bytes->data), bytes->len);
}

// -------------------------------------------------------------------------------------------------------------- XML

bool is_code_character(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' || c == '_' ||
           c == '-';
}

/// A code and nothing else: what does not look like one could be a sentence about the patient.
std::string code_of(std::string_view text) {
    text = text.substr(text.rfind(':') == std::string_view::npos ? 0 : text.rfind(':') + 1);
    const bool fits = !text.empty() && text.size() <= longest_code && std::ranges::all_of(text, is_code_character) &&
                      !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
    return fits ? std::string(text) : std::string("unknown");
}

std::string location_of(std::string_view text) {
    constexpr std::array<std::string_view, 3> ours{"Doc01", "Signature01", "SubmissionSet01"};
    for (const auto one : ours) {
        if (text.find(one) != std::string_view::npos) return std::string(one);
    }
    return {};
}

/// The code of a SOAP fault: its subcode, else the first word of its reason (`DMPInvalidCertificate: …`).
std::string fault_code(const xmlNode* fault) {
    if (const auto* subcode = find_element(fault, soap, "Subcode")) {
        auto code = code_of(text_of(find_element(subcode, soap, "Value")));
        if (code != "unknown") return code;
    }
    const auto reason = text_of(find_element(fault, soap, "Text"));
    const auto word = std::string_view(reason).substr(0, reason.find_first_of(" :,;"));
    return word.starts_with("DMP") || word.starts_with("XDS") ? code_of(word) : "unknown";
}

Answer read_response(const xmlNode* response) {
    Answer answer;
    bool errors = false;
    for (const auto* error : find_elements(response, rs, "RegistryError", most_problems)) {
        Problem problem{code_of(attribute_of(error, "errorCode")), location_of(attribute_of(error, "location")),
                        attribute_of(error, "severity") == warning_severity};
        errors = errors || !problem.warning;
        answer.problems.push_back(std::move(problem));
    }
    answer.kind =
        attribute_of(response, "status") == success && !errors ? Answer::Kind::success : Answer::Kind::failure;
    for (const auto* kind : {"ObjectRef", "ExtrinsicObject"}) {
        for (const auto* object : find_elements(response, rim, kind, most_problems))
            answer.found.push_back({attribute_of(object, "id"), attribute_of(object, "status")});
    }
    return answer;
}

std::optional<Answer> read_soap(std::string_view xml, std::string_view message_id) {
    const auto document = read_xml(xml, Origin::outside);
    if (!document) return std::nullopt;
    const xmlNode* const root = xmlDocGetRootElement(document->get());
    if (!is_element(root, soap, "Envelope")) return std::nullopt;
    const auto* const relates = find_element(root, addressing, "RelatesTo");
    if (relates != nullptr && text_of(relates) != message_id) return std::nullopt;
    const auto* const body = find_element(root, soap, "Body");
    if (const auto* fault = find_element(body, soap, "Fault")) {
        Answer answer;
        answer.kind = Answer::Kind::fault;
        answer.problems.push_back({fault_code(fault), {}, false});
        return answer;
    }
    if (relates == nullptr) return std::nullopt;  // a fault may come before our headers were read; an answer may not
    const auto* response = find_element(body, rs, "RegistryResponse");
    if (response == nullptr) response = find_element(body, query, "AdhocQueryResponse");
    if (response == nullptr) return std::nullopt;
    return read_response(response);
}

// --------------------------------------------------------------------------------------------------- what it means

/// In the order in which they win when an answer holds several.
enum class Meaning : std::uint8_t {
    done_before,
    stale,
    their_trouble,
    unknown,
    our_bug,
    configuration,
    certificate,
    other_bytes,
    too_large,
    no_dmp,
    closed
};

struct Known {
    std::string_view code;
    Meaning meaning;
};

// dmp.md 8. What is not here is shown to a person.
constexpr std::array known{
    Known{"DMPClosed", Meaning::closed},
    Known{"XDSUnknownPatientId", Meaning::no_dmp},
    Known{"DMPAccessDeniedByRightsService", Meaning::configuration},
    Known{"DMPInvalidCertificate", Meaning::certificate},
    Known{"XDSPatientIdDoesNotMatch", Meaning::our_bug},
    Known{"XDSRegistryDuplicateUniqueIdInMessage", Meaning::our_bug},
    Known{"XDSRepositoryDuplicateUniqueIdInMessage", Meaning::our_bug},
    Known{"XDSMissingDocument", Meaning::our_bug},
    Known{"XDSMissingDocumentMetadata", Meaning::our_bug},
    Known{"XDSRegistryMetadataError", Meaning::our_bug},
    Known{"XDSRepositoryMetadataError", Meaning::our_bug},
    Known{"InvalidDocumentContent", Meaning::our_bug},
    Known{"XDSDuplicateUniqueIdInRegistry", Meaning::done_before},
    Known{"XDSRegistryDeprecatedDocumentError", Meaning::stale},
    Known{"UnresolvedReferenceException", Meaning::stale},
    Known{"XDSMetadataVersionError", Meaning::stale},
    Known{"XDSMetadataUpdateError", Meaning::stale},
    Known{"XDSNonIdenticalHash", Meaning::other_bytes},
    Known{"XDSNonIdenticalSize", Meaning::other_bytes},
    Known{"XDSRegistryBusy", Meaning::their_trouble},
    Known{"XDSRepositoryBusy", Meaning::their_trouble},
    Known{"XDSRegistryOutOfResources", Meaning::their_trouble},
    Known{"XDSRepositoryOutOfResources", Meaning::their_trouble},
    Known{"XDSRegistryNotAvailable", Meaning::their_trouble},
    Known{"XDSRegistryError", Meaning::their_trouble},
    Known{"XDSRepositoryError", Meaning::their_trouble},
};

Meaning meaning_of(const std::string& code) {
    const auto* const found = std::ranges::find(known, code, &Known::code);
    return found == known.end() ? Meaning::unknown : found->meaning;
}

Error told(Fault fault, const std::string& code, const std::string& location, std::string_view words) {
    return {fault, location, "the DMP answered " + code + ": " + std::string(words)};
}

std::optional<Outcome> outcome_of(Meaning meaning, const std::string& code, const std::string& location) {
    using delivery::not_applicable;
    using delivery::refused;
    switch (meaning) {
        case Meaning::done_before:
            return std::nullopt;
        case Meaning::stale:
            return refused(Reason::partner_refused, told(Fault::conflict, code, location,
                                                         "the document is not in the state that sgld believed"));
        case Meaning::their_trouble:
            return delivery::try_later(Reason::partner_unavailable,
                                       told(Fault::unavailable, code, location, "it cannot take the document now"));
        case Meaning::unknown:
            return refused(Reason::partner_refused,
                           told(Fault::refused, code, location, "a code that sgld does not know"));
        case Meaning::our_bug:
            return refused(Reason::partner_refused,
                           told(Fault::refused, code, location, "it does not accept the message that sgld made"));
        case Meaning::configuration:
            return refused(Reason::partner_refused,
                           told(Fault::refused, code, location, "the structure or its rights do not fit"));
        case Meaning::certificate:
            return refused(Reason::certificate_expired,
                           told(Fault::refused, code, location, "it does not accept the stamp certificate"));
        case Meaning::other_bytes:
            return refused(Reason::partner_refused,
                           told(Fault::conflict, code, location, "it holds other bytes under the same identifier"));
        case Meaning::too_large:
            return refused(Reason::too_large, told(Fault::refused, code, location, "the message is too large"));
        case Meaning::no_dmp:
            return not_applicable(Reason::no_dmp,
                                  told(Fault::refused, code, location, "there is no DMP for this identity"));
        case Meaning::closed:
            return not_applicable(Reason::dmp_closed,
                                  told(Fault::refused, code, location, "the patient's DMP is closed"));
    }
    return std::nullopt;
}

/// The problem that decides; null when the answer names none.
const Problem* worst_of(const Answer& answer) {
    const bool registered = std::ranges::any_of(
        answer.problems, [](const Problem& one) { return meaning_of(one.code) == Meaning::done_before; });
    const Problem* worst = nullptr;
    for (const auto& one : answer.problems) {
        if (one.warning) continue;
        // Signed with another certificate than the first time: only the signature of the set differs.
        if (registered && one.location == "Signature01" && meaning_of(one.code) == Meaning::other_bytes) continue;
        if (worst == nullptr || meaning_of(one.code) > meaning_of(worst->code)) worst = &one;
    }
    return worst;
}

std::optional<Outcome> judge_problems(const Answer& answer) {
    const Problem* const worst = worst_of(answer);
    if (worst == nullptr) return outcome_of(Meaning::unknown, "a failure without an error code", {});
    return outcome_of(meaning_of(worst->code), worst->code, worst->location);
}

/// Without any SOAP to say more. What a gateway answers for a server that may have worked is in doubt.
Outcome judge_status(unsigned status) {
    const auto code = "HTTP " + std::to_string(status);
    if (status == 502 || status == 504)
        return delivery::in_doubt(told(Fault::unavailable, code, {}, "what became of the message is not known"));
    if (status >= 500 || status == 404 || status == 408 || status == 429)
        return *outcome_of(Meaning::their_trouble, code, {});
    if (status == 413) return *outcome_of(Meaning::too_large, code, {});
    return *outcome_of(Meaning::configuration, code, {});
}

}  // namespace

Answer read_answer(unsigned status, std::string_view content_type, std::string_view body, std::string_view message_id) {
    Answer answer;
    if (body.size() <= largest_answer) {
        if (auto read = read_soap(root_of(content_type, body), message_id)) answer = std::move(*read);
    }
    answer.status = status;
    const bool said = answer.kind != Answer::Kind::unreadable;
    if (!said && (status < 200 || status > 299)) answer.kind = Answer::Kind::http;
    return answer;
}

bool says_stale(const Answer& answer) {
    if (answer.kind != Answer::Kind::failure && answer.kind != Answer::Kind::fault) return false;
    const Problem* const worst = worst_of(answer);
    return worst != nullptr && meaning_of(worst->code) == Meaning::stale;
}

std::optional<Outcome> judge(const Answer& answer, const std::string& document_id) {
    switch (answer.kind) {
        case Answer::Kind::success:
            return delivery::accepted(document_id);
        case Answer::Kind::failure:
        case Answer::Kind::fault:
            return judge_problems(answer);
        case Answer::Kind::http:
            return judge_status(answer.status);
        case Answer::Kind::unreadable:
            break;
    }
    return delivery::in_doubt({Fault::unavailable, "", "the answer of the DMP cannot be read"});
}

}  // namespace sgl::dmp

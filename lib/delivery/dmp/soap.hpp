// A SOAP 1.2 request with WS-Addressing and a VIHF, as MTOM (dmp.md 3.3): the text that goes into one POST.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cda/xml_writer.hpp"
#include "lib/base/result.hpp"

namespace sgl::dmp {

namespace action {
inline constexpr std::string_view feed = "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b";
inline constexpr std::string_view stored_query = "urn:ihe:iti:2007:RegistryStoredQuery";
inline constexpr std::string_view update = "urn:ihe:iti:2010:UpdateDocumentSet";
}  // namespace action

/// A document beside the envelope; `xop:Include` names it by `cid:` + content_id.
struct Attachment {
    std::string content_id;  ///< `doc01@…`, ASCII without blanks
    std::string_view bytes;  ///< XML; outlives the call
};

struct Call {
    std::string url;
    std::string_view action;
    std::string message_id;  ///< `urn:uuid:…`, fresh per call
    std::string assertion;   ///< signed saml2:Assertion, put in as it is
};

struct Mtom {
    std::string content_type;
    std::string body;
};

/// `urn:uuid:` + a random (version 4) UUID.
std::string random_urn();
/// 8-4-4-4-12 of a random (version 4) UUID.
std::string random_uuid();

/// What the service takes (dmp.md 3.3), bytes of the whole body.
inline constexpr std::size_t largest_message = 50 * 1024 * 1024;

/// The envelope alone. `write_body` writes the one child of soap:Body.
template <class Body>
Result<std::string> envelope(const Call& call, Body&& write_body);

Mtom mtom(const Call& call, std::string_view envelope, const std::vector<Attachment>& attachments);

// ---------------------------------------------------------------------------------------------------------------------

namespace detail {
void open_header(cda::XmlWriter& writer, const Call& call);
Result<std::string> with_assertion(Result<std::string> envelope, std::string_view assertion);
}  // namespace detail

template <class Body>
Result<std::string> envelope(const Call& call, Body&& write_body) {
    cda::XmlWriter w;
    w.element("soap:Envelope",
              {{"xmlns:soap", "http://www.w3.org/2003/05/soap-envelope"},
               {"xmlns:wsa", "http://www.w3.org/2005/08/addressing"}},
              [&] {
                  detail::open_header(w, call);
                  w.element("soap:Body", {}, [&] { write_body(w); });
              });
    return detail::with_assertion(w.take(), call.assertion);
}

}  // namespace sgl::dmp

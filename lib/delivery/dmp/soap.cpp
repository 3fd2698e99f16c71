#include "lib/delivery/dmp/soap.hpp"

#include "lib/base/digest.hpp"

namespace sgl::dmp {

namespace {

// Stands in wsse:Security, the first header, until the signed bytes take its place: they must not be written anew.
constexpr std::string_view assertion_here = "saml2:Assertion";
constexpr std::string_view root_id = "root@sgld";

}  // namespace

std::string random_uuid() {
    auto hex = random_token(16);
    constexpr std::string_view variants = "89ab";
    hex[12] = '4';
    hex[16] = variants[static_cast<unsigned char>(hex[16]) % variants.size()];
    for (const std::size_t at : {8U, 13U, 18U, 23U})
        hex.insert(at, 1, '-');
    return hex;
}

std::string random_urn() {
    return "urn:uuid:" + random_uuid();
}

void detail::open_header(cda::XmlWriter& w, const Call& call) {
    w.element("soap:Header", {}, [&] {
        w.element("wsse:Security",
                  {{"xmlns:wsse", "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"}},
                  assertion_here);
        w.element("wsa:Action", {{"soap:mustUnderstand", "true"}}, call.action);
        w.element("wsa:MessageID", {}, call.message_id);
        w.element("wsa:To", {}, call.url);
        w.element("wsa:ReplyTo", {{"soap:mustUnderstand", "true"}},
                  [&] { w.element("wsa:Address", {}, "http://www.w3.org/2005/08/addressing/anonymous"); });
    });
}

Result<std::string> detail::with_assertion(Result<std::string> envelope, std::string_view assertion) {
    if (!envelope) return envelope.error();
    const auto at = envelope->find(assertion_here);
    envelope->replace(at, assertion_here.size(), assertion);
    return envelope;
}

Mtom mtom(const Call& call, std::string_view envelope, const std::vector<Attachment>& attachments) {
    // Random, so that no document can hold it.
    const auto boundary = "sgld-" + random_uuid();
    std::string body;
    std::size_t size = envelope.size() + 1024;
    for (const auto& one : attachments)
        size += one.bytes.size() + 256;
    body.reserve(size);
    const auto part = [&](std::string_view type, std::string_view id, std::string_view bytes) {
        body += "--";
        body += boundary;
        body += "\r\nContent-Type: ";
        body += type;
        body += "\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <";
        body += id;
        body += ">\r\n\r\n";
        body += bytes;
        body += "\r\n";
    };
    part("application/xop+xml; charset=UTF-8; type=\"application/soap+xml\"", root_id, envelope);
    for (const auto& one : attachments)
        part("text/xml", one.content_id, one.bytes);
    body += "--" + boundary + "--\r\n";

    std::string type = "multipart/related; boundary=\"" + boundary + "\"; type=\"application/xop+xml\"; start=\"<";
    type += root_id;
    type += ">\"; start-info=\"application/soap+xml\"; action=\"";
    type += call.action;
    type += '"';
    return {std::move(type), std::move(body)};
}

}  // namespace sgl::dmp

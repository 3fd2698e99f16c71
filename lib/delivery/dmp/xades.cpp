#include "lib/delivery/dmp/xades.hpp"

#include "cda/xml_writer.hpp"
#include "lib/base/time.hpp"
#include "lib/delivery/dmp/xml.hpp"

namespace sgl::dmp {

namespace {

using cda::XmlWriter;

constexpr std::string_view dsig = "http://www.w3.org/2000/09/xmldsig#";
constexpr std::string_view xades = "http://uri.etsi.org/01903/v1.1.1#";
constexpr std::string_view with_comments = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments";
constexpr std::string_view purpose_source = "1.2.840.10065.1.12.1.14";

void digest(XmlWriter& w, const Stamp& stamp, std::string_view value) {
    w.element("DigestMethod", {{"Algorithm", stamp.digest_method()}});
    w.element("DigestValue", {}, value);
}

void signed_info(XmlWriter& w, const Stamp& stamp) {
    w.element("SignedInfo", {}, [&] {
        w.element("CanonicalizationMethod", {{"Algorithm", with_comments}});
        w.element("SignatureMethod", {{"Algorithm", stamp.signature_method()}});
        w.element("Reference", {{"Type", "http://www.w3.org/2000/09/xmldsig#Manifest"}, {"URI", "#IHEManifest"}},
                  [&] { digest(w, stamp, ""); });
        w.element("Reference",
                  {{"Type", "http://uri.etsi.org/01903/v1.1.1#SignedProperties"}, {"URI", "#S0-SignedProperties"}},
                  [&] { digest(w, stamp, ""); });
    });
}

void signed_properties(XmlWriter& w, std::string_view time, const Stamp& stamp) {
    w.element("SignedProperties", {{"Id", "S0-SignedProperties"}}, [&] {
        w.element("SignedSignatureProperties", {}, [&] {
            w.element("SigningTime", {}, time);
            w.element("SigningCertificate", {}, [&] {
                for (const auto& link : stamp.chain()) {
                    w.element("Cert", {}, [&] {
                        w.element("CertDigest", {}, [&] { digest(w, stamp, link.digest); });
                        w.element("IssuerSerial", {}, [&] {
                            w.element("X509IssuerName", {{"xmlns", dsig}}, link.issuer);
                            w.element("X509SerialNumber", {{"xmlns", dsig}}, link.serial);
                        });
                    });
                }
            });
            w.element("SignaturePolicyIdentifier", {}, [&] { w.element("SignaturePolicyImplied"); });
        });
        w.element("SignedDataObjectProperties");
    });
}

}  // namespace

Result<std::string> submission_signature(const std::string& id, const std::string& submission_id,
                                         std::span<const SignedDocument> documents, Instant at, const Stamp& stamp) {
    std::vector<std::string> digests;
    for (const auto& document : documents) {
        const auto canonical = canonical_with_comments(document.bytes);
        if (!canonical) return canonical.error();
        digests.push_back(stamp.digest(*canonical));
    }
    const auto time = to_iso8601(at).substr(0, 19) + "Z";
    XmlWriter w{16384};
    w.element("Signature", {{"xmlns", dsig}, {"Id", id}}, [&] {
        signed_info(w, stamp);
        w.element("SignatureValue");
        w.element("KeyInfo", {},
                  [&] { w.element("X509Data", {}, [&] { w.element("X509Certificate", {}, stamp.certificate()); }); });
        w.element("Object", {}, [&] {
            w.element("Manifest", {{"Id", "IHEManifest"}}, [&] {
                w.element("Reference", {{"URI", "urn:oid:" + submission_id}}, [&] { digest(w, stamp, "AA=="); });
                for (std::size_t i = 0; i < documents.size(); ++i) {
                    w.element("Reference", {{"URI", "urn:oid:" + documents[i].unique_id}}, [&] {
                        w.element("Transforms", {}, [&] { w.element("Transform", {{"Algorithm", with_comments}}); });
                        digest(w, stamp, digests[i]);
                    });
                }
            });
        });
        w.element("Object", {}, [&] {
            w.element("SignatureProperties", {}, [&] {
                w.element("SignatureProperty", {{"Id", "purposeOfSignature"}, {"Target", "#" + id}}, purpose_source);
            });
        });
        w.element("Object", {}, [&] {
            w.element("QualifyingProperties", {{"xmlns", xades}, {"Target", "#" + id}},
                      [&] { signed_properties(w, time, stamp); });
        });
    });
    const auto unsigned_text = w.take();
    if (!unsigned_text) return unsigned_text.error();
    return stamp.sign(*unsigned_text);
}

}  // namespace sgl::dmp

#include "lib/delivery/dmp/vihf.hpp"

#include "cda/xml_writer.hpp"
#include "lib/base/time.hpp"

namespace sgl::dmp {

namespace {

using cda::XmlWriter;

constexpr std::string_view dsig = "http://www.w3.org/2000/09/xmldsig#";
constexpr std::string_view exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#";

/// Element of the two attributes whose value is an HL7 coded element.
struct Coded {
    std::string_view element;
    std::string code;
    std::string_view system;
    std::string_view system_name;
    std::string label;
};

/// Profession and speciality of the biologist, from his speciality of JDV_J01 (`G15_10/SM03`).
std::vector<Coded> roles(const domain::Professional& biologist, const delivery::DmpPartner& partner) {
    constexpr std::string_view profession_system = "1.2.250.1.71.1.2.7";
    constexpr std::string_view speciality_system = "1.2.250.1.71.4.2.5";  // R38
    const std::string_view code = biologist.speciality.code;
    const auto slash = code.find('/');
    Coded profession{"Role", partner.profession, profession_system, "", partner.profession_label};
    if (code.starts_with("G15_10")) profession.code = "10", profession.label = "Médecin";
    if (code.starts_with("G15_21")) profession.code = "21", profession.label = "Pharmacien";
    std::vector<Coded> all{profession};
    if (slash != std::string_view::npos) {
        all.push_back({"Role", std::string(code.substr(slash + 1)),
                       profession.code == "21" ? std::string_view(partner.section_oid) : speciality_system, "",
                       biologist.speciality.label});
    }
    return all;
}

void signature(XmlWriter& w, const std::string& id, const Stamp& stamp) {
    w.element("ds:Signature", {{"xmlns:ds", dsig}}, [&] {
        w.element("ds:SignedInfo", {}, [&] {
            w.element("ds:CanonicalizationMethod", {{"Algorithm", exclusive}});
            w.element("ds:SignatureMethod", {{"Algorithm", stamp.signature_method()}});
            w.element("ds:Reference", {{"URI", "#" + id}}, [&] {
                w.element("ds:Transforms", {}, [&] {
                    w.element("ds:Transform", {{"Algorithm", "http://www.w3.org/2000/09/xmldsig#enveloped-signature"}});
                    w.element("ds:Transform", {{"Algorithm", exclusive}});
                });
                w.element("ds:DigestMethod", {{"Algorithm", stamp.digest_method()}});
                w.element("ds:DigestValue");
            });
        });
        w.element("ds:SignatureValue");
        w.element("ds:KeyInfo", {}, [&] {
            w.element("ds:X509Data", {}, [&] { w.element("ds:X509Certificate", {}, stamp.certificate()); });
        });
    });
}

void text_attribute(XmlWriter& w, std::string_view name, std::string_view value) {
    w.require(!value.empty(), "this attribute has no value", name);
    w.element("saml2:Attribute", {{"Name", name}},
              [&] { w.element("saml2:AttributeValue", {{"xsi:type", "xs:string"}}, value); });
}

void coded_attribute(XmlWriter& w, std::string_view name, const std::vector<Coded>& values) {
    w.element("saml2:Attribute", {{"Name", name}}, [&] {
        for (const auto& one : values) {
            w.element("saml2:AttributeValue", {}, [&] {
                w.element(one.element, {{"xmlns", "urn:hl7-org:v3"},
                                        {"xsi:type", "CE"},
                                        {"code", one.code},
                                        {"codeSystem", one.system},
                                        {"codeSystemName", one.system_name},
                                        {"displayName", one.label}});
            });
        }
    });
}

}  // namespace

std::string national_patient_id(const domain::Patient& patient) {
    if (!patient.ins_may_leave()) return {};
    const auto& ins = patient.ins->reveal();
    return ins.matricule.text() + "^^^&" + ins.oid + "&ISO^NH";
}

Result<std::string> vihf(const domain::Report& report, const delivery::DmpPartner& partner, const Stamp& stamp,
                         const std::string& id, Instant now) {
    // Milliseconds, cut: never later than the clock of the other side.
    const auto instant = to_iso8601(now).substr(0, 23) + "Z";
    const auto& biologist = report.validator;
    XmlWriter w{8192};
    w.element(
        "saml2:Assertion",
        {{"xmlns:saml2", "urn:oasis:names:tc:SAML:2.0:assertion"},
         {"xmlns:xs", "http://www.w3.org/2001/XMLSchema"},
         {"xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"},
         {"ID", id},
         {"IssueInstant", instant},
         {"Version", "2.0"}},
        [&] {
            w.element("saml2:Issuer", {{"Format", "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName"}},
                      stamp.subject());
            signature(w, id, stamp);
            w.element("saml2:Subject", {}, [&] {
                w.require(!biologist.rpps.empty(), "the biologist has no RPPS number", "saml2:NameID");
                w.element("saml2:NameID", {}, biologist.rpps.national());
            });
            w.element("saml2:AuthnStatement", {{"AuthnInstant", instant}}, [&] {
                w.element("saml2:AuthnContext", {}, [&] {
                    w.element("saml2:AuthnContextClassRef", {}, "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified");
                });
            });
            w.element("saml2:AttributeStatement", {}, [&] {
                text_attribute(w, "VIHF_Version", partner.vihf_version);
                text_attribute(w, partner.mode_attribute, "INDIRECTE");
                text_attribute(w, "Identifiant_Structure", partner.structure_id);
                text_attribute(w, "Secteur_Activite", report.site.settings.facility_type + "^1.2.250.1.71.4.2.4");
                text_attribute(w, "urn:oasis:names:tc:xspa:1.0:subject:subject-id",
                               biologist.family + " " + biologist.given);
                coded_attribute(w, "urn:oasis:names:tc:xacml:2.0:subject:role", roles(biologist, partner));
                text_attribute(w, "urn:oasis:names:tc:xacml:2.0:resource:resource-id",
                               national_patient_id(report.patient));
                text_attribute(w, "Ressource_URN", "urn:dmp");
                coded_attribute(
                    w, "urn:oasis:names:tc:xspa:1.0:subject:purposeofuse",
                    {{"PurposeOfUse", "normal", "1.2.250.1.213.1.1.4.248", "mode acces VIHF 2.0", "Accès normal"}});
                text_attribute(w, "LPS_Nom", partner.lps_name);
                text_attribute(w, "LPS_Version", partner.lps_version.empty() ? SGL_VERSION : partner.lps_version);
                if (!partner.lps_id.empty()) text_attribute(w, "LPS_ID", partner.lps_id);
                text_attribute(w, "LPS_ID_HOMOLOGATION_DMP", partner.homologation);
            });
        });
    const auto unsigned_text = w.take();
    if (!unsigned_text) return unsigned_text.error();
    return stamp.sign(*unsigned_text);
}

}  // namespace sgl::dmp

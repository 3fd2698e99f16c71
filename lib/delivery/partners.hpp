// How a partner is reached, as imported from `config/partners.sample.toml` (design D15). Certificates and keys are PEM
// files named here; their content is never in the database.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.hpp"
#include "lib/domain/identifiers.hpp"

namespace sgl::delivery {

/// National record (dmp.md 3 and 4). What the sources leave open is a setting with its mark there.
struct DmpPartner {
    std::string url;              ///< https://<host>/si-dmp-server/v2/services
    std::string ca;               ///< PEM bundle of the server's issuers
    std::string tls_certificate;  ///< ORG_AUTH_CLI, chain
    std::string tls_key;
    std::string sign_certificate;  ///< ORG_SIGN, chain: leaf first
    std::string sign_key;
    std::string structure_id;  ///< Struct_IdNat of the certificates, `1`+FINESS or `3`+SIRET
    std::string source_oid;    ///< sourceId: OID of our installation
    std::string lps_name{"sgld"};
    std::string lps_version;
    std::string lps_id;
    std::string homologation{"0"};    ///< LPS_ID_HOMOLOGATION_DMP
    std::string vihf_version{"3.0"};  ///< dmp.md 4: 3.0 or 4.0
    std::string mode_attribute{"Authentification_mode"};
    std::string profession{"10"};  ///< subject:role, system 1.2.250.1.71.1.2.7
    std::string profession_label{"Médecin"};
    std::string section_oid{
        "1.2.250.1.71.4.2.6"};     ///< of the pharmacists' sections (G05): not in the sources, dmp.md 4
    std::string digest{"sha256"};  ///< of VIHF and XAdES: sha256, or sha1 as in the older examples
    std::string rplc_uri{"urn:ihe:iti:2007:AssociationType:RPLC"};  ///< of a replacement; once 2010 in a DMP sample
    std::chrono::seconds connect_timeout{10};
    std::chrono::seconds exchange_timeout{60};
};

/// MSSanté operator and our applicative mailbox there (mssante.md 2).
struct MssPartner {
    std::string host;
    std::uint16_t port{587};
    bool implicit_tls{};      ///< false: STARTTLS, required
    std::string server_name;  ///< verified in the certificate; empty: host
    std::string ca;
    std::string certificate;  ///< of the applicative mailbox, chain
    std::string key;
    std::string from_address;  ///< applicative mailbox
    std::string from_label;    ///< functional entity
    std::string reply_to;      ///< organisational mailbox
    std::string nil;           ///< X-MSS-NIL, given by the Convergence platform; empty: not sent
    std::string vendor_name{"sgld"};
    std::uint32_t size_limit_mb{10};
    /// The mail that withdraws a report carries its PDF once more. mssante.md 3.4 (S ECO.2.1.5) wants one PDF per CDA and
    /// says nothing of withdrawals; false: the text and the archive alone.
    bool withdrawal_with_pdf{true};
    std::chrono::seconds timeout{60};        ///< for the connection, TLS and each answer
    std::chrono::seconds data_timeout{600};  ///< for the answer to the whole mail: RFC 5321 4.5.3.2.6
};

/// A hospital record that takes ORU^R01 with the CDA (hl7v2-cda-to-dpi.md).
struct DpiPartner {
    std::string host;
    std::uint16_t port{};
    bool tls{};
    std::string server_name;
    std::string ca;
    std::string certificate;
    std::string key;
    std::string sending_application{"SGL"};
    std::string sending_facility;
    std::string receiving_application;
    std::string receiving_facility;
    std::string processing_id{"P"};    ///< MSH-11: P production, T test
    /// What it gets: `cda` the document (profile 2.1^CISIS_CDA_HL7_V2), `lab3` the results line by line (hl7v2-lab 11).
    std::string profile{"cda"};
    std::string finess_form{"FINEG"};  ///< PRT-8.7 of SB: FINEG (9 digits) or IDNST (1 + FINESS)
    std::vector<std::string> sites;    ///< FINESS of the sites whose reports it gets; empty: all of the legal entity
    std::chrono::seconds connect_timeout{10};
    std::chrono::seconds answer_timeout{30};
    std::uint32_t mllp_release{1};  ///< 2: commit bytes (hl7v2-lab 2.2)
};

/// From the stored definition; an unknown key, a wrong type or a missing key that has no default is an Error that names
/// the key. Keys are the members' names; timeouts are whole seconds. File names without a leading / get `credentials`
/// (a folder) in front, unless it is empty.
Result<DmpPartner> dmp_partner(std::string_view json, std::string_view credentials = {});
Result<MssPartner> mss_partner(std::string_view json, std::string_view credentials = {});
Result<DpiPartner> dpi_partner(std::string_view json, std::string_view credentials = {});

}  // namespace sgl::delivery

// A link: one conversation over MLLP with an analyser, a middleware or a registration system (design D15, D16).
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "lib/base/time.hpp"
#include "lib/domain/identifiers.hpp"

namespace sgl::domain {

struct Link {
    LinkId id;
    SiteId site;
    LegalEntityId legal_entity;
    std::string name;
    std::string listener;  ///< name of the listener that serves it
    bool active{true};

    // Who may speak on it (SEC-03): TLS identity where there is TLS, address elsewhere, and what MSH-3/MSH-4 may say.
    std::string tls_subject;             ///< RFC 2253; empty: not asked
    std::string tls_fingerprint;         ///< SHA-256, lower-case hexadecimal; empty: not asked
    std::vector<std::string> addresses;  ///< peers; empty: any that the listener lets in
    struct Sender {
        std::string application;  ///< MSH-3.1
        std::string facility;     ///< MSH-4.1
        bool operator==(const Sender&) const = default;
    };
    std::vector<Sender> allowed_senders;  ///< empty: any

    // What its messages may say (design D16).
    bool order_source{};
    bool identity_source{};
    std::string processing_id{"P"};  ///< MSH-11 accepted: P or T

    // How its messages are read (hl7v2-lab 4.3, 6.6).
    std::string charset{"msh18"};  ///< msh18, utf-8, iso-8859-1, iso-8859-15, windows-1252
    std::vector<std::string> number_paths{"SAC-3", "SPM-2", "OBR-3",
                                          "OBR-2"};             ///< where specimen or order numbers stand
    std::vector<std::string> code_paths{"OBX-3.1", "OBX-3.4"};  ///< where the test code stands
    bool decimal_comma{true};
    std::vector<std::string> no_value{"***.**", ".....", "----", "ValueNotSet", "null", "NaN"};
    std::string default_status{"R"};  ///< OBX-11 when empty
    TimeZone time_zone{TimeZone::paris()};

    /// MSH-3/MSH-4 of our answers.
    std::string our_application{"SGL"};
    std::string our_facility{"LBM"};
};

}  // namespace sgl::domain

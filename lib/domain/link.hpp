// A link: one conversation over MLLP with an analyser, a middleware or a registration system (design D15, D16).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/decimal.hpp"
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

    // How blocks travel (hl7v2-lab 2). These belong to the connection: they are looked up before the first message is
    // there, so links that one peer can't be told apart by agree on them.
    bool none_eof{};                  ///< bare ER7, ended by the end of the connection, instead of MLLP blocks
    unsigned mllp_release{1};         ///< 2: a commit byte for each block, both ways
    std::size_t max_message_bytes{};  ///< 0: what the listener says
    std::chrono::seconds first_byte_timeout{};  ///< until its first block begins (SEC-07); 0: what the listener says
    std::chrono::seconds frame_timeout{};  ///< from the first byte of a block to its last; 0: what the listener says
    std::chrono::seconds idle_timeout{};   ///< silence between blocks; 0: none, analysers stay connected for days

    // How it is answered (hl7v2-lab 3).
    enum class Acknowledgement : std::uint8_t {
        as_asked,  ///< what MSH-15 and MSH-16 ask for (3.2)
        original,  ///< always AA, AE or AR at once: for peers that ask for nothing and wait all the same
        accept,    ///< always CA, CE or CR at once, nothing later
    };
    Acknowledgement acknowledgement{Acknowledgement::as_asked};
    bool order_acknowledged{};  ///< orders are answered by a plain ACK instead of ORL or ORR (7.5)
    bool sequence_numbers{};    ///< MSH-13 and MSA-4 (3.6)
    bool batch_answer{};        ///< a batch is answered by one batch of acknowledgements, not by one block each (3.7)
    bool one_socket{};          ///< application acknowledgements of their own go out on the peer's connection (2.3)
    /// Our own connection to the peer, for application acknowledgements of their own (3.2); no host: none.
    struct Outgoing {
        std::string host;
        std::uint16_t port{};
        bool tls{};
        std::string server_name;  ///< verified in the certificate; empty: host
        std::string ca;           ///< PEM files, like those of a listener
        std::string certificate;
        std::string key;
        std::chrono::seconds connect_timeout{10};
        std::chrono::seconds answer_timeout{30};
        bool operator==(const Outgoing&) const = default;
    };
    Outgoing outgoing;

    // The work that it gets from us (hl7v2-lab 6.2, 6.3).
    enum class WorkOrders : std::uint8_t {
        none,
        on_query,  ///< when it asks for a specimen
        push,      ///< also unasked, as soon as an order is registered
    };
    WorkOrders work_orders{WorkOrders::none};
    /// Local codes of what it measures; empty: what `codes` names, and without those the whole catalogue of the site.
    std::vector<std::string> exams;

    /// Who requests hears what becomes of his orders at the desk (LTW LAB-2), where work orders would go out.
    bool order_news{};

    // What its messages may say (design D16).
    bool order_source{};
    bool identity_source{};
    /// OID of whoever gives the patient numbers whose assigning authority (CX-4) has none; empty: the site. Two
    /// hospitals that number their patients alike stay apart by it.
    std::string patient_authority;
    std::string processing_id{"P"};          ///< MSH-11 accepted: P or T
    std::vector<std::string> message_types;  ///< "ORU^R01"; empty: all that this version reads

    // How its messages are read (hl7v2-lab 4.3, 6.6).
    std::string charset{"msh18"};  ///< msh18, utf-8, iso-8859-1, iso-8859-15, windows-1252
    bool reject_bad_charset{};     ///< AE instead of AA and work for a person
    std::vector<std::string> number_paths{"SAC-3", "SPM-2", "OBR-3",
                                          "OBR-2"};             ///< where specimen or order numbers stand
    std::vector<std::string> code_paths{"OBX-3.1", "OBX-3.4"};  ///< where the test code stands
    bool decimal_comma{true};
    std::vector<std::string> no_value{"***.**", ".....", "----", "ValueNotSet", "null", "NaN"};
    std::string default_status{"R"};  ///< OBX-11 when empty
    /// A code of the vendor's and what it is for us. The same code may stand several times, once for each unit.
    struct Code {
        std::string theirs;
        std::string ours;                 ///< local code of the catalogue
        std::string unit;                 ///< of their value when OBX-6 says nothing; empty: then it waits for a person
        std::optional<Decimal> factor{};  ///< from `unit` to the unit of the catalogue (hl7v2-lab 8.5); none: the same
        std::string at;  ///< where its value stands, such as OBX-5.2 or OBX-8; empty: OBX-5, as OBX-2 has it
        bool operator==(const Code&) const = default;
    };
    std::vector<Code> codes;
    /// A text of the vendor's and what it says in our words.
    struct Word {
        std::string theirs;
        std::string ours;
        bool operator==(const Word&) const = default;
    };
    std::vector<Word> units;   ///< OBX-6 → UCUM; case matters
    std::vector<Word> values;  ///< OBX-5: what stands there instead of a value that can be read
    std::string blanks;        ///< characters that this sender writes for a space
    /// What stands at a place of the message decides: one of `is`, or a text that begins with one of `begins`; neither
    /// said: anything at all.
    struct Rule {
        std::string at;  ///< "OBX-3.3"
        std::vector<std::string> is;
        std::vector<std::string> begins;
        bool operator==(const Rule&) const = default;
    };
    std::vector<Rule> controls;                    ///< controls and calibrators: never results of a patient
    std::vector<Rule> ignored;                     ///< OBX that are no results
    std::vector<std::string> flag_paths{"OBX-8"};  ///< where flags stand
    /// The laboratory behind the link, when its results are not ours (hl7v2-lab 10): it is named with each of them,
    /// with its own method and reference ranges. Empty: an analyser of ours.
    std::string performing_laboratory;
    /// A flag of the vendor's; one that is neither here nor in the standard's table asks for a person.
    struct Flag {
        enum class Does : std::uint8_t { nothing, comment, block, hide };  ///< hide: an antibiotic that is not printed
        std::string theirs;
        Does does{};
        std::string text;  ///< of the comment, French
        bool operator==(const Flag&) const = default;
    };
    std::vector<Flag> flags;
    std::vector<std::string> ignored_codes;     ///< of OBX that are no results: Take Mode, Ref Group…
    std::vector<std::string> control_prefixes;  ///< of numbers that name controls: never results of a patient
    TimeZone time_zone{TimeZone::paris()};

    /// MSH-3/MSH-4 of our answers.
    std::string our_application{"SGL"};
    std::string our_facility{"LBM"};
};

}  // namespace sgl::domain

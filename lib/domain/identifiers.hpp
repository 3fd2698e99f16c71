// The identifiers of our rows and of the outside world, as types that can't be mixed up.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/result.hpp"
#include "lib/base/strong.hpp"
#include "lib/base/uuid.hpp"

namespace sgl::domain {

using LegalEntityId = Strong<struct LegalEntityIdTag, std::int32_t>;
using SiteId = Strong<struct SiteIdTag, std::int32_t>;
using LinkId = Strong<struct LinkIdTag, std::int32_t>;
using PartnerId = Strong<struct PartnerIdTag, std::int32_t>;
using UserId = Strong<struct UserIdTag, std::int32_t>;
using AnalyteId = Strong<struct AnalyteIdTag, std::int32_t>;
using MessageId = Strong<struct MessageIdTag, std::int64_t>;
using ResultId = Strong<struct ResultIdTag, std::int64_t>;
using WorkItemId = Strong<struct WorkItemIdTag, std::int64_t>;
using PatientId = Strong<struct PatientIdTag, Uuid>;
using OrderId = Strong<struct OrderIdTag, Uuid>;
using SpecimenId = Strong<struct SpecimenIdTag, Uuid>;
using ReportSetId = Strong<struct ReportSetIdTag, Uuid>;  ///< one report, all its versions
using ReportVersionId = Strong<struct ReportVersionIdTag, Uuid>;
using LetterId = Strong<struct LetterIdTag, Uuid>;

/// OIDs of who assigns (cr-bio.md 3, identity-and-directory.md 1.1 and 4.1).
namespace oid {
inline constexpr std::string_view ins_nir = "1.2.250.1.213.1.4.8";
inline constexpr std::string_view ins_nia = "1.2.250.1.213.1.4.9";
inline constexpr std::string_view ins_nir_test = "1.2.250.1.213.1.4.10";
inline constexpr std::string_view ins_nir_demonstration = "1.2.250.1.213.1.4.11";
inline constexpr std::string_view professional = "1.2.250.1.71.4.2.1";
inline constexpr std::string_view structure = "1.2.250.1.71.4.2.2";
}  // namespace oid

/// RPPS number of a professional: 11 digits. The Luhn key is not enforced: official test identities fail it.
class Rpps {
public:
    Rpps() = default;
    static Result<Rpps> parse(std::string_view text);  ///< 11 digits, or the national form `8` + 11 digits
    const std::string& text() const { return text_; }
    std::string national() const { return "8" + text_; }  ///< IDNPS, PS_IdNat
    bool empty() const { return text_.empty(); }
    friend auto operator<=>(const Rpps&, const Rpps&) = default;

private:
    explicit Rpps(std::string text) : text_(std::move(text)) {}
    std::string text_;
};

/// FINESS number, of a legal entity or of a geographic site: 9 characters.
class Finess {
public:
    Finess() = default;
    static Result<Finess> parse(std::string_view text);
    const std::string& text() const { return text_; }
    std::string national() const { return "1" + text_; }  ///< Struct_IdNat
    friend auto operator<=>(const Finess&, const Finess&) = default;

private:
    explicit Finess(std::string text) : text_(std::move(text)) {}
    std::string text_;
};

/// INS matricule: 15 characters, key included; a Corsican letter may stand in position 7 (identity-and-directory 1.2).
class InsMatricule {
public:
    InsMatricule() = default;
    /// Form and key are checked; a wrong key is Fault::malformed (manual entry and HL7 input refuse it).
    static Result<InsMatricule> parse(std::string_view text);
    const std::string& text() const { return text_; }
    friend auto operator<=>(const InsMatricule&, const InsMatricule&) = default;

private:
    explicit InsMatricule(std::string text) : text_(std::move(text)) {}
    std::string text_;
};

bool is_ins_oid(std::string_view oid);       ///< one of the four that mean an INS
bool is_test_ins_oid(std::string_view oid);  ///< .10 or .11
bool is_loinc(std::string_view code);        ///< form and mod-10 check digit
bool is_oid(std::string_view text);

}  // namespace sgl::domain

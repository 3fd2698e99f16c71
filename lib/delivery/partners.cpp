#include "lib/delivery/partners.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <array>
#include <limits>
#include <span>
#include <variant>

namespace sgl::delivery {

namespace {

namespace json = boost::json;

enum class Need : std::uint8_t { required, optional, file, optional_file };

/// A text that names a certificate, key or bundle.
constexpr bool is_file(Need need) {
    return need == Need::file || need == Need::optional_file;
}
constexpr bool is_required(Need need) {
    return need == Need::required || need == Need::file;
}

template <class T>
struct Field {
    std::string_view name;
    std::variant<std::string T::*, bool T::*, std::uint16_t T::*, std::uint32_t T::*, std::chrono::seconds T::*,
                 std::vector<std::string> T::*>
        member;
    Need need{Need::optional};
};

Error malformed(std::string_view key, std::string what) {
    return {Fault::malformed, std::string(key), std::move(what)};
}

Result<void> read(const json::value& value, std::string_view key, std::string& to) {
    if (!value.is_string()) return malformed(key, "expected a text");
    to = std::string(value.get_string());
    return {};
}
Result<void> read(const json::value& value, std::string_view key, bool& to) {
    if (!value.is_bool()) return malformed(key, "expected true or false");
    to = value.get_bool();
    return {};
}
Result<std::int64_t> whole(const json::value& value, std::string_view key, std::int64_t low, std::int64_t high) {
    if (!value.is_int64()) return malformed(key, "expected a whole number");
    const auto number = value.get_int64();
    if (number < low || number > high)
        return malformed(key, "must be between " + std::to_string(low) + " and " + std::to_string(high));
    return number;
}
Result<void> read(const json::value& value, std::string_view key, std::uint16_t& to) {
    const auto number = whole(value, key, 1, std::numeric_limits<std::uint16_t>::max());
    if (!number) return number.error();
    to = static_cast<std::uint16_t>(*number);
    return {};
}
Result<void> read(const json::value& value, std::string_view key, std::uint32_t& to) {
    const auto number = whole(value, key, 1, std::numeric_limits<std::uint32_t>::max());
    if (!number) return number.error();
    to = static_cast<std::uint32_t>(*number);
    return {};
}
Result<void> read(const json::value& value, std::string_view key, std::chrono::seconds& to) {
    const auto number = whole(value, key, 1, 3600);
    if (!number) return number.error();
    to = std::chrono::seconds{*number};
    return {};
}
Result<void> read(const json::value& value, std::string_view key, std::vector<std::string>& to) {
    if (!value.is_array()) return malformed(key, "expected a list of texts");
    to.clear();
    for (const auto& item : value.get_array()) {
        std::string text;
        if (auto done = read(item, key, text); !done) return done;
        to.push_back(std::move(text));
    }
    return {};
}

template <class T>
Result<T> parse(std::string_view text, std::span<const Field<T>> fields, std::string_view credentials) {
    boost::system::error_code error;
    const auto document = json::parse(text, error);
    if (error || !document.is_object()) return malformed("", "not a JSON object");
    const auto& object = document.get_object();
    T made;
    for (const auto& member : object) {
        const std::string_view key = member.key();
        const Field<T>* found = nullptr;
        for (const auto& field : fields)
            if (field.name == key) found = &field;
        if (found == nullptr) return malformed(key, "unknown key \"" + std::string(key) + "\"");
        auto done = std::visit([&](auto at) { return read(member.value(), key, made.*at); }, found->member);
        if (!done) return done.error();
    }
    for (const auto& field : fields) {
        const auto* member = std::get_if<std::string T::*>(&field.member);
        const bool given = object.contains(field.name) && (member == nullptr || !(made.**member).empty());
        if (is_required(field.need) && !given)
            return Error{Fault::missing, std::string(field.name),
                         "the key \"" + std::string(field.name) + "\" is missing"};
        if (member == nullptr || !is_file(field.need) || credentials.empty()) continue;
        auto& file = made.**member;
        if (!file.empty() && file.front() != '/') file = std::string(credentials) + "/" + file;
    }
    return made;
}

const std::array dmp_fields{
    Field<DmpPartner>{"url", &DmpPartner::url, Need::required},
    Field<DmpPartner>{"ca", &DmpPartner::ca, Need::file},
    Field<DmpPartner>{"tls_certificate", &DmpPartner::tls_certificate, Need::file},
    Field<DmpPartner>{"tls_key", &DmpPartner::tls_key, Need::file},
    Field<DmpPartner>{"sign_certificate", &DmpPartner::sign_certificate, Need::file},
    Field<DmpPartner>{"sign_key", &DmpPartner::sign_key, Need::file},
    Field<DmpPartner>{"structure_id", &DmpPartner::structure_id, Need::required},
    Field<DmpPartner>{"source_oid", &DmpPartner::source_oid, Need::required},
    Field<DmpPartner>{"lps_name", &DmpPartner::lps_name},
    Field<DmpPartner>{"lps_version", &DmpPartner::lps_version},
    Field<DmpPartner>{"lps_id", &DmpPartner::lps_id},
    Field<DmpPartner>{"homologation", &DmpPartner::homologation},
    Field<DmpPartner>{"vihf_version", &DmpPartner::vihf_version},
    Field<DmpPartner>{"mode_attribute", &DmpPartner::mode_attribute},
    Field<DmpPartner>{"profession", &DmpPartner::profession},
    Field<DmpPartner>{"profession_label", &DmpPartner::profession_label},
    Field<DmpPartner>{"section_oid", &DmpPartner::section_oid},
    Field<DmpPartner>{"digest", &DmpPartner::digest},
    Field<DmpPartner>{"rplc_uri", &DmpPartner::rplc_uri},
    Field<DmpPartner>{"connect_timeout", &DmpPartner::connect_timeout},
    Field<DmpPartner>{"exchange_timeout", &DmpPartner::exchange_timeout},
};

const std::array mss_fields{
    Field<MssPartner>{"host", &MssPartner::host, Need::required},
    Field<MssPartner>{"port", &MssPartner::port},
    Field<MssPartner>{"implicit_tls", &MssPartner::implicit_tls},
    Field<MssPartner>{"server_name", &MssPartner::server_name},
    Field<MssPartner>{"ca", &MssPartner::ca, Need::file},
    Field<MssPartner>{"certificate", &MssPartner::certificate, Need::file},
    Field<MssPartner>{"key", &MssPartner::key, Need::file},
    Field<MssPartner>{"from_address", &MssPartner::from_address, Need::required},
    Field<MssPartner>{"from_label", &MssPartner::from_label, Need::required},
    Field<MssPartner>{"reply_to", &MssPartner::reply_to, Need::required},
    Field<MssPartner>{"nil", &MssPartner::nil},
    Field<MssPartner>{"vendor_name", &MssPartner::vendor_name},
    Field<MssPartner>{"size_limit_mb", &MssPartner::size_limit_mb},
    Field<MssPartner>{"withdrawal_with_pdf", &MssPartner::withdrawal_with_pdf},
    Field<MssPartner>{"timeout", &MssPartner::timeout},
    Field<MssPartner>{"data_timeout", &MssPartner::data_timeout},
};

const std::array dpi_fields{
    Field<DpiPartner>{"host", &DpiPartner::host, Need::required},
    Field<DpiPartner>{"port", &DpiPartner::port, Need::required},
    Field<DpiPartner>{"tls", &DpiPartner::tls},
    Field<DpiPartner>{"server_name", &DpiPartner::server_name},
    Field<DpiPartner>{"ca", &DpiPartner::ca, Need::optional_file},
    Field<DpiPartner>{"certificate", &DpiPartner::certificate, Need::optional_file},
    Field<DpiPartner>{"key", &DpiPartner::key, Need::optional_file},
    Field<DpiPartner>{"sending_application", &DpiPartner::sending_application},
    Field<DpiPartner>{"sending_facility", &DpiPartner::sending_facility, Need::required},
    Field<DpiPartner>{"receiving_application", &DpiPartner::receiving_application, Need::required},
    Field<DpiPartner>{"receiving_facility", &DpiPartner::receiving_facility, Need::required},
    Field<DpiPartner>{"processing_id", &DpiPartner::processing_id},
    Field<DpiPartner>{"profile", &DpiPartner::profile},
    Field<DpiPartner>{"finess_form", &DpiPartner::finess_form},
    Field<DpiPartner>{"sites", &DpiPartner::sites},
    Field<DpiPartner>{"connect_timeout", &DpiPartner::connect_timeout},
    Field<DpiPartner>{"answer_timeout", &DpiPartner::answer_timeout},
    Field<DpiPartner>{"mllp_release", &DpiPartner::mllp_release},
};

}  // namespace

Result<DmpPartner> dmp_partner(std::string_view json, std::string_view credentials) {
    auto partner = parse<DmpPartner>(json, dmp_fields, credentials);
    if (!partner) return partner;
    if (!partner->url.starts_with("https://")) return malformed("url", "must begin with https://");
    if (!domain::is_oid(partner->source_oid)) return malformed("source_oid", "is no OID");
    if (partner->vihf_version != "3.0" && partner->vihf_version != "4.0")
        return malformed("vihf_version", "must be 3.0 or 4.0");
    if (!domain::is_oid(partner->section_oid)) return malformed("section_oid", "is no OID");
    if (partner->digest != "sha256" && partner->digest != "sha1")
        return malformed("digest", "must be sha256 or sha1");
    if (partner->rplc_uri != "urn:ihe:iti:2007:AssociationType:RPLC" &&
        partner->rplc_uri != "urn:ihe:iti:2010:AssociationType:RPLC")
        return malformed("rplc_uri", "must be urn:ihe:iti:2007:AssociationType:RPLC or the same of 2010");
    return partner;
}

Result<MssPartner> mss_partner(std::string_view json, std::string_view credentials) {
    auto partner = parse<MssPartner>(json, mss_fields, credentials);
    if (!partner) return partner;
    if (partner->from_address.find('@') == std::string::npos) return malformed("from_address", "is no mail address");
    if (partner->reply_to.find('@') == std::string::npos) return malformed("reply_to", "is no mail address");
    return partner;
}

Result<DpiPartner> dpi_partner(std::string_view json, std::string_view credentials) {
    auto partner = parse<DpiPartner>(json, dpi_fields, credentials);
    if (!partner) return partner;
    if (partner->tls && partner->ca.empty())
        return Error{Fault::missing, "ca", "the key \"ca\" is missing: tls verifies the server"};
    if (partner->certificate.empty() != partner->key.empty())
        return malformed("key", "certificate and key go together");
    if (partner->processing_id != "P" && partner->processing_id != "T")
        return malformed("processing_id", "must be P or T");
    if (partner->mllp_release > 2) return malformed("mllp_release", "must be 1 or 2");
    if (partner->profile != "cda" && partner->profile != "lab3") return malformed("profile", "must be cda or lab3");
    if (partner->finess_form != "FINEG" && partner->finess_form != "IDNST")
        return malformed("finess_form", "must be FINEG or IDNST");
    for (const auto& site : partner->sites)
        if (!domain::Finess::parse(site)) return malformed("sites", "holds something that is no FINESS number");
    return partner;
}

}  // namespace sgl::delivery

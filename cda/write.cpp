#include "cda/write.hpp"

#include <algorithm>

#include "cda/detail_write.hpp"


namespace sgl::cda {

Result<std::string> write(const CrBio& report) {
    XmlWriter w{64 * 1024 + report.pdf.size() / 3 * 4};
    w.element("ClinicalDocument",
              {{"xmlns", "urn:hl7-org:v3"},
               {"xmlns:lab", "urn:oid:1.3.6.1.4.1.19376.1.3.2"},
               {"xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"}},
              [&] {
                  detail::header(w, report);
                  detail::body(w, report);
              });
    return w.take();
}

}  // namespace sgl::cda

namespace sgl::cda::detail {

namespace {

bool is_oid(std::string_view text) {
    if (text.empty() || text.size() > 64) return false;
    std::size_t arcs = 0;
    std::size_t start = 0;
    for (std::size_t i = 0; i <= text.size(); ++i) {
        if (i < text.size() && text[i] != '.') {
            if (text[i] < '0' || text[i] > '9') return false;
            continue;
        }
        const auto arc = text.substr(start, i - start);
        if (arc.empty() || (arc.size() > 1 && arc.front() == '0')) return false;
        if (arcs == 0 && (arc.size() > 1 || arc.front() > '2')) return false;
        ++arcs;
        start = i + 1;
    }
    return arcs >= 2;
}

bool one_of(std::string_view text, std::initializer_list<std::string_view> choices) {
    for (const auto choice : choices)
        if (text == choice) return true;
    return false;
}

}  // namespace

void template_id(XmlWriter& w, std::string_view root, std::string_view extension) {
    w.element("templateId", {{"root", root}, {"extension", extension}});
}

void id(XmlWriter& w, const Identifier& identifier) {
    w.element("id",
              {{"root", identifier.root},
               {"extension", identifier.extension},
               {"assigningAuthorityName", identifier.assigning_authority}},
              [&] {
                  if (!is_oid(identifier.root)) w.refuse(Fault::malformed, "an identifier needs an OID", "@root");
                  w.require(!identifier.extension.empty(), "an identifier without value", "@extension");
              });
}

void bare_oid(XmlWriter& w, std::string_view name, std::string_view oid) {
    w.element(name, {{"root", oid}}, [&] {
        if (!is_oid(oid)) w.refuse(Fault::malformed, "must be a bare OID of at most 64 characters", "@root");
    });
}

void code(XmlWriter& w, const Code& code, std::string_view name) {
    detail::code(w, codes::Entry{code.code, code.display, code.system}, name);
}

void code(XmlWriter& w, const codes::Entry& entry, std::string_view name) {
    w.element(name,
              {{"code", entry.code},
               {"displayName", entry.label},
               {"codeSystem", entry.system},
               {"codeSystemName", entry.system == codes::loinc_system ? "LOINC" : ""}},
              [&] {
                  w.require(!entry.code.empty(), "a code is needed", "@code");
                  w.require(!entry.label.empty(), "a code needs its label", "@displayName");
                  if (!is_oid(entry.system)) w.refuse(Fault::malformed, "the code system must be an OID", "@codeSystem");
              });
}

void time_value(XmlWriter& w, std::string_view name, const Timestamp& time) {
    auto whole = time;
    whole.precision = std::min(whole.precision, Precision::second);
    w.element(name, {{"value", to_hl7(whole)}}, [&] {
        if (time.precision < Precision::minute) w.refuse(Fault::missing, "needs a date with its time of day", "@value");
        if (!time.offset_minutes) w.refuse(Fault::missing, "needs a time with its offset from UTC", "@value");
    });
}

void time_high(XmlWriter& w, const Timestamp& time, std::string_view xsi_type) {
    w.element("time", {{"xsi:type", xsi_type}}, [&] { time_value(w, "high", time); });
}

void address(XmlWriter& w, const Address& address, std::string_view null_flavor) {
    if (address.empty()) {
        if (!null_flavor.empty()) w.element("addr", {{"nullFlavor", null_flavor}});
        return;
    }
    w.element("addr", {{"use", address.use}}, [&] {
        if (!one_of(address.use, {"", "H", "HP", "HV", "WP", "TMP"}))
            w.refuse(Fault::malformed, "unknown use of an address", "@use");
        const bool has_parts = !address.house_number.empty() || !address.street_name.empty() ||
                               !address.additional_locator.empty() || !address.unit_id.empty() ||
                               !address.post_box.empty() || !address.postal_code.empty() || !address.city.empty() ||
                               !address.country.empty();
        if (!address.lines.empty() && has_parts)
            w.refuse(Fault::malformed, "an address is either lines or parts, never both");
        if (address.lines.size() > 7) w.refuse(Fault::malformed, "an address has at most 7 lines");
        for (const auto& line : address.lines) {
            w.require(!line.empty(), "an empty address line");
            w.element("streetAddressLine", {}, line);
        }
        const auto part = [&](std::string_view name, const std::string& value) {
            if (!value.empty()) w.element(name, {}, value);
        };
        part("houseNumber", address.house_number);
        part("streetName", address.street_name);
        part("additionalLocator", address.additional_locator);
        part("unitID", address.unit_id);
        part("postBox", address.post_box);
        part("postalCode", address.postal_code);
        part("city", address.city);
        part("country", address.country);
    });
}

void telecoms(XmlWriter& w, const std::vector<Telecom>& telecoms, std::string_view null_flavor) {
    if (telecoms.empty() && !null_flavor.empty()) w.element("telecom", {{"nullFlavor", null_flavor}});
    for (const auto& telecom : telecoms)
        w.element("telecom", {{"value", telecom.value}, {"use", telecom.use}}, [&] {
            const auto colon = telecom.value.find(':');
            if (colon == std::string::npos || colon + 1 == telecom.value.size() ||
                !one_of(std::string_view(telecom.value).substr(0, colon), {"tel", "fax", "mailto", "http", "ftp", "mllp"}))
                w.refuse(Fault::malformed, "a telecom starts with tel:, fax:, mailto:, http:, ftp: or mllp:", "@value");
            if (!one_of(telecom.use, {"", "H", "HP", "HV", "WP", "DIR", "PUB", "EC", "MC", "PG"}))
                w.refuse(Fault::malformed, "unknown use of a telecom", "@use");
        });
}

void person_name(XmlWriter& w, const PersonName& name) {
    w.element("name", {}, [&] {
        if (!name.prefix.empty()) {
            if (!one_of(name.prefix, {"M", "MME"})) w.refuse(Fault::malformed, "a civility is M or MME", "prefix");
            w.element("prefix", {}, name.prefix);
        }
        if (!name.given.empty()) w.element("given", {}, name.given);
        w.require(!name.family.empty(), "a person needs a family name", "family");
        w.element("family", {}, name.family);
        if (!name.suffix.empty()) {
            if (!one_of(name.suffix, {"DR", "PR", "MC", "MG", "PC", "PG"}))
                w.refuse(Fault::malformed, "a title is DR, PR, MC, MG, PC or PG", "suffix");
            w.element("suffix", {}, name.suffix);
        }
    });
}

void professional(XmlWriter& w, const Professional& who, Ids ids) {
    w.require(ids == Ids::optional || !who.ids.empty(), "a professional needs an identifier", "id");
    for (const auto& identifier : who.ids) id(w, identifier);
    if (who.speciality) code(w, *who.speciality);
    address(w, who.address, "NAV");
    telecoms(w, who.telecoms, "NAV");
}

void organisation(XmlWriter& w, const Organisation& organisation, std::string_view name, Setting without) {
    w.element(name, {}, [&] {
        w.require(!organisation.ids.empty(), "an organisation needs an identifier", "id");
        for (const auto& identifier : organisation.ids) id(w, identifier);
        w.require(!organisation.name.empty(), "an organisation needs a name", "name");
        w.element("name", {}, organisation.name);
        telecoms(w, organisation.telecoms, "NAV");
        address(w, organisation.address, "NAV");
        if (organisation.practice_setting)
            code(w, *organisation.practice_setting, "standardIndustryClassCode");
        else if (without == Setting::unknown)
            w.element("standardIndustryClassCode", {{"nullFlavor", "NAV"}});
    });
}

std::string_view status_code(Progress progress) {
    switch (progress) {
        case Progress::completed: return "completed";
        case Progress::active: return "active";
        case Progress::aborted: return "aborted";
    }
    return {};
}

}  // namespace sgl::cda::detail

#include "lib/delivery/dpi/segments.hpp"

#include <algorithm>
#include <utility>

#include "lib/base/digest.hpp"
#include "lib/base/text.hpp"

namespace sgl::delivery {

namespace {

constexpr std::size_t control_id_length = 20;  // MSH-10, HL7 2.5
constexpr std::string_view people_namespace = "ASIP-SANTE-PS";

void address(hl7::Builder& b, const domain::Traits& traits) {
    const auto& home = traits.address;
    if (!home.lines.empty() || !home.city.empty()) {
        std::string other;
        for (std::size_t i = 1; i < home.lines.size(); ++i)
            other += (other.empty() ? "" : " ") + home.lines[i];
        b.repeat(11, {home.lines.empty() ? std::string_view() : std::string_view(home.lines.front()), other, home.city,
                      "", home.postal_code, home.country.empty() ? std::string_view("FRA") : std::string_view(home.country),
                      "H"});
    }
    if (!traits.birth_place.empty()) b.repeat(11, {"", "", "", "", "", "", "BDL", "", traits.birth_place});
}

}  // namespace

std::string control_id(domain::LetterId id) {
    return to_upper_ascii("L" + to_hex(sha256(to_string(id.value()))).substr(0, control_id_length - 1));
}

namespace dpi {

Timestamp local(const domain::Report& report, const Timestamp& at) {
    if (at.precision < Precision::hour) return at;
    return local(report, report.site.time_zone.to_instant(at));
}

Timestamp local(const domain::Report& report, Instant at) {
    const auto& zone = report.site.time_zone;
    auto there = zone.to_local(at, Precision::second);
    there.offset_minutes = zone.offset_minutes(at);
    return there;
}

hl7::Header header(const Letter& letter, const domain::Report& report, const DpiPartner& partner) {
    hl7::Header header;
    header.sending_application = partner.sending_application;
    header.sending_facility = partner.sending_facility;
    header.receiving_application = partner.receiving_application;
    header.receiving_facility = partner.receiving_facility;
    header.time = local(report, letter.sent_at);
    header.type = "ORU";
    header.trigger = "R01";
    header.structure = "ORU_R01";
    header.control_id = control_id(letter.id);
    header.processing_id = partner.processing_id;
    header.version = "2.5";
    return header;
}

void authority(hl7::Builder& b, std::size_t field, std::size_t component, std::string_view name, std::string_view oid,
               std::string_view kind) {
    b.at(field, component, 1, name).at(field, component, 2, oid).at(field, component, 3, kind);
}

void patient(hl7::Builder& b, const domain::Report& report, const DpiPartner& partner) {
    const auto& who = report.patient;
    const auto& traits = who.traits.reveal();
    b.segment("PID");
    if (who.ins_may_leave()) {
        const auto& ins = who.ins->reveal();
        b.repeat(3, {ins.matricule.text(), "", "", "", "INS"});
        authority(b, 3, 4, ins.oid == domain::oid::ins_nia ? "ASIP-SANTE-INS-NIA" : "ASIP-SANTE-INS-NIR", ins.oid);
    }
    b.repeat(3, {who.local_id, "", "", "", "PI"});
    authority(b, 3, 4, partner.sending_facility,
              who.local_authority_oid.empty() ? report.site.oid : who.local_authority_oid);
    const auto& all = traits.birth_given_names.empty() ? traits.first_given_name : traits.birth_given_names;
    b.components(5, {traits.birth_name, traits.first_given_name, all, "", "", "", "L"});
    if (traits.birth_date) {
        Timestamp day = *traits.birth_date;
        day.precision = std::min(day.precision, Precision::day);
        day.offset_minutes.reset();
        b.time(7, day);
    }
    b.field(8, domain::to_string(traits.sex));
    address(b, traits);
    b.field(31, "N");
    if (who.ins_may_leave()) b.field(32, "VALI");
}

void visit(hl7::Builder& b, const domain::Report& report, const DpiPartner& partner) {
    constexpr std::string_view known = "EIOPRBCN";
    constexpr std::string_view with_stay = "EIOR";
    std::string_view kind = report.patient_class;
    const bool usable = kind.size() == 1 && known.find(kind) != std::string_view::npos;
    if (!usable || (report.stay_number.empty() && with_stay.find(kind) != std::string_view::npos)) kind = "N";
    b.segment("PV1").field(1, "1").field(2, kind);
    if (report.stay_number.empty()) return;
    b.components(19, {report.stay_number, "", "", "", "VN"});
    authority(b, 19, 4, partner.sending_facility, report.entity.finess.text(), "M");
}

void person(hl7::Builder& b, std::size_t field, const domain::Professional& who) {
    b.components(field, {who.rpps.national(), who.family, who.given, "", "", "", "", "", "", "D", "", "", "IDNPS"});
    authority(b, field, 9, people_namespace, domain::oid::professional);
}

Result<void> check(const domain::Report& report, const DpiPartner& partner) {
    for (const auto& [value, where] :
         {std::pair{&partner.sending_application, "MSH-3"}, {&partner.sending_facility, "MSH-4"},
          {&partner.receiving_application, "MSH-5"}, {&partner.receiving_facility, "MSH-6"}}) {
        if (value->empty())
            return Error{Fault::missing, where, "the profile wants this field; it is a setting of the partner"};
    }
    if (report.patient.ins_may_leave()) {
        const bool test = domain::is_test_ins_oid(report.patient.ins->reveal().oid);
        if (test != (partner.processing_id != "P"))
            return Error{Fault::refused, "PID-3", "test identities and production do not mix (MSH-11)"};
    }
    return {};
}

}  // namespace dpi
}  // namespace sgl::delivery

#include "lib/delivery/dpi/document_message.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <utility>

#include "hl7/builder.hpp"
#include "lib/base/digest.hpp"
#include "lib/base/text.hpp"

namespace sgl::delivery {

namespace {

using domain::Report;

constexpr std::size_t control_id_length = 20;  // MSH-10, HL7 2.5
constexpr std::string_view people_namespace = "ASIP-SANTE-PS";
constexpr std::string_view structures_namespace = "ASIP-SANTE-ST";

struct Metadata {
    std::string_view code;
    std::string_view label;
};
// spec/hl7v2-cda-to-dpi.md 4, exactly these labels in exactly this order.
constexpr std::array metadata{
    Metadata{"MASQUE_PS", "Masqué aux professionnels de Santé"},
    Metadata{"INVISIBLE_PATIENT", "Document Non Visible par le patient"},
    Metadata{"INVISIBLE_REP_LEGAUX", "Non visible par les représentants Légaux du patient"},
    Metadata{"CONNEXION_SECRETE", "Connexion Secrete"},
    Metadata{"MODIF_CONF_CODE", "Modification Confidentiality Code"},
    Metadata{"DESTDMP", "Destinataire DMP"},
    Metadata{"DESTMSSANTEPS", "Destinataire (Professionnel de Santé, organisation ou BAL applicative)"},
    Metadata{"DESTMSSANTEPAT", "Destinataire Patient"},
    Metadata{"ACK_RECEPTION", "Accusé de réception"},
    Metadata{"ACK_LECTURE_MSS", "Accusé de lecture"},
};

class DocumentMessage {
public:
    DocumentMessage(const Letter& letter, const Report& report, const DpiPartner& partner)
        : letter_(letter), report_(report), partner_(partner) {}

    std::string make(std::string_view document) {
        header();
        patient();
        visit();
        order();
        content(document);
        sender();
        for (std::size_t i = 0; i < metadata.size(); ++i) {
            b_.segment("OBX").field(1, std::to_string(i + 2)).field(2, "CE");
            b_.components(3, {metadata[i].code, metadata[i].label, "MetaDMPMSS"});
            b_.components(5, {"N", "", "expandedYes-NoIndicator"}).field(11, "F");
        }
        return b_.text();
    }

private:
    Timestamp local(const Timestamp& at) const {
        const auto& zone = report_.site.time_zone;
        if (at.precision < Precision::hour) return at;
        return local(zone.to_instant(at));
    }
    Timestamp local(Instant at) const {
        const auto& zone = report_.site.time_zone;
        auto there = zone.to_local(at, Precision::second);
        there.offset_minutes = zone.offset_minutes(at);
        return there;
    }

    void header() {
        hl7::Header header;
        header.sending_application = partner_.sending_application;
        header.sending_facility = partner_.sending_facility;
        header.receiving_application = partner_.receiving_application;
        header.receiving_facility = partner_.receiving_facility;
        header.time = local(letter_.sent_at);
        header.type = "ORU";
        header.trigger = "R01";
        header.structure = "ORU_R01";
        header.control_id = control_id(letter_.id);
        header.processing_id = partner_.processing_id;
        header.version = "2.5";
        b_.header(header).field(17, "FRA").components(21, {"2.1", "CISIS_CDA_HL7_V2"});
    }

    /// name&OID&ISO in component 4 or 9 of the last repetition.
    void authority(std::size_t field, std::size_t component, std::string_view name, std::string_view oid, std::string_view kind = "ISO") {
        b_.at(field, component, 1, name).at(field, component, 2, oid).at(field, component, 3, kind);
    }

    /// The identifiers of recordTarget/patientRole, as the CDA has them, in its order.
    void patient_identifiers() {
        const auto& patient = report_.patient;
        if (patient.ins_may_leave()) {
            const auto& ins = patient.ins->reveal();
            b_.repeat(3, {ins.matricule.text(), "", "", "", "INS"});
            authority(3, 4, ins.oid == domain::oid::ins_nia ? "ASIP-SANTE-INS-NIA" : "ASIP-SANTE-INS-NIR", ins.oid);
        }
        b_.repeat(3, {patient.local_id, "", "", "", "PI"});
        authority(3, 4, partner_.sending_facility, patient.local_authority_oid.empty() ? report_.site.oid : patient.local_authority_oid);
    }

    void patient() {
        const auto& traits = report_.patient.traits.reveal();
        b_.segment("PID");
        patient_identifiers();
        const auto& all = traits.birth_given_names.empty() ? traits.first_given_name : traits.birth_given_names;
        b_.components(5, {traits.birth_name, traits.first_given_name, all, "", "", "", "L"});
        if (traits.birth_date) {
            Timestamp day = *traits.birth_date;
            day.precision = std::min(day.precision, Precision::day);
            day.offset_minutes.reset();
            b_.time(7, day);
        }
        b_.field(8, domain::to_string(traits.sex));
        address(traits);
        b_.field(31, "N");
        if (report_.patient.ins_may_leave()) b_.field(32, "VALI");
    }

    void address(const domain::Traits& traits) {
        const auto& home = traits.address;
        if (!home.lines.empty() || !home.city.empty()) {
            std::string other;
            for (std::size_t i = 1; i < home.lines.size(); ++i) other += (other.empty() ? "" : " ") + home.lines[i];
            b_.repeat(11, {home.lines.empty() ? std::string_view() : std::string_view(home.lines.front()), other, home.city, "",
                           home.postal_code, home.country.empty() ? std::string_view("FRA") : std::string_view(home.country), "H"});
        }
        if (!traits.birth_place.empty()) b_.repeat(11, {"", "", "", "", "", "", "BDL", "", traits.birth_place});
    }

    void visit() {
        constexpr std::string_view known = "EIOPRBCN";
        constexpr std::string_view with_stay = "EIOR";
        std::string_view kind = report_.patient_class;
        const bool usable = kind.size() == 1 && known.find(kind) != std::string_view::npos;
        if (!usable || (report_.stay_number.empty() && with_stay.find(kind) != std::string_view::npos)) kind = "N";
        b_.segment("PV1").field(1, "1").field(2, kind);
        if (report_.stay_number.empty()) return;
        b_.components(19, {report_.stay_number, "", "", "", "VN"});
        authority(19, 4, partner_.sending_facility, report_.entity.finess.text(), "M");
    }

    /// XCN of a professional with a national number.
    void person(std::size_t field, const domain::Professional& who) {
        b_.components(field, {who.rpps.national(), who.family, who.given, "", "", "", "", "", "", "D", "", "", "IDNPS"});
        authority(field, 9, people_namespace, domain::oid::professional);
    }

    void order() {
        const auto& placer = report_.placer_group.empty() && !report_.exams.empty() ? report_.exams.front().placer_number
                                                                                    : report_.placer_group;
        b_.segment("ORC").field(1, replacement() ? "RO" : "NW").field(2, placer).field(3, report_.order_number);
        b_.field(4, report_.placer_group).time(9, local(report_.validated_at));
        b_.segment("OBR").field(1, "1").field(2, placer).field(3, report_.order_number);
        document_type(4);
        if (!report_.prescriber.rpps.empty()) person(16, report_.prescriber);
        b_.field(25, "F");
    }

    bool replacement() const { return report_.ids.version > 1; }
    void document_type(std::size_t field) { b_.components(field, {"11502-2", "CR d'examens biologiques", "LN"}); }

    void content(std::string_view document) {
        b_.segment("OBX").field(1, "1").field(2, "ED");
        document_type(3);
        b_.raw(5, "^TEXT^XML^Base64^" + base64_encode(document));
        b_.field(11, replacement() ? "C" : "F");
    }

    /// SB: the validating biologist, in the name of the site.
    void sender() {
        const auto& site = report_.site;
        const bool national = partner_.finess_form == "IDNST";
        b_.segment("PRT").field(2, "UC").components(4, {"SB", "Send by", "participation"});
        person(5, report_.validator);
        b_.components(8, {report_.entity.name, "", "", "", "", "", partner_.finess_form, "", "", national ? site.finess.national() : site.finess.text()});
        authority(8, 6, structures_namespace, domain::oid::structure);
    }

    const Letter& letter_;
    const Report& report_;
    const DpiPartner& partner_;
    hl7::Builder b_;
};

Result<void> check(const Letter& letter, const Report& report, const Documents& documents, const DpiPartner& partner) {
    if (letter.act != domain::Act::deliver) {
        return Error{Fault::unsupported, "letter.act", "withdrawing a report from a hospital record is not handled by this version"};
    }
    for (const auto& [value, where] : {std::pair{&partner.sending_application, "MSH-3"}, {&partner.sending_facility, "MSH-4"},
                                       {&partner.receiving_application, "MSH-5"}, {&partner.receiving_facility, "MSH-6"}}) {
        if (value->empty()) return Error{Fault::missing, where, "the profile wants this field; it is a setting of the partner"};
    }
    if (documents.n3.empty()) return Error{Fault::missing, "OBX[1]-5", "the structured report is missing"};
    if (report.validator.rpps.empty()) return Error{Fault::missing, "PRT[1]-5", "the validating biologist has no RPPS number"};
    if (report.patient.ins_may_leave()) {
        const bool test = domain::is_test_ins_oid(report.patient.ins->reveal().oid);
        if (test != (partner.processing_id != "P")) {
            return Error{Fault::refused, "PID-3", "test identities and production do not mix (MSH-11)"};
        }
    }
    return {};
}

}  // namespace

std::string control_id(domain::LetterId id) {
    return to_upper_ascii("L" + to_hex(sha256(to_string(id.value()))).substr(0, control_id_length - 1));
}

Result<std::string> document_message(const Letter& letter, const Report& report, const Documents& documents,
                                     const DpiPartner& partner) {
    if (auto ok = check(letter, report, documents, partner); !ok) return ok.error();
    return DocumentMessage(letter, report, partner).make(documents.n3);
}

}  // namespace sgl::delivery

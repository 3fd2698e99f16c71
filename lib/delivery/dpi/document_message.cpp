#include "lib/delivery/dpi/document_message.hpp"

#include <array>
#include <string_view>
#include <utility>

#include "hl7/builder.hpp"
#include "lib/base/digest.hpp"
#include "lib/delivery/dpi/segments.hpp"

namespace sgl::delivery {

namespace {

using domain::Report;

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
        dpi::patient(b_, report_, partner_);
        dpi::visit(b_, report_, partner_);
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
    void header() {
        hl7::Header header = dpi::header(letter_, report_, partner_);
        b_.header(header).field(17, "FRA").components(21, {"2.1", "CISIS_CDA_HL7_V2"});
    }

    void order() {
        const auto& placer = report_.placer_group.empty() && !report_.exams.empty() ? report_.exams.front().placer_number
                                                                                    : report_.placer_group;
        b_.segment("ORC").field(1, request().order).field(2, placer).field(3, report_.order_number);
        b_.field(4, report_.placer_group).time(9, dpi::local(report_, report_.validated_at));
        b_.segment("OBR").field(1, "1").field(2, placer).field(3, report_.order_number);
        document_type(4);
        if (!report_.prescriber.rpps.empty()) dpi::person(b_, 16, report_.prescriber);
        b_.field(25, report_.kind == domain::ReportKind::partial ? "P" : "F");
    }

    /// ORC-1 and OBX-11 of the document go together, or the record refuses both (spec/hl7v2-cda-to-dpi.md 4).
    struct Request {
        std::string_view order;
        std::string_view status;
    };
    Request request() const {
        if (letter_.act == domain::Act::withdraw) return {"CA", "D"};
        return report_.ids.version > 1 ? Request{"RO", "C"} : Request{"NW", "F"};
    }
    void document_type(std::size_t field) { b_.components(field, {"11502-2", "CR d'examens biologiques", "LN"}); }

    void content(std::string_view document) {
        b_.segment("OBX").field(1, "1").field(2, "ED");
        document_type(3);
        b_.raw(5, "^TEXT^XML^Base64^" + base64_encode(document));
        b_.field(11, request().status);
    }

    /// SB: the validating biologist, in the name of the site.
    void sender() {
        const auto& site = report_.site;
        const bool national = partner_.finess_form == "IDNST";
        b_.segment("PRT").field(2, "UC").components(4, {"SB", "Send by", "participation"});
        dpi::person(b_, 5, report_.validator);
        b_.components(8, {report_.entity.name, "", "", "", "", "", partner_.finess_form, "", "", national ? site.finess.national() : site.finess.text()});
        dpi::authority(b_, 8, 6, structures_namespace, domain::oid::structure);
    }

    const Letter& letter_;
    const Report& report_;
    const DpiPartner& partner_;
    hl7::Builder b_;
};

Result<void> check(const Report& report, const Documents& documents, const DpiPartner& partner) {
    if (documents.n3.empty()) return Error{Fault::missing, "OBX[1]-5", "the structured report is missing"};
    if (report.validator.rpps.empty()) return Error{Fault::missing, "PRT[1]-5", "the validating biologist has no RPPS number"};
    return dpi::check(report, partner);
}

}  // namespace

Result<std::string> document_message(const Letter& letter, const Report& report, const Documents& documents,
                                     const DpiPartner& partner) {
    if (auto ok = check(report, documents, partner); !ok) return ok.error();
    return DocumentMessage(letter, report, partner).make(documents.n3);
}

}  // namespace sgl::delivery

#include "lib/delivery/dmp/submission.hpp"

#include <algorithm>
#include <array>

#include "lib/delivery/dmp/vihf.hpp"
#include "lib/delivery/dmp/xades.hpp"
#include "lib/delivery/xds/codes.hpp"
#include "lib/delivery/xds/registry.hpp"
#include "lib/delivery/xds/report_metadata.hpp"

namespace sgl::dmp {

namespace {

using cda::XmlWriter;

// Version-5 name space of what a letter to the DMP numbers: names are "<letter>/<what>".
constexpr Uuid letter_space{
    {0x9c, 0x41, 0x5d, 0x0e, 0x77, 0xb2, 0x4f, 0x1a, 0x8a, 0x30, 0x64, 0xd5, 0x1b, 0xc8, 0x2e, 0xf6}};
constexpr std::string_view document_part = "doc01@sgld";
constexpr std::string_view signature_part = "signature01@sgld";

Uuid derived(const delivery::Letter& letter, std::string_view what) {
    return Uuid::v5(letter_space, to_string(letter.id.value()) + "/" + std::string(what));
}

/// The structure that the VIHF names: one of the authors must belong to it (EX_2.1-1140). The CDA's author belongs to
/// the site.
xds::Author structure_author(const domain::Report& report, const delivery::DmpPartner& partner) {
    auto author = xds::report_author(report);
    if (author.institution.id != partner.structure_id) author.institution = {report.entity.name, partner.structure_id};
    return author;
}

Result<void> supported(const delivery::Letter& letter, const domain::Report& report) {
    const auto no = [](std::string where, std::string what) {
        return Error{Fault::unsupported, std::move(where), std::move(what)};
    };
    if (letter.act == domain::Act::deliver && report.ids.replaced_oid)
        return no("report.version", "replacing a document in the DMP is not handled by this version");
    if (report.site.settings.dmp_documents != "n3")
        return no("site.dmp_documents", "only the N3 is sent by this version");
    if (report.confidentiality != 'N') return no("report.confidentiality", "a restricted report does not feed the DMP");
    if (!report.patient.ins_may_leave()) return Error{Fault::refused, "patient.ins", "the identity is not qualified"};
    return {};
}

void document(XmlWriter& w, std::string_view id, std::string_view part) {
    w.element("xdsb:Document", {{"id", id}}, [&] {
        w.element("xop:Include",
                  {{"xmlns:xop", "http://www.w3.org/2004/08/xop/include"}, {"href", "cid:" + std::string(part)}});
    });
}

/// The registry objects of a letter, with the writer of the VIHF as author of the set and among those of the document.
Result<xds::Submission> objects(const delivery::Letter& letter, const domain::Report& report,
                                const delivery::Documents& documents, const delivery::DmpPartner& partner) {
    if (const auto fits = supported(letter, report); !fits) return fits.error();
    xds::SubmissionIdentity identity;
    identity.set_entry_id = "SubmissionSet01";
    identity.document_entry_id = "Doc01";
    identity.source_id = partner.source_oid;
    identity.unique_id = derived(letter, "submission").to_oid();
    // Never before the document, whatever the clocks of two daemons say (dmp.md 4).
    const Instant created = report.site.time_zone.to_instant(report.created_at);
    identity.submission_time = std::chrono::floor<std::chrono::seconds>(std::max(letter.sent_at, created));
    auto metadata = xds::report_submission(report, identity, documents.n3);
    if (!metadata) return metadata;
    auto author = structure_author(report, partner);
    auto& authors = metadata->documents.front().authors;
    if (author.institution.id != authors.front().institution.id) authors.push_back(author);
    metadata->set.authors = {std::move(author)};
    return metadata;
}

}  // namespace

Result<Submission> submission(const delivery::Letter& letter, const domain::Report& report,
                              const delivery::Documents& documents, const delivery::DmpPartner& partner,
                              const Stamp& stamp) {
    auto metadata = objects(letter, report, documents, partner);
    if (!metadata) return metadata.error();
    Submission made;
    made.metadata = std::move(*metadata);
    const auto& set = made.metadata.set;
    const auto signature_id = derived(letter, "signature");
    const std::array<SignedDocument, 1> covered{{{report.ids.document_oid, documents.n3}}};
    auto signature =
        submission_signature("_" + to_string(signature_id), set.unique_id, covered, set.submission_time, stamp);
    if (!signature) return signature.error();
    made.signature = std::move(*signature);
    made.metadata.signature = xds::signature_entry(made.metadata, signature_id.to_oid());
    xds::describe_bytes(*made.metadata.signature, made.signature);
    return made;
}

Result<std::string> feed_envelope(const Call& call, const Submission& submission) {
    return envelope(call, [&](XmlWriter& w) {
        w.element("xdsb:ProvideAndRegisterDocumentSetRequest", {{"xmlns:xdsb", "urn:ihe:iti:xds-b:2007"}}, [&] {
            xds::write_submit_objects_request(w, submission.metadata, xds::Form::iti41);
            document(w, submission.metadata.documents.front().entry_id, document_part);
            document(w, submission.metadata.signature->entry_id, signature_part);
        });
    });
}

Result<Mtom> feed_request(const Call& call, const Submission& submission, std::string_view n3) {
    const auto text = feed_envelope(call, submission);
    if (!text) return text.error();
    return mtom(call, *text, {{std::string(document_part), n3}, {std::string(signature_part), submission.signature}});
}

Result<xds::SubmissionSet> deletion(const delivery::Letter& letter, const domain::Report& report,
                                    const delivery::Documents& documents, const delivery::DmpPartner& partner) {
    auto metadata = objects(letter, report, documents, partner);
    if (!metadata) return metadata.error();
    return std::move(metadata->set);
}

Result<std::string> deletion_envelope(const Call& call, const xds::SubmissionSet& set, const std::string& entry,
                                      std::string_view original) {
    const xds::StatusChange change{entry, std::string(original), std::string(xds::status::deleted)};
    return envelope(call, [&](XmlWriter& w) { xds::write_status_change(w, set, change); });
}

Result<Mtom> deletion_request(const Call& call, const xds::SubmissionSet& set, const std::string& entry,
                              std::string_view original) {
    const auto text = deletion_envelope(call, set, entry, original);
    if (!text) return text.error();
    return mtom(call, *text, {});
}

Result<Mtom> documents_query(const Call& call, const std::string& unique_id, Tell tell) {
    const std::string_view wanted = tell == Tell::references ? "ObjectRef" : "LeafClass";
    const auto text = envelope(call, [&](XmlWriter& w) {
        w.element("query:AdhocQueryRequest",
                  {{"xmlns:query", "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"},
                   {"xmlns:rim", "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"}},
                  [&] {
                      w.element("query:ResponseOption", {{"returnComposedObjects", "true"}, {"returnType", wanted}});
                      w.element("rim:AdhocQuery", {{"id", "urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4"}}, [&] {
                          w.element("rim:Slot", {{"name", "$XDSDocumentEntryUniqueId"}}, [&] {
                              w.element("rim:ValueList", {},
                                        [&] { w.element("rim:Value", {}, "('" + unique_id + "')"); });
                          });
                      });
                  });
    });
    if (!text) return text.error();
    return mtom(call, *text, {});
}

}  // namespace sgl::dmp

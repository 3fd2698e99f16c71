#include "lib/domain/report.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sgl::domain {

namespace {

// Version-5 name space of our documents: names are "<set>/<version>/<variant>/<form>".
constexpr Uuid document_space{
    {0x5b, 0x0f, 0x8e, 0x8a, 0x3d, 0x61, 0x4c, 0x2b, 0x9a, 0x77, 0x1e, 0x40, 0x6c, 0xd2, 0x91, 0x35}};

std::string document_oid(ReportSetId set, unsigned version) {
    return Uuid::v5(document_space, fmt::format("{}/{}/professional/n3", to_string(set.value()), version)).to_oid();
}

}  // namespace

ReportIdentifiers identify(ReportSetId set, unsigned version) {
    ReportIdentifiers ids;
    ids.set = set;
    ids.version = version;
    ids.version_id = ReportVersionId{Uuid::v5(document_space, fmt::format("{}/{}", to_string(set.value()), version))};
    ids.set_oid = set.value().to_oid();
    ids.document_oid = document_oid(set, version);
    if (version > 1) ids.replaced_oid = document_oid(set, version - 1);
    return ids;
}

std::vector<ChapterPart> parts_of(const ReportedChapter& chapter) {
    std::vector<ChapterPart> parts;
    const auto part = [&parts](const SubChapter& of) -> ChapterPart& {
        const auto found = std::ranges::find(parts, of, &ChapterPart::sub_chapter);
        return found != parts.end() ? *found : parts.emplace_back(of);
    };
    for (std::size_t i = 0; i < chapter.results.size(); ++i)
        part(chapter.results[i].sub_chapter).results.push_back(i);
    for (std::size_t i = 0; i < chapter.isolates.size(); ++i)
        part(chapter.isolates[i].organism.sub_chapter).isolates.push_back(i);
    std::ranges::stable_partition(parts, [](const ChapterPart& one) { return one.sub_chapter.empty(); });
    return parts;
}

std::size_t result_count(const Report& report) {
    std::size_t count = 0;
    for (const auto& chapter : report.chapters) {
        count += chapter.results.size();
        for (const auto& isolate : chapter.isolates)
            count += 1 + isolate.findings.size() + isolate.antibiogram.size();
    }
    return count;
}

std::vector<Error> missing(const Report& report) {
    std::vector<Error> errors;
    const auto need = [&](bool present, std::string where, std::string what) {
        if (!present) errors.push_back(Error{Fault::missing, std::move(where), std::move(what)});
    };
    const auto& traits = report.patient.traits.reveal();
    need(!traits.birth_name.empty(), "patient.birth_name", "the birth name is mandatory on a report");
    need(!traits.first_given_name.empty(), "patient.first_given_name", "the first given name is mandatory on a report");
    need(traits.birth_date.has_value(), "patient.birth_date", "the date of birth is mandatory on a report");
    need(!report.patient.local_id.empty(), "patient.local_id",
         "the laboratory's patient number is mandatory on a report");
    if (report.patient.ins_may_leave()) {
        need(!traits.birth_given_names.empty(), "patient.birth_given_names",
             "a qualified identity has all its birth given names");
        need(!traits.birth_place.empty(), "patient.birth_place",
             "a qualified identity has the INSEE code of the birth place");
        need(traits.sex != Sex::unknown, "patient.sex", "a qualified identity has a sex");
    }
    need(!report.entity.name.empty() && !report.entity.legal_form.empty(), "legal_entity",
         "name and legal form of the laboratory are mandatory");
    need(!report.entity.biologists_in_charge.empty(), "legal_entity.biologists_in_charge",
         "the biologist in charge is mandatory");
    need(!report.site.address.city.empty(), "site.address", "the address of the site is mandatory");
    need(!report.validator.rpps.empty(), "validator.rpps", "the validating biologist has no RPPS number");
    need(!report.validator.family.empty() && !report.validator.given.empty(), "validator",
         "surname and first name of the validating biologist are mandatory");
    need(!report.validator.speciality.code.empty(), "validator.speciality",
         "the validating biologist has no speciality");
    need(!report.specimens.empty(), "specimens", "no specimen is known for this order");
    for (std::size_t i = 0; i < report.specimens.size(); ++i) {
        const auto& collected = report.specimens[i].collected_at;
        need(collected && collected->precision >= Precision::minute, fmt::format("specimens[{}].collected_at", i + 1),
             "date and time of collection are mandatory on a report");
    }
    need(!report.chapters.empty(), "results", "the report has no result");
    need((report.kind == ReportKind::partial) == !report.awaited.empty(), "awaited",
         "a partial report says what is still to come, a final one awaits nothing");
    const auto labelled = [&](const std::vector<ReportedResult>& results) {
        for (const auto& result : results)
            need(!result.label.empty(), "result " + result.local_code, "the examination has no label in the catalogue");
    };
    for (const auto& chapter : report.chapters) {
        need(!chapter.code.empty(), fmt::format("chapter {}", chapter.label), "the chapter has no code");
        labelled(chapter.results);
        for (const auto& isolate : chapter.isolates) {
            need(!to_french(isolate.organism.value).empty(), "isolate " + isolate.number, "nothing names this isolate");
            labelled(isolate.findings);
            labelled(isolate.antibiogram);
        }
        if (chapter.validation)
            need(!chapter.validation->who.rpps.empty() && !chapter.validation->who.family.empty(),
                 "chapter " + chapter.code + " validator",
                 "name and RPPS number of the validating biologist are mandatory");
    }
    return errors;
}

}  // namespace sgl::domain

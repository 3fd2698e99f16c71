#include "lib/flow/draft.hpp"

#include <algorithm>
#include <iterator>
#include <set>

#include "lib/delivery/partners.hpp"
#include "lib/domain/succession.hpp"

namespace sgl::flow {

namespace {

const domain::Specimen* specimen_of(const store::OrderFile& file, const std::string& number) {
    const auto found = std::ranges::find(file.specimens, number, &domain::Specimen::number);
    return found == file.specimens.end() ? nullptr : &*found;
}

Timestamp measured_at(const store::CurrentResult& result, const TimeZone& zone) {
    if (const auto time = Timestamp::parse(result.measured_at)) return *time;
    return zone.to_local(result.received_at);
}

domain::Flag flag_of(const domain::Analyte& analyte, const domain::Value& value, const domain::Range& range) {
    if (const auto* quantity = std::get_if<domain::Quantity>(&value))
        return domain::interpret(*quantity, range, analyte.critical);
    if (const auto* coded = std::get_if<domain::Coded>(&value)) {
        for (const auto& answer : analyte.answers) {
            if (answer.coded == *coded) return answer.flag;
        }
    }
    return domain::Flag::none;
}

/// The examination that was asked and gives this analysis: itself before a panel.
std::string ordered_as(const std::vector<domain::RequestedExam>& exams, const domain::Catalogue& catalogue,
                       const domain::Analyte& analyte) {
    std::string panel;
    for (const auto& exam : exams) {
        if (exam.state == domain::ExamState::cancelled || exam.state == domain::ExamState::replaced) continue;
        if (exam.code == analyte.local_code) return exam.code;
        const auto members = catalogue.ordered(exam.code);
        const bool member = std::ranges::any_of(members, [&](const auto* each) { return each->id == analyte.id; });
        if (member && panel.empty()) panel = exam.code;
    }
    return panel;
}

/// An answer of the catalogue says that nothing grew: an organism whose flag is N.
bool nothing_grew(const domain::Analyte& analyte, const std::optional<domain::Value>& value) {
    return analyte.kind == domain::ValueKind::organism && value && flag_of(analyte, *value, {}) == domain::Flag::normal;
}

/// Only comparable ones: same kind and method, and the same unit for quantities (cr-bio.md 5.2).
bool comparable(const domain::ReportedResult& now, const domain::PreviousResult& before) {
    if (now.value.index() != before.value.index() || now.method != before.method) return false;
    const auto* a = std::get_if<domain::Quantity>(&now.value);
    return a == nullptr || a->unit == std::get<domain::Quantity>(before.value).unit;
}

/// What was measured at the same time or later (an old tube that comes late) is no previous result.
void add_previous(domain::ReportedResult& to, const std::vector<domain::PreviousResult>& known, const TimeZone& zone) {
    const auto now = zone.to_instant(to.measured_at);
    for (const auto& before : known) {
        if (!comparable(to, before) || zone.to_instant(before.at) >= now) continue;
        if (!to.previous)
            to.previous = before;
        else if (to.earlier.size() + 1 < domain::most_previous_results)
            to.earlier.push_back(before);
    }
}

/// What another laboratory performed is told in its terms: its method, its range with its flag (hl7v2-lab 8.4).
void performed_elsewhere(domain::ReportedResult& reported, const store::CurrentResult& result) {
    const auto& detail = result.detail;
    if (detail.laboratory.empty()) return;
    reported.performer = domain::Performer{detail.laboratory, detail.laboratory_id};
    if (!detail.method.empty()) reported.method = detail.method;
    if (detail.reference_range.empty()) return;
    reported.range = {};
    reported.range_text = detail.reference_range;
    reported.flag = domain::flag_of(result.received_flags).value_or(domain::Flag::none);
}

domain::Professional detailed(const domain::Laboratory& laboratory, domain::LegalEntityId entity,
                              domain::Professional person) {
    if (person.rpps.empty()) return person;
    const auto known = laboratory.correspondents(entity, person.rpps);
    if (known.empty()) return person;
    const auto& more = known.front()->professional;
    if (person.family.empty()) person.family = more.family;
    if (person.given.empty()) person.given = more.given;
    if (person.title.empty()) person.title = more.title;
    if (person.civility.empty()) person.civility = more.civility;
    if (person.speciality.code.empty()) person.speciality = more.speciality;
    if (person.address.city.empty()) person.address = more.address;
    if (person.phone.empty()) person.phone = more.phone;
    return person;
}

void add_correspondents(std::vector<domain::Correspondent>& to, const domain::Laboratory& laboratory,
                        domain::LegalEntityId entity, const domain::Professional& person, bool is_prescriber) {
    if (person.family.empty() && person.rpps.empty()) return;
    const auto known = person.rpps.empty() ? std::vector<const domain::Correspondent*>{}
                                           : laboratory.correspondents(entity, person.rpps);
    domain::Correspondent correspondent;
    if (!known.empty())
        correspondent = *known.front();  // one mailbox each in this version: that of his first structure
    correspondent.professional = detailed(laboratory, entity, person);
    correspondent.is_prescriber = is_prescriber;
    to.push_back(std::move(correspondent));
}

}  // namespace

ReportDraft draft(const store::OrderFile& file, const domain::Catalogue& catalogue, const TimeZone& zone,
                  const PreviousResults& previous) {
    ReportDraft made;
    const auto& traits = file.patient.traits.reveal();
    // One line an analysis, in a culture one of each isolate: of several runs the one measured last (hl7v2-lab 8.6),
    // whatever the order of arrival; who wants another asks for it to be resent.
    std::map<std::pair<std::string, std::int32_t>, std::vector<const store::CurrentResult*>> runs;
    for (const auto& result : file.results) {
        if (!result.analyte || result.state == "quarantined") {
            made.unreadable.push_back(result.code);
            continue;
        }
        runs[{result.isolate, result.analyte->value()}].push_back(&result);
    }
    std::vector<std::pair<const domain::Analyte*, const store::CurrentResult*>> found;
    for (const auto& [key, results] : runs) {
        const auto id = key.second;
        std::vector<domain::Candidate> candidates;
        for (const auto* result : results)
            candidates.push_back({result->status, zone.to_instant(measured_at(*result, zone))});
        const auto* result = results[*domain::newest(candidates)];
        const auto* analyte = catalogue.by_id(domain::AnalyteId{id});
        if (analyte == nullptr) analyte = catalogue.by_code(result->code);  // the catalogue got a new version since
        if (analyte == nullptr)
            made.unreadable.push_back(result->code);
        else
            found.emplace_back(analyte, result);
    }
    std::ranges::sort(found, {},
                      [](const auto& pair) { return std::pair(pair.first->position, pair.first->local_code); });
    std::set<std::string> sterile;  // cultures where nothing grew: what is said of them are plain results
    for (const auto& [analyte, result] : found) {
        if (nothing_grew(*analyte, result->value)) sterile.insert(result->isolate);
    }
    for (const auto& [analyte, result] : found) {
        domain::ReportedLine line;
        line.result = result->id;
        line.isolate = sterile.contains(result->isolate) ? std::string() : result->isolate;
        line.kind = analyte->kind;
        line.preliminary = result->status == "P";
        line.printed = result->isolate.empty() || !result->detail.unprinted;
        line.chapter = analyte->chapter;
        line.chapter_label = analyte->chapter_label;
        auto& reported = line.reported;
        reported.local_code = analyte->local_code;
        reported.loinc = analyte->loinc;
        reported.label = analyte->label;
        reported.loinc_label = analyte->loinc_label;
        reported.sub_chapter = analyte->sub_chapter;
        reported.value = result->value.value_or(domain::Value{domain::Words{"Non réalisé"}});
        reported.not_done = !result->value;
        reported.susceptible = result->detail.susceptible;
        const bool antibiotic = analyte->kind == domain::ValueKind::antibiotic;  // a MIC stays as it was read
        if (auto* quantity = std::get_if<domain::Quantity>(&reported.value); quantity != nullptr && !antibiotic)
            quantity->number = quantity->number.rounded(analyte->decimals);
        const auto* specimen = specimen_of(file, result->specimen_number);
        if (specimen == nullptr && !file.specimens.empty()) specimen = &file.specimens.front();
        if (specimen != nullptr) reported.specimen_number = specimen->number;
        reported.measured_at = measured_at(*result, zone);
        const auto at = specimen != nullptr && specimen->collected_at ? *specimen->collected_at : reported.measured_at;
        if (std::holds_alternative<domain::Quantity>(reported.value)) {
            reported.range = domain::choose_range(*analyte, traits.sex, domain::age_in_days(traits.birth_date, at));
        }
        // Flags on the value as received, not as rounded for display.
        reported.flag = result->value ? flag_of(*analyte, *result->value, reported.range) : domain::Flag::none;
        reported.ordered_as = ordered_as(file.exams, catalogue, *analyte);
        reported.method = antibiotic && analyte->method.empty() ? result->detail.method : analyte->method;
        reported.comment = result->note;
        performed_elsewhere(reported, *result);
        if (const auto before = previous.find(analyte->local_code); line.isolate.empty() && before != previous.end())
            add_previous(reported, before->second, zone);
        made.lines.push_back(std::move(line));
    }
    for (const auto& exam : file.exams) {
        if (exam.state != domain::ExamState::requested) continue;
        const auto members = catalogue.ordered(exam.code);
        if (members.empty()) made.awaited.push_back({exam.label.empty() ? exam.code : exam.label, "", exam.code});
        for (const auto* member : members) {
            // What is said of a germ is asked for with its culture, and comes only where something grew.
            if (member->kind == domain::ValueKind::antibiotic || member->kind == domain::ValueKind::marker) continue;
            const bool there = std::ranges::any_of(made.lines, [&](const domain::ReportedLine& line) {
                return line.reported.local_code == member->local_code;
            });
            if (!there && std::ranges::find(made.awaited, member->label, &domain::Awaited::label) == made.awaited.end())
                made.awaited.push_back({member->label, member->chapter, exam.code});
        }
    }
    return made;
}

std::vector<domain::Awaited> provisional(const std::vector<domain::ReportedLine>& lines) {
    std::vector<domain::Awaited> awaited;
    for (const auto& line : lines) {
        if (line.kind != domain::ValueKind::organism || line.isolate.empty() || !line.preliminary || !line.printed)
            continue;
        awaited.push_back({"identification définitive (" + domain::to_french(line.reported.value) + ")", line.chapter,
                           line.reported.ordered_as});
    }
    return awaited;
}

domain::Report report_of(const store::OrderFile& file, const domain::Laboratory& laboratory,
                         const std::vector<domain::ReportedLine>& lines, const domain::Professional& validator,
                         const domain::ReportIdentifiers& ids, Instant validated_at, const std::string& comment) {
    domain::Report report;
    report.ids = ids;
    report.order_number = file.number;
    report.placer_group = file.placer_group;
    std::ranges::copy_if(file.exams, std::back_inserter(report.exams), [](const domain::RequestedExam& exam) {
        return exam.state == domain::ExamState::requested || exam.state == domain::ExamState::not_done;
    });
    if (const auto* entity = laboratory.legal_entity(file.legal_entity)) report.entity = *entity;
    if (const auto* site = laboratory.site(file.site)) report.site = *site;
    report.patient = file.patient;
    report.prescriber = detailed(laboratory, file.legal_entity, file.prescriber);
    add_correspondents(report.correspondents, laboratory, file.legal_entity, file.prescriber, true);
    for (const auto& copy : file.copies) {
        const bool twice =
            !copy.rpps.empty() && std::ranges::any_of(report.correspondents, [&](const domain::Correspondent& other) {
                return other.professional.rpps == copy.rpps;
            });
        if (!twice) add_correspondents(report.correspondents, laboratory, file.legal_entity, copy, false);
    }
    report.collector = file.collector;
    report.specimens = file.specimens;
    report.prescribed_at = file.prescribed_at;
    const auto& zone = report.site.time_zone;
    report.registered_at = zone.to_local(file.registered_at);
    report.validated_at = zone.to_local(validated_at);
    report.created_at = report.validated_at;
    report.validator = validator;
    report.patient_class = file.patient_class;
    report.stay_number = file.stay_number;
    report.clinical_context = file.clinical_context;
    report.comment = comment;
    report.chapters = domain::chapters_of(lines);
    return report;
}

domain::PlanContext plan_context(const domain::Laboratory& laboratory, const domain::Site& site, bool production) {
    domain::PlanContext context;
    context.production = production;
    for (const auto* partner : laboratory.partners_of(site.legal_entity, domain::PartnerKind::dpi)) {
        const auto definition = delivery::dpi_partner(partner->definition);
        if (!definition || !partner->active) continue;
        const auto& sites = definition->sites;
        if (!sites.empty() && std::ranges::find(sites, site.finess.text()) == sites.end()) continue;
        context.dpis.push_back(partner->id);
        context.dpi_names.push_back(partner->name);
    }
    return context;
}

}  // namespace sgl::flow

#include "lib/compose/cr_bio.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cda/codes.hpp"
#include "lib/base/text.hpp"
#include "lib/compose/local_time.hpp"
#include "lib/compose/wording.hpp"
#include "lib/domain/microbiology.hpp"

namespace sgl::compose {

namespace {

namespace codes = cda::codes;
using domain::Report;
using domain::ReportedResult;

/// Collects the first refusal; the mapping itself stays a plain description.
class Mapping {
public:
    explicit Mapping(const Report& report) : report_(report), zone_(report.site.time_zone) {}

    Result<cda::CrBio> make(std::string pdf) {
        if (!domain::is_oid(report_.entity.oid)) refuse(Fault::missing, "legal_entity.oid", "the root of the laboratory's identifiers is not an OID");
        if (!domain::is_oid(patient_authority())) refuse(Fault::missing, "patient.local_authority_oid", "who gave the patient number has no OID");

        cda::CrBio document;
        document.id = report_.ids.document_oid;
        document.set_id = report_.ids.set_oid;
        document.version = report_.ids.version;
        document.replaces = report_.ids.replaced_oid;
        document.effective_time = time(report_.created_at);
        document.confidentiality = confidentiality();
        document.patient = patient();

        const cda::Act signature{time(report_.validated_at), biologist(report_.validator, laboratory())};
        document.author = signature;
        document.legal_authenticator = signature;
        authenticators(document.authenticators);
        document.custodian = laboratory();
        for (const auto& correspondent : report_.correspondents) document.recipients.push_back({recipient(correspondent)});
        participants(document.participants);
        document.orders.push_back(report_.placer_group.empty() ? cda::Identifier{order_root(report_.entity), report_.order_number, {}}
                                                               : cda::Identifier{prescription_root(report_.entity), report_.placer_group, {}});
        document.service = service();
        document.encounter = encounter();
        if (!report_.awaited.empty()) document.comments.push_back({"Résultats partiels", "Restent à venir : " + awaited(report_) + "."});
        for (const auto& remark : report_.non_conformities) document.comments.push_back({"Non-conformité", remark});
        if (!report_.clinical_context.empty()) document.comments.push_back({"Renseignements cliniques", report_.clinical_context});
        if (!report_.comment.empty()) document.comments.push_back({"Interprétation du biologiste", report_.comment});
        for (std::size_t i = 0; i < report_.chapters.size(); ++i) document.chapters.push_back(chapter(i, signature));
        document.pdf = std::move(pdf);
        if (refusal_) return std::move(*refusal_);
        return document;
    }

private:
    void refuse(Fault fault, std::string where, std::string what) {
        if (!refusal_) refusal_ = Error{fault, std::move(where), std::move(what)};
    }

    Timestamp time(const Timestamp& at) const { return local(at, zone_); }

    cda::Code from(std::span<const codes::Entry> table, const std::string& code, std::string_view where, std::string_view what) {
        if (const auto* entry = codes::find(table, code)) return codes::to_code(*entry);
        refuse(Fault::unsupported, std::string(where), std::string(what));
        return {};
    }

    // ------------------------------------------------------------------------------------------------ people, places

    static cda::Address address(const domain::Address& from) {
        cda::Address to;
        if (from.lines.size() <= 2) {  // the parts serve the metadata of the submission too
            if (!from.lines.empty()) to.street_name = from.lines[0];
            if (from.lines.size() == 2) to.additional_locator = from.lines[1];
            to.postal_code = from.postal_code;
            to.city = from.city;
            to.country = from.country;
            return to;
        }
        to.lines = from.lines;
        std::string town = from.postal_code;
        town += (town.empty() || from.city.empty() ? "" : " ") + from.city;
        if (!town.empty()) to.lines.push_back(town);
        if (!from.country.empty()) to.lines.push_back(from.country);
        if (to.lines.size() > 7) to.lines.resize(7);
        return to;
    }

    static std::vector<cda::Telecom> telephone(const std::string& number, std::string use) {
        std::string digits;
        std::ranges::copy_if(number, std::back_inserter(digits), [](char c) { return c != ' ' && c != '.'; });
        if (digits.empty()) return {};
        return {{"tel:" + digits, std::move(use)}};
    }

    cda::Organisation laboratory() {
        cda::Organisation to;
        to.ids = {{std::string(codes::structure_root), report_.site.finess.national(), {}}};
        to.name = report_.entity.name + (report_.site.name.empty() ? "" : " - " + report_.site.name);
        to.telecoms = telephone(report_.site.phone, "WP");
        to.address = address(report_.site.address);
        to.practice_setting = from(codes::practice_settings, report_.site.settings.practice_setting, "site.practice_setting",
                                   "the practice setting of the site is not of JDV_J04");
        return to;
    }

    static std::optional<cda::Code> speciality(const domain::Speciality& from) {
        if (from.code.empty()) return std::nullopt;
        const auto* entry = codes::find(codes::biologists, from.code);
        if (entry == nullptr) entry = codes::find(codes::other_specialities, from.code);
        if (entry != nullptr) return codes::to_code(*entry);
        return cda::Code{from.code, std::string(codes::speciality_system), from.label};
    }

    static cda::Professional professional(const domain::Professional& from) {
        cda::Professional to;
        if (!from.rpps.empty()) to.ids = {{std::string(codes::professional_root), from.rpps.national(), {}}};
        to.speciality = speciality(from.speciality);
        to.address = address(from.address);
        to.telecoms = telephone(from.phone, "WP");
        to.name = {from.civility, from.given, from.family, from.title};
        return to;
    }

    /// A biologist of the laboratory is reached at the laboratory.
    cda::Professional biologist(const domain::Professional& from, cda::Organisation organisation) const {
        auto to = professional(from);
        if (to.address.empty()) to.address = address(report_.site.address);
        if (to.telecoms.empty()) to.telecoms = telephone(report_.site.phone, "WP");
        to.organisation = std::move(organisation);
        return to;
    }

    static cda::Professional recipient(const domain::Correspondent& from) {
        auto to = professional(from.professional);
        if (!from.mss_address.empty()) to.telecoms.push_back({"mailto:" + from.mss_address, "WP"});
        return to;
    }

    const std::string& patient_authority() const {
        return report_.patient.local_authority_oid.empty() ? report_.site.oid : report_.patient.local_authority_oid;
    }

    cda::Patient patient() const {
        const auto& from = report_.patient;
        const auto& traits = from.traits.reveal();
        cda::Patient to;
        if (from.ins_may_leave()) {
            const auto& ins = from.ins->reveal();
            to.ins = cda::Identifier{ins.oid, ins.matricule.text(), {}};
        }
        to.local_ids = {{patient_authority(), from.local_id, {}}};
        to.birth_name = traits.birth_name;
        to.birth_given_names = traits.birth_given_names;
        to.first_birth_given = traits.first_given_name;
        to.used_name = traits.used_name;
        to.used_given = traits.used_given_name;
        switch (traits.sex) {
            case domain::Sex::female: to.gender = cda::Gender::female; break;
            case domain::Sex::male: to.gender = cda::Gender::male; break;
            case domain::Sex::unknown: to.gender = cda::Gender::unknown; break;
        }
        if (traits.birth_date) to.birth_date = time(*traits.birth_date);
        if (!traits.birth_place.empty()) to.birthplace = cda::Birthplace{traits.birth_place, {}};
        if (auto home = address(traits.address); !home.empty()) {
            home.use = "H";
            to.addresses.push_back(std::move(home));
        }
        to.telecoms = telephone(traits.phone, "H");
        return to;
    }

    // --------------------------------------------------------------------------------------------------------- acts

    cda::Confidentiality confidentiality() {
        switch (report_.confidentiality) {
            case 'N': return cda::Confidentiality::normal;
            case 'R': return cda::Confidentiality::restricted;
            case 'V': return cda::Confidentiality::very_restricted;
            default: refuse(Fault::malformed, "confidentiality", "the confidentiality is N, R or V"); return {};
        }
    }

    Timestamp first_collection() const {
        const Timestamp* first = nullptr;
        for (const auto& specimen : report_.specimens) {
            const auto& at = *specimen.collected_at;  // domain::missing has seen to it
            if (first == nullptr || zone_.to_instant(at) < zone_.to_instant(*first)) first = &at;
        }
        return time(*first);
    }

    /// Only who has a national number: CDA identifies a participant by it. The PDF names him in any case.
    void participants(std::vector<cda::Participant>& to) const {
        using Role = cda::Participant::Role;
        if (!report_.prescriber.rpps.empty()) {
            std::optional<Timestamp> when;
            if (report_.prescribed_at && report_.prescribed_at->precision >= Precision::day) when = time(*report_.prescribed_at);
            to.push_back({Role::prescriber, when, professional(report_.prescriber)});
        }
        if (!report_.collector.rpps.empty()) to.push_back({Role::collector, first_collection(), professional(report_.collector)});
    }

    /// The other biologists who validated a part, each with his last validation (cr-bio.md 4 #19).
    void authenticators(std::vector<cda::Act>& to) {
        for (const auto& chapter : report_.chapters) {
            if (!chapter.validation || chapter.validation->who.rpps == report_.validator.rpps) continue;
            const cda::Act act{time(chapter.validation->at), biologist(chapter.validation->who, laboratory())};
            const auto same = std::ranges::find_if(to, [&](const cda::Act& other) { return other.who.ids == act.who.ids; });
            if (same == to.end()) to.push_back(act);
            else if (zone_.to_instant(same->time) < zone_.to_instant(act.time)) same->time = act.time;
        }
    }

    cda::Progress progress() const {
        switch (report_.kind) {
            case domain::ReportKind::final: return cda::Progress::completed;
            case domain::ReportKind::partial: return cda::Progress::active;
        }
        return cda::Progress::completed;
    }

    /// Results of this chapter are still to come; what the catalogue doesn't know may belong anywhere.
    bool awaits(const domain::ReportedChapter& chapter) const {
        return std::ranges::any_of(report_.awaited, [&](const domain::Awaited& one) { return one.chapter.empty() || one.chapter == chapter.code; });
    }

    cda::ServiceEvent service() {
        cda::ServiceEvent to;
        to.id = cda::Identifier{order_root(report_.entity), report_.order_number, {}};
        to.progress = progress();
        to.received = time(report_.registered_at);
        if (report_.kind == domain::ReportKind::final) to.released = time(report_.created_at);
        const auto& director = report_.entity.biologists_in_charge.front();
        if (director.rpps.empty()) refuse(Fault::missing, "legal_entity.biologists_in_charge[1].rpps", "the biologist in charge has no RPPS number");
        if (director.speciality.code.empty()) refuse(Fault::missing, "legal_entity.biologists_in_charge[1].speciality", "the biologist in charge has no speciality");
        to.performer = {time(report_.validated_at), biologist(director, laboratory())};
        return to;
    }

    cda::Encounter encounter() {
        cda::Encounter to;
        // PV1-2; what is neither hospital stay nor emergency is seen as a walk-in patient.
        const std::string kind = report_.patient_class == "I" ? "IMP" : report_.patient_class == "E" ? "EMER" : "AMB";
        to.kind = from(codes::encounters, kind, "patient_class", "the kind of encounter is not of JDV_J142");
        to.start = first_collection();
        auto organisation = laboratory();
        if (!report_.entity.accreditation.empty()) organisation.ids.push_back({std::string(codes::cofrac_root), report_.entity.accreditation, "COFRAC"});
        to.responsible = biologist(report_.validator, std::move(organisation));
        to.facility_type = from(codes::facility_types, report_.site.settings.facility_type, "site.facility_type",
                                "the facility type of the site is not of JDV_J02");
        to.facility_name = report_.site.name.empty() ? report_.entity.name : report_.site.name;
        to.facility_address = address(report_.site.address);
        return to;
    }

    // ------------------------------------------------------------------------------------------------------ results

    cda::Chapter chapter(std::size_t index, const cda::Act& signature) {
        const auto& from_chapter = report_.chapters[index];
        const auto place = fmt::format("chapters[{}]", index + 1);
        cda::Chapter to;
        to.code = from(codes::chapters, from_chapter.code, place + ".code", "the chapter is not of the national list");
        to.title = from_chapter.label.empty() ? to.code.display : from_chapter.label;
        const auto parts = domain::parts_of(from_chapter);
        if (parts.size() == 1 && parts.front().sub_chapter.empty()) {
            to.results = results(parts.front(), index, 0, signature);
            return to;
        }
        // A chapter holds results or sub-chapters, never both: its own results are a sub-chapter with its name, without code.
        for (std::size_t i = 0; i < parts.size(); ++i) {
            const auto& of = parts[i].sub_chapter;
            cda::SubChapter part;
            part.title = of.empty() ? to.title : of.label;
            if (!of.code.empty()) {
                part.code = from(codes::chapters, of.code, place + ".sub_chapter.code", "the sub-chapter is not of the national list");
                if (part.code->system != codes::loinc_system)
                    refuse(Fault::unsupported, place + ".sub_chapter.code", "a national waiting code names a chapter, no sub-chapter");
            }
            part.results = results(parts[i], index, i, signature);
            to.sub_chapters.push_back(std::move(part));
        }
        return to;
    }

    cda::ResultGroup results(const domain::ChapterPart& part, std::size_t index, std::size_t number, const cda::Act& signature) {
        const auto& chapter = report_.chapters[index];
        const auto place = fmt::format("chapters[{}]", index + 1);
        cda::ResultGroup to;
        to.progress = awaits(chapter) ? cda::Progress::active : cda::Progress::completed;
        to.validators = {signature};
        if (const auto& other = chapter.validation) to.validators = {{time(other->at), biologist(other->who, laboratory())}};
        for (std::size_t i = 0; i < report_.specimens.size(); ++i) {
            const auto& of = report_.specimens[i].number;
            const bool first = index == 0 && number == 0;
            if (names(chapter, part, of) || (first && nobody_names(of))) to.specimens.push_back(specimen(i));
        }
        for (const auto i : part.results)
            to.observations.push_back(observation(chapter.results[i], fmt::format("{}.results[{}]", place, i + 1)));
        for (const auto i : part.isolates)
            to.isolates.push_back(isolate(chapter.isolates[i], fmt::format("{}.isolates[{}]", place, i + 1)));
        return to;
    }

    /// A specimen is told in each entry whose results name it; one that no result names, in the first.
    static bool names(const domain::ReportedChapter& chapter, const domain::ChapterPart& part, const std::string& specimen) {
        const auto of = [&specimen](const ReportedResult& result) { return result.specimen_number == specimen; };
        return std::ranges::any_of(part.results, [&](std::size_t i) { return of(chapter.results[i]); }) ||
               std::ranges::any_of(part.isolates, [&](std::size_t i) { return of(chapter.isolates[i].organism); });
    }
    bool nobody_names(const std::string& specimen) const {
        return std::ranges::none_of(report_.chapters, [&](const domain::ReportedChapter& chapter) {
            return std::ranges::any_of(domain::parts_of(chapter), [&](const auto& part) { return names(chapter, part, specimen); });
        });
    }

    cda::Specimen specimen(std::size_t index) {
        const auto& of = report_.specimens[index];
        cda::Specimen to;
        to.id = {specimen_root(report_.entity), of.number, {}};
        to.type = from(codes::specimens, of.type, fmt::format("specimens[{}].type", index + 1), "the specimen type is not of the list that sgld knows");
        to.collected = time(*of.collected_at);
        if (of.received_at && of.received_at->precision >= Precision::minute) to.received = time(*of.received_at);
        return to;
    }

    /// The national terminology rules know UCUM annotations of lower case letters alone: {ratio}, {copies}/mL; others say
    /// nothing that is measured and go ({INR}, mL/min/{1.73_m2}), but for the colonies, which have a unit (cr-bio.md 5.2).
    static std::string ucum(const std::string& unit) {
        auto left = replace_all(unit, "{CFU}", "[CFU]");
        std::size_t from = 0;
        while ((from = left.find('{', from)) != std::string::npos) {
            const auto to = left.find('}', from);
            if (to == std::string::npos) break;
            const auto name = std::string_view(left).substr(from + 1, to - from - 1);
            if (name.size() > 1 && std::ranges::all_of(name, [](char c) { return c >= 'a' && c <= 'z'; })) {
                from = to;
                continue;
            }
            left.erase(from, to - from + 1);
        }
        while (left.ends_with('/') || left.ends_with('.')) left.pop_back();
        return left;
    }

    static cda::Value value(const domain::Value& from) {
        if (const auto* quantity = std::get_if<domain::Quantity>(&from)) {
            using domain::Comparator;
            const auto unit = ucum(quantity->unit);
            const auto shown = domain::french_unit(quantity->unit);
            if (quantity->comparator == Comparator::none) {
                if (unit.empty()) return cda::Number{quantity->number};
                return cda::Quantity{quantity->number, unit, shown};
            }
            cda::Bound bound;
            bound.side = quantity->comparator == Comparator::less || quantity->comparator == Comparator::less_or_equal
                             ? cda::Bound::Side::below
                             : cda::Bound::Side::above;
            bound.limit = quantity->number;
            bound.unit = unit;
            bound.unit_text = shown;
            bound.inclusive = quantity->comparator == Comparator::less_or_equal || quantity->comparator == Comparator::greater_or_equal;
            return bound;
        }
        if (const auto* coded = std::get_if<domain::Coded>(&from)) {
            if (coded->code.empty() || !domain::is_oid(coded->system) || coded->display.empty()) {
                return cda::Qualitative{coded->display.empty() ? coded->code : coded->display};
            }
            return cda::Code{coded->code, coded->system, coded->display};
        }
        return cda::FreeText{std::get<domain::Words>(from).text};
    }

    cda::ExaminationCode examination(const domain::ReportedResult& from, const std::string& place) {
        cda::ExaminationCode to;
        to.label = from.label;
        if (from.loinc.empty()) {
            if (from.local_code.empty()) refuse(Fault::missing, place + ".code", "a result needs a LOINC or a local code");
            to.translation = cda::Code{from.local_code, examination_root(report_.entity), from.label};
            return to;
        }
        if (!domain::is_loinc(from.loinc)) refuse(Fault::malformed, place + ".loinc", "the check digit of the LOINC code does not match");
        to.loinc = cda::Code{from.loinc, std::string(codes::loinc_system), from.loinc_label.empty() ? from.label : from.loinc_label};
        return to;
    }

    /// An analyser that gives no time of day: then when the biologist made it a result of the laboratory.
    Timestamp at(const domain::ReportedResult& result) const {
        return time(result.measured_at.precision >= Precision::minute ? result.measured_at : report_.validated_at);
    }

    /// Only what can be compared leaves coded: same kind of value, same unit, a time of day (cr-bio.md 5.2).
    static bool comparable(const domain::Value& value, const domain::PreviousResult& before) {
        if (before.at.precision < Precision::minute || before.value.index() != value.index()) return false;
        const auto* now = std::get_if<domain::Quantity>(&value);
        return now == nullptr || now->unit == std::get<domain::Quantity>(before.value).unit;
    }

    /// Structured where its FINESS number is known; a laboratory that gave none is named in a comment.
    static void performed_elsewhere(cda::Observation& to, const domain::Performer& from, const Timestamp& when) {
        const auto finess = domain::Finess::parse(from.number);
        if (!finess || from.name.empty()) {
            to.comments.push_back("Examen réalisé par " + from.name);
            return;
        }
        cda::Organisation laboratory;
        laboratory.ids = {{std::string(codes::structure_root), finess->national(), {}}};
        laboratory.name = from.name;
        cda::Professional who;
        who.ids = laboratory.ids;
        who.organisation = std::move(laboratory);
        to.performer = cda::Act{when, std::move(who)};
    }

    cda::Observation observation(const domain::ReportedResult& from, const std::string& place) {
        cda::Observation to;
        to.code = examination(from, place);
        to.method_text = from.method;
        if (!from.comment.empty()) to.comments.push_back(from.comment);
        if (from.performer) performed_elsewhere(to, *from.performer, at(from));
        if (from.not_done) {
            to.aborted = true;
            return to;
        }
        to.time = at(from);
        to.value = value(from.value);
        to.interpretation = std::string(domain::to_string(from.flag));
        if (from.susceptible) {
            to.interpretation = std::string(domain::to_string(*from.susceptible));
            if (const auto* letter = std::get_if<domain::Words>(&from.value); letter != nullptr && letter->text == to.interpretation)
                to.value = cda::Qualitative{std::string(domain::to_french(*from.susceptible))};
        }
        const auto* quantity = std::get_if<domain::Quantity>(&from.value);
        if (!from.range.empty()) {
            cda::ReferenceRange range;
            if (quantity != nullptr) {
                range.low = from.range.low;
                range.high = from.range.high;
                range.unit = ucum(quantity->unit);
            }
            range.text = domain::to_french(from.range);
            to.range = std::move(range);
        } else if (!from.range_text.empty()) {
            to.range = cda::ReferenceRange{{}, {}, {}, from.range_text};
        }
        const auto add_previous = [&](const domain::PreviousResult& before) {
            if (comparable(from.value, before)) to.previous.push_back({time(before.at), value(before.value), {}});
        };
        if (from.previous) add_previous(*from.previous);
        for (const auto& before : from.earlier) add_previous(before);
        return to;
    }

    /// SNOMED CT where the catalogue or the sender gave it; else the germ's own code as a translation, else its name
    /// alone (cr-bio.md 5.4).
    cda::Isolate isolate(const domain::ReportedIsolate& from, const std::string& place) {
        cda::Isolate to;
        to.id = {isolate_root(report_.entity), from.number, {}};
        to.label = domain::to_french(from.organism.value);
        if (const auto* coded = std::get_if<domain::Coded>(&from.organism.value);
            coded != nullptr && !coded->code.empty() && domain::is_oid(coded->system)) {
            const cda::Code code{coded->code, coded->system, to.label};
            (coded->system == codes::snomed_system ? to.germ : to.translation) = code;
        }
        if (from.preliminary) to.progress = cda::Progress::active;
        to.time = at(from.organism);
        for (std::size_t i = 0; i < from.findings.size(); ++i)
            to.observations.push_back(observation(from.findings[i], fmt::format("{}.findings[{}]", place, i + 1)));
        for (std::size_t i = 0; i < from.antibiogram.size(); ++i)
            to.antibiogram.push_back(observation(from.antibiogram[i], fmt::format("{}.antibiogram[{}]", place, i + 1)));
        if (!from.organism.comment.empty()) to.comments.push_back(from.organism.comment);
        return to;
    }

    const Report& report_;
    const TimeZone& zone_;
    std::optional<Error> refusal_;
};

}  // namespace

std::string order_root(const domain::LegalEntity& entity) { return entity.oid + ".1"; }
std::string specimen_root(const domain::LegalEntity& entity) { return entity.oid + ".2"; }
std::string examination_root(const domain::LegalEntity& entity) { return entity.oid + ".3"; }
std::string isolate_root(const domain::LegalEntity& entity) { return entity.oid + ".5"; }
std::string prescription_root(const domain::LegalEntity& entity) { return entity.oid + ".4"; }

Result<cda::CrBio> cr_bio(const Report& report, std::string pdf) {
    if (const auto errors = domain::missing(report); !errors.empty()) return errors.front();
    return Mapping{report}.make(std::move(pdf));
}

}  // namespace sgl::compose

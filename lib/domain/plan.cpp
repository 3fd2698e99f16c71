#include "lib/domain/plan.hpp"

#include <fmt/format.h>
#include <algorithm>

namespace sgl::domain {

namespace {

void block(PlannedLetter& letter, Reason reason) {
    letter.state = LetterState::blocked;
    letter.reason = reason;
}

/// What forbids a letter that carries the INS.
Reason identity_obstacle(const Report& report, const PlanContext& context) {
    const auto& patient = report.patient;
    if (patient.doubtful || patient.fictitious) return Reason::identity_doubtful;
    if (!patient.ins_may_leave()) return Reason::ins_not_qualified;
    const bool test_identity = is_test_ins_oid(patient.ins->reveal().oid);
    if (test_identity == context.production) return Reason::test_identity;
    return Reason::none;
}

PlannedLetter to_dmp(const Report& report, const PlanContext& context) {
    PlannedLetter letter;
    letter.channel = Channel::dmp;
    letter.recipient_key = "DMP";
    letter.recipient_name = "DMP";
    if (!report.site.settings.dmp) {
        block(letter, Reason::site_channel_disabled);
    } else if (report.patient.choices.dmp_opposed) {
        letter.state = LetterState::not_applicable;
        letter.reason = Reason::patient_opposed;
    } else if (report.confidentiality != 'N') {
        block(letter, Reason::restricted_confidentiality);
    } else if (report.kind == ReportKind::partial && !(report.replaces && report.replaces->after_final)) {
        // dmp.md REC_GEN-1070. A complete report that is there already is put right all the same.
        block(letter, Reason::partial_report);
    } else if (const auto obstacle = identity_obstacle(report, context); obstacle != Reason::none) {
        block(letter, obstacle);
    }
    return letter;
}

PlannedLetter to_patient(const Report& report, const PlanContext& context) {
    PlannedLetter letter;
    letter.channel = Channel::mss_patient;
    letter.recipient_key = "patient";
    if (!report.site.settings.mss_patient) {
        block(letter, Reason::site_channel_disabled);
    } else if (report.patient.choices.messaging_opposed) {
        letter.state = LetterState::not_applicable;
        letter.reason = Reason::patient_opposed;
    } else if (const auto obstacle = identity_obstacle(report, context); obstacle != Reason::none) {
        block(letter, obstacle);
    } else {
        // mssante.md 3.1: only from a qualified INS.
        letter.address = Personal<std::string>{report.patient.ins->reveal().matricule.text() + "@patient.mssante.fr"};
    }
    return letter;
}

PlannedLetter to_correspondent(const Report& report, const PlanContext& context, const Correspondent& who) {
    PlannedLetter letter;
    letter.channel = Channel::mss_professional;
    const auto& person = who.professional;
    letter.recipient_key =
        fmt::format("{}@{}", person.rpps.empty() ? person.family + " " + person.given : person.rpps.text(),
                    who.mss_address.empty() ? who.structure_name : who.mss_address);
    letter.recipient_name = person.family + " " + person.given;
    letter.address = Personal<std::string>{who.mss_address};
    const auto& patient = report.patient;
    if (!report.site.settings.mss_professionals) {
        block(letter, Reason::site_channel_disabled);
    } else if (who.mss_address.empty()) {
        block(letter, Reason::correspondent_no_mss);
    } else if (patient.doubtful || patient.fictitious) {
        block(letter, Reason::identity_doubtful);
    } else if (!patient.ins_may_leave() && !report.site.settings.mss_without_ins) {
        block(letter, Reason::ins_not_qualified);
    } else if (patient.ins_may_leave() && identity_obstacle(report, context) == Reason::test_identity) {
        block(letter, Reason::test_identity);
    }
    return letter;
}

}  // namespace

std::vector<PlannedLetter> plan(const Report& report, const PlanContext& context) {
    std::vector<PlannedLetter> letters;
    letters.push_back(to_dmp(report, context));
    for (const auto& correspondent : report.correspondents) {
        auto letter = to_correspondent(report, context, correspondent);
        const bool twice = std::ranges::any_of(letters, [&](const PlannedLetter& other) {
            return other.channel == letter.channel && other.recipient_key == letter.recipient_key;
        });
        if (!twice) letters.push_back(std::move(letter));
    }
    letters.push_back(to_patient(report, context));
    for (std::size_t i = 0; i < context.dpis.size(); ++i) {
        PlannedLetter letter;
        letter.channel = Channel::dpi;
        letter.recipient_key = fmt::format("dpi:{}", context.dpis[i].value());
        letter.recipient_name = context.dpi_names[i];
        letter.partner = context.dpis[i];
        if (!report.site.settings.dpi) block(letter, Reason::site_channel_disabled);
        letters.push_back(std::move(letter));
    }
    return letters;
}

}  // namespace sgl::domain

// An invented laboratory for the tests of the console: people with official test identities only.
#pragma once

#include "lib/web/desk.hpp"
#include "lib/web/pages.hpp"
#include "lib/web/waiting.hpp"

namespace sgl::web::fakes {

using namespace std::chrono_literals;

inline const Instant now = *parse_iso8601("2026-11-21T21:08:00Z");
inline const domain::SiteId north{1};
inline const domain::SiteId south{2};

inline Uuid uuid(unsigned n) {
    Uuid id;
    id.bytes[0] = 1;
    id.bytes[14] = static_cast<std::uint8_t>(n >> 8U);
    id.bytes[15] = static_cast<std::uint8_t>(n);
    return id;
}

inline store::SiteName site(domain::SiteId id) {
    return {id, domain::LegalEntityId{1}, id == north ? "690000025" : "690000033", id == north ? "Site Bellevue" : "Site Gerland", TimeZone::paris()};
}

inline store::User biologist() {
    store::User user;
    user.id = domain::UserId{7};
    user.login = "bio.demo";
    user.name = "Camille Démonstration";
    user.rpps = *domain::Rpps::parse("89990000001");
    user.roles = {{site(north), store::Role::biologist}, {site(south), store::Role::biologist}};
    return user;
}

inline store::User with_role(store::Role role, domain::SiteId at = north) {
    auto user = biologist();
    user.roles = {{site(at), role}};
    return user;
}

inline Frame frame(const store::User& user) {
    Frame frame;
    frame.user = &user;
    frame.csrf = "c0ffee";
    frame.demonstration = true;
    frame.now = now;
    frame.open_work = 3;
    return frame;
}

inline domain::Patient patient(bool qualified = true) {
    domain::Patient patient;
    patient.id = domain::PatientId{uuid(900)};
    patient.local_id = "2600117";
    auto& traits = patient.traits.reveal();
    traits.birth_name = "PAT-TROIS";
    traits.birth_given_names = "DOMINIQUE MARIE-LOUISE";
    traits.first_given_name = "DOMINIQUE";
    traits.birth_date = *Timestamp::parse("19790328");
    traits.sex = domain::Sex::female;
    traits.birth_place = "63220";
    if (qualified) {
        patient.status = domain::IdentityStatus::qualified;
        domain::Ins ins{*domain::InsMatricule::parse("279035121518989"), std::string(domain::oid::ins_nir_test)};
        patient.ins = Personal<domain::Ins>{ins};
    }
    return patient;
}

inline domain::Patient other(std::string birth_name, std::string given, domain::Sex sex, std::string born, domain::IdentityStatus status) {
    auto who = patient(false);
    auto& traits = who.traits.reveal();
    traits.birth_name = std::move(birth_name);
    traits.first_given_name = given;
    traits.birth_given_names = std::move(given);
    traits.sex = sex;
    traits.birth_date = *Timestamp::parse(born);
    who.status = status;
    return who;
}

inline store::WorklistRow row(unsigned n, domain::Patient who) {
    store::WorklistRow row;
    row.id = domain::OrderId{uuid(n)};
    row.site = n % 3 == 0 ? south : north;
    row.number = "261121" + std::to_string(100000 + n).substr(1) + "0";
    row.state = domain::OrderState::in_progress;
    row.registered_at = now - n * 13min;
    row.last_event_at = now - n * 4min;
    row.patient = std::move(who);
    row.prescriber = "Dr Alix PRESCRIPTEUR-TEST";
    row.chapters = {{"Hématologie", 12, 0, 2, 0}, {"Biochimie", 6, 0, 1, 0}};
    return row;
}

inline store::Worklist worklist() {
    using domain::IdentityStatus;
    using domain::Sex;
    store::Worklist list;
    auto urgent = row(1, patient());
    urgent.urgent = true;
    urgent.chapters = {{"Biochimie", 8, 0, 2, 1}, {"Hématologie", 14, 0, 3, 0}};
    urgent.verdicts = domain::VerdictCounts{19, 2, 1};
    list.rows.push_back(urgent);
    auto two = row(2, other("PAT-UN", "ALEX", Sex::male, "19540612", IdentityStatus::retrieved));
    two.pending_exams = {"Hémoculture"};
    list.rows.push_back(two);
    auto three = row(3, other("PAT-QUATRE", "NOUR", Sex::female, "20260802", IdentityStatus::provisional));
    three.unknown_codes = 1;
    three.chapters = {{"Bactériologie", 1, 0, 0, 0}};
    list.rows.push_back(three);
    auto four = row(4, other("PAT-DEUX", "CLAUDE", Sex::male, "19931130", IdentityStatus::validated));
    four.verdicts = domain::VerdictCounts{12, 0, 0};
    list.rows.push_back(four);
    auto five = row(5, patient());
    five.state = domain::OrderState::reported;
    five.chapters = {{"Hématologie", 12, 12, 1, 0}};
    five.report = domain::ReportVersionId{uuid(500)};
    five.letters = {{domain::Channel::dmp, domain::LetterState::accepted, domain::Reason::none},
                    {domain::Channel::mss_professional, domain::LetterState::delivered, domain::Reason::none},
                    {domain::Channel::mss_patient, domain::LetterState::retry, domain::Reason::partner_unavailable},
                    {domain::Channel::dpi, domain::LetterState::blocked, domain::Reason::partner_not_configured}};
    list.rows.push_back(five);
    for (unsigned n = 6; n < 16; ++n) list.rows.push_back(row(n, n % 2 == 0 ? patient() : other("PAT-CINQ", "SACHA", Sex::unknown, "1961", IdentityStatus::provisional)));
    list.counts = {14, 9, 27, 1};
    return list;
}

inline domain::Quantity quantity(std::string_view number, std::string_view unit) {
    domain::Quantity q;
    q.number = *Decimal::parse(number);
    q.unit = unit;
    return q;
}

inline domain::ReportedLine result(unsigned n, std::string chapter, std::string label, domain::Value value, domain::Flag flag, const char* low, const char* high,
                          const char* previous = nullptr) {
    domain::ReportedLine made;
    made.result = domain::ResultId{n};
    made.chapter = chapter;
    made.chapter_label = std::move(chapter);
    auto& r = made.reported;
    r.local_code = "T" + std::to_string(n);
    r.loinc = "718-7";
    r.label = std::move(label);
    r.value = std::move(value);
    r.flag = flag;
    if (low != nullptr) r.range.low = *Decimal::parse(low);
    if (high != nullptr) r.range.high = *Decimal::parse(high);
    if (previous != nullptr) r.previous = domain::PreviousResult{quantity(previous, "g/L"), *Timestamp::parse("20260904")};
    r.measured_at = *Timestamp::parse("202611212014");
    return made;
}

inline domain::ReportedLine culture_line(unsigned n, domain::ValueKind kind, std::string isolate, std::string label, domain::Value value) {
    auto made = result(n, "Microbiologie", std::move(label), std::move(value), domain::Flag::none, nullptr, nullptr);
    made.kind = kind;
    made.isolate = std::move(isolate);
    return made;
}

/// A urine with two germs, the first with its antibiogram: one line of each kind.
inline std::vector<domain::ReportedLine> culture() {
    using enum domain::ValueKind;
    const auto mic = [](std::string_view number, domain::Comparator sign) { return domain::Quantity{sign, *Decimal::parse(number), "mg/L"}; };
    std::vector<domain::ReportedLine> lines{
        result(21, "Microbiologie", "Leucocytes", quantity("150000", "/mL"), domain::Flag::high, nullptr, "10000"),
        culture_line(22, organism, "7#1", "Germe identifié", domain::Coded{"112283007", "2.16.840.1.113883.6.96", "Escherichia coli"}),
        culture_line(23, numeric, "7#1", "Numération", quantity("100000", "{CFU}/mL")),
        culture_line(24, marker, "7#1", "Bêta-lactamase à spectre étendu", domain::Coded{"", "", "Positif"}),
        culture_line(25, antibiotic, "7#1", "Amoxicilline", mic("32", domain::Comparator::greater)),
        culture_line(26, antibiotic, "7#1", "Céfépime", mic("2", domain::Comparator::none)),
        culture_line(27, antibiotic, "7#1", "Nitrofurantoïne", domain::Words{"S"}),
        culture_line(28, antibiotic, "7#1", "Ertapénème", mic("0.12", domain::Comparator::less_or_equal)),
        culture_line(29, organism, "7#2", "Germe identifié", domain::Coded{"", "", "Cocci à Gram positif"}),
    };
    lines[3].reported.flag = domain::Flag::abnormal;
    lines[4].reported.susceptible = domain::Susceptible::resistant;
    lines[5].reported.susceptible = domain::Susceptible::increased_exposure;
    lines[6].reported.susceptible = domain::Susceptible::standard;
    lines[7].reported.susceptible = domain::Susceptible::standard;
    lines[7].printed = false;
    lines[8].preliminary = true;
    return lines;
}

inline OrderScreen order_screen() {
    using domain::Flag;
    OrderScreen screen;
    auto& order = screen.order;
    order.id = domain::OrderId{uuid(1)};
    order.site = north;
    order.row_version = 4;
    order.number = "261121000010";
    order.placer_group = "RX-2026-118";
    order.state = domain::OrderState::in_progress;
    order.urgent = true;
    order.patient = patient();
    order.prescriber = "Dr Alix PRESCRIPTEUR-TEST";
    order.copies = {"Dr Sam COPIE-TEST"};
    order.collector = "Lou PRELEVEUR-TEST";
    order.prescribed_at = *Timestamp::parse("20261120");
    order.registered_at = now - 64min;
    order.clinical_context = "Asthénie, suivi d'anémie ; traitement martial en cours";
    domain::Specimen edta{domain::SpecimenId{uuid(70)}, "26112100011", "BLD", "Sang total EDTA", *Timestamp::parse("202611211955"), std::nullopt};
    domain::Specimen serum{domain::SpecimenId{uuid(71)}, "26112100012", "SER", "Sérum", *Timestamp::parse("202611211955"), std::nullopt};
    domain::Specimen broken{domain::SpecimenId{uuid(72)}, "26112100013", "PLAS", "Plasma citraté", *Timestamp::parse("202611211955"), std::nullopt};
    broken.refusal_code = "RB";
    broken.refusal = "Tube cassé";
    order.specimens = {edta, serum, broken};
    order.exams = {{"P1", "NFS", "Numération"}, {"P2", "IONO", "Ionogramme"}, {"P3", "INR", "INR"}, {"P4", "TSH", "TSH"}};
    order.exams[2].state = domain::ExamState::not_done;
    order.exams[2].reason = "Prélèvement refusé : Tube cassé";
    order.exams[3].state = domain::ExamState::cancelled;
    order.exams[3].reason = "Erreur de prescription";
    domain::PriorResult prior{"K", "Potassium", "4.4", "mmol/L", "3.5-5.0", "", *Timestamp::parse("20260904"), "Laboratoire Extérieur"};
    order.prior = {prior};

    Draft draft;
    const std::string blood = "Hématologie";
    const std::string chemistry = "Biochimie";
    draft.results = {
        result(1, blood, "Hémoglobine", quantity("9.8", "g/dL"), Flag::low, "12.0", "16.0", "10.4"),
        result(2, blood, "Hématocrite", quantity("31.2", "%"), Flag::low, "35.0", "47.0", "33.0"),
        result(3, blood, "Érythrocytes", quantity("4.12", "10*12/L"), Flag::normal, "3.80", "5.80", "4.20"),
        result(4, blood, "VGM", quantity("75.7", "fL"), Flag::low, "80.0", "100.0"),
        result(5, blood, "Leucocytes", quantity("6.4", "10*9/L"), Flag::normal, "4.0", "10.0", "5.9"),
        result(6, blood, "Plaquettes", quantity("412", "10*9/L"), Flag::high, "150", "400", "388"),
        result(7, chemistry, "Sodium", quantity("139", "mmol/L"), Flag::normal, "135", "145"),
        result(8, chemistry, "Potassium", quantity("6.7", "mmol/L"), Flag::critical_high, "3.5", "5.0", "4.4"),
        result(9, chemistry, "Créatinine", quantity("68", "umol/L"), Flag::normal, "45", "84", "66"),
        result(10, chemistry, "CRP", domain::Quantity{domain::Comparator::less, *Decimal::parse("1.0"), "mg/L"}, Flag::normal, nullptr, "5.0"),
        result(11, "Sérologie", "Antigène HBs", domain::Coded{"260385009", "2.16.840.1.113883.6.96", "Négatif"}, Flag::normal, nullptr, nullptr),
        result(12, "Sérologie", "Aspect du sérum", domain::Words{"Sérum légèrement lactescent, sans retentissement sur les dosages"}, Flag::none, nullptr, nullptr),
    };
    draft.results[6].reported.loinc.clear();
    for (const auto& made : draft.results) {
        store::KeptResult kept;
        kept.id = made.result;
        kept.code = made.reported.local_code;
        kept.known = true;
        kept.state = "raw";
        if (made.reported.flag == Flag::critical_high) kept.received_flags = "HH";
        order.results.push_back(kept);
    }
    store::KeptResult unknown;
    unknown.id = domain::ResultId{13};
    unknown.code = "XZ-441";
    unknown.value = "0.42";
    unknown.unit = "mg/L";
    unknown.state = "raw";
    order.results.push_back(unknown);
    store::KeptResult held = unknown;
    held.id = domain::ResultId{14};
    held.code = "CRE";
    held.known = true;
    held.value = "0.8";
    held.unit = "mg/dL?";
    held.state = "quarantined";
    order.results.push_back(held);
    store::KeptResult withdrawn = held;
    withdrawn.id = domain::ResultId{16};
    withdrawn.code = "K";
    withdrawn.value = "4.1";
    withdrawn.unit = "mmol/L";
    withdrawn.status = "W";
    order.results.push_back(withdrawn);
    store::KeptResult aside = held;
    aside.id = domain::ResultId{15};
    aside.state = "set_aside";
    aside.settled_by = "user:bio.demo";
    aside.settled_why = "tube coagulé, prélèvement à refaire";
    aside.settled_at = now - 5min;
    order.set_aside.push_back(aside);
    screen.may_set_aside = true;
    draft.pending = {"Ferritine"};
    domain::PlannedLetter dmp;
    dmp.channel = domain::Channel::dmp;
    domain::PlannedLetter mail;
    mail.channel = domain::Channel::mss_professional;
    mail.recipient_name = "Dr Alix PRESCRIPTEUR-TEST";
    domain::PlannedLetter copy = mail;
    copy.recipient_name = "Dr Sam COPIE-TEST";
    copy.state = domain::LetterState::blocked;
    copy.reason = domain::Reason::correspondent_no_mss;
    domain::PlannedLetter patient_mail;
    patient_mail.channel = domain::Channel::mss_patient;
    patient_mail.state = domain::LetterState::not_applicable;
    patient_mail.reason = domain::Reason::patient_opposed;
    domain::PlannedLetter dpi;
    dpi.channel = domain::Channel::dpi;
    dpi.recipient_name = "Hôpital d'essai";
    draft.letters = {dmp, mail, copy, patient_mail, dpi};
    screen.draft = draft;
    screen.may_validate = true;
    return screen;
}

inline store::LetterLine letter(unsigned n, domain::Channel channel, domain::LetterState state, domain::Reason reason) {
    store::LetterLine line;
    line.id = domain::LetterId{uuid(600 + n)};
    line.version = domain::ReportVersionId{uuid(500)};
    line.site = north;
    line.order_number = "261121000050";
    line.order = domain::OrderId{uuid(5)};
    line.channel = channel;
    if (channel == domain::Channel::mss_professional) line.recipient_name = "Dr Alix PRESCRIPTEUR-TEST";
    if (channel == domain::Channel::dpi) line.recipient_name = "Hôpital d'essai";
    line.state = state;
    line.reason = reason;
    line.attempts = static_cast<int>(n % 4);
    line.created_at = now - n * 7min;
    line.next_attempt_at = now + 5min;
    if (state == domain::LetterState::accepted) {
        line.accepted_at = now - n * 6min;
        line.partner_reference = "urn:uuid:4c0b";
    }
    if (reason == domain::Reason::partner_unavailable) {
        line.error_where = "smtp";
        line.error_what = "connexion refusée par le serveur";
    }
    return line;
}

inline std::vector<store::LetterLine> letters() {
    using domain::Channel;
    using domain::LetterState;
    using domain::Reason;
    return {letter(1, Channel::dmp, LetterState::accepted, Reason::none),
            letter(2, Channel::mss_professional, LetterState::retry, Reason::partner_unavailable),
            letter(3, Channel::mss_patient, LetterState::blocked, Reason::ins_not_qualified),
            letter(4, Channel::dpi, LetterState::dead, Reason::gave_up),
            letter(5, Channel::dmp, LetterState::not_applicable, Reason::no_dmp)};
}

inline store::ReportView report_view() {
    store::ReportView report;
    report.line = {domain::ReportVersionId{uuid(500)}, 1, "published", now - 32min, "Camille Démonstration", now - 31min, "", "final"};
    report.order = domain::OrderId{uuid(5)};
    report.order_number = "261121000050";
    report.site = north;
    report.patient = patient();
    report.ins_qualified = true;
    report.comment = "Anémie microcytaire, à confronter au bilan martial.";
    report.document_oid = "2.25.329800735698586629295641978511506172918";
    report.versions = {report.line};
    report.documents = {{"professional", "pdf", "", 84211, std::string(64, 'a')}, {"professional", "n3", report.document_oid, 131072, std::string(64, 'b')}};
    report.letters = letters();
    report.events = {{report.letters[0].id, now - 30min, "daemon:letters", "due", "sending", "", 1, ""},
                     {report.letters[0].id, now - 30min, "daemon:letters", "sending", "accepted", "", 1, ""},
                     {report.letters[3].id, now - 4min, "user:it.demo", "dead", "due", "", 0, ""}};
    return report;
}

inline Account account() {
    Account account;
    account.instance = uuid(42);
    AccountLine line;
    line.site_finess = "690000025";
    line.site_name = "Site Bellevue";
    line.month = "2026-11";
    line.reports = 128;
    line.with_qualified_ins = 117;
    line.channels = {{domain::Channel::dmp, 115, 112, 2, 1}, {domain::Channel::mss_professional, 214, 214, 0, 0}, {domain::Channel::mss_patient, 96, 95, 1, 0}};
    line.reasons = {{domain::Channel::dmp, domain::LetterState::blocked, domain::Reason::ins_not_qualified, 11},
                    {domain::Channel::mss_patient, domain::LetterState::not_applicable, domain::Reason::no_citizen_mailbox, 21}};
    account.lines = {line};
    return account;
}

// ── What waits because of a message ──

inline std::vector<Examination> examinations() {
    return {{"GLU", "14749-6", "Glucose", "mmol/L"}, {"CREA", "14682-9", "Créatinine", "umol/L"}, {"HB", "718-7", "Hémoglobine", "g/dL"}};
}

inline store::WaitingItem waiting_item(int n) {
    store::WaitingItem item;
    item.id = domain::WorkItemId{n};
    item.site = north;
    item.link = domain::LinkId{2};
    item.message = domain::MessageId{5000 + n};
    item.kind = "unknown_code";
    item.coordinate = "OBX[3]-3";
    item.what = "this code is not in the catalogue of the site";
    item.order_number = "2611210000" + std::to_string(30 + n);
    item.created_at = item.received_at = now - std::chrono::minutes{15 * n};
    return item;
}

inline store::WaitingGroup waiting_group() {
    store::WaitingGroup group;
    group.link = domain::LinkId{2};
    group.link_name = "cobas-1";
    group.site = north;
    group.kind = "unknown_code";
    group.theirs = "Gluc_2";
    group.label = "Glucose GOD";
    group.unit = "g/L";
    group.mends = domain::Mapping::Kind::code;
    for (int n = 14; n > 0; --n) {
        group.items.push_back(waiting_item(n));
        group.messages.push_back(group.items.back().message);
    }
    return group;
}

inline store::Expectation expectation() {
    store::Expectation expected;
    expected.messages = 14;
    expected.results = 12;
    expected.waiting = 2;
    expected.lines = {{"OBX[3]", "Gluc_2 0.92 g/L", "5,11 mmol/L", ""}, {"OBX[3]", "Gluc_2 1.02 g/L", "5,66 mmol/L", ""},
                      {"OBX[3]", "Gluc_2 92 mg/dL", "", "the unit is not that of the analysis"}};
    return expected;
}

inline WaitingPoint waiting_point() {
    WaitingPoint point;
    point.item = waiting_item(3);
    point.item.kind = "unmatched";
    point.item.coordinate = "OBR[1]";
    point.item.what = "no order or specimen of this site has one of the numbers given";
    point.item.order_number.clear();
    point.link_name = "cobas-1";
    point.masked = true;
    point.text = "MSH|^~\\&|cobas|LABO|SGL|LBM|20261121210500||ORU^R01|12345|P|2.5.1\nPID|…||…||…|…|…|…\nOBR|1||26112100030|PANEL^Chimie\n"
                 "OBX|1|NM|Gluc_2^Glucose GOD||0.92|g/L|0.70-1.10|N|||F|||20261121210300\n";
    return point;
}

// ── The desk ──

inline domain::LaboratoryPtr laboratory() {
    domain::Laboratory::Parts parts;
    domain::Site bellevue;
    bellevue.id = north;
    bellevue.legal_entity = domain::LegalEntityId{1};
    parts.sites = {bellevue};
    const auto add = [&](int id, const char* code, const char* label, const char* specimen, const char* panel) {
        domain::Analyte analyte;
        analyte.id = domain::AnalyteId{id};
        analyte.local_code = code;
        analyte.label = label;
        analyte.specimen = specimen;
        if (*panel != '\0') analyte.panels = {panel};
        parts.analytes.emplace_back(north, analyte);
    };
    add(1, "HGB", "Hémoglobine", "BLD", "NFS");
    add(2, "PLT", "Plaquettes", "BLD", "NFS");
    add(3, "NA", "Sodium", "SER", "IONO");
    add(4, "K", "Potassium", "SER", "IONO");
    add(5, "CRP", "Protéine C-réactive", "SER", "");
    add(6, "ECBU", "Examen cytobactériologique des urines", "URINM", "");
    return std::make_shared<const domain::Laboratory>(std::move(parts));
}

inline DeskChoices choices() {
    DeskChoices choices;
    choices.laboratory = laboratory();
    choices.catalogue = &choices.laboratory->catalogue(north);
    for (const auto* family : {"PRESCRIPTEUR-TEST", "COPIE-TEST"}) {
        domain::Professional person;
        person.family = family;
        person.given = "Alix";
        person.rpps = *domain::Rpps::parse(family[0] == 'P' ? "89990000002" : "89990000003");
        choices.people.push_back(person);
    }
    return choices;
}

inline store::DeskOrder desk_order() {
    store::DeskOrder known;
    known.site = north;
    known.seen_version = 4;
    known.patient = patient();
    auto& order = known.order;
    order.id = domain::OrderId{uuid(1)};
    order.number = "26112100001";
    order.state = domain::OrderState::registered;
    order.prescriber = choices().people[0];
    order.copies = {choices().people[1]};
    order.exams = {{"P1", "NFS", "Numération"}, {"P2", "IONO", "Ionogramme"}};
    domain::Specimen edta{domain::SpecimenId{uuid(70)}, "26112100011", "BLD", "Sang", *Timestamp::parse("202611211955+0100"), std::nullopt};
    domain::Specimen serum{domain::SpecimenId{uuid(71)}, "26112100012", "SER", "Sérum", std::nullopt, std::nullopt};
    order.specimens = {edta, serum};
    return known;
}

inline DeskScreen desk_screen() {
    DeskScreen screen;
    screen.token = "jeton";
    screen.site = north;
    screen.sites = {north, south};
    screen.patient = patient();
    screen.choices = choices();
    auto& form = screen.form;
    form.patient = screen.patient->id;
    form.prescriber = "PRESCRIPTEUR-TEST Alix 89990000002";
    form.exams = {"NFS", "CRP"};
    form.collected = "2026-11-21T19:55";
    form.tubes = {{"", "26112100031", "BLD", ""}};
    form.clinical_context = "Asthénie, bilan préopératoire";
    return screen;
}

inline store::WrongDocument misdirected(domain::Channel channel, bool certain) {
    store::WrongDocument document;
    document.change = 12;
    document.kind = "merged";
    document.letter = domain::LetterId{uuid(601)};
    document.channel = channel;
    document.state = domain::LetterState::accepted;
    document.certain = certain;
    document.order_number = "26112100001";
    document.version = 1;
    document.validated_at = now - 60min;
    document.site = north;
    document.order = domain::OrderId{uuid(1)};
    document.report = domain::ReportVersionId{uuid(301)};
    document.seen_version = 4;
    return document;
}

inline PatientScreen patient_screen() {
    PatientScreen screen;
    screen.may_order = true;
    auto& file = screen.file;
    file.patient = patient();
    file.patient.traits.reveal().phone = "0400000000";
    file.former_numbers = {"2600044"};
    file.steps = {{now - 50min, domain::IdentityStatus::validated, domain::IdentityStatus::qualified, true, "", std::nullopt}};
    domain::Traits before = file.patient.traits.reveal();
    before.birth_name = "PAT-TROI";
    file.steps.push_back({now - 90min, domain::IdentityStatus::provisional, domain::IdentityStatus::validated, false, "", before});
    file.turns = {{12, "merged", now - 40min, "link:gestion", "2600044", false, false}};
    store::PatientOrder order;
    order.id = domain::OrderId{uuid(1)};
    order.site = north;
    order.number = "26112100001";
    order.state = domain::OrderState::reported;
    order.registered_at = now - 120min;
    order.prescriber = "Dr Alix PRESCRIPTEUR-TEST";
    order.exams = {"Numération", "Ionogramme"};
    order.reports = {{domain::ReportVersionId{uuid(301)}, 1, "published", now - 60min, "Camille Démonstration", now - 59min, "", "final"}};
    file.orders = {order};
    file.documents = {misdirected(domain::Channel::dmp, true), misdirected(domain::Channel::mss_professional, false)};
    file.documents[1].recipient = "Dr Alix PRESCRIPTEUR-TEST";
    return screen;
}

}  // namespace sgl::web::fakes

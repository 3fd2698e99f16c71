// ADT of IHE PAM France as identities, merges and stays (hl7v2-lab 9; identity-and-directory 2).
#include "lib/interpret/identity.hpp"

#include <gmock/gmock.h>

#include <map>

#include "hl7/lines.hpp"
#include "test/hl7/shared.hpp"
#include "test/lib/interpret/samples.hpp"

namespace sgl::interpret {
namespace {

using domain::IdentityAct;
using domain::StayStatement;
using domain::Trouble;
using test::message;
using test::registration;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using InsWord = domain::IdentityStatement::InsWord;

const PatientContext here{"1.2.250.1.999.1", false};
constexpr std::string_view pid =
    "PID|1||279035121518989^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.10&ISO^INS^^20240101~4056601^^^LBM&1.2.250.1.999.5&"
    "ISO^PI"
    "||PAT-TROIS^DOMINIQUE^DOMINIQUE MARIE^^^^L~PAT-USUEL^DOMI^^^^^D||19790328|F|||28 Av de "
    "Breteuil^^PARIS^^75007^FRA^H"
    "~^^^^^^BDL^^63220||0601020304|||||240501^^^CH&1.2.250.1.999.2&ISO^AN||||||||||||||VALI";
constexpr std::string_view other_pid = "PID|2||4056602^^^LBM&1.2.250.1.999.5&ISO^PI||PAT-TROIS^DOMINIQUE^^^^^L";
constexpr std::string_view zbe =
    "ZBE|MVT1^GAM^1.2.250.1.999.3^ISO|20260314080000||INSERT|N||^^^^^^UF^^^3105|^^^^^^UF^^^3106|HMS";

std::string msh(const std::string& event) {
    return R"(MSH|^~\&|GAM|CH|SGL|LBM|20260314083000||ADT^)" + event + "|M1|P|2.5^FRA^2.11|||||FRA|UNICODE UTF-8";
}

std::variant<ReadIdentity, Refusal> answer(const std::string& event, std::vector<std::string_view> segments) {
    std::string bytes = msh(event) + "\rEVN||20260314082900||||20260314080500\r";
    for (const auto segment : segments)
        bytes += std::string(segment) + "\r";
    return identity(hl7::Message::parse(std::move(bytes)).value(), registration(), here);
}

ReadIdentity read(const std::string& event, std::vector<std::string_view> segments) {
    auto got = answer(event, std::move(segments));
    if (const auto* refusal = std::get_if<Refusal>(&got)) throw std::runtime_error("refused: " + refusal->what);
    return std::get<ReadIdentity>(std::move(got));
}

std::string refusal(const std::string& event, std::vector<std::string_view> segments) {
    const auto got = answer(event, std::move(segments));
    const auto* refused = std::get_if<Refusal>(&got);
    return refused == nullptr ? "" : refused->answer + " " + refused->coordinate;
}

auto trouble(const std::string& kind, const std::string& coordinate) {
    return ::testing::AllOf(Field("kind", &Trouble::kind, kind), Field("coordinate", &Trouble::coordinate, coordinate));
}

std::string with(std::string_view segment, std::string_view from, std::string_view to) {
    std::string changed(segment);
    changed.replace(changed.find(from), from.size(), to);
    return changed;
}

Instant at(std::string_view text) {
    return parse_iso8601(text).value();
}

TEST(Adt, KeepsTheNumbersOfTwoHospitalsApart) {
    const auto authority = [](const domain::Link& link, std::string_view number) {
        const auto bytes =
            msh("A28") + "\rEVN||20260314082900\r" + with(pid, "4056601^^^LBM&1.2.250.1.999.5&ISO^PI", number) + "\r";
        const auto read =
            identity(hl7::Message::parse(bytes).value(), link, patient_context(link, "1.2.250.1.999.1", false));
        return std::get<ReadIdentity>(read).acts.at(0).said.patient.local_authority_oid;
    };
    auto hospital = registration();
    EXPECT_EQ(authority(hospital, "12^^^CHU^PI"), "1.2.250.1.999.1") << "of the site, when nothing else is known";
    hospital.patient_authority = "1.2.250.1.999.7";
    EXPECT_EQ(authority(hospital, "12^^^CHU^PI"), "1.2.250.1.999.7");
    EXPECT_EQ(authority(hospital, "12^^^CHU&1.2.250.1.999.5&ISO^PI"), "1.2.250.1.999.5") << "its own word stands";
}

TEST(Adt, SaysWhoThePatientIs) {
    const auto got = read("A28", {pid});
    ASSERT_EQ(got.acts.size(), 1U);
    const auto& said = got.acts[0].said;
    EXPECT_EQ(got.acts[0].kind, IdentityAct::Kind::state);
    EXPECT_EQ(said.patient.local_id, "4056601");
    EXPECT_EQ(said.patient.local_authority_oid, "1.2.250.1.999.5");
    const auto& traits = said.patient.traits.reveal();
    EXPECT_EQ(traits.birth_name, "PAT-TROIS");
    EXPECT_EQ(traits.birth_given_names, "DOMINIQUE MARIE");
    EXPECT_EQ(traits.used_name, "PAT-USUEL");
    EXPECT_EQ(traits.used_given_name, "DOMI");
    EXPECT_EQ(traits.birth_place, "63220");
    EXPECT_EQ(traits.address.city, "PARIS");
    EXPECT_EQ(said.ins, InsWord::given);
    EXPECT_TRUE(said.validated);
    EXPECT_TRUE(said.reliability_said);
    EXPECT_EQ(said.said_at, at("2026-03-14T07:29:00Z")) << "EVN-2, in the time zone of the link";
    EXPECT_FALSE(got.acts[0].stay);
    EXPECT_THAT(got.troubles, IsEmpty());
}

TEST(Adt, TellsWhenTheIdentityWasSoByPid33BeforeEvn2) {
    const auto got = read("A31", {with(pid, "VALI", "VALI|20260314070000")});
    EXPECT_EQ(got.acts.at(0).said.said_at, at("2026-03-14T06:00:00Z"));
}

TEST(Adt, OfEachEventOfAStaySaysWhatHappened) {
    using Event = StayStatement::Event;
    for (const auto& [trigger, event] : std::vector<std::pair<std::string, Event>>{{"A01", Event::admitted},
                                                                                   {"A04", Event::admitted},
                                                                                   {"A05", Event::planned},
                                                                                   {"A08", Event::updated},
                                                                                   {"A02", Event::updated},
                                                                                   {"A03", Event::discharged},
                                                                                   {"A11", Event::admission_cancelled},
                                                                                   {"A13", Event::discharge_cancelled},
                                                                                   {"Z99", Event::updated}}) {
        const auto got = read(trigger, {pid, "PV1|1|I|CHIR^204^1", zbe});
        ASSERT_TRUE(got.acts.at(0).stay) << trigger;
        EXPECT_EQ(got.acts[0].stay->event, event) << trigger;
        EXPECT_EQ(got.acts[0].stay->number, "240501") << trigger;
        EXPECT_EQ(got.acts[0].stay->patient_class, "I");
        EXPECT_EQ(got.acts[0].stay->location, "CHIR 204 1");
    }
}

TEST(Adt, NamesTheStayByPid18ElseByPv119) {
    const auto no_account = with(pid, "240501^^^CH&1.2.250.1.999.2&ISO^AN", "");
    EXPECT_EQ(read("A01", {no_account, "PV1|1|I|||||||||||||||||VN24051^^^CH^VN"}).acts.at(0).stay->number, "VN24051");
}

TEST(Adt, ReadsAMovementOfZbe) {
    const auto stay = read("A01", {pid, "PV1|1|I", zbe}).acts.at(0).stay.value();
    ASSERT_TRUE(stay.movement);
    EXPECT_EQ(stay.movement->id, "MVT1^1.2.250.1.999.3");
    EXPECT_EQ(stay.movement->action, domain::Movement::Action::insert);
    EXPECT_EQ(stay.movement->start, at("2026-03-14T07:00:00Z"));
    EXPECT_FALSE(stay.movement->historic);
    EXPECT_EQ(stay.movement->medical_ward, "3105");
    EXPECT_EQ(stay.movement->nursing_ward, "3106");
    EXPECT_EQ(stay.movement->nature, "HMS");
    EXPECT_EQ(stay.begins, at("2026-03-14T07:00:00Z")) << "PV1-44 is empty: the movement's start";
    const auto cancel = read("A11", {pid, "PV1|1|I", "ZBE|MVT1^GAM|20260314080000||CANCEL|Y|A01"});
    EXPECT_EQ(cancel.acts.at(0).stay->movement->action, domain::Movement::Action::cancel);
    EXPECT_TRUE(cancel.acts.at(0).stay->movement->historic);
    EXPECT_EQ(cancel.acts.at(0).stay->movement->event, "A01");
}

TEST(Adt, LeavesOutAMovementThatCantBeNamed) {
    const auto got = read("A01", {pid, "PV1|1|I", "ZBE||20260314080000||INSERT|N"});
    EXPECT_FALSE(got.acts.at(0).stay->movement);
    EXPECT_THAT(got.troubles, ElementsAre(trouble("movement", "ZBE-1")));
    EXPECT_THAT(read("A01", {pid, "PV1|1|I", "ZBE|M1|20260314080000||MOVE|N"}).troubles,
                ElementsAre(trouble("movement", "ZBE-4")));
}

TEST(Adt, ReadsTheDecisionAboutTheDmpAtAdmissionAndDischarge) {
    using Feeding = domain::DmpWord::Feeding;
    const auto word = [](const std::string& event, std::string_view zfa) {
        return read(event, {pid, "PV1|1|I", zfa}).acts.at(0).stay->dmp.value();
    };
    const auto opposed = word("A01", "ZFA|ACTIF|20240309111154|||||||IO|20240309111154|INC|20240309111154");
    EXPECT_EQ(opposed.feeding, Feeding::opposed);
    EXPECT_EQ(opposed.dmp_status, "active");
    EXPECT_EQ(opposed.consultation, "INC");
    EXPECT_EQ(opposed.decided_at, at("2024-03-09T10:11:54Z"));
    EXPECT_EQ(word("A03", "ZFA|ACTIVE||||||||INO|20240310111154|NA|").feeding, Feeding::allowed);
    EXPECT_EQ(word("A01", "ZFA|CLOSED||||||||NA").feeding, Feeding::not_asked);
    EXPECT_EQ(word("A01", "ZFA|CLOSED||||||||NA").dmp_status, "closed");
    EXPECT_FALSE(read("A01", {pid, "PV1|1|I"}).acts.at(0).stay->dmp);
}

TEST(Adt, MergesTheNumberOfMrgIntoThatOfPid) {
    const auto got = read("A40", {pid, "MRG|4056602^^^LBM&1.2.250.1.999.5&ISO^PI|||||PAT-TROIS"});
    EXPECT_EQ(got.acts.at(0).kind, IdentityAct::Kind::merge);
    EXPECT_THAT(got.acts[0].former, ElementsAre(domain::LocalIdentifier{"1.2.250.1.999.5", "4056602"}));
    const auto pairs = read("A40", {pid, "MRG|A^^^LBM^PI", other_pid, "MRG|B^^^LBM^PI"});
    ASSERT_EQ(pairs.acts.size(), 2U) << "PID and MRG repeat";
    EXPECT_THAT(pairs.acts[1].former, ElementsAre(domain::LocalIdentifier{"1.2.250.1.999.1", "B"}))
        << "a number without OID is of the site";
}

TEST(Adt, LinksAndUnlinksTwoPatients) {
    const auto linked = read("A24", {pid, other_pid});
    EXPECT_EQ(linked.acts.at(0).kind, IdentityAct::Kind::link);
    EXPECT_THAT(linked.acts[0].former, ElementsAre(domain::LocalIdentifier{"1.2.250.1.999.5", "4056602"}));
    EXPECT_EQ(read("A37", {pid, other_pid}).acts.at(0).kind, IdentityAct::Kind::unlink);
}

TEST(Adt, ChangesANumberOrTakesAnInsAway) {
    EXPECT_EQ(read("A47", {pid, "MRG|OLD^^^LBM^PI"}).acts.at(0).kind, IdentityAct::Kind::renumber);
    const auto removed = read(
        "A47", {with(pid, "279035121518989^^^", "\"\"^^^"), "MRG|279035121518989^^^&1.2.250.1.213.1.4.10&ISO^INS"});
    EXPECT_EQ(removed.acts.at(0).said.ins, InsWord::removed);
    EXPECT_FALSE(removed.acts.at(0).said.patient.ins);
    EXPECT_THAT(removed.acts.at(0).former, IsEmpty());
}

TEST(Adt, LeavesOutAnInsThatCantBeUsedAndSaysWhere) {
    EXPECT_THAT(read("A31", {with(pid, "279035121518989", "279035121518988")}).troubles,
                ElementsAre(trouble("ins_invalid", "PID-3")));
    EXPECT_THAT(read("A31", {with(pid, "213.1.4.10", "213.1.4.8")}).troubles,
                ElementsAre(trouble("ins_environment", "PID-3")));
    for (const auto* code : {"DOUT", "FICT", "ANOM", "CACH", "USUR", "INVA", "DESA"}) {
        const auto got = read("A31", {with(pid, "VALI", code)});
        EXPECT_THAT(got.troubles, ElementsAre(trouble("ins_dropped", "PID-32"))) << code;
        EXPECT_EQ(got.acts.at(0).said.ins, InsWord::removed) << code;
    }
    EXPECT_EQ(read("A31", {with(pid, "213.1.4.10", "213.1.4.2")}).acts.at(0).said.ins, InsWord::silent) << "old INS-C";
}

TEST(Adt, TellsDuplicatesCollisionsAndHomonyms) {
    EXPECT_THAT(read("A31", {with(pid, "VALI", "VALI~DPOT")}).troubles,
                ElementsAre(trouble("duplicate_told", "PID-32")));
    EXPECT_THAT(read("A31", {with(pid, "VALI", "VALI~COLV")}).troubles,
                ElementsAre(trouble("collision_told", "PID-32")));
    EXPECT_TRUE(read("A31", {with(pid, "VALI", "VALI~HOMA")}).acts.at(0).said.homonym);
}

TEST(Adt, HoldsWhatNamesNobody) {
    const auto no_number = read("A28", {"PID|1||||PAT-TROIS^DOMINIQUE^^^^^L"});
    EXPECT_TRUE(no_number.held);
    EXPECT_THAT(no_number.acts, IsEmpty());
    EXPECT_THAT(no_number.troubles, ElementsAre(trouble("identifier_missing", "PID-3")));
    EXPECT_THAT(read("A28", {"PID|1||1^^^LBM^PI"}).troubles, ElementsAre(trouble("identity_incomplete", "PID-5")));
    EXPECT_THAT(read("A40", {pid, "MRG|"}).troubles, ElementsAre(trouble("identifier_missing", "MRG-1")));
}

TEST(Adt, IsRefusedWhereItsStructureIsMissing) {
    EXPECT_EQ(refusal("A28", {}), "AE PID");
    EXPECT_EQ(refusal("A40", {pid}), "AE MRG");
    EXPECT_EQ(refusal("A24", {pid}), "AE PID[2]");
}

TEST(Adt, OfAnotherEventIsTakenAndIgnored) {
    for (const auto* event : {"A14", "A16", "A21", "A22", "A25", "A44", "A60"}) {
        const auto got = read(event, {});
        EXPECT_TRUE(got.ignored) << event;
        EXPECT_EQ(got.event, event);
        EXPECT_THAT(got.acts, IsEmpty());
    }
}

TEST(Adt, InBytesOutsideItsCharacterSetMakesNobody) {
    const auto got = read("A28", {with(pid, "MARIE", "MARI\xE9")});
    EXPECT_TRUE(got.held);
    EXPECT_THAT(got.troubles, ElementsAre(trouble("charset", "MSH-18")));
}

TEST(Adt, LosesRaceReligionAndEthnicGroupBeforeItIsKept) {
    const std::string note = "OBX|1|TX|my PID|4|5|6|7|8|9|10|11|12|13|14|15|16|17";  // no segment begins there
    const std::string bytes =
        "MSH|^~\\&|GAM|CH\rPID|1||1^^^LBM^PI||A^B||1979|F||2106-3|home|6|7|8|9|10|CAT|18|19|20|21|2186-5|23\r" + note;
    const auto kept = without_forbidden(bytes);
    ASSERT_TRUE(kept);
    EXPECT_EQ(*kept, "MSH|^~\\&|GAM|CH\rPID|1||1^^^LBM^PI||A^B||1979|F|||home|6|7|8|9|10||18|19|20|21||23\r" + note);
    EXPECT_EQ(without_forbidden(*kept), std::nullopt);
    EXPECT_EQ(without_forbidden("MSH|^~\\&|GAM\rPID|1||1\r"), std::nullopt);
    EXPECT_EQ(without_forbidden("no HL7"), std::nullopt);
    EXPECT_EQ(without_forbidden("see MSH here\rMSH|^~\\&|GAM\rPID|1||1|||||||RACE\r"),
              "see MSH here\rMSH|^~\\&|GAM\rPID|1||1|||||||\r") << "the header is where a line begins with it";
}

TEST(Adt, OfTheNationalExamplesIsAQualifiedPatientWithHisDecision) {
    const auto folder = sgl::test::shared_folder() / "hl7/ans-examples";
    SGL_NEEDS_SHARED(folder);
    struct Row {
        std::string file, stay;
        domain::DmpWord::Feeding feeding;
    };
    using Feeding = domain::DmpWord::Feeding;
    for (const auto& row : std::vector<Row>{{"sgl-2026-adt-a01-admission.er7", "24000006", Feeding::allowed},
                                            {"pam-consent-yes-noopp.er7", "24000006", Feeding::allowed},
                                            {"pam-noconsent-opp.er7", "24000008", Feeding::opposed},
                                            {"pam-notcollected-noopp.er7", "24000009", Feeding::allowed}}) {
        SCOPED_TRACE(row.file);
        const auto message = hl7::Message::parse(sgl::test::bytes_of(folder / row.file)).value();
        const auto got = std::get<ReadIdentity>(identity(message, registration(), here));
        ASSERT_EQ(got.acts.size(), 1U);
        const auto becomes = domain::change(std::nullopt, got.acts[0].said);
        EXPECT_EQ(becomes.identity.patient.status, domain::IdentityStatus::qualified);
        EXPECT_EQ(becomes.identity.patient.local_id, "000003");
        EXPECT_EQ(got.acts[0].stay->number, row.stay);
        EXPECT_EQ(got.acts[0].stay->dmp->feeding, row.feeding);
        EXPECT_EQ(got.acts[0].stay->movement->medical_ward, "6268");
        EXPECT_THAT(got.troubles, IsEmpty());
    }
}

/// What every ADT of the corpus is for us, typed by hand: acts, else why not.
TEST(Adt, OfTheCorpusIsReadAsTyped) {
    const auto corpus = sgl::test::shared_folder() / "hl7/corpus";
    SGL_NEEDS_SHARED(corpus);
    const std::map<std::string, std::string> expected{
        {"cosyte__split-across-chunks__ADT-A01.hl7", "held PID-3;held PID-3;"},
        {"cosyte__quirk-corpus-test-L30__ADT-A01.hl7", "held PID-3;"},
        {"cosyte__adt-a01__ADT-A01-2.hl7", "held PID-3;"},
        {"python-hl7__samples-L89__ADT-A04.hl7", "held PID-3;"},
        {"nhapi__id-000092-sig-02-src-001582-001861-op-splice-rep-16-L1__ADT-A44.hl7", "ignored A44;"},
        {"linuxforhealth__InputTimeZoneIdTest-L100__ADT-A01.hl7", "held PID-3;"},
        {"synthetic-fr__adt_a01_zbe_zfp.hl7", "state QUAL 4056601 stay 240501 admitted;"},
        {"googlecloudplatform__integration-test-L73__ADT-A01.hl7", "held PID-3;"},
        {"zato__test-mllp-channel-wire-L289__ADT-A01.hl7", "state PROV 99999 stay  admitted;"},
        {"cosyte__sample__ADT-A01.hl7", "held PID-3;"},
        {"hl7-v2ig__A03-L6__ADT-A03.hl7", "held PID-3;"},
        {"synthetic-er7__only_msh.hl7", "AE PID;"},
        {"synthetic-fr__adt_a40_merge.hl7", "merge PROV 240777 ends 240778;"},
        {"davebronson__SerializeBenchmarks-L23__ADT-A01.hl7", "state PROV 12345 stay 987-65-4321 admitted;"},
        {"zato-fr-pam__adt_a31_update_empty_authority.hl7", "state PROV 5655ae1f-3d1e-4de6-b177-d57ea581c4f3;"},
        {"linuxforhealth__ResourceExpressionTest-L191__ADT-A01.hl7",
         "state PROV 12345678 stay 261938_6_201306171546 admitted;"},
        {"mirth__05__ADT-A04.hl7", "state PROV 135769 stay 1719 admitted;"},
        {"davebronson__SegmentFactoryTests-L201__ADT-A01.hl7", "AE PID;"},
        {"davebronson__SegmentFactoryTests-L364__ADT-A01.hl7", "AE PID;"},
        {"elomagic__A01__ADT-A01.hl7", "held PID-3;"},
        {"zato__mllp-L846__ADT-A04.hl7", "held PID-3;"},
        {"hapi__adt-a03__ADT-A03.hl7", "held PID-3;"},
        {"cosyte__count-mismatch__ADT-A01.hl7", "held PID-3;held PID-3;"},
        {"googlecloudplatform__integration-test-L91__ADT-A01.hl7", "held PID-3;"},
        {"hapi__GenericParser-L328__ADT-A08.hl7", "state PROV P12345 stay 12345 updated;"},
    };
    std::size_t seen = 0;
    for (const auto& entry : std::filesystem::directory_iterator(corpus)) {
        if (entry.path().extension() != ".hl7") continue;
        const auto block = sgl::test::bytes_of(entry.path());
        std::string said;
        for (const auto& bytes : hl7::split_messages(block)) {
            const auto message = hl7::Message::parse(std::string(bytes));
            if (!message || message->type() != "ADT") continue;
            const auto got = identity(*message, registration(), here);
            if (const auto* refusal = std::get_if<Refusal>(&got)) {
                said += refusal->answer + " " + refusal->coordinate + ";";
                continue;
            }
            const auto& read = std::get<ReadIdentity>(got);
            if (read.ignored) said += "ignored " + read.event + ";";
            if (read.held) said += "held " + read.troubles.front().coordinate + ";";
            for (const auto& act : read.acts) {
                const auto status = domain::change(std::nullopt, act.said).identity.patient.status;
                said += std::string(to_string(act.kind)) + " " + std::string(to_string(status)) + " " +
                        act.said.patient.local_id;
                if (act.stay) said += " stay " + act.stay->number + " " + std::string(to_string(act.stay->event));
                for (const auto& former : act.former)
                    said += " ends " + former.id;
                said += ";";
            }
        }
        const auto name = entry.path().filename().string();
        const auto row = expected.find(name);
        EXPECT_EQ(said, row == expected.end() ? "" : row->second) << name;
        if (row != expected.end()) ++seen;
    }
    EXPECT_EQ(seen, expected.size());
}

}  // namespace
}  // namespace sgl::interpret

// An OML^O21 as an order (hl7v2-lab 7, 9; identity-and-directory 1.4, 2): an identity is never better than what came.
#include "lib/interpret/order.hpp"

#include <gmock/gmock.h>

#include "test/lib/interpret/samples.hpp"

namespace sgl::interpret {
namespace {

using domain::IdentityStatus;
using domain::LineRefusal;
using domain::LineRequest;
using domain::Trouble;
using test::catalogue;
using test::message;
using test::registration;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;

constexpr std::string_view msh =
    R"(MSH|^~\&|GAP|LABO|SGL|LBM|20260314080000||OML^O21^OML_O21|2001|P|2.5.1|||||FRA|UNICODE UTF-8)";
constexpr std::string_view site_oid = "1.2.250.1.999.1";
constexpr std::string_view pi = "4056601^^^LBM^PI";
constexpr std::string_view ins = "279035121518989^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.10&ISO^INS";
constexpr std::string_view birth = "PAT-TROIS^DOMINIQUE^DOMINIQUE MARIE^^^^L";
constexpr std::string_view home = "28 Av de Breteuil^^PARIS^^75007^FRA^H~^^^^^^BDL^^63220";
constexpr std::string_view orc = "ORC|NW|P001||G001|||||20260314075500";
constexpr std::string_view nfs = "OBR|1|P001||NFS^Numération^L||||||||||||899900000017^MEDECIN^ALICE^^^DR";
constexpr std::string_view spm = "SPM|1|24050200123&GAP||SER^Sérum^HL70487|||||||P||||||20260314071500|20260314080000";

struct Pid {
    std::string ids{std::string(pi) + "~" + std::string(ins)};
    std::string names{birth};
    std::string born{"19790328"};
    std::string sex{"F"};
    std::string addresses{home};
    std::string reliability{"VALI"};
    std::string segment() const {
        return "PID|||" + ids + "||" + names + "||" + born + "|" + sex + "|||" + addresses +
               "||0102030405|||||STAY1||||||||||||||" + reliability;
    }
};

using Answer = std::variant<ReadOrder, Refusal>;

Answer answer(std::initializer_list<std::string_view> segments, const domain::Link& link = registration(),
              bool production = false) {
    const auto parsed = message(segments);
    return order(parsed, link, catalogue(), {std::string(site_oid), production});
}

ReadOrder read(std::initializer_list<std::string_view> segments, bool production = false) {
    auto got = answer(segments, registration(), production);
    if (const auto* refusal = std::get_if<Refusal>(&got)) throw std::runtime_error("refused: " + refusal->what);
    return std::get<ReadOrder>(std::move(got));
}

ReadOrder read(const Pid& pid, bool production = false) {
    return read({msh, pid.segment(), orc, nfs, spm}, production);
}

auto is_trouble(const std::string& kind, const std::string& coordinate) {
    return ::testing::AllOf(Field("kind", &Trouble::kind, kind), Field("coordinate", &Trouble::coordinate, coordinate));
}

TEST(Identity, IsQualifiedWithValiAnInsAndItsFiveTraits) {
    const auto got = read(Pid{});
    const auto& patient = got.order.patient;
    EXPECT_EQ(patient.status, IdentityStatus::qualified);
    EXPECT_TRUE(patient.ins_may_leave());
    ASSERT_TRUE(patient.ins);
    EXPECT_EQ(patient.ins->reveal().matricule.text(), "279035121518989");
    EXPECT_EQ(patient.ins->reveal().oid, "1.2.250.1.213.1.4.10");
    const auto& traits = patient.traits.reveal();
    EXPECT_EQ(traits.birth_name, "PAT-TROIS");
    EXPECT_EQ(traits.first_given_name, "DOMINIQUE");
    EXPECT_EQ(traits.birth_given_names, "DOMINIQUE MARIE");
    EXPECT_EQ(to_hl7(*traits.birth_date), "19790328");
    EXPECT_EQ(traits.sex, domain::Sex::female);
    EXPECT_EQ(traits.birth_place, "63220");
    EXPECT_EQ(traits.address.city, "PARIS");
    EXPECT_EQ(traits.address.postal_code, "75007");
    EXPECT_EQ(patient.local_id, "4056601");
    EXPECT_EQ(patient.local_authority_oid, site_oid) << "PID-3.4 names no OID: the site's";
    EXPECT_THAT(got.troubles, IsEmpty());
}

TEST(Identity, HasTheFourStatusesOfTheTable) {
    Pid pid;
    pid.reliability = "";
    EXPECT_EQ(read(pid).order.patient.status, IdentityStatus::retrieved);  // INS, no document seen
    EXPECT_FALSE(read(pid).order.patient.ins_may_leave());
    pid.ids = pi;
    EXPECT_EQ(read(pid).order.patient.status, IdentityStatus::provisional);
    pid.reliability = "VALI";
    EXPECT_EQ(read(pid).order.patient.status, IdentityStatus::validated);
}

TEST(Identity, IsOnlyRetrievedWhenATraitIsMissing) {
    const auto without = [](auto change) {
        Pid pid;
        change(pid);
        return pid;
    };
    for (const auto& [name, pid] :
         {std::pair{"given names", without([](Pid& p) { p.names = "PAT-TROIS^DOMINIQUE^^^^^L"; })},
          std::pair{"first given name", without([](Pid& p) { p.names = "PAT-TROIS^^DOMINIQUE^^^^L"; })},
          std::pair{"birth date", without([](Pid& p) { p.born = ""; })},
          std::pair{"birth day", without([](Pid& p) { p.born = "197903"; })},
          std::pair{"lunar date", without([](Pid& p) { p.born = "19790000"; })},
          std::pair{"sex", without([](Pid& p) { p.sex = "U"; })},
          std::pair{"birth place", without([](Pid& p) { p.addresses = "28 Av^^PARIS^^75007^FRA^H"; })},
          std::pair{"birth place", without([](Pid& p) { p.addresses = "^^^^^^BDL^^6322"; })}}) {
        const auto got = read(pid);
        EXPECT_EQ(got.order.patient.status, IdentityStatus::retrieved) << name;
        EXPECT_FALSE(got.order.patient.ins_may_leave()) << name;
        EXPECT_THAT(got.troubles, ElementsAre(is_trouble("traits_incomplete", "PID"))) << name;
    }
}

TEST(Identity, DoubtfulOrFictitiousIsProvisionalAndLosesItsIns) {
    for (const auto* code : {"DOUT", "FICT", "VALI~DOUT", "FICT~VALI"}) {
        Pid pid;
        pid.reliability = code;
        const auto got = read(pid);
        EXPECT_EQ(got.order.patient.status, IdentityStatus::provisional) << code;
        EXPECT_FALSE(got.order.patient.ins) << code;
        EXPECT_TRUE(got.order.patient.doubtful || got.order.patient.fictitious) << code;
        EXPECT_THAT(got.troubles, ElementsAre(is_trouble("ins_dropped", "PID-32"))) << code;
    }
}

TEST(Identity, LosesItsInsWithTheOtherCodesThatForbidIt) {
    for (const auto* code : {"ANOM", "CACH", "USUR", "INVA", "DESA"}) {
        Pid pid;
        pid.reliability = std::string("VALI~") + code;
        const auto got = read(pid);
        EXPECT_FALSE(got.order.patient.ins) << code;
        EXPECT_EQ(got.order.patient.status, IdentityStatus::validated) << code;
        EXPECT_THAT(got.troubles, ElementsAre(is_trouble("ins_dropped", "PID-32"))) << code;
    }
    Pid pid;
    pid.reliability = "VALI~HOMA";  // a namesake keeps his INS
    EXPECT_EQ(read(pid).order.patient.status, IdentityStatus::qualified);
}

TEST(Identity, LeavesOutAnInsWhoseKeyIsWrong) {
    Pid pid;
    for (const auto* matricule : {"279035121518988", "27903512151898", "2790351215189899", "27903512151898A"}) {
        pid.ids = std::string(pi) + "~" + matricule + "^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.10&ISO^INS";
        const auto got = read(pid);
        EXPECT_FALSE(got.order.patient.ins) << matricule;
        EXPECT_EQ(got.order.patient.status, IdentityStatus::validated) << matricule;
        ASSERT_THAT(got.troubles, ElementsAre(is_trouble("ins_invalid", "PID-3"))) << matricule;
        EXPECT_EQ(got.troubles[0].what.find(matricule), std::string::npos) << "the matricule never stands in a text";
        EXPECT_EQ(got.lines.at(0).refused, LineRefusal::none) << "the order goes on without INS";
    }
}

TEST(Identity, TakesNoneOfTwoIns) {
    Pid pid;
    pid.ids += "~186022A21532523^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.10&ISO^INS";
    const auto key = domain::InsMatricule::parse("186022A21532523");
    ASSERT_TRUE(key) << "the second matricule of this test must be a good one";
    const auto got = read(pid);
    EXPECT_FALSE(got.order.patient.ins);
    EXPECT_THAT(got.troubles, ElementsAre(is_trouble("ins_invalid", "PID-3")));
    pid.ids = std::string(pi) + "~" + std::string(ins) + "~" + std::string(ins);
    EXPECT_TRUE(read(pid).order.patient.ins) << "the same one twice is one";
}

TEST(Identity, KnowsAnInsByItsOidNotByItsName) {
    Pid pid;
    pid.ids = std::string(pi) + "~279035121518989^^^WHATEVER&1.2.250.1.213.1.4.9&ISO^NI";
    EXPECT_EQ(read(pid, true).order.patient.ins->reveal().oid, domain::oid::ins_nia);
    pid.ids = std::string(pi) + "~279035121518989^^^ASIP-SANTE-INS-C&1.2.250.1.213.1.4.2&ISO^INS";  // old INS-C
    EXPECT_FALSE(read(pid).order.patient.ins);
    pid.ids = std::string(pi) + "~279035121518989^^^ASIP-SANTE-INS-NIR^INS";  // no OID
    EXPECT_FALSE(read(pid).order.patient.ins);
}

TEST(Identity, IsNotQualifiedByAnInsOfTheOtherEnvironment) {  // design D17
    struct Case {
        std::string_view oid;
        bool production;
        bool kept;
    };
    for (const auto& [oid, production, kept] :
         {Case{domain::oid::ins_nir, true, true}, Case{domain::oid::ins_nia, true, true},
          Case{domain::oid::ins_nir_test, true, false}, Case{domain::oid::ins_nir_demonstration, true, false},
          Case{domain::oid::ins_nir, false, false}, Case{domain::oid::ins_nia, false, false},
          Case{domain::oid::ins_nir_test, false, true}, Case{domain::oid::ins_nir_demonstration, false, true}}) {
        SCOPED_TRACE(std::string(oid) + (production ? " in production" : " in a test instance"));
        Pid pid;
        pid.ids = std::string(pi) + "~279035121518989^^^ASIP-SANTE-INS-NIR&" + std::string(oid) + "&ISO^INS";
        const auto got = read(pid, production);
        EXPECT_EQ(got.order.patient.ins.has_value(), kept);
        EXPECT_EQ(got.order.patient.status, kept ? IdentityStatus::qualified : IdentityStatus::validated);
        EXPECT_EQ(got.lines.at(0).refused, LineRefusal::none) << "the order goes on without INS";
        if (kept)
            EXPECT_THAT(got.troubles, IsEmpty());
        else
            EXPECT_THAT(got.troubles, ElementsAre(is_trouble("ins_environment", "PID-3")));
    }
}

TEST(Identity, TakesTheBirthplaceFromBdlOnlyAndNeverAsAnAddress) {
    Pid pid;
    pid.addresses = "^^CLERMONT-FERRAND^^^^BDL^^63113~1 rue du Lac~^^LYON^^69001^FRA^H";
    const auto traits = read(pid).order.patient.traits.reveal();
    EXPECT_EQ(traits.birth_place, "63113");
    EXPECT_EQ(traits.address.city, "LYON");
    pid.addresses = "28 Av^^PARIS^^75007^FRA^H^^75056";
    EXPECT_EQ(read(pid).order.patient.traits.reveal().birth_place, "")
        << "the county of an address is not where somebody was born";
}

TEST(Identity, KeepsTheUsedNameBesideTheBirthName) {
    Pid pid;
    pid.names = "DUPONT^MARIE^^^^^D~" + std::string(birth);
    const auto traits = read(pid).order.patient.traits.reveal();
    EXPECT_EQ(traits.birth_name, "PAT-TROIS");
    EXPECT_EQ(traits.used_name, "DUPONT");
    EXPECT_EQ(traits.used_given_name, "MARIE");
}

TEST(Identity, KeepsOnlyTheDayOfBirth) {
    Pid pid;
    pid.born = "197903281215+0100";
    EXPECT_EQ(to_hl7(*read(pid).order.patient.traits.reveal().birth_date), "19790328");
    EXPECT_EQ(read(pid).order.patient.status, IdentityStatus::qualified);
}

TEST(Identity, HeardThatThePatientIsOpposedToTheDmp) {
    const auto zfa = [](const std::string& feeding) {
        return "ZFA|ACTIF|20240306111154|||||||" + feeding + "|20240306111154|IC|20240306111154";
    };
    EXPECT_FALSE(read({msh, Pid{}.segment(), zfa("INO"), orc, nfs, spm}).order.patient.choices.dmp_opposed);
    EXPECT_TRUE(read({msh, Pid{}.segment(), zfa("IO"), orc, nfs, spm}).order.patient.choices.dmp_opposed);
    EXPECT_TRUE(read({msh, Pid{}.segment(), "PV1|1|N", zfa("IO"), orc, nfs, spm}).order.patient.choices.dmp_opposed);
}

TEST(Order, WithoutPidOrcLocalNumberOrBirthNameIsRefused) {
    Pid no_number;
    no_number.ids = ins;
    Pid no_name;
    no_name.names = "^DOMINIQUE^^^^^L";
    Pid used_name_only;
    used_name_only.names = "DUPONT^MARIE^^^^^D";
    const auto refusal = [](const Answer& got) {
        return std::holds_alternative<Refusal>(got) ? std::get<Refusal>(got) : Refusal{};
    };
    EXPECT_EQ(refusal(answer({msh, orc, nfs})).coordinate, "PID");
    EXPECT_EQ(refusal(answer({msh, Pid{}.segment(), nfs})).coordinate, "ORC");
    EXPECT_EQ(refusal(answer({msh, no_number.segment(), orc, nfs})).coordinate, "PID-3");
    EXPECT_EQ(refusal(answer({msh, no_name.segment(), orc, nfs})).coordinate, "PID-5.1");
    EXPECT_EQ(refusal(answer({msh, used_name_only.segment(), orc, nfs})).coordinate, "PID-5.1");
    EXPECT_EQ(refusal(answer({msh, no_name.segment(), orc, nfs})).answer, "AE");
}

TEST(Order, IsForOnePatient) {
    const std::string other = "PID|||777^^^LBM^PI||PAT-QUATRE^ALEX^^^^^L||19800101|M";
    const auto two = answer({msh, Pid{}.segment(), orc, nfs, other, "ORC|NW|P002", "OBR|2|P002||NA"});
    ASSERT_TRUE(std::holds_alternative<Refusal>(two));
    EXPECT_EQ(std::get<Refusal>(two).code, "198");
    const auto prior_of_other =
        answer({msh, Pid{}.segment(), orc, nfs, other, "OBR|2|A1||NA", "OBX|1|NM|NA||140|mmol/L|||||F"});
    EXPECT_TRUE(std::holds_alternative<Refusal>(prior_of_other)) << "somebody else's prior results come with no order";
}

TEST(Order, IgnoresPriorResultsOfTheSamePatient) {
    const auto got = read(
        {msh, Pid{}.segment(), orc, nfs, spm, Pid{}.segment(), "OBR|1|ANCIEN||NA", "OBX|1|NM|NA||139|mmol/L|||||F"});
    EXPECT_THAT(got.lines, Each(Field("refused", &LineRequest::refused, LineRefusal::none)));
    ASSERT_EQ(got.lines.size(), 1U);
    EXPECT_EQ(got.lines[0].exam.code, "NFS");
}

TEST(Order, IsReadWithAllThatItAsksFor) {
    const auto got = read({msh, Pid{}.segment(), "PV1|1|I||||||||||||||||||VISIT1", orc, nfs, spm, "ORC|NW|P002||G001",
                           "OBR|2|P002||2951-2^Sodium^LN", spm});
    EXPECT_THAT(got.lines, Each(Field("refused", &LineRequest::refused, LineRefusal::none)));
    EXPECT_EQ(got.order.group_number, "G001");
    EXPECT_EQ(got.order.stay_number, "STAY1");
    EXPECT_EQ(got.order.patient_class, "I");
    ASSERT_EQ(got.lines.size(), 2U);
    EXPECT_EQ(got.lines[0].exam.code, "NFS");
    EXPECT_EQ(got.lines[0].exam.label, "Numération");
    EXPECT_EQ(got.lines[0].exam.placer_number, "P001");
    EXPECT_EQ(got.lines[1].exam.code, "NA") << "ordered by LOINC, known by its local code";
    ASSERT_EQ(got.order.specimens.size(), 1U) << "two OBR share one tube";
    EXPECT_EQ(got.order.specimens[0].number, "24050200123");
    EXPECT_EQ(got.order.specimens[0].type, "SER");
    EXPECT_EQ(to_hl7(*got.order.specimens[0].collected_at), "20260314071500+0100");
    EXPECT_EQ(to_hl7(*got.order.specimens[0].received_at), "20260314080000+0100");
    EXPECT_EQ(to_hl7(*got.order.prescribed_at), "20260314075500+0100");
    ASSERT_EQ(got.lines.size(), 2U);
    EXPECT_EQ(got.lines[1].exam.placer_number, "P002");
    EXPECT_THAT(got.troubles, IsEmpty());
}

TEST(Order, NamesItsGroupAfterTheFirstLineWhenNobodyNamedIt) {
    EXPECT_EQ(read({msh, Pid{}.segment(), "ORC|NW|P001", nfs, spm}).order.group_number, "P001");
}

TEST(Order, TakesSpecimenFromObrWhereThereIsNoSpm) {
    const auto got = read({msh, Pid{}.segment(), "ORC|NW|P001",
                           "OBR|1|P001|24050200999|NFS|||20260314071500|||||||20260314080000|SER&Sérum"});
    ASSERT_EQ(got.order.specimens.size(), 1U);
    EXPECT_EQ(got.order.specimens[0].number, "24050200999");
    EXPECT_EQ(got.order.specimens[0].type, "SER");
    EXPECT_EQ(got.order.specimens[0].type_label, "Sérum");
    EXPECT_EQ(to_hl7(*got.order.specimens[0].collected_at), "20260314071500+0100");
    EXPECT_EQ(to_hl7(*got.order.specimens[0].received_at), "20260314080000+0100");
    EXPECT_EQ(got.lines.at(0).filler, "24050200999");
}

TEST(Order, SaysWhatEachLineAsks) {
    using enum domain::OrderControl;
    const std::vector<std::pair<std::string, domain::OrderControl>> codes{
        {"NW", order},  {"CA", cancel},  {"RP", replace},    {"RO", replacement}, {"XO", change}, {"SN", send_number},
        {"NA", number}, {"SC", status},  {"SS", ask_status}, {"PA", parent},      {"CH", child},  {"DC", discontinue},
        {"HD", hold},   {"RL", release}, {"OK", other},      {"", other}};
    for (const auto& [code, control] : codes) {
        const auto got = read({msh, Pid{}.segment(), orc, nfs, spm, "ORC|" + code + "|P002|F002|G001||||P001&DPI^F001",
                               "OBR|2|P002|F002|NA^Sodium|||||||C"});
        ASSERT_EQ(got.lines.size(), 2U) << code;
        EXPECT_EQ(got.lines[1].control, control) << code;
        EXPECT_EQ(got.lines[1].at, "ORC[2]");
        EXPECT_EQ(got.lines[1].obr_at, "OBR[2]");
        EXPECT_EQ(got.lines[1].group, "G001");
        EXPECT_EQ(got.lines[1].filler, "F002");
        EXPECT_EQ(got.lines[1].exam.parent, "P001");
        EXPECT_TRUE(got.lines[1].drop);
    }
}

TEST(Order, IsAnsweredWithTheControlOfItsOwn) {
    using enum domain::OrderControl;
    EXPECT_EQ(answering_control(order, true), "OK");
    EXPECT_EQ(answering_control(order, false), "UA");
    EXPECT_EQ(answering_control(cancel, true), "CR");
    EXPECT_EQ(answering_control(cancel, false), "UC");
    EXPECT_EQ(answering_control(replace, true), "RQ");
    EXPECT_EQ(answering_control(replace, false), "UM");
    EXPECT_EQ(answering_control(change, true), "XR");
    EXPECT_EQ(answering_control(change, false), "UX");
    EXPECT_EQ(answering_control(send_number, true), "NA");
    EXPECT_EQ(answering_control(discontinue, false), "UD");
    EXPECT_EQ(answering_control(hold, false), "UH");
    EXPECT_EQ(answering_control(release, false), "UR");
}

TEST(Order, GivesTheReasonOfACancellation) {
    const auto got = read({msh, Pid{}.segment(), "ORC|CA|P001||||||||||||||ERR^Erreur de prescription^L"});
    EXPECT_EQ(got.lines.at(0).reason, "Erreur de prescription");
    EXPECT_EQ(got.lines.at(0).obr_at, "");
    EXPECT_FALSE(got.orders_something()) << "an act on a known line does not say who the patient is";
}

TEST(Order, SpecimenBySpecimenNamesTheTubesOfEachLine) {
    constexpr std::string_view o33 =
        R"(MSH|^~\&|GAP|LABO|SGL|LBM|20260314080000||OML^O33^OML_O33|2001|P|2.5.1|||||FRA|UNICODE UTF-8)";
    const auto got = read({o33, Pid{}.segment(), "SPM|1|T1||SER^Sérum^HL70487|||||||||||||20260314071500", orc, nfs,
                           "ORC|NW|P002||G001", "OBR|2|P002||NA", "SPM|2|||PLAS", "SAC|||T2", "ORC|NW|P003||G001",
                           "OBR|3|P003||INR"});
    ASSERT_EQ(got.lines.size(), 3U);
    EXPECT_THAT(got.lines[0].exam.specimens, ElementsAre("T1"));
    EXPECT_THAT(got.lines[1].exam.specimens, ElementsAre("T1"));
    EXPECT_THAT(got.lines[2].exam.specimens, ElementsAre("T2")) << "the container has the number";
    ASSERT_EQ(got.order.specimens.size(), 2U);
    EXPECT_EQ(got.order.specimens[1].type_label, "Plasma");
}

TEST(Order, OfAnOldSenderSharesTheTubeOfTheSameTypeAndTime) {
    const auto got = read({msh, Pid{}.segment(), "ORC|NW|P001", "OBR|1|P001||NFS|||20260314071500||||||||BLD",
                           "ORC|NW|P002", "OBR|2|P002||GB|||20260314071500||||||||BLD", "ORC|NW|P003",
                           "OBR|3|P003||NA|||20260314071500||||||||SER"});
    ASSERT_EQ(got.order.specimens.size(), 2U);
    EXPECT_THAT(got.lines[1].exam.specimens, ElementsAre("P001"));
    EXPECT_THAT(got.lines[2].exam.specimens, ElementsAre("P003"));
}

TEST(Order, OfAnOldSenderMayHaveOneOrcForSeveralObr) {
    const auto got = read({msh, Pid{}.segment(), orc, nfs, spm, "OBR|2|P002||NA", "OBR|3|P003||K"});
    ASSERT_EQ(got.lines.size(), 3U);
    EXPECT_EQ(got.lines[2].control, domain::OrderControl::order);
    EXPECT_EQ(got.lines[2].exam.placer_number, "P003");
    EXPECT_EQ(got.lines[2].group, "G001");
}

TEST(Order, ReadsARefusedTubeWithItsReason) {
    const auto tube = [](const std::string& end) {
        const auto got = read({msh, Pid{}.segment(), orc, nfs, "SPM|1|T1||SER||||||||||||||||" + end});
        return got.order.specimens.at(0);
    };
    EXPECT_EQ(tube("N|RB^Broken container").refusal, "Tube cassé");
    EXPECT_EQ(tube("N|RB").refusal_code, "RB");
    EXPECT_EQ(tube("N|X9^Tube renversé").refusal, "Tube renversé");
    EXPECT_EQ(tube("N").refusal, "Motif non précisé");
    EXPECT_FALSE(tube("Y").refused());
}

TEST(Order, WithTwoNumbersForOneLineTakesThatOfObrAndSomebodyLooks) {
    const auto got = read({msh, Pid{}.segment(), "ORC|NW|P001||G001", "OBR|1|P009||NFS", spm});
    EXPECT_EQ(got.lines.at(0).exam.placer_number, "P009");
    EXPECT_THAT(got.troubles, ElementsAre(is_trouble("numbers_differ", "ORC-2")));
}

TEST(PriorResults, AreReadApartWhereverTheyStand) {
    const auto same_pid = read({msh, Pid{}.segment(), orc, nfs, spm, "ORC|PR|A1", "OBR|2|A1||NA|||20260101",
                                "OBX|1|NM|NA^Sodium^L||139|mmol/L|136-145|N|||F|||202601010800|LBM^Autre labo"});
    ASSERT_EQ(same_pid.lines.size(), 1U);
    ASSERT_EQ(same_pid.prior.size(), 1U);
    EXPECT_EQ(same_pid.prior[0].label, "Sodium");
    EXPECT_EQ(same_pid.prior[0].value, "139");
    EXPECT_EQ(same_pid.prior[0].unit, "mmol/L");
    EXPECT_EQ(same_pid.prior[0].range, "136-145");
    EXPECT_EQ(same_pid.prior[0].laboratory, "Autre labo");
    EXPECT_EQ(to_hl7(*same_pid.prior[0].at), "202601010800+0100");
    const auto without_orc =
        read({msh, Pid{}.segment(), orc, nfs, spm, "OBR|2|A1||NA|||20260101", "OBX|1|SN|NA||>^139|mmol/L|||||F"});
    ASSERT_EQ(without_orc.prior.size(), 1U);
    EXPECT_EQ(without_orc.prior[0].value, ">139");
    EXPECT_EQ(to_hl7(*without_orc.prior[0].at), "20260101");
    EXPECT_EQ(without_orc.order.clinical_context, "") << "and tell nothing of this visit";
}

TEST(Order, RefusesAMessageThatAsksForNothing) {
    const auto got = answer({msh, Pid{}.segment(), "ORC|RE|A1", "OBR|1|A1||NA", "OBX|1|NM|NA||139|mmol/L|||||F"});
    ASSERT_TRUE(std::holds_alternative<Refusal>(got));
    EXPECT_EQ(std::get<Refusal>(got).coordinate, "ORC");
}

TEST(Order, OfAnUnknownExaminationIsAcceptedAndSomebodyLooks) {
    const auto got = read({msh, Pid{}.segment(), orc, "OBR|1|P001||MYSTERE^Examen inconnu^L", spm});
    EXPECT_THAT(got.lines, Each(Field("refused", &LineRequest::refused, LineRefusal::none)));
    EXPECT_EQ(got.lines.at(0).exam.code, "MYSTERE");
    EXPECT_EQ(got.lines.at(0).exam.label, "Examen inconnu");
    EXPECT_THAT(got.troubles, ElementsAre(is_trouble("unknown_exam", "OBR-4")));
}

TEST(Prescriber, ComesFromObr16ElseOrc12) {
    const auto from_obr = read(Pid{}).order.prescriber;
    EXPECT_EQ(from_obr.rpps.text(), "99900000017");
    EXPECT_EQ(from_obr.family, "MEDECIN");
    EXPECT_EQ(from_obr.given, "ALICE");
    EXPECT_EQ(from_obr.title, "DR");
    const auto from_orc =
        read({msh, Pid{}.segment(), "ORC|NW|P001||G001||||||||899900000017^MEDECIN^BOB", "OBR|1|P001||NFS", spm})
            .order.prescriber;
    EXPECT_EQ(from_orc.family, "MEDECIN");
    EXPECT_EQ(from_orc.rpps.text(), "99900000017");
}

TEST(Prescriber, IsSomebodyWithAnRppsAlone) {
    const auto got = read({msh, Pid{}.segment(), orc, "OBR|1|P001||NFS||||||||||||899900000017", spm}).order.prescriber;
    EXPECT_EQ(got.rpps.text(), "99900000017");
}

TEST(Prescriber, KeepsHisNameWhenTheNumberIsNoRpps) {
    const auto got = read({msh, Pid{}.segment(), orc, "OBR|1|P001||NFS||||||||||||ABC123^MEDECIN^ALICE^^^Docteur", spm})
                         .order.prescriber;
    EXPECT_TRUE(got.rpps.empty());
    EXPECT_EQ(got.family, "MEDECIN");
    EXPECT_EQ(got.title, "") << "only titles of the national list";
}

TEST(Order, SendsCopiesOnceToEachCorrespondent) {
    const auto obr = [](const std::string& number, const std::string& copies) {
        return "OBR|" + number + "|P00" + number + "||NFS||||||||||||899900000017^MEDECIN^ALICE||||||||||||" + copies;
    };
    const auto got = read({msh, Pid{}.segment(), orc, obr("1", "899900000025^COPIE^UN~899900000033^COPIE^DEUX~~^"), spm,
                           "ORC|NW|P002||G001", obr("2", "899900000025^COPIE^UN")});
    ASSERT_EQ(got.order.copies.size(), 2U);
    EXPECT_EQ(got.order.copies[0].rpps.text(), "99900000025");
    EXPECT_EQ(got.order.copies[1].given, "DEUX");
}

TEST(Order, IsUrgentWhereverItIsSaid) {
    const auto urgent = [](std::string_view obr, std::string_view tq1 = "NTE|1") {
        return read({msh, Pid{}.segment(), orc, tq1, obr, spm}).order.urgent;
    };
    EXPECT_FALSE(urgent("OBR|1|P001||NFS"));
    EXPECT_FALSE(urgent("OBR|1|P001||NFS", "TQ1|||||||||R^^HL70485"));
    EXPECT_TRUE(urgent("OBR|1|P001||NFS", "TQ1|||||||||S^^HL70485"));
    EXPECT_TRUE(urgent("OBR|1|P001||NFS", "TQ1|||||||||A"));
    EXPECT_TRUE(urgent("OBR|1|P001||NFS|S"));
    EXPECT_TRUE(urgent("OBR|1|P001||NFS|A"));
    EXPECT_TRUE(urgent("OBR|1|P001||NFS|||||||||||||||||||||||^^^^^S"));
}

TEST(Order, KeepsClinicalInformationLineByLine) {
    const auto got =
        read({msh, Pid{}.segment(), orc, "OBR|1|P001||NFS|||||||||Bilan préopératoire",
              "OBX|1|NM|POIDS^Poids^L||70,5|kg", "OBX|2|NM|POIDS^Poids^L||7", "OBX|3|SN|DUREE^Durée^L||>^5|j", spm,
              "ORC|NW|P002||G001", "OBR|2|P002||NA|||||||||Bilan préopératoire"});
    EXPECT_EQ(got.order.clinical_context, "Bilan préopératoire\nPoids : 70,5 kg\nPoids : 7\nDurée : >5 j")
        << "`Poids : 7` once vanished into `Poids : 70,5`";
}

TEST(Order, InAnotherCharacterSetThanDeclaredMakesNoIdentity) {
    const auto got = read({msh, "PID|||4056601^^^LBM^PI||H\xE9L\xE8NE^A^A^^^^L||19790328|F", orc, nfs, spm});
    EXPECT_EQ(got.lines.at(0).refused, LineRefusal::charset);
    EXPECT_THAT(got.troubles, Contains(is_trouble("charset", "MSH-18")));
}

}  // namespace
}  // namespace sgl::interpret

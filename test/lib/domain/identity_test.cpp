// Statuses and attributes of an identity change by the allowed steps only (identity-and-directory 1.4 and 2).
#include "lib/domain/identity.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sgl::domain {
namespace {

using enum IdentityStatus;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;

Instant at(int minute) {
    return parse_iso8601("2026-03-14T08:00:00Z").value() + std::chrono::minutes(minute);
}

auto trouble(const std::string& kind, const std::string& coordinate) {
    return ::testing::AllOf(Field("kind", &Trouble::kind, kind), Field("coordinate", &Trouble::coordinate, coordinate));
}

Personal<Ins> ins(std::string_view matricule = "279035121518989") {
    return Personal<Ins>{Ins{InsMatricule::parse(matricule).value(), std::string(oid::ins_nir_test)}};
}
constexpr std::string_view other_matricule = "207058575627097";

Traits traits() {
    Traits traits;
    traits.birth_name = "PAT-TROIS";
    traits.birth_given_names = "DOMINIQUE MARIE";
    traits.first_given_name = "DOMINIQUE";
    traits.birth_date = Timestamp::parse("19790328").value();
    traits.sex = Sex::female;
    traits.birth_place = "63220";
    return traits;
}

/// What an identity server says: the codes of PID-32 (empty: it says nothing of the reliability) and an INS or none.
IdentityStatement said(std::string_view codes, bool with_ins, int minute = 10) {
    IdentityStatement said;
    said.patient.local_id = "4056601";
    said.patient.local_authority_oid = "1.2.250.1.999.1";
    said.patient.traits = Personal<Traits>{traits()};
    said.reliability_said = !codes.empty();
    said.validated = codes == "VALI";
    said.patient.doubtful = codes == "DOUT";
    said.patient.fictitious = codes == "FICT";
    said.homonym = codes == "HOMA";
    if (with_ins && !said.patient.doubtful && !said.patient.fictitious) {
        said.patient.ins = ins();
        said.ins = IdentityStatement::InsWord::given;
    }
    said.said_at = at(minute);
    return said;
}

KnownIdentity known(IdentityStatus status) {
    KnownIdentity known;
    known.patient.local_id = "4056601";
    known.patient.traits = Personal<Traits>{traits()};
    known.patient.status = status;
    if (status == retrieved || status == qualified) known.patient.ins = ins();
    known.said_at = at(0);
    return known;
}

IdentityStatus status_of(const IdentityChange& change) {
    return change.identity.patient.status;
}

TEST(IdentitySteps, AreSaidForEveryPair) {
    struct Row {
        IdentityStatus from, to;
        Step step;
    };
    const std::vector<Row> rows{
        {provisional, provisional, Step::none},    {provisional, retrieved, Step::retrieved},
        {provisional, validated, Step::checked},   {provisional, qualified, Step::both},
        {retrieved, provisional, Step::withdrawn}, {retrieved, retrieved, Step::none},
        {retrieved, validated, Step::refused},     {retrieved, qualified, Step::checked},
        {validated, provisional, Step::withdrawn}, {validated, retrieved, Step::refused},
        {validated, validated, Step::none},        {validated, qualified, Step::retrieved},
        {qualified, provisional, Step::withdrawn}, {qualified, retrieved, Step::refused},
        {qualified, validated, Step::lost},        {qualified, qualified, Step::none},
    };
    ASSERT_EQ(rows.size(), 16U);
    for (const auto& row : rows)
        EXPECT_EQ(step(row.from, row.to), row.step) << to_string(row.from) << " to " << to_string(row.to);
}

TEST(IdentityStatus, OfANewPatientIsWhatPid32AndTheInsSay) {
    struct Row {
        std::string_view codes;
        bool ins;
        IdentityStatus expected;
    };
    for (const auto& row : std::vector<Row>{{"VALI", true, qualified},
                                            {"VALI", false, validated},
                                            {"PROV", true, retrieved},
                                            {"", true, retrieved},
                                            {"PROV", false, provisional},
                                            {"", false, provisional},
                                            {"DOUT", true, provisional},
                                            {"FICT", true, provisional}}) {
        const auto made = change(std::nullopt, said(row.codes, row.ins));
        EXPECT_EQ(status_of(made), row.expected) << row.codes << (row.ins ? " with INS" : "");
        EXPECT_EQ(made.identity.patient.ins.has_value(), row.expected == retrieved || row.expected == qualified);
        EXPECT_TRUE(made.changed);
    }
}

TEST(IdentityStatus, OfAKnownPatientTakesEveryAllowedStepAndNoOther) {
    struct Row {
        IdentityStatus from;
        std::string_view codes;
        bool ins;
        IdentityStatus to;
        std::string_view trouble;
    };
    const std::vector<Row> rows{
        {provisional, "PROV", false, provisional, ""},
        {provisional, "PROV", true, retrieved, ""},
        {provisional, "VALI", false, validated, ""},
        {provisional, "VALI", true, qualified, ""},
        {retrieved, "PROV", false, provisional, "ins_lost"},
        {retrieved, "PROV", true, retrieved, ""},
        {retrieved, "VALI", false, provisional, "ins_lost identity_transition"},
        {retrieved, "VALI", true, qualified, ""},
        {validated, "PROV", false, provisional, ""},
        {validated, "PROV", true, provisional, "identity_transition"},
        {validated, "VALI", false, validated, ""},
        {validated, "VALI", true, qualified, ""},
        {qualified, "PROV", false, provisional, "ins_lost"},
        {qualified, "PROV", true, provisional, "identity_transition"},
        {qualified, "VALI", false, validated, "ins_lost"},
        {qualified, "VALI", true, qualified, ""},
    };
    for (const auto& row : rows) {
        const auto becomes = change(known(row.from), said(row.codes, row.ins));
        std::string kinds;
        for (const auto& trouble : becomes.troubles)
            kinds += (kinds.empty() ? "" : " ") + trouble.kind;
        const auto name = std::string(to_string(row.from)) + " " + std::string(row.codes) + (row.ins ? " INS" : "");
        EXPECT_EQ(status_of(becomes), row.to) << name;
        EXPECT_EQ(kinds, row.trouble) << name;
        EXPECT_EQ(becomes.identity.patient.ins.has_value(), row.to == retrieved || row.to == qualified) << name;
        EXPECT_EQ(becomes.wrong_ins, std::nullopt) << name << ": an INS left out may well be his";
    }
}

TEST(IdentityStatus, StaysWhereNothingIsSaidOfIt) {
    for (const auto from : {provisional, retrieved, validated, qualified}) {
        const auto becomes = change(known(from), said("", false));
        EXPECT_EQ(status_of(becomes), from) << to_string(from);
        EXPECT_THAT(becomes.troubles, IsEmpty());
        EXPECT_FALSE(becomes.to_be_seen);
    }
    EXPECT_EQ(status_of(change(known(qualified), said("", true))), qualified) << "the same INS says nothing against it";
}

TEST(IdentityStatus, FallsWithTheInsWhenTheIdentityIsDoubtfulOrFictitious) {
    for (const auto* code : {"DOUT", "FICT"}) {
        const auto becomes = change(known(qualified), said(code, false));
        EXPECT_EQ(status_of(becomes), provisional) << code;
        EXPECT_FALSE(becomes.identity.patient.ins) << code;
        EXPECT_FALSE(becomes.identity.patient.ins_may_leave());
        EXPECT_EQ(becomes.wrong_ins, ins()) << "what left under it is to be looked at";
        EXPECT_THAT(becomes.troubles, ElementsAre(trouble("ins_dropped", "PID-32")));
    }
    auto doubtful = known(provisional);
    doubtful.patient.doubtful = true;
    EXPECT_EQ(status_of(change(doubtful, said("VALI", true))), qualified) << "the doubt was lifted";
}

TEST(IdentityStatus, IsNotQualifiedWithoutTheFiveTraits) {
    auto incomplete = said("VALI", true);
    incomplete.patient.traits.reveal().birth_place.clear();
    const auto made = change(std::nullopt, incomplete);
    EXPECT_EQ(status_of(made), retrieved);
    EXPECT_THAT(made.troubles, ElementsAre(trouble("traits_incomplete", "PID")));
    EXPECT_EQ(status_of(change(known(provisional), incomplete)), qualified) << "we know where she was born";
}

TEST(IdentityStatus, IsLostWithTheInsWhenStrictTraitsChangeWithoutQualification) {
    auto renamed = said("", false);
    renamed.patient.traits.reveal().birth_name = "PAT-QUATRE";
    for (const auto from : {retrieved, qualified}) {
        const auto becomes = change(known(from), renamed);
        EXPECT_EQ(status_of(becomes), provisional);
        EXPECT_FALSE(becomes.identity.patient.ins);
        EXPECT_TRUE(becomes.strict_changed);
        EXPECT_THAT(becomes.troubles, ElementsAre(trouble("traits_changed", "PID-5")));
    }
    auto qualified_anew = said("VALI", true);
    qualified_anew.patient.traits.reveal().birth_name = "PAT-QUATRE";
    EXPECT_EQ(status_of(change(known(qualified), qualified_anew)), qualified);
}

TEST(Identity, KeepsWhatAMessageDoesNotSay) {
    auto short_message = said("", false);
    auto& few = short_message.patient.traits.reveal();
    few = Traits{};
    few.birth_name = "PAT-TROIS";
    few.phone = "0102030405";
    auto before = known(qualified);
    before.patient.traits.reveal().address = {{"28 Av de Breteuil"}, "75007", "PARIS", ""};
    const auto becomes = change(before, short_message);
    auto expected = before.patient.traits.reveal();
    expected.phone = "0102030405";
    EXPECT_EQ(becomes.identity.patient.traits.reveal(), expected);
    EXPECT_FALSE(becomes.strict_changed);
    EXPECT_TRUE(becomes.to_be_seen);
}

TEST(Identity, ComparesNamesWithoutAccentsAndWithHyphensAsSpaces) {
    auto written_otherwise = traits();
    written_otherwise.birth_name = "Pat Troïs";
    EXPECT_THAT(contradictions("PID", traits(), written_otherwise), IsEmpty());
    auto somebody = traits();
    somebody.birth_name = "AUTRE";
    somebody.first_given_name = "CLAUDE";
    somebody.birth_date = Timestamp::parse("1980").value();
    somebody.sex = Sex::male;
    somebody.birth_place = "75056";
    EXPECT_THAT(contradictions("PID[2]", traits(), somebody),
                ElementsAre("PID[2]-5.1", "PID[2]-5.2", "PID[2]-7", "PID[2]-8", "PID[2]-11"));
    EXPECT_THAT(contradictions("PID", traits(), Traits{}), IsEmpty()) << "what is not said contradicts nothing";
}

TEST(Identity, OfACheckedPatientNeverBecomesSomebodyElse) {
    auto somebody = said("VALI", true);
    somebody.patient.traits.reveal().birth_name = "AUTRE";
    somebody.patient.traits.reveal().birth_date = Timestamp::parse("19800101").value();
    for (const auto from : {validated, qualified}) {
        const auto becomes = change(known(from), somebody);
        EXPECT_TRUE(becomes.refused);
        EXPECT_THAT(becomes.troubles, ElementsAre(trouble("identity_conflict", "PID-5.1")));
    }
    // The unknown patient of the emergency gets his name.
    const auto becomes = change(known(provisional), somebody);
    EXPECT_FALSE(becomes.refused);
    EXPECT_EQ(becomes.identity.patient.traits.reveal().birth_name, "AUTRE");
}

TEST(Identity, ListensToTheNewestWordInWhateverOrderTheyCome) {
    auto first = said("PROV", false, 1);
    auto second = said("VALI", true, 2);
    first.patient.traits.reveal().birth_name = "PAT-TROI";
    const auto in_order = change(change(std::nullopt, first).identity, second);
    const auto late = change(change(std::nullopt, second).identity, first);
    EXPECT_TRUE(late.stale);
    EXPECT_FALSE(late.changed);
    EXPECT_EQ(late.identity.patient.traits, in_order.identity.patient.traits);
    EXPECT_EQ(status_of(late), status_of(in_order));
}

TEST(Identity, SaidTwiceChangesNothing) {
    for (const auto* codes : {"VALI", "PROV", "HOMA", "DOUT"}) {
        const auto once = change(std::nullopt, said(codes, true));
        const auto again = change(once.identity, said(codes, true));
        EXPECT_FALSE(again.changed) << codes;
        EXPECT_FALSE(again.wrong_ins) << codes;
    }
}

TEST(Identity, WithAnotherInsSaysUnderWhichOneDocumentsMayHaveLeft) {
    auto other = said("VALI", true);
    other.patient.ins = ins(other_matricule);
    const auto becomes = change(known(qualified), other);
    EXPECT_EQ(status_of(becomes), qualified);
    EXPECT_EQ(becomes.identity.patient.ins, ins(other_matricule));
    EXPECT_EQ(becomes.wrong_ins, ins());
    EXPECT_THAT(becomes.troubles, ElementsAre(trouble("ins_changed", "PID-3")));
    auto removed = said("VALI", false);
    removed.ins = IdentityStatement::InsWord::removed;
    const auto without = change(known(qualified), removed);
    EXPECT_EQ(status_of(without), validated);
    EXPECT_EQ(without.wrong_ins, ins());
}

TEST(Identity, KnowsHomonyms) {
    EXPECT_TRUE(change(known(validated), said("HOMA", false)).identity.homonym);
    auto homonym = known(validated);
    homonym.homonym = true;
    EXPECT_TRUE(change(homonym, said("", false)).identity.homonym) << "nothing was said against it";
    EXPECT_FALSE(change(homonym, said("VALI", false)).identity.homonym);
}

TEST(Identity, OfTheIdentityServerIsNotOverruledByAnOrder) {
    auto patient = known(qualified).patient;
    patient.traits.reveal().birth_name = "PAT-QUATRE";
    const auto refused = change(known(qualified), stated_by_order(patient));
    EXPECT_TRUE(refused.refused);
    EXPECT_THAT(refused.troubles, ElementsAre(trouble("identity_mismatch", "PID-5.1")));
    // Before any identity server spoke, the registration's newest word holds.
    auto only_orders = known(validated);
    only_orders.said_at.reset();
    patient.status = validated;
    patient.ins.reset();
    EXPECT_EQ(change(only_orders, stated_by_order(patient)).identity.patient.traits.reveal().birth_name, "PAT-QUATRE");
}

TEST(Identity, NeverForgetsAnOppositionThatAnOrderSaid) {
    auto opposed = known(qualified);
    opposed.patient.choices.dmp_opposed = true;
    EXPECT_TRUE(change(opposed, said("VALI", true)).identity.patient.choices.dmp_opposed);
    EXPECT_FALSE(change(opposed, said("VALI", true)).identity.patient.choices.messaging_opposed)
        << "the two oppositions are kept apart";
}

TEST(IdentityStatus, GivenByAPersonFollowsTheSteps) {
    for (const auto& transition : transitions) {
        auto who = known(transition.from);
        who.patient.ins = ins();
        const auto given = may_give_status(who, transition.to, false);
        EXPECT_EQ(given.has_value(), transition.step != Step::refused)
            << to_string(transition.from) << " to " << to_string(transition.to);
    }
    auto no_ins = known(validated);
    EXPECT_FALSE(may_give_status(no_ins, qualified, false));
    auto doubtful = known(provisional);
    doubtful.patient.doubtful = true;
    EXPECT_FALSE(may_give_status(doubtful, validated, false));
}

TEST(IdentityStatus, IsNotGivenByAPersonOnAnIdentitySlaveWhichSaysWhy) {
    for (const auto to : {retrieved, validated, qualified}) {
        const auto refused = may_give_status(known(provisional), to, true);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().fault, Fault::refused);
        EXPECT_THAT(refused.error().what, ::testing::HasSubstr("identity slave"));
    }
    EXPECT_TRUE(may_give_status(known(qualified), provisional, true)) << "trust may always be withdrawn";
}

TEST(Merge, IsRefusedForTwoInsOrTwoCheckedPersons) {
    const auto one = known(qualified).patient;
    auto two = known(qualified).patient;
    EXPECT_EQ(refuses_merge(one, two), std::nullopt);
    two.ins = ins(other_matricule);
    EXPECT_EQ(refuses_merge(one, two).value().coordinate, "MRG-1");
    auto checked = known(validated).patient;
    checked.traits.reveal().birth_name = "AUTRE";
    checked.traits.reveal().sex = Sex::male;
    EXPECT_TRUE(refuses_merge(one, checked));
    checked.status = provisional;
    EXPECT_FALSE(refuses_merge(one, checked)) << "the record made in haste is the one to be merged";
}

}  // namespace
}  // namespace sgl::domain

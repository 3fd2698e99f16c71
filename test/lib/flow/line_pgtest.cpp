// validate → compose → publish with a real database: the guards of a signature, and one publication however many
// daemons.
#include "lib/flow/line.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <fstream>

#include "cda/checker.hpp"
#include "cda/schematron/official_kit.hpp"
#include "lib/compose/pdf.hpp"
#include "lib/store/work.hpp"
#include "test/lib/flow/flow_fixture.hpp"

namespace sgl::flow {
namespace {

std::string bytes_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

class PgLine : public test::FlowTest {
protected:
    PgLine() { EXPECT_EQ(code(receive(oml("O1", "1"))), "AA"); }
    ~PgLine() override { workers_.join(); }

    Line::Parts line_parts(std::string daemon) {
        return {pool_, orders_, reports_, laboratory_, clock_, checker_, pdf_, workers_, std::move(daemon), false};
    }
    domain::OrderId order() { return domain::OrderId{Uuid::parse(one("select id from lab_order")).value()}; }
    void bring(const std::string& control, const std::string& all_obx) {
        EXPECT_EQ(code(receive(oru(control, "1", all_obx))), "AA");
    }
    void bring_both() { bring("M1", obx("NA", "150") + obx("K", "4.0")); }

    /// What the screen of a biologist holds now.
    ValidationCommand screen() {
        ValidationCommand command;
        const auto whole = file(order()).value();
        command.order = whole.id;
        command.row_version = whole.seen_version;
        for (const auto& result : whole.results)
            command.seen.push_back(result.id);
        return command;
    }
    Result<Validated> validate(ValidationCommand command, int user = 1, std::vector<std::int32_t> sites = {1}) {
        Actor actor{"user:essai", domain::UserId{user}, std::move(sites)};
        return run(line_.validate(std::move(actor), std::move(command)));
    }
    std::string refusal(const Result<Validated>& got) {
        return got ? "validated" : std::string(to_string(got.error().fault)) + ": " + got.error().what;
    }

    cda::Checker checker_;
    compose::PdfRenderer pdf_ =
        compose::PdfRenderer::open("/usr/share/fonts/truetype/dejavu", bytes_of("/usr/share/color/icc/sRGB.icc"))
            .value();
    asio::thread_pool workers_{1};
    Line line_{line_parts("un")};
};

TEST_F(PgLine, SignsWhatTheBiologistSaw) {
    bring_both();
    const auto done = validate(screen());
    ASSERT_TRUE(done) << refusal(done);
    EXPECT_EQ(done->number, 1U);
    EXPECT_EQ(one("select state from lab_order"), "fully_validated");
    EXPECT_EQ(one("select string_agg(local_code || ' ' || (content->'result'->>'flag'), ', ' order by position) from "
                  "validated_result"),
              "NA H, K N");
    EXPECT_EQ(one("select ins_qualified::text from report_version"), "true");
}

TEST_F(PgLine, LetsOnlyABiologistOfTheSiteSign) {
    bring_both();
    EXPECT_EQ(validate(screen(), 2).error().fault, Fault::refused) << "a technician";
    EXPECT_EQ(validate(screen(), 9).error().fault, Fault::refused) << "nobody";
    EXPECT_EQ(validate(screen(), 1, {2}).error().fault, Fault::missing)
        << "with another site's rights the order isn't there";
    change_laboratory([](domain::Laboratory::Parts& parts) { parts.users[0].professional.rpps = {}; });
    EXPECT_EQ(validate(screen()).error().fault, Fault::refused) << "without RPPS";
    change_laboratory([](domain::Laboratory::Parts& parts) { parts.users[0].active = false; });
    EXPECT_EQ(validate(screen()).error().fault, Fault::refused) << "an account that was closed";
    change_laboratory(
        [](domain::Laboratory::Parts& parts) { parts.users[0].professional.speciality.code = "G15_10/SM01"; });
    EXPECT_EQ(validate(screen()).error().fault, Fault::refused) << "a physician of another speciality";
    EXPECT_EQ(count("select count(*) from report_version"), 0);
}

TEST_F(PgLine, RefusesAStaleScreenAndNamesWhatCame) {
    bring("M1", obx("NA", "140"));
    const auto seen = screen();
    bring("M2", obx("K", "4.0"));
    EXPECT_EQ(refusal(validate(seen)), "conflict: results came since the screen was drawn: Potassium");
    const auto before_correction = screen();
    auto correction = obx("NA", "150");
    correction.replace(correction.find("|F|"), 3, "|C|");
    bring("M3", correction);
    EXPECT_EQ(refusal(validate(before_correction)), "conflict: results came since the screen was drawn: Sodium");
    auto old_version = screen();
    --old_version.row_version;
    EXPECT_EQ(validate(old_version).error().fault, Fault::conflict);
    EXPECT_TRUE(validate(screen()));
}

TEST_F(PgLine, RefusesAScreenWhoseIdentityChangedSince) {
    bring_both();
    const auto seen = screen();
    EXPECT_EQ(code(receive(oml("O2", "2"))), "AA") << "another order of the same person changes nothing";
    EXPECT_EQ(one("select row_version::text from patient"), "1");
    EXPECT_EQ(code(receive(oml("O3", "3", "IONO", "PAT-QUATRE"))), "AA");
    EXPECT_EQ(one("select row_version::text from patient"), "2");
    EXPECT_EQ(refusal(validate(seen)), "conflict: the order changed since the screen was drawn");
    EXPECT_TRUE(validate(screen()));
}

TEST_F(PgLine, SignsWithoutAResultThatWasSetAside) {
    bring("M1", obx("NA", "140") + obx("K", "4.0") + obx("INCONNU", "1"));
    const auto before = screen();
    EXPECT_EQ(refusal(validate(before)), "refused: results wait for a person (see work to do): INCONNU");
    store::Work work(pool_);
    const domain::ResultId held{count("select id from result where code = 'INCONNU'")};
    const store::Deed deed{{1}, "user:essai", "code d'un essai", now_};
    ASSERT_TRUE(run(work.set_aside(deed, order(), held)));
    EXPECT_EQ(validate(before).error().fault, Fault::conflict) << "his screen still shows it";
    EXPECT_TRUE(validate(screen()));
    EXPECT_EQ(count("select count(*) from validated_result"), 2);
}

TEST_F(PgLine, SignsWhatWasSentAgainRightly) {
    bring("M1", obx("NA", "140") + obx("K", "4.0", "mmol/l de trop"));
    EXPECT_EQ(refusal(validate(screen())), "refused: results wait for a person (see work to do): K");
    bring("M2", obx("K", "4.0"));
    EXPECT_TRUE(validate(screen()));
    EXPECT_EQ(count("select count(*) from work_item where done_at is null"), 0);
}

TEST_F(PgLine, WaitsForWhatWasAskedForUnlessItIsSignedAsPartial) {
    bring("M1", obx("NA", "140"));
    EXPECT_EQ(refusal(validate(screen())), "refused: results are missing, it can only be signed as partial: Potassium");
    auto partial = screen();
    partial.partial = true;
    ASSERT_TRUE(validate(partial));
    EXPECT_EQ(one("select state || ' ' || (closed_at is null)::text from lab_order"), "partially_reported true");
    EXPECT_EQ(one("select kind || ' ' || (awaited->0->>'label') from report_version"), "partial Potassium");
    EXPECT_EQ(validate(screen()).error().fault, Fault::conflict) << "its first version is being made";
    EXPECT_EQ(run(line_.publish_waiting()), 1U);
    EXPECT_EQ(one("select state from report_version"), "published") << one("select refusal from report_version");
    EXPECT_EQ(one("select state || ' ' || reason from letter where channel = 'DMP'"), "blocked PARTIAL_REPORT");
    EXPECT_EQ(count("select count(*) from letter where channel <> 'DMP' and reason = 'PARTIAL_REPORT'"), 0);
}

TEST_F(PgLine, CompletesAPartialReportWithoutAReason) {
    bring("M1", obx("NA", "140"));
    auto partial = screen();
    partial.partial = true;
    ASSERT_TRUE(validate(partial));
    run(line_.publish_waiting());
    bring("M2", obx("K", "4.0"));
    EXPECT_EQ(count("select count(*) from work_item"), 0) << "what is awaited is no late result";
    const auto whole = validate(screen());
    ASSERT_TRUE(whole) << refusal(whole);
    EXPECT_EQ(whole->number, 2U);
    run(line_.publish_waiting());
    EXPECT_EQ(one("select string_agg(kind || ' ' || state, ', ' order by version) from report_version"),
              "partial published, final published");
    EXPECT_EQ(one("select state from lab_order"), "reported");
    EXPECT_EQ(one("select string_agg(l.state, ' ' order by v.version) from letter l join report_version v on v.id = "
                  "l.version_id where l.channel = 'DMP'"),
              "cancelled due");
    const domain::ReportVersionId second{Uuid::parse(one("select id from report_version where version = 2")).value()};
    const auto report = run(line_.report(second)).value();
    EXPECT_TRUE(report.replaces && report.replaces->kind == domain::ReportKind::partial &&
                !report.replaces->after_final);
    EXPECT_EQ(report.kind, domain::ReportKind::final);
}

TEST_F(PgLine, WantsAReasonWhereAResultOfAPartialReportChanges) {
    bring("M1", obx("NA", "140"));
    auto partial = screen();
    partial.partial = true;
    ASSERT_TRUE(validate(partial));
    run(line_.publish_waiting());
    auto again = screen();
    again.partial = true;
    EXPECT_EQ(validate(again).error().where, "reason") << "nothing came: the same is not sent twice by mistake";
    auto correction = obx("NA", "150");
    correction.replace(correction.find("|F|"), 3, "|C|");
    bring("M2", correction);
    EXPECT_EQ(count("select count(*) from work_item where kind = 'late_result' and done_at is null"), 1);
    auto corrected = screen();
    corrected.partial = true;
    EXPECT_EQ(validate(corrected).error().where, "reason");
    corrected.reason = "Dosage refait";
    ASSERT_TRUE(validate(corrected));
    EXPECT_EQ(one("select content->'result'->>'corrected' from validated_result v join report_version r on r.id = "
                  "v.version_id where r.version = 2"),
              "true");
    EXPECT_EQ(count("select count(*) from work_item where done_at is null"), 0);
}

TEST_F(PgLine, SignsNothingBesideAResultThatWaitsForAPerson) {
    bring("M1", obx("NA", "140") + obx("K", "4.0") + obx("INCONNU", "1"));
    const auto held = validate(screen());
    ASSERT_FALSE(held);
    EXPECT_EQ(held.error().fault, Fault::refused);
    EXPECT_EQ(count("select count(*) from report_version"), 0);
}

TEST_F(PgLine, SignsOnce) {
    bring_both();
    const auto seen = screen();
    ASSERT_TRUE(validate(seen));
    EXPECT_EQ(validate(seen).error().fault, Fault::conflict);
    EXPECT_EQ(validate(screen()).error().fault, Fault::conflict);
    EXPECT_EQ(count("select count(*) from report_version"), 1);
}

TEST_F(PgLine, PublishesOnceWithTwoDaemons) {
    bring_both();
    ASSERT_TRUE(validate(screen()));
    Line other(line_parts("deux"));
    int ended = 0;
    std::size_t published = 0;
    const auto daemon = [&](Line& line) -> asio::awaitable<void> {
        published += co_await line.publish_waiting();
        ++ended;
    };
    const auto both = [&]() -> asio::awaitable<void> {
        const asio::any_io_executor here = executor();
        asio::co_spawn(here, daemon(line_), asio::detached);
        asio::co_spawn(here, daemon(other), asio::detached);
        while (ended < 2) {
            const pg::Rows waited = co_await pool_.query(pg::Query{"", "select pg_sleep(0.01)"});
        }
    };
    run(both());
    EXPECT_EQ(published, 1U);
    EXPECT_EQ(one("select state from report_version"), "published") << one("select refusal from report_version");
    EXPECT_EQ(count("select count(*) from document"), 2);
    EXPECT_EQ(count("select count(*) from letter where channel = 'DMP'"), 1);
    EXPECT_EQ(run(line_.publish_waiting()), 0U);
    EXPECT_EQ(count("select count(*) from audit_event where action = 'publish'"), 1);
}

TEST_F(PgLine, LetsNoReportStopThoseBehindIt) {
    bring_both();
    ASSERT_TRUE(validate(screen()));
    EXPECT_EQ(code(receive(oml("O2", "2"))), "AA");
    EXPECT_EQ(code(receive(oru("M9", "2", obx("NA", "141") + obx("K", "4.1")))), "AA");
    const domain::OrderId second{Uuid::parse(one("select id from lab_order where state <> 'fully_validated'")).value()};
    auto command = screen();
    const auto whole = file(second).value();
    command = {second, whole.seen_version, {}, "", ""};
    for (const auto& result : whole.results)
        command.seen.push_back(result.id);
    clock_.advance(std::chrono::seconds(5));
    ASSERT_TRUE(validate(command));
    superuser(
        "update validated_result set content = '{}' where version_id = (select id from report_version order by "
        "validated_at limit 1)");  // no code of ours can read that
    EXPECT_EQ(run(line_.publish_waiting()), 1U);
    EXPECT_EQ(one("select string_agg(state, ' ' order by validated_at) from report_version"), "validated published");
}

/// A kit as small as can be, which wants what none of our documents has.
cda::schematron::OfficialKit strict_kit() {
    const auto files = [](const std::string& path) -> std::optional<std::string> {
        const bool volet = path.ends_with("CI-SIS_BIO-CR-BIO_2024.01.sch");
        return R"(<schema xmlns="http://purl.oclc.org/dsdl/schematron"><ns prefix="cda" uri="urn:hl7-org:v3"/><pattern id="p">
            <rule context="cda:ClinicalDocument/cda:title"><assert test=")" +
               std::string(volet ? "false()" : "true()") +
               R"(">A title is <value-of select="."/>.</assert></rule></pattern></schema>)";
    };
    return cda::schematron::OfficialKit::load(files).value();
}

class PgOfficialRules : public PgLine {
protected:
    /// Signs a report and lets a line that asks that kit take it up.
    void publish_with(unsigned share, bool block) {
        const auto kit = strict_kit();
        const OfficialRules rules{kit, share, block};
        auto parts = line_parts("un");
        parts.official = &rules;
        Line line(parts);
        bring_both();
        EXPECT_TRUE(validate(screen()));
        EXPECT_EQ(run(line.publish_waiting()), 1U);
    }
};

TEST_F(PgOfficialRules, BlockAReport) {
    publish_with(100, true);
    EXPECT_EQ(one("select state from report_version"), "refused");
    EXPECT_EQ(
        count(
            "select count(*) from work_item where kind = 'report_refused' and coordinate = '/ClinicalDocument/title'"),
        1);
    EXPECT_EQ(one("select (refusal::text like '%official rules, CR-BIO 2024.01, p: A title is ….%')::text from "
                  "report_version"),
              "true");
    EXPECT_EQ(count("select count(*) from letter"), 0);
}

TEST_F(PgOfficialRules, PublishWhatTheyRejectWhenTheyOnlyWarn) {
    publish_with(100, false);
    EXPECT_EQ(one("select state from report_version"), "published");
}

TEST_F(PgOfficialRules, AreAskedForTheirShareOnly) {
    publish_with(0, true);
    EXPECT_EQ(one("select state from report_version"), "published");
}

TEST_F(PgLine, KeepsWhyAReportCouldNotBeComposed) {
    bring_both();
    ASSERT_TRUE(validate(screen()));
    change_laboratory([](domain::Laboratory::Parts& parts) { parts.sites[0].address = {}; });
    run(line_.publish_waiting());
    EXPECT_EQ(one("select state from report_version"), "refused");
    EXPECT_EQ(count("select count(*) from work_item where kind = 'report_refused' and coordinate = 'site.address'"), 1);
    EXPECT_EQ(count("select count(*) from letter"), 0);
}

TEST_F(PgLine, ComposesAgainWhatWasSignedOnceSomebodyHasMendedWhy) {
    bring_both();
    const auto signed_version = validate(screen());
    ASSERT_TRUE(signed_version);
    const auto again = [&](std::vector<std::int32_t> sites) {
        Actor actor{"user:essai", domain::UserId{1}, std::move(sites)};
        return run(line_.compose_again(std::move(actor), signed_version->version));
    };
    EXPECT_EQ(again({1}).error().fault, Fault::conflict) << "it waits to be composed";
    change_laboratory([](domain::Laboratory::Parts& parts) { parts.sites[0].address = {}; });
    run(line_.publish_waiting());
    EXPECT_EQ(again({2}).error().fault, Fault::missing);
    ASSERT_TRUE(again({1}));
    run(line_.publish_waiting());
    EXPECT_EQ(one("select state from report_version"), "refused") << "nothing was mended";
    change_laboratory([](domain::Laboratory::Parts&) {});
    ASSERT_TRUE(again({1}));
    EXPECT_EQ(count("select count(*) from work_item where kind = 'report_refused' and done_at is null"), 0);
    run(line_.publish_waiting());
    EXPECT_EQ(one("select state || coalesce(refusal, ' as signed') from report_version"), "published as signed");
    EXPECT_EQ(one("select state from lab_order"), "reported");
    EXPECT_GT(count("select count(*) from letter"), 0);
    EXPECT_EQ(again({1}).error().fault, Fault::conflict) << "it has left";
    EXPECT_EQ(count("select count(*) from audit_event where action = 'compose_again' and actor = 'user:essai'"), 2);
}

}  // namespace
}  // namespace sgl::flow

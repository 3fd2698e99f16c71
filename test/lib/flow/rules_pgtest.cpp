// Rules in force: what they say of an order when it is opened and when it is signed, and what is kept of it.
#include "lib/flow/rules.hpp"

#include <fstream>

#include "cda/checker.hpp"
#include "lib/compose/pdf.hpp"
#include "lib/flow/line.hpp"
#include "lib/store/rules.hpp"
#include "test/lib/flow/flow_fixture.hpp"

namespace sgl::flow {
namespace {

using domain::RuleKind;
using domain::Verdict;

std::string bytes_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

domain::RuleText text(std::string kind, std::vector<std::pair<std::string, std::string>> fields) {
    domain::RuleText made;
    made.kind = std::move(kind);
    for (auto& [name, value] : fields)
        made.fields.push_back({name, {value}, name == "analytes", 0});
    return made;
}

class PgRules : public test::FlowTest {
protected:
    PgRules() { EXPECT_EQ(code(receive(oml("O1", "1"))), "AA"); }
    ~PgRules() override { workers_.join(); }

    std::int32_t import_rules(const std::string& high) {
        store::RulesToKeep rules;
        rules.name = "Essai";
        rules.texts = {
            text("rule_set", {{"name", "Essai"}}),
            text("plausibility", {{"analytes", "K"}, {"unit", "mmol/L"}, {"limits", "1.0.." + high}}),
            text("delta",
                 {{"analytes", "NA"}, {"unit", "mmol/L"}, {"formula", "absolute"}, {"limit", "5"}, {"window", "3d"}}),
            text("reference", {{"analytes", "*"}})};
        rules.source = "# " + high;
        return run(store::keep_rules(pool_, std::move(rules), "cli:essai", now_)).number;
    }
    Result<void> approve(std::int32_t number, Instant from) {
        store::RulesApproval approval;
        approval.number = number;
        approval.sites = {{store::test::site_a, store::test::entity_a}};
        approval.user = domain::UserId{1};
        approval.approver.family = "BIOLOGISTE";
        approval.approver.given = "CLAUDE";
        approval.actor = "user:biologiste";
        approval.at = now_;
        approval.active_from = from;
        return run(store::approve_rules(pool_, std::move(approval)));
    }
    void in_force(const std::string& high = "12.0") { ASSERT_TRUE(approve(import_rules(high), now_)); }
    void bring(const std::string& control, const std::string& all_obx) {
        EXPECT_EQ(code(receive(oru(control, "1", all_obx))), "AA");
    }
    domain::OrderId order() { return domain::OrderId{Uuid::parse(one("select id from lab_order")).value()}; }
    Actor actor() const { return {"user:biologiste", domain::UserId{1}, {1}}; }
    Preview open() { return run(line_.preview(actor(), order())).value(); }
    Result<Validated> sign(std::vector<domain::ResultId> confirmed = {}, std::string why = {}) {
        const auto whole = file(order()).value();
        ValidationCommand command;
        command.order = whole.id;
        command.row_version = whole.seen_version;
        for (const auto& result : whole.results)
            command.seen.push_back(result.id);
        command.confirmed = std::move(confirmed);
        command.confirmed_why = std::move(why);
        return run(line_.validate(actor(), std::move(command)));
    }

    asio::awaitable<std::size_t> changed() {
        const pg::Scope scope{1};
        pg::Transaction transaction = co_await pool_.begin(scope);
        const pg::Query change{"", "update rule_decision set green = 99"};
        const pg::Rows rows = co_await transaction.query(change);
        co_await transaction.rollback();
        co_return rows.affected();
    }

    cda::Checker checker_;
    compose::PdfRenderer pdf_ =
        compose::PdfRenderer::open("/usr/share/fonts/truetype/dejavu", bytes_of("/usr/share/color/icc/sRGB.icc"))
            .value();
    asio::thread_pool workers_{1};
    Line line_{Line::Parts{pool_, orders_, reports_, laboratory_, clock_, checker_, pdf_, workers_, "un", false}};
};

TEST_F(PgRules, SayNothingBeforeABiologistApprovedThem) {
    const auto number = import_rules("12.0");
    bring("M1", obx("NA", "140") + obx("K", "4.0"));
    EXPECT_FALSE(open().rules);
    ASSERT_TRUE(approve(number, now_ + std::chrono::hours{1}));
    EXPECT_FALSE(open().rules) << "in force in an hour";
    ASSERT_TRUE(sign());
    EXPECT_EQ(count("select count(*) from rule_decision"), 0);
    EXPECT_EQ(approve(99, now_).error().fault, Fault::missing);
}

TEST_F(PgRules, AreImportedOnceAndFollowOneAnother) {
    const auto first = import_rules("12.0");
    EXPECT_EQ(import_rules("12.0"), first) << "the same file";
    const auto second = import_rules("3.0");
    EXPECT_GT(second, first);
    ASSERT_TRUE(approve(second, now_ - std::chrono::hours{2}));
    ASSERT_TRUE(approve(first, now_ - std::chrono::hours{1}));
    bring("M1", obx("NA", "140") + obx("K", "4.0"));
    EXPECT_EQ(open().rules->number, first) << "the last that came into force";
    const auto lines = run(store::list_rules(pool_, {1}));
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0].number, second);
    ASSERT_EQ(lines[1].approvals.size(), 1U);
    EXPECT_EQ(lines[1].approvals[0].approver, "BIOLOGISTE CLAUDE");
    EXPECT_EQ(count("select count(*) from audit_event where action in ('import_rules', 'approve_rules')"), 4);
}

TEST_F(PgRules, KeepWhatTheySaidOfARevisionOnceAndOfTheNextAgain) {
    in_force();
    bring("M1", obx("NA", "150") + obx("K", "4.0"));
    const auto seen = open();
    ASSERT_TRUE(seen.rules);
    ASSERT_EQ(seen.rules->judgements.size(), 2U);
    EXPECT_EQ(seen.rules->judgements[0].verdict, Verdict::amber) << "NA outside its reference";
    EXPECT_EQ(seen.rules->judgements[1].verdict, Verdict::green);
    open();
    EXPECT_EQ(one("select count(*)::text || ' ' || max(amber)::text || ' ' || max(green)::text from rule_decision"),
              "1 1 1");
    EXPECT_EQ(one("select results->0->'findings'->0->>'kind' from rule_decision"), "reference");
    EXPECT_EQ(one("select results->0->'findings'->0->'values'->>'valeur' from rule_decision"), "150 mmol/L");
    bring("M2", obx("K", "4.5"));
    open();
    EXPECT_EQ(count("select count(*) from rule_decision"), 2) << "the order has moved";
}

TEST_F(PgRules, SayAgainWhatTheySaidWhenAFormerSetComesBack) {
    const auto first = import_rules("12.0");
    const auto second = import_rules("3.0");
    bring("M1", obx("NA", "140") + obx("K", "4.0"));
    for (const auto number : {first, second, first}) {
        now_ += std::chrono::minutes{1};
        clock_.set(now_);
        ASSERT_TRUE(approve(number, now_));
        EXPECT_EQ(open().rules->number, number);
        EXPECT_EQ(one("select rule_set_id::text from rule_decision order by at desc, id desc limit 1"),
                  std::to_string(number));
    }
    EXPECT_EQ(count("select count(*) from rule_decision"), 2);
}

TEST_F(PgRules, AreKeptWithTheSignature) {
    in_force();
    bring("M1", obx("NA", "140") + obx("K", "4.0"));
    const auto done = sign();
    ASSERT_TRUE(done);
    EXPECT_EQ(one("select version_id::text from rule_decision"), to_string(done->version.value()));
    EXPECT_EQ(one("select green::text from rule_decision"), "2");
    EXPECT_EQ(one("select confirmed::text from rule_decision"), "{}");
}

TEST_F(PgRules, LetAnImplausibleValueBeSignedOnlyWithAReason) {
    in_force("3.0");
    bring("M1", obx("NA", "140") + obx("K", "4.0"));
    const auto seen = open();
    ASSERT_TRUE(seen.rules->judgements[1].implausible);
    const std::vector<domain::ResultId> potassium{seen.rules->judgements[1].result};
    const auto refused = sign();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::refused);
    EXPECT_EQ(refused.error().where, "rules");
    EXPECT_EQ(sign({seen.rules->judgements[0].result}, "autre").error().where, "rules") << "another result";
    EXPECT_EQ(sign(potassium, "  ").error().where, "rules") << "no reason";
    EXPECT_EQ(count("select count(*) from report_version"), 0);
    ASSERT_TRUE(sign(potassium, "Contrôlé sur un second tube"));
    EXPECT_EQ(one("select confirmed->>'why' from rule_decision where version_id is not null"),
              "Contrôlé sur un second tube");
    EXPECT_EQ(one("select red::text from rule_decision where version_id is not null"), "1");
}

TEST_F(PgRules, CompareWithWhatAnEarlierReportSaid) {
    bring("M1", obx("NA", "140") + obx("K", "4.0"));
    ASSERT_TRUE(sign());
    in_force();
    EXPECT_EQ(code(receive(oml("O2", "2"))), "AA");
    EXPECT_EQ(code(receive(oru("M2", "2", "OBX|1|NM|NA||133|mmol/L|||||F|||20260315081000\r"))), "AA");
    const domain::OrderId second{Uuid::parse(one("select id from lab_order where state <> 'fully_validated'")).value()};
    const auto seen = run(line_.preview(actor(), second)).value();
    ASSERT_TRUE(seen.rules);
    const auto& findings = seen.rules->judgements[0].findings;
    const auto delta = std::ranges::find(findings, RuleKind::delta, &domain::Finding::kind);
    ASSERT_NE(delta, findings.end());
    EXPECT_EQ(delta->verdict, Verdict::amber);
    EXPECT_EQ(delta->reason, "Écart de -7 mmol/L avec 140 mmol/L du 14/03/2026 (limite 5)");
}

TEST_F(PgRules, KeepASignatureAsItWas) {
    in_force();
    bring("M1", obx("NA", "140") + obx("K", "4.0"));
    ASSERT_TRUE(sign());
    EXPECT_EQ(run(changed()), 0U);
}

}  // namespace
}  // namespace sgl::flow

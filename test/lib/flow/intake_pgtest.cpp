// receive → keep → answer with a real database (design D2; hl7v2-lab 3.3, 7.3): what is answered AA is there.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "test/lib/flow/flow_fixture.hpp"

namespace sgl::flow {
namespace {

class PgIntake : public test::FlowTest {
protected:
    /// All at once, as from as many connections; the answers, empty where nothing was answered.
    std::vector<std::string> receive_together(const std::vector<std::string>& blocks) {
        std::vector<std::string> codes(blocks.size());
        std::size_t ended = 0;
        const auto all = [&]() -> asio::awaitable<void> {
            const asio::any_io_executor here = executor();
            const auto one_of = [&](std::size_t at) -> asio::awaitable<void> {
                try {
                    const Reply reply = co_await receiving(blocks[at]);
                    codes[at] = code(reply);
                } catch (const std::exception&) {
                }
                ++ended;
            };
            for (std::size_t i = 0; i < blocks.size(); ++i)
                asio::co_spawn(here, one_of(i), asio::detached);
            while (ended < blocks.size()) {
                const pg::Rows waited = co_await pool_.query(pg::Query{"", "select pg_sleep(0.01)"});
            }
        };
        run(all());
        return codes;
    }
};

TEST_F(PgIntake, AnswersAaWhenTheMessageIsInTheDatabase) {
    const auto block = oru("M1", "1", obx("NA", "140"));
    const auto reply = receive(block);
    EXPECT_EQ(code(reply), "AA");
    EXPECT_FALSE(reply.close);
    EXPECT_EQ(read(reply).text("MSA-2"), "M1");
    EXPECT_EQ(count("select count(*) from message where control_id = 'M1' and sha256 = sha256(raw)"), 1);
    EXPECT_EQ(one("select convert_from(raw, 'UTF8') from message"), block) << "byte for byte";
}

TEST_F(PgIntake, AnswersNothingWhenTheDatabaseIsAway) {
    pg::Pool nowhere(executor(), "host=/nonexistent dbname=none", 1, pg::test::session(),
                     std::chrono::milliseconds(300));
    Intake intake(executor(), nowhere, clock_, laboratory_, false);
    EXPECT_THROW(run(receiving(oru("M1", "1", obx("NA", "140")), &intake)), std::exception);
    EXPECT_THROW(run(receiving(oml("O1", "1"), &intake)), std::exception);
    EXPECT_EQ(intake.waiting(), 0U);
    // The sender says it again when the database is back.
    EXPECT_EQ(code(receive(oru("M1", "1", obx("NA", "140")))), "AA");
}

TEST_F(PgIntake, LetsPoisonStopNobodyElse) {
    std::vector<std::string> blocks;
    for (int i = 0; i < 6; ++i)
        blocks.push_back(oru("M" + std::to_string(i), "1", obx("NA", "14" + std::to_string(i))));
    blocks.push_back(oru(std::string("N\0L", 3), "1", obx("NA", "140")));                            // NUL in MSH-10
    blocks.push_back(oru("\xFF\xFE", "1", obx("NA", "140")));                                        // no UTF-8 there
    blocks.push_back(oru("P1", "1", obx("NA", "140") + std::string("NTE|1|L|avant\0apres\r", 21)));  // NUL in a comment
    blocks.push_back(oru("P2", "1", obx(std::string("N\0A", 3), "140")));                            // NUL in a code
    blocks.push_back(oru("P3", std::string("1\0", 2), obx("NA", "140")));                            // NUL in a number
    blocks.push_back(oru("P4", "1", obx("NA", "140") + "NTE|1|L|\xC3\x28\r"));  // no UTF-8 in a comment
    const auto codes = receive_together(blocks);
    for (std::size_t i = 0; i < codes.size(); ++i)
        EXPECT_EQ(codes[i], "AA") << "message " << i;
    EXPECT_EQ(count("select count(*) from message"), 12);
    EXPECT_EQ(count("select count(*) from result where code = 'NA' and value like '14_' and value <> '140'"), 5);
}

TEST_F(PgIntake, KeepsAPoisonousOrderAndAnswersIt) {
    // Answering nothing would make the sender repeat it for ever.
    const auto reply = receive(oml("O1", "1", "IONO", std::string("PAT\0TROIS", 9)));
    EXPECT_NE(code(reply), "");
    EXPECT_EQ(count("select count(*) from message where type like 'OML%'"), 1);
    EXPECT_EQ(code(receive(oml("O2", "2"))), "AA");
}

TEST_F(PgIntake, AnswersAnOrderWhoseNumberNoIndexTakes) {
    std::string number;
    for (unsigned i = 0; number.size() < 9000; ++i)
        number += std::to_string(i * 2654435761U);
    const auto reply = receive(oml("O1", number));
    EXPECT_NE(code(reply), "") << "unanswered, its sender would repeat it for ever";
    EXPECT_EQ(count("select count(*) from message where type like 'OML%'"), 1);
    EXPECT_EQ(count("select count(*) from lab_order"), 0);
    EXPECT_EQ(count("select count(*) from work_item where kind = 'order_refused'"), 1);
}

TEST_F(PgIntake, AnswersARepeatAsTheFirstTime) {
    const auto block = oru("M1", "1", obx("INCONNU", "140"));
    const auto first = receive(block);
    const auto again = receive(block);
    EXPECT_EQ(code(again), "AA");
    EXPECT_EQ(read(again).text("ERR-7"), read(first).text("ERR-7")) << "with the same warnings";
    EXPECT_EQ(count("select count(*) from message"), 1);
}

TEST_F(PgIntake, SaysWhatItCouldNotReadAsAWarning) {
    const auto answer = read(receive(oru("M1", "1", obx("INCONNU", "140"))));
    EXPECT_EQ(answer.text("MSA-1"), "AA");
    EXPECT_EQ(answer.text("ERR-4"), "W");
    EXPECT_EQ(answer.text("ERR-2.1"), "OBX");
    EXPECT_EQ(count("select count(*) from work_item where kind = 'unknown_code'"), 1);
}

TEST_F(PgIntake, RefusesAndKeepsWhatIsNotForUs) {
    auto wrong = oru("M1", "1", obx("NA", "140"));
    wrong.replace(wrong.find("AUTO1"), 5, "AUTO9");
    EXPECT_EQ(code(receive(wrong)), "AR");
    auto order_of_an_analyser = oml("M2", "1");
    order_of_an_analyser.replace(order_of_an_analyser.find("GAP|LABO"), 8, "AUTO1|BIO");
    EXPECT_EQ(code(receive(order_of_an_analyser)), "AR");
    EXPECT_EQ(code(receive("no HL7 at all")), "AE");
    EXPECT_EQ(count("select count(*) from message where state = 'rejected'"), 3);
    EXPECT_EQ(count("select count(*) from lab_order"), 0);
}

TEST_F(PgIntake, KeepsTheHeadOfWhatIsTooLong) {
    const domain::LaboratoryPtr laboratory = laboratory_.current();
    const auto head = oru("BIG", "1", "").substr(0, 100);
    const std::vector<const domain::Link*> links{laboratory->link("automate")};
    const auto reply = run(intake_.refuse_oversize(links, head, 50'000'000, now_));
    EXPECT_EQ(code(reply), "AR");
    EXPECT_TRUE(reply.close);
    EXPECT_EQ(one("select state || ' ' || size || ' ' || length(raw) from message"), "rejected 50000000 100");
}

// ── orders: ORL ──

TEST_F(PgIntake, AnswersAnOrderWithOurNumberAndARepeatWithTheSame) {
    const auto first = read(receive(oml("O1", "1")));
    EXPECT_EQ(first.text("MSH-9.1"), "ORL");
    EXPECT_EQ(first.text("MSA-1"), "AA");
    EXPECT_EQ(first.text("ORC-1"), "OK");
    EXPECT_EQ(first.text("ORC-2"), "P1");
    EXPECT_EQ(first.text("ORC-3"), one("select number from lab_order"));
    const auto again = read(receive(oml("O1", "1")));
    EXPECT_EQ(again.text("ORC-1"), "OK");
    EXPECT_EQ(again.text("ORC-3"), first.text("ORC-3"));
    EXPECT_EQ(count("select count(*) from lab_order"), 1);
    EXPECT_EQ(count("select count(*) from message"), 1);
}

TEST_F(PgIntake, AnswersUnableToWhatItCantTake) {
    receive(oml("O1", "1"));
    auto cancel = oml("O2", "2");
    cancel.replace(cancel.find("ORC|NW"), 6, "ORC|CA");
    const auto unsupported = read(receive(cancel));
    EXPECT_EQ(unsupported.text("MSA-1"), "AA") << "handled, though the order is not taken";
    EXPECT_EQ(unsupported.text("ORC-1"), "UC") << "unable to cancel";
    const auto taken = read(receive(oml("O3", "1")));
    EXPECT_EQ(taken.text("ORC-1"), "UA");
    EXPECT_EQ(count("select count(*) from lab_order"), 1);
    EXPECT_EQ(count("select count(*) from message"), 3) << "refused messages are kept, too";
    EXPECT_EQ(count("select count(*) from work_item where kind = 'order_refused'"), 2);
    EXPECT_EQ(read(receive(cancel)).text("ORC-1"), "UC") << "and so is the answer to their repeat";
}

TEST_F(PgIntake, TakesNoTestInsInProduction) {  // design D17; R-09
    Intake production(executor(), pool_, clock_, laboratory_, true);
    const auto answer = read(run(receiving(oml("O1", "1"), &production)));
    EXPECT_EQ(answer.text("MSA-1"), "AA") << "stored: a person mends the identity";
    EXPECT_EQ(answer.text("ERR-3.1"), "103");
    EXPECT_EQ(answer.text("ERR-4"), "W");
    EXPECT_EQ(one("select status || ' ' || coalesce(ins_oid, 'no INS') from patient"), "VALI no INS");
    EXPECT_EQ(count("select count(*) from work_item where kind = 'ins_environment' and order_id is not null"), 1);
}

TEST_F(PgIntake, BringsResultsToTheirOrder) {
    receive(oml("O1", "1"));
    EXPECT_EQ(code(receive(oru("M1", "1", obx("NA", "140")))), "AA");
    EXPECT_EQ(
        one("select o.state || ' ' || r.value || ' ' || r.state from result r join lab_order o on o.id = r.order_id"),
        "in_progress 140 raw");
}

}  // namespace
}  // namespace sgl::flow

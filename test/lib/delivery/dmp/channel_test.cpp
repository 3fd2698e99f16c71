// Letters to the strict DMP of test/partners, over mutual TLS, with its faults.
#include "lib/delivery/dmp/channel.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>

#include <cstdlib>
#include <future>

#include "test/lib/compose/sample_report.hpp"
#include "test/lib/delivery/dmp/setting.hpp"
#include "test/lib/net/run.hpp"

namespace sgl::dmp {
namespace {

using delivery::Outcome;
using domain::Reason;

class DmpDelivery : public testing::Test {
protected:
    static void SetUpTestSuite() { dmp_ = std::make_unique<test::StrictDmp>(); }
    static void TearDownTestSuite() { dmp_.reset(); }

    void SetUp() override {
        dmp_->script("[]");
        dmp_->configure(R"({"closed": [], "unknown": [], "deleted_found": false})");
        case_ = test::make_case(++number_, clock_.now());
        partner_ = test::dmp_partner_at(dmp_->url());
    }

    Outcome deliver() {
        boost::asio::io_context io;
        auto channel = DmpChannel::make(io.get_executor(), partner_, clock_).value();
        return test::run(io, channel->deliver(case_.letter, case_.report, case_.documents));
    }
    static std::string told(const Outcome& outcome) {
        return (outcome.error ? to_string(*outcome.error) : "") + "\n" + dmp_->last_refusal();
    }
    /// The report is in the DMP, and the letter takes it back.
    void deliver_then_withdraw() {
        ASSERT_EQ(deliver().kind, Outcome::Kind::accepted) << dmp_->last_refusal();
        case_.letter.id = domain::LetterId{Uuid::v7(clock_.now())};
        case_.letter.act = domain::Act::withdraw;
    }
    std::string status() const { return dmp_->state().statuses[case_.report.ids.document_oid]; }
    int copies() const {
        int count = 0;
        for (const auto& one : dmp_->state().documents)
            count += one == case_.report.ids.document_oid ? 1 : 0;
        return count;
    }

    static inline std::unique_ptr<test::StrictDmp> dmp_;
    static inline unsigned number_{100};
    SystemClock clock_;
    test::Case case_;
    delivery::DmpPartner partner_;
};

TEST_F(DmpDelivery, AReportIsAcceptedWithItsIdentifierAsReference) {
    const auto outcome = deliver();
    EXPECT_EQ(outcome.kind, Outcome::Kind::accepted) << told(outcome);
    EXPECT_EQ(outcome.partner_reference, case_.report.ids.document_oid);
    EXPECT_EQ(copies(), 1);
}

TEST_F(DmpDelivery, EveryMessageIsHeldAgainstTheOfficialSchemas) {
    if (dmp_->state().schemas)
        SUCCEED();
    else if (std::getenv("CI") != nullptr)
        FAIL() << "the official schemas are absent, and CI needs them";
    else
        GTEST_SKIP() << "SKIPPED: official schemas absent, messages were not validated";
}

TEST_F(DmpDelivery, AHospitalsReportOfManyChaptersByAPharmacistIsAccepted) {
    const auto hospital = [](domain::Report& report) {
        const auto ids = report.ids;
        report = test::sample_report();
        report.ids = ids;
        report.entity.finess = domain::Finess::parse("690000002").value();
        report.entity.name = "CENTRE HOSPITALIER TEST";
        report.site.finess = domain::Finess::parse("690000021").value();
        report.site.settings.content_type = "03";
        report.site.settings.facility_type = "SA01";
        report.site.settings.practice_setting = "ETABLISSEMENT";
        report.validator = report.entity.biologists_in_charge[1];
    };
    case_ = test::make_case(++number_, clock_.now(), hospital);
    const auto file = [](const char* name) { return (test::certificates() / name).string(); };
    partner_.structure_id = "1690000021";  // the site has its own certificates
    partner_.sign_certificate = file("site3_sign-chain.pem");
    partner_.sign_key = file("site3_sign.key");
    partner_.tls_certificate = file("site3_auth_cli-chain.pem");
    partner_.tls_key = file("site3_auth_cli.key");
    const auto outcome = deliver();
    EXPECT_EQ(outcome.kind, Outcome::Kind::accepted) << told(outcome);
}

TEST_F(DmpDelivery, LettersLeaveAtOnceFromSeveralThreads) {
    constexpr unsigned count = 6;
    boost::asio::thread_pool threads{2};
    auto channel = DmpChannel::make(threads.get_executor(), partner_, clock_).value();
    std::vector<test::Case> cases;
    for (unsigned i = 0; i < count; ++i)
        cases.push_back(test::make_case(++number_, clock_.now()));
    std::vector<std::future<Outcome>> outcomes;
    for (const auto& one : cases) {
        auto work = channel->deliver(one.letter, one.report, one.documents);
        outcomes.push_back(boost::asio::co_spawn(threads, std::move(work), boost::asio::use_future));
    }
    for (auto& outcome : outcomes) {
        const auto got = outcome.get();
        EXPECT_EQ(got.kind, Outcome::Kind::accepted) << told(got);
    }
    threads.join();
}

TEST_F(DmpDelivery, ADaemonWhoseClockIsBehindStillKeepsTheOrderOfTimes) {
    case_.letter.sent_at = clock_.now() + std::chrono::seconds{20};
    const auto outcome = deliver();
    EXPECT_EQ(outcome.kind, Outcome::Kind::accepted) << told(outcome);
}

TEST_F(DmpDelivery, AFileThatCannotBeReadIsNoAnswerToADoubt) {
    const auto moving = test::scratch() / "stamp.key";
    std::filesystem::copy_file(partner_.sign_key, moving, std::filesystem::copy_options::overwrite_existing);
    partner_.sign_key = moving.string();
    boost::asio::io_context io;
    auto channel = DmpChannel::make(io.get_executor(), partner_, clock_).value();
    std::filesystem::remove(moving);
    const auto first = test::run(io, channel->deliver(case_.letter, case_.report, case_.documents));
    EXPECT_EQ(first.kind, Outcome::Kind::try_later);
    EXPECT_EQ(first.reason, Reason::partner_not_configured);
    case_.letter.in_doubt = true;
    EXPECT_EQ(test::run(io, channel->deliver(case_.letter, case_.report, case_.documents)).kind,
              Outcome::Kind::in_doubt);
}

TEST_F(DmpDelivery, TheSameLetterAgainIsAskedForAndAcceptedOnce) {
    ASSERT_EQ(deliver().kind, Outcome::Kind::accepted);
    const auto before = dmp_->state();
    const auto outcome = deliver();
    EXPECT_EQ(outcome.kind, Outcome::Kind::accepted) << told(outcome);
    EXPECT_EQ(copies(), 1);
    EXPECT_EQ(dmp_->state().accepted, before.accepted);
    EXPECT_EQ(dmp_->state().queries, before.queries + 1);
}

TEST_F(DmpDelivery, AClosedDmpOrNoneIsAnEndNotAFault) {
    dmp_->configure(R"({"closed": ["279035121518989"]})");
    const auto closed = deliver();
    EXPECT_EQ(closed.kind, Outcome::Kind::not_applicable) << told(closed);
    EXPECT_EQ(closed.reason, Reason::dmp_closed);
    dmp_->configure(R"({"closed": [], "unknown": ["279035121518989"]})");
    const auto unknown = deliver();
    EXPECT_EQ(unknown.kind, Outcome::Kind::not_applicable) << told(unknown);
    EXPECT_EQ(unknown.reason, Reason::no_dmp);
    dmp_->configure(R"({"closed": [], "unknown": []})");
    EXPECT_EQ(deliver().kind, Outcome::Kind::accepted);
}

TEST_F(DmpDelivery, ABusyDmpIsTriedLater) {
    dmp_->script(R"([{"do": "busy"}, {"do": "http500"}])");
    EXPECT_EQ(deliver().kind, Outcome::Kind::try_later);
    EXPECT_EQ(deliver().kind, Outcome::Kind::try_later);
    EXPECT_EQ(deliver().kind, Outcome::Kind::accepted);
    EXPECT_EQ(copies(), 1);
}

TEST_F(DmpDelivery, AfterALostAnswerTheDocumentIsAskedForAndNotSentAgain) {
    for (const auto* how : {R"([{"do": "lost"}])", R"([{"do": "close_half"}])", R"([{"do": "garbage_after"}])"}) {
        case_ = test::make_case(++number_, clock_.now());
        dmp_->script(how);
        const auto lost = deliver();
        EXPECT_EQ(lost.kind, Outcome::Kind::in_doubt) << how << told(lost);
        const auto before = dmp_->state();
        case_.letter.in_doubt = true;
        case_.letter.attempt = 2;
        const auto found = deliver();
        EXPECT_EQ(found.kind, Outcome::Kind::accepted) << how << told(found);
        EXPECT_EQ(found.partner_reference, case_.report.ids.document_oid);
        EXPECT_EQ(dmp_->state().queries, before.queries + 1);
        EXPECT_EQ(dmp_->state().accepted, before.accepted);
        EXPECT_EQ(copies(), 1);
    }
}

TEST_F(DmpDelivery, WhatNeverArrivedLeavesAgainAfterTheQuestion) {
    for (const auto* how : {R"([{"do": "down"}])", R"([{"do": "close_request"}])", R"([{"do": "garbage"}])"}) {
        case_ = test::make_case(++number_, clock_.now());
        dmp_->script(how);
        const auto lost = deliver();
        EXPECT_TRUE(lost.kind == Outcome::Kind::in_doubt || lost.kind == Outcome::Kind::try_later) << how << told(lost);
        case_.letter.in_doubt = true;
        const auto sent = deliver();
        EXPECT_EQ(sent.kind, Outcome::Kind::accepted) << how << told(sent);
        EXPECT_EQ(copies(), 1);
    }
}

TEST_F(DmpDelivery, TheDoubtStaysUntilTheQuestionIsAnswered) {
    case_.letter.in_doubt = true;
    dmp_->script(R"([{"do": "busy"}, {"do": "lost"}, {"do": "http500"}])");
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(deliver().kind, Outcome::Kind::in_doubt);
    EXPECT_EQ(copies(), 0);
    EXPECT_EQ(deliver().kind, Outcome::Kind::accepted);
}

TEST_F(DmpDelivery, ASlowAnswerBeyondTheTimeoutIsInDoubt) {
    partner_.exchange_timeout = std::chrono::seconds{2};
    dmp_->script(R"([{"do": "hang:5"}])");
    EXPECT_EQ(deliver().kind, Outcome::Kind::in_doubt);
}

TEST_F(DmpDelivery, RefusalsNameTheirCodeAndTheirReason) {
    dmp_->script(
        R"([{"do": "refuse:XDSRegistryMetadataError"}, {"do": "refuse:DMPSomethingNew"}, {"do": "fault:DMPInvalidCertificate"}])");
    const auto metadata = deliver();
    EXPECT_EQ(metadata.kind, Outcome::Kind::refused);
    EXPECT_NE(metadata.error->what.find("XDSRegistryMetadataError"), std::string::npos);
    EXPECT_EQ(deliver().reason, Reason::partner_refused);
    const auto certificate = deliver();
    EXPECT_EQ(certificate.kind, Outcome::Kind::refused);
    EXPECT_EQ(certificate.reason, Reason::certificate_expired);
}

TEST_F(DmpDelivery, AnotherLetterOfTheSameDocumentIsRecognised) {
    ASSERT_EQ(deliver().kind, Outcome::Kind::accepted);
    case_.letter.id = domain::LetterId{Uuid::v7(clock_.now())};
    case_.letter.in_doubt = true;
    EXPECT_EQ(deliver().kind, Outcome::Kind::accepted);
    EXPECT_EQ(copies(), 1);
}

TEST_F(DmpDelivery, AServerThatWeDoNotBelieveGetsNothing) {
    partner_.ca = (test::certificates() / "lab1_sign.pem").string();
    const auto requests = dmp_->state().requests;
    EXPECT_EQ(deliver().kind, Outcome::Kind::try_later);
    EXPECT_EQ(dmp_->state().requests, requests);
}

TEST_F(DmpDelivery, AnExpiredCertificateStopsTheLetterBeforeItLeaves) {
    ManualClock later{clock_.now() + std::chrono::hours{24 * 900}};
    boost::asio::io_context io;
    auto channel = DmpChannel::make(io.get_executor(), partner_, later).value();
    const auto requests = dmp_->state().requests;
    const auto outcome = test::run(io, channel->deliver(case_.letter, case_.report, case_.documents));
    EXPECT_EQ(outcome.kind, Outcome::Kind::refused);
    EXPECT_EQ(outcome.reason, Reason::certificate_expired);
    EXPECT_EQ(dmp_->state().requests, requests);
}

TEST_F(DmpDelivery, WhatMayNotLeaveDoesNot) {
    const auto requests = dmp_->state().requests;
    case_.report.patient.status = domain::IdentityStatus::validated;
    EXPECT_EQ(deliver().reason, Reason::ins_not_qualified);
    case_.report.patient.status = domain::IdentityStatus::qualified;
    case_.report.confidentiality = 'R';
    EXPECT_EQ(deliver().reason, Reason::restricted_confidentiality);
    EXPECT_EQ(dmp_->state().requests, requests);
}

// ------------------------------------------------------------------------------------------------------- withdrawals

TEST_F(DmpDelivery, AReportThatIsTakenBackIsDeleted) {
    deliver_then_withdraw();
    const auto before = dmp_->state();
    const auto outcome = deliver();
    EXPECT_EQ(outcome.kind, Outcome::Kind::accepted) << told(outcome);
    EXPECT_EQ(outcome.partner_reference, case_.report.ids.document_oid);
    EXPECT_EQ(status(), "Deleted");
    EXPECT_EQ(dmp_->state().queries, before.queries + 1) << "the current entryUUID is asked for";
    EXPECT_EQ(dmp_->state().updates, before.updates + 1);
    EXPECT_EQ(copies(), 1) << "nothing was deposited";
}

TEST_F(DmpDelivery, WhatIsDeletedAlreadyIsWithdrawn) {
    for (const auto* found : {"false", "true"}) {  // whether a query finds what was deleted is not in the sources
        case_ = test::make_case(++number_, clock_.now());
        deliver_then_withdraw();
        ASSERT_EQ(deliver().kind, Outcome::Kind::accepted);
        dmp_->configure(std::string(R"({"deleted_found": )") + found + "}");
        const auto before = dmp_->state();
        const auto again = deliver();
        EXPECT_EQ(again.kind, Outcome::Kind::accepted) << found << told(again);
        case_.letter.id = domain::LetterId{Uuid::v7(clock_.now())};
        const auto other = deliver();
        EXPECT_EQ(other.kind, Outcome::Kind::accepted) << found << told(other);
        EXPECT_EQ(dmp_->state().updates, before.updates);
        EXPECT_EQ(status(), "Deleted");
    }
}

TEST_F(DmpDelivery, WhatTheDmpNeverHeldIsWithdrawn) {
    case_.letter.act = domain::Act::withdraw;
    const auto before = dmp_->state();
    const auto outcome = deliver();
    EXPECT_EQ(outcome.kind, Outcome::Kind::accepted) << told(outcome);
    EXPECT_EQ(dmp_->state().updates, before.updates);
    EXPECT_EQ(copies(), 0);
}

TEST_F(DmpDelivery, AnArchivedDocumentIsDeletedFromTheStateThatItIsIn) {
    deliver_then_withdraw();
    dmp_->set_status(case_.report.ids.document_oid, "archived");
    const auto outcome = deliver();
    EXPECT_EQ(outcome.kind, Outcome::Kind::accepted) << told(outcome);
    EXPECT_EQ(status(), "Deleted");
}

TEST_F(DmpDelivery, AnEntryThatChangedSinceTheQuestionIsReadAgainOnce) {
    deliver_then_withdraw();
    dmp_->script(R"([{"do": "nothing"}, {"do": "moved"}])");
    const auto outcome = deliver();
    EXPECT_EQ(outcome.kind, Outcome::Kind::accepted) << told(outcome);
    EXPECT_EQ(status(), "Deleted");

    case_ = test::make_case(++number_, clock_.now());
    deliver_then_withdraw();
    dmp_->script(R"([{"do": "nothing"}, {"do": "moved"}, {"do": "nothing"}, {"do": "moved"}])");
    const auto parked = deliver();
    EXPECT_EQ(parked.kind, Outcome::Kind::refused) << "for a person";
    EXPECT_NE(parked.error->what.find("UnresolvedReferenceException"), std::string::npos) << told(parked);
    EXPECT_EQ(status(), "Approved");
}

TEST_F(DmpDelivery, ADocumentThatAnotherReplacedIsForAPerson) {
    deliver_then_withdraw();
    dmp_->set_status(case_.report.ids.document_oid, "deprecated");
    const auto outcome = deliver();
    EXPECT_EQ(outcome.kind, Outcome::Kind::refused) << told(outcome);
    EXPECT_EQ(outcome.error->where, "report.version");
    EXPECT_EQ(status(), "Deprecated");
}

TEST_F(DmpDelivery, AfterALostAnswerToAWithdrawalTheDmpIsAsked) {
    for (const auto* found : {"false", "true"}) {
        for (const auto* how : {"lost", "close_half", "garbage_after"}) {
            case_ = test::make_case(++number_, clock_.now());
            deliver_then_withdraw();
            dmp_->configure(std::string(R"({"deleted_found": )") + found + "}");
            dmp_->script(std::string(R"([{"do": "nothing"}, {"do": ")") + how + "\"}]");
            EXPECT_EQ(deliver().kind, Outcome::Kind::in_doubt) << how;
            EXPECT_EQ(status(), "Deleted") << how;
            const auto before = dmp_->state();
            case_.letter.in_doubt = true;
            case_.letter.attempt = 2;
            const auto outcome = deliver();
            EXPECT_EQ(outcome.kind, Outcome::Kind::accepted) << how << found << told(outcome);
            EXPECT_EQ(dmp_->state().updates, before.updates) << how << found;
        }
    }
}

TEST_F(DmpDelivery, AWithdrawalThatNeverArrivedLeavesAgain) {
    for (const auto* how : {"down", "close_request", "garbage", "http500", "busy"}) {
        case_ = test::make_case(++number_, clock_.now());
        deliver_then_withdraw();
        dmp_->script(std::string(R"([{"do": "nothing"}, {"do": ")") + how + "\"}]");
        const auto lost = deliver();
        EXPECT_TRUE(lost.kind == Outcome::Kind::in_doubt || lost.kind == Outcome::Kind::try_later) << how << told(lost);
        EXPECT_EQ(status(), "Approved") << how;
        case_.letter.in_doubt = lost.kind == Outcome::Kind::in_doubt;
        const auto sent = deliver();
        EXPECT_EQ(sent.kind, Outcome::Kind::accepted) << how << told(sent);
        EXPECT_EQ(status(), "Deleted") << how;
    }
}

TEST_F(DmpDelivery, AQuestionWithoutAnswerLeavesAWithdrawalAsItWas) {
    deliver_then_withdraw();
    for (const bool doubt : {false, true}) {
        case_.letter.in_doubt = doubt;
        for (const auto* how : {"lost", "http500", "busy"}) {
            dmp_->script(std::string(R"([{"do": ")") + how + "\"}]");
            EXPECT_EQ(deliver().kind, doubt ? Outcome::Kind::in_doubt : Outcome::Kind::try_later) << how;
        }
    }
    EXPECT_EQ(status(), "Approved");
    EXPECT_EQ(deliver().kind, Outcome::Kind::accepted);
}

TEST_F(DmpDelivery, AClosedDmpOrAMissingRightEndsAWithdrawal) {
    deliver_then_withdraw();
    dmp_->configure(R"({"closed": ["279035121518989"]})");
    const auto closed = deliver();
    EXPECT_EQ(closed.kind, Outcome::Kind::not_applicable) << told(closed);
    EXPECT_EQ(closed.reason, Reason::dmp_closed);
    dmp_->configure(R"({"closed": []})");
    dmp_->script(R"([{"do": "nothing"}, {"do": "refuse:DMPAccessDeniedByRightsService"}])");
    const auto denied = deliver();
    EXPECT_EQ(denied.kind, Outcome::Kind::refused);
    EXPECT_NE(denied.error->what.find("DMPAccessDeniedByRightsService"), std::string::npos);
    EXPECT_EQ(status(), "Approved");
}

}  // namespace
}  // namespace sgl::dmp

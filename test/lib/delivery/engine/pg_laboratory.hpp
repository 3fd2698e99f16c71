// PostgreSQL, as the contract of letters wants a laboratory.
#pragma once

#include "test/lib/store/laboratory_fixture.hpp"

namespace sgl::delivery::test {

namespace asio = boost::asio;

class PgLaboratory : public store::test::LaboratoryTest {
protected:
    std::size_t report(bool qualified = true) {
        const std::string number = std::to_string(reports_.size() + 1);
        reports_.push_back(signed_report("P" + number, "IPP" + number, qualified));
        return reports_.size() - 1;
    }
    void amend(std::size_t report) {
        auto& last = reports_[report];
        auto next = report_of(file(last.order).value());
        next.ids = domain::identify(last.ids.set, last.ids.version + 1);
        next.kind = "amended";
        next.reason = "dilution refaite";
        if (const auto done = sign(next); !done) throw std::runtime_error(to_string(done.error()));
        last = std::move(next);
    }
    bool publish(std::size_t report, std::vector<domain::PlannedLetter> letters) {
        return LaboratoryTest::publish(reports_[report].ids.version_id, std::move(letters));
    }
    std::size_t withdraw(std::size_t report) { return run(withdrawing(reports_[report])).value(); }
    unsigned version_of(domain::ReportVersionId id) {
        return static_cast<unsigned>(
            count("select version from report_version where id = '" + to_string(id.value()) + "'"));
    }
    domain::LetterId id(std::size_t report, unsigned version, const std::string& key,
                        domain::Act act = domain::Act::deliver) {
        return domain::LetterId{Uuid::parse(one("select l.id" + from(report, version, key, act))).value()};
    }
    std::string state(std::size_t report, unsigned version, const std::string& key,
                      domain::Act act = domain::Act::deliver) {
        return one("select l.state || case when l.reason = '' then '' else ' ' || l.reason end" +
                   from(report, version, key, act));
    }
    using LaboratoryTest::one;
    store::LetterQueue& one() { return one_; }
    store::LetterQueue& two() { return two_; }

    std::string from(std::size_t report, unsigned version, const std::string& key, domain::Act act) {
        return " from letter l join report_version v on v.id = l.version_id where v.set_id = '" +
               to_string(reports_[report].ids.set.value()) + "' and v.version = " + std::to_string(version) +
               " and l.recipient_key = '" + key + "' and l.act = '" + std::string(to_string(act)) + "'";
    }
    asio::awaitable<Result<std::size_t>> withdrawing(const store::SignedReport& report) {
        pg::Transaction transaction = co_await pool_.begin(scope_a_);
        const std::optional<store::LastVersion> last = co_await store::Reports::last(transaction, report.order);
        store::Withdrawal withdrawal;
        withdrawal.order = report.order;
        withdrawal.row_version = static_cast<int>(
            count("select row_version from lab_order where id = '" + to_string(report.order.value()) + "'"));
        withdrawal.legal_entity = report.legal_entity;
        withdrawal.site = report.site;
        withdrawal.actor = "user:biologiste";
        withdrawal.why = "autre patient";
        withdrawal.at = now_;
        co_return co_await store::Reports::withdraw(std::move(transaction), *last, withdrawal);
    }

    std::vector<store::SignedReport> reports_;
    store::Outbox one_{pool_, "un"};
    store::Outbox two_{pool_, "deux"};
};

}  // namespace sgl::delivery::test

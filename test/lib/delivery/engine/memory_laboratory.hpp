// The simulator's store, as the contract of letters wants a laboratory.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>
#include <stdexcept>

#include "test/lib/delivery/engine/sim/letters.hpp"

namespace sgl::delivery::test {

namespace asio = boost::asio;

class MemoryLaboratory : public ::testing::Test {
protected:
    std::size_t report(bool qualified = true) {
        Uuid set;
        set.bytes[15] = static_cast<std::uint8_t>(reports_.size() + 1);
        reports_.push_back({domain::ReportSetId{set}, qualified});
        letters_.sign(reports_.back().set, qualified);
        return reports_.size() - 1;
    }
    void amend(std::size_t report) { letters_.sign(reports_[report].set, reports_[report].qualified); }
    bool publish(std::size_t report, const std::vector<domain::PlannedLetter>& letters) {
        return letters_.publish(letters_.last(reports_[report].set)->id, letters, now_);
    }
    std::size_t withdraw(std::size_t report) { return letters_.withdraw(reports_[report].set, now_).value(); }
    unsigned version_of(domain::ReportVersionId id) { return letters_.version(id).number; }
    const sim::Row& row(std::size_t report, unsigned version, const std::string& key, domain::Act act) {
        const auto& rows = letters_.rows();
        const auto found = std::ranges::find_if(rows, [&](const sim::Row& row) {
            return row.version->set == reports_[report].set && row.version->number == version && row.key == key &&
                   row.act == act;
        });
        if (found == rows.end()) throw std::logic_error("no such letter");
        return *found;
    }
    domain::LetterId id(std::size_t report, unsigned version, const std::string& key,
                        domain::Act act = domain::Act::deliver) {
        return row(report, version, key, act).id;
    }
    std::string state(std::size_t report, unsigned version, const std::string& key,
                      domain::Act act = domain::Act::deliver) {
        const auto& facts = row(report, version, key, act).facts;
        std::string text(to_string(facts.state));
        if (facts.reason != domain::Reason::none) text += " " + std::string(to_string(facts.reason));
        return text;
    }
    store::LetterQueue& one() { return one_; }
    store::LetterQueue& two() { return two_; }

    template <class T>
    T run(asio::awaitable<T> work) {
        asio::io_context io;
        std::optional<T> value;
        std::exception_ptr failure;
        asio::co_spawn(io, std::move(work), [&](std::exception_ptr thrown, T result) {
            failure = thrown;
            if (!thrown) value.emplace(std::move(result));
        });
        io.run();
        if (failure) std::rethrow_exception(failure);
        return std::move(value).value();
    }

    Instant now_{std::chrono::sys_days{std::chrono::year{2026} / 3 / 14}};

private:
    struct Report {
        domain::ReportSetId set;
        bool qualified{};
    };
    std::vector<Report> reports_;
    sim::Letters letters_;
    sim::MemoryQueue one_{letters_, "un"};
    sim::MemoryQueue two_{letters_, "deux"};
};

}  // namespace sgl::delivery::test

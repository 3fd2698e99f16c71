// The worklist's filters: which orders of a list pass them, and how many each would leave.
#include <algorithm>
#include <array>
#include <map>

#include "lib/base/text.hpp"
#include "lib/store/codec.hpp"
#include "lib/store/console.hpp"
#include "lib/store/console_queries.hpp"
#include "lib/store/console_rows.hpp"
#include "lib/store/pg/pool.hpp"

namespace sgl::store {

namespace q = console_queries;
using namespace console_rows;

namespace {

constexpr std::size_t most_orders = 5000;
constexpr std::size_t most_prescribers = 50;
constexpr unsigned first_hours = 2;
constexpr char between = '\x1f';  // the query's chr(31)

struct Facts {
    std::array<bool, 6> has{};  ///< urgent, critical, partial, blocked, unqualified, late
    std::vector<std::string> chapters;
    std::string prescriber;
    std::string prescriber_name;
};

/// Rows of the facet queries begin: id, urgent, partial, blocked, registered_at, prescriber, chapters, critical, patient.
Facts facts_of(const pg::Row& row, Instant now, unsigned hours) {
    Facts facts;
    const bool unqualified = !rows::patient(row, 8).ins_may_leave();
    const bool late = now - row.instant(4) > std::chrono::hours{hours};
    facts.has = {row.boolean(1), row.boolean(7), row.boolean(2), row.boolean(3), unqualified, late};
    for (const auto chapter : split(row.text(6), between)) {
        if (!chapter.empty()) facts.chapters.emplace_back(chapter);
    }
    const auto prescriber = codec::parse(row.text(5));
    facts.prescriber_name = person_name(prescriber);
    facts.prescriber = codec::member(prescriber, "rpps");
    if (facts.prescriber.empty()) facts.prescriber = facts.prescriber_name;
    return facts;
}

}  // namespace

asio::awaitable<WorklistFacets> Console::facets(Sites sites, WorklistFilter filter, WorklistNarrow narrow) {
    WorklistFacets facets;
    if (sites.empty()) co_return facets;
    const auto now = clock_.now();
    const auto scope = scope_of(sites);
    const auto recent = now - std::chrono::hours{24};
    const auto& pick = filter == WorklistFilter::to_validate ? q::facets_to_validate
                       : filter == WorklistFilter::waiting   ? q::facets_waiting
                       : filter == WorklistFilter::reported  ? q::facets_reported
                                                             : q::facets_all;
    pg::Transaction transaction = co_await pool_.begin(scope);
    std::vector<pg::Step> steps;
    steps.push_back(pg::Step{pick, pg::params(scope, recent, static_cast<int>(most_orders) + 1)});
    const std::vector<pg::Rows> rows = co_await transaction.commit_with(std::move(steps));
    facets.cut = rows[0].size() > most_orders;

    const std::array<bool, 6> asked{narrow.urgent,  narrow.critical,    narrow.partial,
                                    narrow.blocked, narrow.unqualified, narrow.hours > 0};
    const unsigned hours = narrow.hours > 0 ? narrow.hours : first_hours;
    std::array<unsigned, 6> counts{};
    std::map<std::string, unsigned> chapters;
    std::map<std::string, NamedCount> prescribers;
    for (std::size_t i = 0; i < std::min(rows[0].size(), most_orders); ++i) {
        const auto facts = facts_of(rows[0][i], now, hours);
        std::size_t failed = 0;
        std::size_t which = 0;  // the last filter that it fails
        for (std::size_t f = 0; f < asked.size(); ++f) {
            if (asked[f] && !facts.has[f]) {
                ++failed;
                which = f;
            }
        }
        const bool of_chapter =
            narrow.chapter.empty() || std::ranges::find(facts.chapters, narrow.chapter) != facts.chapters.end();
        const bool of_prescriber = narrow.prescriber.empty() || narrow.prescriber == facts.prescriber;
        // Counted for a filter: what passes all the others.
        for (std::size_t f = 0; f < asked.size(); ++f) {
            const bool others = failed == 0 || (failed == 1 && which == f);
            if (others && of_chapter && of_prescriber && facts.has[f]) ++counts[f];
        }
        if (failed == 0 && of_prescriber) {
            for (const auto& chapter : facts.chapters) ++chapters[chapter];
        }
        if (failed == 0 && of_chapter) {
            auto& entry = prescribers[facts.prescriber];
            entry.key = facts.prescriber;
            entry.label = facts.prescriber_name;
            ++entry.count;
        }
        if (failed == 0 && of_chapter && of_prescriber) facets.chosen.push_back(rows[0][i].uuid(0));
    }
    facets.urgent = counts[0];
    facets.critical = counts[1];
    facets.partial = counts[2];
    facets.blocked = counts[3];
    facets.unqualified = counts[4];
    facets.late = counts[5];
    for (auto& [label, count] : chapters) facets.chapters.push_back({label, label, count});
    for (auto& [key, entry] : prescribers) {
        if (!key.empty()) facets.prescribers.push_back(std::move(entry));
    }
    std::ranges::stable_sort(facets.prescribers, std::ranges::greater{}, &NamedCount::count);
    if (facets.prescribers.size() > most_prescribers) facets.prescribers.resize(most_prescribers);
    std::ranges::sort(facets.prescribers, {}, &NamedCount::label);
    co_return facets;
}

}  // namespace sgl::store

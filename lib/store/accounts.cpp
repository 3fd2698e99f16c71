#include "lib/store/accounts.hpp"

#include <algorithm>
#include <functional>
#include <map>

#include "lib/store/queries.hpp"

namespace sgl::store {

namespace {

// Of each set the first complete version: partial ones before it are no reports of their own (lab-domain 9.9).
constexpr pg::Query count_reports{"accounts.reports", R"sql(
    select site_id, month, count(*), count(*) filter (where ins_qualified)
    from report_version where kind = 'final' group by site_id, month)sql"};

constexpr pg::Query letters_by_row{"accounts.letters_by_row", R"sql(
    select site_id, month, channel, state, reason, count(*), count(first_sent_at)
    from letter where act = 'deliver' group by site_id, month, channel, state, reason)sql"};

// The last event says where a letter is; a passage through "sending" says that it left.
constexpr pg::Query letters_by_event{"accounts.letters_by_event", R"sql(
    select l.site_id, l.month, l.channel, e.to_state, e.reason, count(*), count(*) filter (where e.left_once)
    from letter l join lateral (
        select (array_agg(to_state order by id desc))[1] as to_state, (array_agg(reason order by id desc))[1] as reason,
               bool_or(to_state = 'sending') as left_once
        from letter_event where letter_id = l.id) e on true
    where l.act = 'deliver'
    group by l.site_id, l.month, l.channel, e.to_state, e.reason)sql"};

ChannelCount& of_channel(AccountFigures& figures, domain::Channel channel) {
    const auto found = std::ranges::find(figures.channels, channel, &ChannelCount::channel);
    if (found != figures.channels.end()) return *found;
    ChannelCount fresh;
    fresh.channel = channel;
    figures.channels.push_back(fresh);
    return figures.channels.back();
}

}  // namespace

asio::awaitable<std::vector<AccountFigures>> account(pg::Pool& pool, const std::vector<std::int32_t>& sites,
                                                     AccountSource source) {
    pg::Transaction transaction = co_await pool.begin(sites);
    std::vector<pg::Step> steps;
    steps.push_back(pg::Step{count_reports, {}});
    steps.push_back(pg::Step{source == AccountSource::rows ? letters_by_row : letters_by_event, {}});
    const std::vector<pg::Rows> rows = co_await transaction.pipeline(std::move(steps));
    co_await transaction.rollback();
    std::map<std::pair<std::chrono::year_month_day, std::int32_t>, AccountFigures> found;
    const auto at = [&](const pg::Row& row) -> AccountFigures& {
        auto& figures = found[{row.date(1), row.int32(0)}];
        figures.site = domain::SiteId{row.int32(0)};
        figures.month = row.date(1);
        return figures;
    };
    for (const auto row : rows[0]) {
        auto& figures = at(row);
        figures.reports = row.int64(2);
        figures.with_qualified_ins = row.int64(3);
    }
    for (const auto row : rows[1]) {
        auto& figures = at(row);
        const auto channel = domain::channel_of(row.text(2)).value();
        const auto state = domain::letter_state_of(row.text(3)).value();
        const auto reason = domain::reason_of(row.text(4)).value_or(domain::Reason::none);
        const auto count = row.int64(5);
        auto& of = of_channel(figures, channel);
        of.letters += count;
        of.sent += row.int64(6);
        switch (state) {
            case domain::LetterState::accepted:
            case domain::LetterState::delivered:
                of.accepted += count;
                break;
            case domain::LetterState::due:
            case domain::LetterState::sending:
            case domain::LetterState::retry:
            case domain::LetterState::in_doubt:
            case domain::LetterState::held:
                of.pending += count;
                break;
            case domain::LetterState::dead:
                of.failed += count;
                break;
            case domain::LetterState::blocked:
            case domain::LetterState::not_applicable:
                figures.reasons.push_back({channel, state, reason, count});
                break;
            case domain::LetterState::cancelled:
                break;
        }
    }
    std::vector<AccountFigures> all;
    for (auto& [key, figures] : found) {
        std::ranges::sort(figures.channels, {}, &ChannelCount::channel);
        std::ranges::sort(figures.reasons, {},
                          [](const ReasonCount& r) { return std::tuple(r.channel, r.state, r.reason); });
        all.push_back(std::move(figures));
    }
    std::ranges::stable_sort(all, std::greater{}, &AccountFigures::month);
    co_return all;
}

std::vector<pg::Query> accounts_queries() {
    return {count_reports, letters_by_row, letters_by_event};
}

}  // namespace sgl::store

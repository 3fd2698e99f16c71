// The console's commands over the line: what a button or the JSON API does.
#pragma once

#include <functional>

#include "lib/delivery/engine.hpp"
#include "lib/flow/desk.hpp"
#include "lib/flow/line.hpp"
#include "lib/flow/replay.hpp"
#include "lib/store/accounts.hpp"
#include "lib/store/work.hpp"
#include "lib/web/commands.hpp"
#include "lib/web/desk.hpp"
#include "lib/web/rights.hpp"
#include "lib/web/waiting.hpp"

namespace sgl::daemon {

namespace asio = boost::asio;

class ConsoleCommands final : public web::Commands, public web::WaitingCommands, public web::DeskCommands {
public:
    struct Parts {
        pg::Pool& pool;
        flow::Line& line;
        flow::Desk& desk;
        store::DeskOrders& desk_orders;
        store::Identities& identities;
        store::Outbox& outbox;
        const flow::LiveLaboratory& laboratory;
        const Clock& clock;
        std::function<const domain::RetryPolicy&(domain::Channel)> policy;
        std::function<void()> report_waits;  ///< a report was signed: compose it now
        std::function<void()> letter_waits;  ///< a letter became due
        std::function<asio::awaitable<void>()> read_laboratory;  ///< it was changed: hold it from now on
    };
    explicit ConsoleCommands(Parts parts) : parts_(std::move(parts)), replay_(parts_.pool) {}

    asio::awaitable<Result<web::Draft>> draft(store::User user, domain::OrderId order) override;
    asio::awaitable<Result<web::ValidationDone>> validate(store::User user, web::ValidationRequest request) override;
    asio::awaitable<Result<std::size_t>> withdraw(store::User user, domain::OrderId order, int row_version,
                                                  std::string why) override;
    asio::awaitable<Result<void>> compose_again(store::User user, domain::ReportVersionId version) override;
    asio::awaitable<Result<void>> retry_letter(store::User user, domain::LetterId letter) override;
    asio::awaitable<Result<void>> hold_letter(store::User user, domain::LetterId letter, std::string why) override;
    asio::awaitable<Result<void>> abandon_letter(store::User user, domain::LetterId letter, std::string why) override;
    asio::awaitable<Result<void>> set_aside(store::User user, domain::OrderId order, domain::ResultId result,
                                            std::string why) override;
    asio::awaitable<Result<void>> close_work_item(store::User user, domain::WorkItemId item, std::string why) override;
    asio::awaitable<std::vector<store::WaitingGroup>> waiting(store::User user) override;
    asio::awaitable<Result<web::WaitingPoint>> waiting_point(store::User user, domain::WorkItemId item) override;
    std::vector<web::Examination> examinations(domain::SiteId site) override;
    asio::awaitable<Result<store::Expectation>> expect(store::User user, domain::Mapping mapping,
                                                       std::vector<domain::MessageId> messages) override;
    asio::awaitable<Result<store::ReplaySum>> map(store::User user, domain::Mapping mapping,
                                                  std::vector<domain::MessageId> messages, std::string why) override;
    asio::awaitable<Result<store::ReplaySum>> replay(store::User user, std::vector<domain::MessageId> messages) override;
    asio::awaitable<Result<store::ReplaySum>> assign(store::User user, domain::WorkItemId item, std::string number,
                                                     std::string why) override;
    asio::awaitable<Result<web::DeskChoices>> desk_choices(store::User user, domain::SiteId site) override;
    asio::awaitable<Result<web::DeskTaken>> register_order(store::User user, domain::SiteId site, domain::DeskForm form,
                                                           std::string token) override;
    asio::awaitable<Result<store::DeskOrder>> desk_order(store::User user, domain::OrderId order) override;
    asio::awaitable<Result<web::DeskTaken>> correct_order(store::User user, domain::OrderId order, int row_version,
                                                          domain::DeskForm form, std::string token) override;
    asio::awaitable<Result<void>> close_identity_change(store::User user, std::int64_t change,
                                                        std::string why) override;
    asio::awaitable<std::vector<store::RulesLine>> rules(store::User user) override;
    asio::awaitable<Result<void>> approve_rules(store::User user, std::int32_t number) override;
    asio::awaitable<Result<web::Account>> account(store::User user) override;
    asio::awaitable<Result<void>> ready() override;

private:
    asio::awaitable<Result<void>> act(store::User user, domain::LetterId letter, domain::LetterEvent event,
                                      std::string verb, std::string why);

    /// On the sites where he may do that.
    flow::Actor actor(const store::User& user, web::Action action) const;
    store::Deed deed(const store::User& user, web::Action action, std::string why) const;

    /// The mapping can be meant, and he may say it on the site of its link.
    Result<void> allowed(const store::User& user, const domain::Mapping& mapping) const;

    Parts parts_;
    flow::Replay replay_;
};

}  // namespace sgl::daemon

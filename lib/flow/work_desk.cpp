#include "lib/flow/work_desk.hpp"

#include <algorithm>

#include "lib/base/log.hpp"
#include "lib/flow/answer.hpp"

namespace sgl::flow {

namespace {

constexpr std::size_t most_orders_at_once = 200;  // of an analyser that asks for everything

bool has_result(const store::OrderFile& file, domain::AnalyteId analyte) {
    return std::ranges::any_of(file.results, [&](const store::CurrentResult& result) {
        return result.analyte == analyte && result.state != "quarantined";
    });
}

bool is_open(const store::OrderFile& file) {
    return domain::is_open(domain::order_state_of(file.state));
}

/// A step whose analysis is on its way or promised; nothing when a new one is needed.
const store::StoredStep* open_step(const std::vector<store::StoredStep>& steps, const std::string& specimen,
                                   const std::string& analyte) {
    using enum domain::StepState;
    const auto found = std::ranges::find_if(steps, [&](const store::StoredStep& step) {
        return step.specimen_number == specimen && step.analyte == analyte &&
               (step.state == asked || step.state == accepted || step.state == cancelling);
    });
    return found == steps.end() ? nullptr : &*found;
}

/// The tubes that the steps are of, by the numbers that the analyser knows: a tube may have another one now.
std::vector<domain::Specimen> tubes_of(const std::vector<store::StoredStep>& steps,
                                       const std::vector<domain::Specimen>& known) {
    std::vector<domain::Specimen> tubes;
    for (const auto& step : steps) {
        if (std::ranges::find(tubes, step.specimen_number, &domain::Specimen::number) != tubes.end()) continue;
        const auto tube = std::ranges::find(known, step.specimen_number, &domain::Specimen::number);
        tubes.push_back(tube == known.end() ? domain::Specimen() : *tube);
        tubes.back().number = step.specimen_number;
    }
    return tubes;
}

}  // namespace

std::vector<const domain::Analyte*> wanted_of(const store::OrderFile& file, const domain::Specimen& specimen,
                                              const domain::Link& link, const domain::Catalogue& catalogue) {
    std::vector<const domain::Analyte*> wanted;
    if (!is_open(file) || specimen.refused()) return wanted;
    const auto made_from = [&](const domain::Analyte& analyte) {
        if (analyte.specimen.empty() || analyte.specimen == specimen.type) return true;
        return std::ranges::find(file.specimens, analyte.specimen, &domain::Specimen::type) == file.specimens.end();
    };
    for (const auto& exam : file.exams) {
        if (exam.state != domain::ExamState::requested) continue;
        if (!exam.specimens.empty() && std::ranges::find(exam.specimens, specimen.number) == exam.specimens.end())
            continue;
        for (const auto* analyte : catalogue.ordered(exam.code)) {
            if (!interpret::measures(link, *analyte) || !made_from(*analyte)) continue;
            if (has_result(file, analyte->id) || std::ranges::find(wanted, analyte) != wanted.end()) continue;
            wanted.push_back(analyte);
        }
    }
    return wanted;
}

WorkDesk::WorkDesk(pg::Pool& pool, store::Orders& orders, const Clock& clock, const LiveLaboratory& laboratory)
    : orders_(orders), work_(pool), clock_(clock), laboratory_(laboratory) {}

std::vector<domain::LinkId> WorkDesk::pushed(domain::SiteId site) const {
    std::vector<domain::LinkId> links;
    for (const auto& link : laboratory_.current()->links()) {
        if (link.site == site && link.active && link.work_orders == domain::Link::WorkOrders::push)
            links.push_back(link.id);
    }
    return links;
}

/// `again`: it was asked for, so steps that the analyser may have forgotten are told again. True when the specimen has
/// work on this link, whether it is told now or on its way.
asio::awaitable<bool> WorkDesk::write_specimen(pg::Transaction& transaction, const domain::Link& link,
                                               const store::OrderFile& file, const domain::Specimen& specimen,
                                               bool again, bool in_answer, std::vector<pg::Step>& steps,
                                               std::string& segments) {
    const domain::LaboratoryPtr laboratory = laboratory_.current();
    const Instant now = clock_.now();
    const std::vector<const domain::Analyte*> wanted =
        wanted_of(file, specimen, link, laboratory->catalogue(file.site));
    if (wanted.empty()) co_return false;
    const std::vector<store::StoredStep> stored = co_await store::WorkOrders::steps(transaction, link, file.id);
    store::NewWork work;
    interpret::WorkOrder order;
    std::vector<const domain::Analyte*> fresh;
    for (const auto* analyte : wanted) {
        const store::StoredStep* step = open_step(stored, specimen.number, analyte->local_code);
        if (step == nullptr) {
            fresh.push_back(analyte);
        } else if (again && !step->on_its_way && step->state != domain::StepState::cancelling) {
            work.again.push_back(step->number);
            order.steps.push_back({step->number, analyte});
        }
    }
    if (!fresh.empty()) {
        const std::vector<std::int64_t> numbers = co_await store::WorkOrders::numbers(transaction, fresh.size());
        for (std::size_t i = 0; i < fresh.size(); ++i) {
            work.fresh.push_back({numbers[i], specimen.number, fresh[i]->local_code});
            order.steps.push_back({numbers[i], fresh[i]});
        }
    }
    if (order.steps.empty()) co_return true;  // all of it is on its way
    order.what = interpret::WorkOrder::What::work;
    order.control_id = fresh_control_id(now);
    order.at = now;
    order.specimen = specimen;
    order.patient = &file.patient;
    order.urgent = file.urgent;
    work.control_id = order.control_id;
    work.order = file.id;
    work.answered = in_answer;
    if (in_answer) {
        const std::vector<interpret::WorkOrder> one(1, order);
        segments += interpret::work_segments(one, link);
    } else {
        work.raw = interpret::work_message(order, link);
    }
    for (auto& step : store::WorkOrders::steps_of(work, link, now))
        steps.push_back(std::move(step));
    co_return true;
}

asio::awaitable<bool> WorkDesk::write_order(pg::Transaction& transaction, const domain::Link& link,
                                            domain::OrderId order, const std::string& specimen_number, bool again,
                                            bool in_answer, std::vector<pg::Step>& steps, std::string& segments) {
    // Locked: two analysers or two daemons that ask at once don't write the same steps twice.
    Result<store::OrderFile> file = co_await orders_.file(transaction, order, true);
    if (!file) co_return false;
    bool any = false;
    for (const auto& specimen : file->specimens) {
        if (!specimen_number.empty() && specimen.number != specimen_number) continue;
        const bool has = co_await write_specimen(transaction, link, *file, specimen, again, in_answer, steps, segments);
        any = any || has;
    }
    co_return any;
}

asio::awaitable<WorkDesk::Told> WorkDesk::ask(const domain::Link& link, const interpret::WorkQuery& query) {
    using About = interpret::WorkQuery::About;
    Told told;
    if (query.about == About::place) co_return told;
    pg::Transaction transaction = co_await work_.begin(link);
    std::vector<pg::Step> steps;
    if (query.about == About::specimen) {
        const std::optional<domain::OrderId> order =
            co_await store::WorkOrders::order_of(transaction, link, query.specimen);
        if (order) {
            told.found = co_await write_order(transaction, link, *order, query.specimen, true, query.in_answer, steps,
                                              told.segments);
        }
        if (!told.found && !query.in_answer) {
            // The query is answered all the same: that there is no work is a message of its own (LAB-28).
            const Instant now = clock_.now();
            interpret::WorkOrder nothing;
            nothing.what = interpret::WorkOrder::What::nothing;
            nothing.control_id = fresh_control_id(now);
            nothing.at = now;
            nothing.specimen.number = query.specimen;
            store::NewWork work;
            work.control_id = nothing.control_id;
            work.raw = interpret::work_message(nothing, link);
            for (auto& step : store::WorkOrders::steps_of(work, link, now))
                steps.push_back(std::move(step));
            told.found = true;
        }
    } else {
        const std::vector<domain::OrderId> open =
            co_await store::WorkOrders::open_orders(transaction, link, most_orders_at_once);
        for (const auto order : open) {
            const bool has =
                co_await write_order(transaction, link, order, "", false, query.in_answer, steps, told.segments);
            told.found = told.found || has;
        }
    }
    if (steps.empty()) {
        co_await transaction.rollback();
    } else {
        co_await transaction.commit_with(std::move(steps));
    }
    co_return told;
}

asio::awaitable<void> WorkDesk::prepare(const domain::Link& link, bool ended_too) {
    if (ended_too) co_await take_back(link);  // first: what is asked now may stand on a number that was another tube's
    if (link.work_orders == domain::Link::WorkOrders::push) co_await push(link);
}

asio::awaitable<void> WorkDesk::push(const domain::Link& link) {
    constexpr std::size_t at_once = 20;
    for (;;) {
        pg::Transaction transaction = co_await work_.begin(link);
        const std::vector<domain::OrderId> waiting = co_await store::WorkOrders::waiting(transaction, link, at_once);
        if (waiting.empty()) {
            co_await transaction.rollback();
            co_return;
        }
        std::vector<pg::Step> steps;
        std::string none;
        for (const auto order : waiting) {
            co_await write_order(transaction, link, order, "", false, false, steps, none);
            steps.push_back(store::WorkOrders::written(order, link));
        }
        co_await transaction.commit_with(std::move(steps));
        log::info("work orders written", {{"link", link.id}, {"orders", waiting.size()}});
        if (waiting.size() < at_once) co_return;
    }
}

asio::awaitable<void> WorkDesk::take_back(const domain::Link& link) {
    const std::vector<store::EndedWork> ended = co_await work_.ended(link, clock_.now());
    if (ended.empty()) co_return;
    const domain::LaboratoryPtr laboratory = laboratory_.current();
    const domain::Catalogue& catalogue = laboratory->catalogue(link.site);
    const Instant now = clock_.now();
    pg::Transaction transaction = co_await work_.begin(link);
    std::vector<pg::Step> steps;
    for (const auto& [order, open] : ended) {
        const Result<store::OrderFile> file = co_await orders_.file(transaction, order, true);
        if (!file) continue;
        for (const auto& specimen : tubes_of(open, file->specimens)) {
            interpret::WorkOrder cancel;
            store::NewWork work;
            for (const auto& step : open) {
                const domain::Analyte* analyte = catalogue.by_code(step.analyte);
                if (step.specimen_number != specimen.number || analyte == nullptr) continue;
                cancel.steps.push_back({step.number, analyte});
                work.ended.push_back(step.number);
            }
            if (work.ended.empty()) continue;
            cancel.what = interpret::WorkOrder::What::cancel;
            cancel.control_id = fresh_control_id(now);
            cancel.at = now;
            cancel.specimen = specimen;
            work.control_id = cancel.control_id;
            work.order = order;
            work.raw = interpret::work_message(cancel, link);
            for (auto& step : store::WorkOrders::steps_of(work, link, now))
                steps.push_back(std::move(step));
        }
    }
    if (steps.empty()) {
        co_await transaction.rollback();
        co_return;
    }
    co_await transaction.commit_with(std::move(steps));
}

asio::awaitable<bool> WorkDesk::hear(const domain::Link& link, const std::string& control_id,
                                     const hl7::Message& answer) {
    const Result<interpret::WorkAnswer> read = interpret::work_answer(answer);
    if (!read) co_return false;
    const store::HeardAnswer heard{read->accepted, read->steps, read->placers, read->unable};
    const bool ours = co_await work_.answered(link, control_id, heard, clock_.now());
    if (ours) log::info("peer answers a message of ours", {{"link", link.id}, {"accepted", read->accepted}});
    co_return ours;
}

}  // namespace sgl::flow

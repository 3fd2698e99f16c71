#include "lib/flow/line.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "cda/checker.hpp"
#include "cda/schematron/official_kit.hpp"
#include "cda/write.hpp"
#include "lib/base/digest.hpp"
#include "lib/base/failpoint.hpp"
#include "lib/base/log.hpp"
#include "lib/base/text.hpp"
#include "lib/compose/cr_bio.hpp"
#include "lib/compose/pdf.hpp"
#include "lib/domain/amendment.hpp"
#include "lib/flow/rules.hpp"

namespace sgl::flow {

namespace {

std::chrono::year_month_day month_of(Instant at, const TimeZone& zone) {
    const auto local = zone.to_local(at, Precision::month);
    return std::chrono::year{local.year} / std::chrono::month{local.month} / std::chrono::day{1};
}

/// What a biologist saw against what is there now; empty when it is the same. He may have seen more than will be signed
/// (other runs, codes that nobody knows): what counts is that nothing came or went behind his back.
std::string changes_since(const std::vector<domain::ResultId>& seen, const std::vector<domain::ReportedLine>& now,
                          const std::vector<store::CurrentResult>& current, bool version_moved) {
    std::string fresh;
    for (const auto& line : now) {
        if (std::ranges::find(seen, line.result) == seen.end())
            fresh += (fresh.empty() ? "" : ", ") + line.reported.label;
    }
    if (!fresh.empty()) return "results came since the screen was drawn: " + fresh;
    const bool gone = std::ranges::any_of(seen, [&](domain::ResultId id) {
        return std::ranges::find(current, id, &store::CurrentResult::id) == current.end();
    });
    if (gone) return "results on the screen were replaced since";
    if (version_moved) return "the order changed since the screen was drawn";
    return {};
}

Error of_order(Fault fault, std::string what) {
    return {fault, "order", std::move(what)};
}

/// Why an order can't be signed as it stands; empty when it can, for the first time or again.
std::string closed_to_signing(const store::OrderFile& file, const std::optional<store::LastVersion>& last) {
    const auto state = domain::order_state_of(file.state);
    const bool open = domain::is_open(state);
    if (!last) return open ? std::string() : "the order is " + file.state + " already";
    if (last->state == "withdrawn") return "its report was withdrawn: what is still to be reported is a new order";
    if (last->state == "validated") return "its version " + std::to_string(last->ids.version) + " is being made";
    if (last->state != "published" || (!open && state != domain::OrderState::reported))
        return "the order is " + file.state + " already";
    return {};
}

domain::Amendment amendment_of(const store::LastVersion& last, const std::vector<domain::ReportedLine>& now,
                               const TimeZone& zone) {
    auto amendment = domain::amendment_of(last.lines, now);
    amendment.version = last.ids.version;
    amendment.validated_at = zone.to_local(last.validated_at);
    amendment.kind = last.kind;
    return amendment;
}

/// A partial report is completed without a word; whoever changes what was reported for good says why, and so does who
/// sends the same again.
bool needs_reason(const store::LastVersion& last, const domain::Amendment& amendment, bool partial) {
    if (last.kind == domain::ReportKind::final || domain::corrects(amendment)) return true;
    return partial && domain::changes_nothing(amendment);
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words)
        text += (text.empty() ? "" : ", ") + word;
    return text;
}

std::optional<RulesOpinion> opinion_of(const std::optional<store::KeptRules>& rules, const store::OrderFile& file,
                                       const ReportDraft& draft, const TimeZone& zone,
                                       const PreviousResults& previous) {
    if (!rules || draft.lines.empty()) return std::nullopt;
    return RulesOpinion{rules->number, rules->set.name,
                        domain::judge(rules->set, to_judge(file, draft.lines, draft.awaited, zone, previous))};
}

/// How it is kept.
store::RuleDecision decision_of(const store::OrderFile& file, const RulesOpinion& opinion, std::string actor,
                                Instant at) {
    store::RuleDecision decision;
    decision.legal_entity = file.legal_entity;
    decision.site = file.site;
    decision.order = file.id;
    decision.revision = file.seen_version;
    decision.rules = opinion.number;
    decision.actor = std::move(actor);
    decision.at = at;
    decision.judgements = opinion.judgements;
    return decision;
}

std::optional<domain::Replaced> replaced_by(const std::optional<store::LastVersion>& last, const TimeZone& zone) {
    if (!last) return std::nullopt;
    return domain::Replaced{last->kind, zone.to_local(last->validated_at), last->after_final};
}

/// Lab-domain 3.4; a final version that goes on after partial ones is the first final one of its set.
std::string_view kind_of(const domain::Report& report) {
    if (report.kind == domain::ReportKind::partial) return "partial";
    return report.replaces && report.replaces->after_final ? "amended" : "final";
}

void awaits(domain::Report& report, const std::vector<domain::Awaited>& awaited) {
    report.kind = awaited.empty() ? domain::ReportKind::final : domain::ReportKind::partial;
    report.awaited = awaited;
}

std::string labels(const std::vector<domain::Awaited>& awaited) {
    std::string text;
    for (const auto& one : awaited)
        text += (text.empty() ? "" : ", ") + one.label;
    return text;
}

struct Composed {
    store::StoredDocuments documents;
    std::vector<Error> errors;
    std::vector<Error> alarms;  ///< what the official rules say when they don't block
};

/// Is this document one of the share that the official rules judge? The same bytes always get the same answer.
bool is_chosen(const std::string& bytes, unsigned share) {
    const auto digest = sha256(bytes);
    return (static_cast<unsigned>(digest[0]) << 8U | digest[1]) % 100 < share;
}

/// What ring 3 rejects. The messages of the kit quote nothing of the document.
std::vector<Error> official_errors(const OfficialRules& official, const std::string& bytes) {
    if (!is_chosen(bytes, official.share)) return {};
    const auto judged = official.kit.check(bytes);
    if (!judged) return {Error{judged.error().fault, judged.error().where, "official rules: " + judged.error().what}};
    constexpr std::size_t enough = 20;
    std::vector<Error> errors;
    for (const auto& finding : judged->findings) {
        if (!finding.is_error() || errors.size() == enough) continue;
        const bool unknown = finding.kind == cda::schematron::Finding::Kind::unevaluated;
        errors.push_back({Fault::refused, finding.where,
                          "official rules, " + finding.family + ", " + finding.pattern +
                              (unknown ? ", can't be evaluated: " : ": ") + finding.message});
    }
    return errors;
}

/// Pure, on a worker thread: the PDF, the CDA with the PDF inside, then ring 2 on the bytes, then ring 3 where it is.
Composed compose_documents(const domain::Report& report, const cda::Checker& checker, compose::PdfRenderer& pdf,
                           bool production, const OfficialRules* official) {
    Composed made;
    made.errors = domain::missing(report);
    if (!made.errors.empty()) return made;
    failpoint("before_report_build");
    auto rendered = pdf.render(report);
    if (!rendered) {
        made.errors.push_back(rendered.error());
        return made;
    }
    const auto model = compose::cr_bio(report, rendered->bytes);
    if (!model) {
        made.errors.push_back(model.error());
        return made;
    }
    auto bytes = cda::write(*model);
    if (!bytes) {
        made.errors.push_back(bytes.error());
        return made;
    }
    failpoint("after_cda_before_pdf");
    cda::CheckOptions options;
    options.identities = production ? cda::CheckOptions::Identities::production : cda::CheckOptions::Identities::test;
    for (auto& finding : checker.check(*bytes, options)) {
        if (finding.severity == cda::Finding::Severity::error)
            made.errors.push_back(Error{Fault::refused, finding.where, finding.what});
    }
    // Every result is on paper: what was drawn says so (issue: text recorded while drawing).
    if (rendered->drawn.size() != domain::result_count(report))
        made.errors.push_back(Error{Fault::refused, "pdf", "a result is not shown in the PDF"});
    if (official != nullptr && made.errors.empty())
        (official->blocks ? made.errors : made.alarms) = official_errors(*official, *bytes);
    made.documents.n3 = std::move(*bytes);
    made.documents.pdf = std::move(rendered->bytes);
    return made;
}

/// The same as a task for a worker; whoever awaits it owns what it refers to.
asio::awaitable<Composed> composed(const domain::Report& report, const cda::Checker& checker, compose::PdfRenderer& pdf,
                                   bool production, const OfficialRules* official) {
    co_return compose_documents(report, checker, pdf, production, official);
}

}  // namespace

std::vector<std::int32_t> Line::all_sites() const {
    std::vector<std::int32_t> sites;
    for (const auto& site : parts_.laboratory.current()->sites())
        sites.push_back(site.id.value());
    return sites;
}

asio::awaitable<Result<Preview>> Line::preview(Actor actor, domain::OrderId order) {
    const domain::LaboratoryPtr laboratory = parts_.laboratory.current();
    pg::Transaction transaction = co_await parts_.pool.begin(actor.sites);
    Result<store::OrderFile> file = co_await parts_.orders.file(transaction, order, false);
    if (!file) {
        co_await transaction.rollback();
        co_return file.error();
    }
    const PreviousResults previous = co_await store::Reports::previous(transaction, file->patient.id, file->id);
    const std::optional<store::LastVersion> last = co_await store::Reports::last(transaction, file->id);
    const domain::Site* site = laboratory->site(file->site);
    if (site == nullptr) {
        co_await transaction.rollback();
        co_return Error{Fault::missing, "site", "the site of the order is not configured"};
    }
    Preview preview;
    preview.draft = draft(*file, laboratory->catalogue(file->site), site->time_zone, previous);
    const Instant now = parts_.clock.now();
    const std::optional<store::KeptRules> rules = co_await store::rules_in_force(transaction, file->site, now);
    preview.rules = opinion_of(rules, *file, preview.draft, site->time_zone, previous);
    if (preview.rules) {
        std::vector<pg::Step> steps;
        steps.push_back(store::keep_decision(decision_of(*file, *preview.rules, actor.name, now)));
        co_await transaction.commit_with(std::move(steps));
    } else {
        co_await transaction.rollback();
    }
    const domain::User* user = laboratory->user(actor.user);
    const domain::Professional validator = user == nullptr ? domain::Professional() : user->professional;
    const domain::ReportIdentifiers ids;
    domain::Report report = report_of(*file, *laboratory, preview.draft.lines, validator, ids, parts_.clock.now(), "");
    awaits(report, preview.draft.awaited);
    report.replaces = replaced_by(last, site->time_zone);
    preview.provisional = provisional(preview.draft.lines);
    if (last) {
        const auto amendment = amendment_of(*last, preview.draft.lines, site->time_zone);
        preview.needs_reason = needs_reason(*last, amendment, !preview.draft.awaited.empty());
    }
    preview.missing = domain::missing(report);
    preview.letters = domain::plan(report, plan_context(*laboratory, *site, parts_.production));
    co_return preview;
}

asio::awaitable<Result<Line::Opened>> Line::open(const domain::Laboratory& laboratory, Actor actor,
                                                 domain::OrderId order) {
    const domain::User* user = laboratory.user(actor.user);
    if (user == nullptr) co_return Error{Fault::refused, "user", "this account is not known any more"};
    pg::Transaction transaction = co_await parts_.pool.begin(actor.sites);
    Result<store::OrderFile> file = co_await parts_.orders.file(transaction, order, true);
    if (!file) {
        co_await transaction.rollback();
        co_return file.error();
    }
    if (!user->may_validate(file->site)) {
        co_await transaction.rollback();
        co_return of_order(Fault::refused,
                           "only a biologist with RPPS and this role on the site of the order signs there");
    }
    std::optional<store::LastVersion> last = co_await store::Reports::last(transaction, order);
    Opened opened{std::move(transaction), std::move(*file), user, std::move(last)};
    co_return opened;
}

asio::awaitable<Result<Validated>> Line::validate(Actor actor, ValidationCommand command) {
    const domain::LaboratoryPtr laboratory = parts_.laboratory.current();
    const std::string name = actor.name;
    Result<Opened> opened = co_await open(*laboratory, std::move(actor), command.order);
    if (!opened) co_return opened.error();
    auto& [transaction, file, user, last] = *opened;
    if (const auto closed = closed_to_signing(file, last); !closed.empty()) {
        co_await transaction.rollback();
        co_return of_order(Fault::conflict, closed);
    }
    const domain::Site* site = laboratory->site(file.site);
    const PreviousResults previous = co_await store::Reports::previous(transaction, file.patient.id, file.id);
    ReportDraft now = draft(file, laboratory->catalogue(file.site), site->time_zone, previous);
    if (const std::string changed =
            changes_since(command.seen, now.lines, file.results, file.seen_version != command.row_version);
        !changed.empty()) {
        co_await transaction.rollback();
        co_return of_order(Fault::conflict, changed);
    }
    if (!now.unreadable.empty()) {
        co_await transaction.rollback();
        co_return of_order(Fault::refused, "results wait for a person (see work to do): " + now.unreadable.front());
    }
    if (!now.awaited.empty() && !command.partial) {
        co_await transaction.rollback();
        co_return of_order(Fault::refused,
                           "results are missing, it can only be signed as partial: " + labels(now.awaited));
    }
    const std::optional<store::KeptRules> rules =
        co_await store::rules_in_force(transaction, file.site, parts_.clock.now());
    const std::optional<RulesOpinion> opinion = opinion_of(rules, file, now, site->time_zone, previous);
    if (opinion) {
        const auto waiting = unconfirmed(opinion->judgements, now.lines, command.confirmed);
        if (!waiting.empty()) {
            co_await transaction.rollback();
            co_return Error{
                Fault::refused, "rules",
                "implausible results are signed only when they are confirmed, with a reason: " + joined(waiting)};
        }
        if (!command.confirmed.empty() && trim(command.confirmed_why).empty()) {
            co_await transaction.rollback();
            co_return Error{Fault::refused, "rules", "implausible results are confirmed with a reason"};
        }
    }
    if (now.awaited.empty() && command.partial) now.awaited = provisional(now.lines);
    store::SignedReport report;
    report.validated_at = parts_.clock.now();
    if (last) {
        auto amendment = amendment_of(*last, now.lines, site->time_zone);
        if (command.reason.empty() && needs_reason(*last, amendment, !now.awaited.empty())) {
            co_await transaction.rollback();
            co_return Error{Fault::missing, "reason", "a report that has left is replaced for a reason"};
        }
        report.ids = domain::identify(last->ids.set, last->ids.version + 1);
        report.reason = amendment.reason = command.reason;
        for (auto& line : now.lines)
            line.reported.corrected = domain::corrects(amendment, domain::named_alone(line, now.lines));
        const auto said = domain::french(amendment);
        command.comment = command.comment.empty() ? said : said + "\n" + command.comment;
    } else {
        report.ids = domain::identify(domain::ReportSetId{Uuid::v7(report.validated_at)}, 1);
    }
    domain::Report complete =
        report_of(file, *laboratory, now.lines, user->professional, report.ids, report.validated_at, command.comment);
    awaits(complete, now.awaited);
    complete.replaces = replaced_by(last, site->time_zone);
    if (const auto missing = domain::missing(complete); !missing.empty()) {
        co_await transaction.rollback();
        co_return missing.front();
    }
    report.order = file.id;
    report.row_version = file.row_version;
    report.site = file.site;
    report.legal_entity = file.legal_entity;
    report.patient = file.patient;
    report.user = user->id;
    report.actor = name;
    report.validator = user->professional;
    report.month = month_of(report.validated_at, site->time_zone);
    report.comment = command.comment;
    report.kind = kind_of(complete);
    report.awaited = now.awaited;
    report.lines = now.lines;
    if (opinion) {  // in the transaction of the signature, which is rolled back when somebody was first
        store::RuleDecision decision = decision_of(file, *opinion, name, report.validated_at);
        decision.signature = report.ids.version_id;
        decision.confirmed = command.confirmed;
        decision.confirmed_why = command.confirmed_why;
        std::vector<pg::Step> steps;
        steps.push_back(store::keep_decision(decision));
        co_await transaction.pipeline(std::move(steps));
    }
    const Result<void> written = co_await store::Reports::sign(std::move(transaction), report);
    if (!written) co_return written.error();
    log::info("order validated", {{"order", file.id},
                                  {"report", report.ids.version_id},
                                  {"results", report.lines.size()},
                                  {"awaited", report.awaited.size()}});
    co_return Validated{report.ids.version_id, report.ids.version, report.validated_at};
}

asio::awaitable<Result<std::size_t>> Line::withdraw(Actor actor, WithdrawalCommand command) {
    if (command.reason.empty()) co_return Error{Fault::missing, "reason", "a report is withdrawn for a reason"};
    const domain::LaboratoryPtr laboratory = parts_.laboratory.current();
    const std::string name = actor.name;
    Result<Opened> opened = co_await open(*laboratory, std::move(actor), command.order);
    if (!opened) co_return opened.error();
    auto& [transaction, file, user, last] = *opened;
    if (!last || last->state != "published") {
        co_await transaction.rollback();
        co_return of_order(Fault::conflict, "there is no report to withdraw: the order is " + file.state);
    }
    if (file.seen_version != command.row_version) {
        co_await transaction.rollback();
        co_return of_order(Fault::conflict, "the order changed since the screen was drawn");
    }
    store::Withdrawal withdrawal;
    withdrawal.order = file.id;
    withdrawal.row_version = file.row_version;
    withdrawal.legal_entity = file.legal_entity;
    withdrawal.site = file.site;
    withdrawal.actor = name;
    withdrawal.why = command.reason;
    withdrawal.at = parts_.clock.now();
    const Result<std::size_t> letters = co_await store::Reports::withdraw(std::move(transaction), *last, withdrawal);
    if (!letters) co_return letters.error();
    log::info("report withdrawn", {{"order", file.id}, {"report", last->ids.version_id}, {"letters", *letters}});
    co_return *letters;
}

asio::awaitable<Result<void>> Line::compose_again(Actor actor, domain::ReportVersionId version) {
    const Result<void> done =
        co_await parts_.reports.compose_again(actor.sites, version, actor.name, parts_.clock.now());
    if (done) log::info("report composed again", {{"report", version}});
    co_return done;
}

asio::awaitable<std::size_t> Line::publish_waiting() {
    std::size_t published = 0;
    std::size_t left = 0;  // another daemon has them, or they can't be done: nobody waits behind them
    for (;;) {
        const std::vector<domain::ReportVersionId> waiting = co_await parts_.reports.to_compose(all_sites(), 20, left);
        if (waiting.empty()) co_return published;
        for (const auto id : waiting) {
            bool done = false;
            try {
                done = co_await publish(id);
            } catch (const pg::DatabaseError& error) {
                if (error.is_connection_loss() || error.is_in_doubt()) throw;  // nothing can be done now
                log::error("report not stored: it stays validated",
                           {{"report", id}, {"sqlstate", log::Token{error.sqlstate()}}});
            } catch (const std::exception&) {
                log::error("report can't be composed: it stays validated", {{"report", id}});
            }
            ++(done ? published : left);
        }
    }
}

domain::Report Line::report_of_version(const store::StoredVersion& version, const store::OrderFile& file) const {
    store::OrderFile as_signed = file;
    as_signed.patient = version.patient;
    auto report = report_of(as_signed, *parts_.laboratory.current(), version.lines, version.validator, version.ids,
                            version.validated_at, version.comment);
    awaits(report, version.awaited);
    if (version.replaced) {
        const auto& [kind, validated_at, after_final] = *version.replaced;
        report.replaces = domain::Replaced{kind, report.site.time_zone.to_local(validated_at), after_final};
    }
    return report;
}

asio::awaitable<Result<domain::Report>> Line::report(domain::ReportVersionId id) {
    const std::vector<std::int32_t> sites = all_sites();
    Result<store::StoredVersion> version = co_await parts_.reports.version(sites, id);
    if (!version) co_return version.error();
    pg::Transaction transaction = co_await parts_.pool.begin(sites);
    Result<store::OrderFile> file = co_await parts_.orders.file(transaction, version->order, false);
    co_await transaction.rollback();
    if (!file) co_return file.error();
    co_return report_of_version(*version, *file);
}

asio::awaitable<bool> Line::publish(domain::ReportVersionId id) {
    const std::vector<std::int32_t> sites = all_sites();
    Result<store::StoredVersion> version = co_await parts_.reports.version(sites, id);
    if (!version || version->state != "validated") co_return false;
    Result<domain::Report> report = co_await this->report(id);
    if (!report) co_return false;
    const asio::any_io_executor worker = parts_.workers.get_executor();
    Composed made = co_await asio::co_spawn(
        worker, composed(*report, parts_.checker, parts_.pdf, parts_.production, parts_.official), asio::use_awaitable);
    for (const auto& alarm : made.alarms)
        log::error("the official rules reject a report that is published", alarm);
    const std::string actor = "daemon:" + parts_.daemon;
    if (!made.errors.empty()) {
        for (const auto& error : made.errors)
            log::error("report can't be composed", error);
        co_await parts_.reports.refuse(*version, made.errors, actor, parts_.clock.now());
        co_return true;
    }
    const domain::LaboratoryPtr laboratory = parts_.laboratory.current();
    const domain::PlanContext context = plan_context(*laboratory, report->site, parts_.production);
    const std::vector<domain::PlannedLetter> letters = domain::plan(*report, context);
    const bool ours = co_await parts_.reports.publish(*version, made.documents, letters, actor, parts_.clock.now());
    if (ours) log::info("report published", {{"report", id}, {"letters", letters.size()}});
    co_return ours;
}

}  // namespace sgl::flow

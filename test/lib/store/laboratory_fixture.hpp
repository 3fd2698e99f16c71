// Two legal entities with one site each, in a fresh database, and short ways to bring messages, orders and reports in.
#pragma once

#include "lib/domain/plan.hpp"
#include "lib/store/accounts.hpp"
#include "lib/store/inbox.hpp"
#include "lib/store/orders.hpp"
#include "lib/store/outbox.hpp"
#include "lib/store/reports.hpp"
#include "test/lib/store/pg/cluster_fixture.hpp"

namespace sgl::store::test {

inline constexpr domain::SiteId site_a{1};
inline constexpr domain::SiteId site_b{2};
inline constexpr domain::LegalEntityId entity_a{1};
inline constexpr domain::LegalEntityId entity_b{2};

class LaboratoryTest : public pg::test::DatabaseTest {
protected:
    LaboratoryTest() {
        superuser(R"sql(do $$ begin
            insert into legal_entity (id, finess, definition, updated_at) overriding system value
                values (1, '690000001', '{}', now()), (2, '690000019', '{}', now());
            insert into site (id, legal_entity_id, finess, definition, updated_at) overriding system value
                values (1, 1, '690000027', '{}', now()), (2, 2, '690000035', '{}', now());
            insert into app_user (id, login, definition, updated_at) overriding system value
                values (1, 'biologiste', '{}', now());
        end $$)sql");
    }

    std::int64_t count(std::string_view sql) {
        const pg::Rows rows = superuser(sql);
        return rows[0].int64(0);
    }
    std::string one(std::string_view sql) {
        const pg::Rows rows = superuser(sql);
        return rows.empty() ? "no row" : rows[0].optional_text(0).value_or("null");
    }

    // ── messages ──
    static domain::ReceivedResult result(std::string code, std::string value, std::string status = "F") {
        domain::ReceivedResult result;
        result.position = 1;
        result.code = std::move(code);
        result.analyte = domain::AnalyteId{static_cast<std::int32_t>(result.code.size())};
        result.status = std::move(status);
        result.value = domain::Quantity{domain::Comparator::none, Decimal::parse(value).value(), "mmol/L"};
        result.measured_at = "20260314081000+0100";
        return result;
    }
    static domain::ReceivedGroup group(std::vector<std::string> numbers, std::vector<domain::ReceivedResult> results) {
        domain::ReceivedGroup group;
        group.coordinate = "OBR";
        group.numbers = std::move(numbers);
        group.results = std::move(results);
        return group;
    }
    /// A message of site A; its bytes differ with its control id unless said.
    Arrival message(const std::string& control_id, std::vector<domain::ReceivedGroup> groups = {},
                    std::string raw = {}) {
        Arrival arrival;
        arrival.link = domain::LinkId{7};
        arrival.link_name = "automate";
        arrival.site = site_a;
        arrival.legal_entity = entity_a;
        arrival.received_at = now_;
        arrival.control_id = control_id;
        arrival.type = "ORU^R01";
        arrival.raw = raw.empty() ? "MSH|" + control_id : std::move(raw);
        arrival.size = arrival.raw.size();
        arrival.key = sha256(control_id);
        arrival.sha256 = sha256(arrival.raw);
        arrival.answer = "AA";
        arrival.reading.groups = std::move(groups);
        return arrival;
    }
    std::vector<Kept> keep(std::vector<Arrival> arrivals) { return run(inbox_.keep(arrivals, now_)); }
    Kept keep(Arrival arrival) {
        std::vector<Arrival> arrivals(1, std::move(arrival));
        return keep(std::move(arrivals)).front();
    }

    // ── orders ──
    static domain::NewOrder new_order(const std::string& placer, const std::string& tube,
                                      const std::string& ipp = "4056601", bool qualified = true) {
        domain::NewOrder order;
        order.group_number = "G" + placer;
        order.exams.push_back({placer, "NA", "Sodium"});
        order.exams.back().specimens.push_back(tube);
        domain::Specimen specimen;
        specimen.number = tube;
        specimen.type = "SER";
        specimen.collected_at = Timestamp::parse("20260314071500+0100").value();
        order.specimens.push_back(specimen);
        auto& patient = order.patient;
        patient.local_id = ipp;
        patient.local_authority_oid = "1.2.250.1.999.1";
        auto& traits = patient.traits.reveal();
        traits.birth_name = "PAT-TROIS";
        traits.birth_given_names = "DOMINIQUE MARIE";
        traits.first_given_name = "DOMINIQUE";
        traits.birth_date = Timestamp::parse("19790328").value();
        traits.sex = domain::Sex::female;
        traits.birth_place = "63220";
        patient.status = domain::IdentityStatus::validated;
        if (qualified) {
            domain::Ins ins{domain::InsMatricule::parse("279035121518989").value(),
                            std::string(domain::oid::ins_nir_test)};
            patient.ins = Personal<domain::Ins>{std::move(ins)};
            patient.status = domain::IdentityStatus::qualified;
        }
        return order;
    }
    struct Registered {
        Kept kept;
        domain::OrderId order;
        std::string number;  ///< ours
        domain::Decision decision;
    };
    /// The first line that is refused is the error.
    Result<Registered> take(const domain::OrderRequest& request, const Arrival& arrival) {
        const AnswerForm form = [](const domain::Decision& decision) {
            return decision.lines.empty() ? std::string() : std::string(to_string(decision.lines[0].refusal));
        };
        const Ordered done = run(orders_.take(arrival, request, catalogue_, form, now_));
        Registered registered{done.kept, {}, {}, done.decision};
        for (const auto& line : done.decision.lines) {
            if (line.refusal == domain::LineRefusal::identity) return Error{Fault::refused, line.coordinate, line.what};
            if (line.refusal != domain::LineRefusal::none)
                return Error{Fault::conflict, line.coordinate, std::string(english(line.refusal))};
        }
        for (const auto& order : done.decision.orders) {
            if (!order.touched) continue;
            registered.order = order.id;
            registered.number = order.number;
        }
        return registered;
    }
    Result<Registered> register_order(const domain::NewOrder& order, const std::string& control_id) {
        return take(domain::request_of(order), message(control_id));
    }
    domain::OrderId registered(const std::string& placer, const std::string& tube, const std::string& ipp = "4056601",
                               bool qualified = true) {
        return register_order(new_order(placer, tube, ipp, qualified), "OML-" + placer).value().order;
    }
    Result<OrderFile> file(domain::OrderId order, domain::SiteId site = site_a) { return run(read_file(order, site)); }

    // ── reports ──
    SignedReport report_of(const OrderFile& file) {
        SignedReport report;
        report.ids = domain::identify(domain::ReportSetId{Uuid::v7(now_)}, 1);
        report.order = file.id;
        report.row_version = file.row_version;
        report.site = file.site;
        report.legal_entity = file.legal_entity;
        report.patient = file.patient;
        report.user = domain::UserId{1};
        report.actor = "user:biologiste";
        report.validator.rpps = domain::Rpps::parse("899900000017").value();
        report.validator.family = "BIOLOGISTE";
        report.validated_at = now_;
        report.month = std::chrono::year{2026} / 3 / 1;
        for (const auto& result : file.results) {
            domain::ReportedLine line;
            line.result = result.id;
            line.chapter = "18719-5";
            line.chapter_label = "Biochimie";
            line.reported.local_code = result.code;
            line.reported.label = "Sodium";
            line.reported.value = result.value.value();
            line.reported.measured_at = Timestamp::parse("20260314081000+0100").value();
            report.lines.push_back(std::move(line));
        }
        return report;
    }
    Result<void> sign(const SignedReport& report) { return run(begin_and_sign(report)); }
    /// An order with one result, signed.
    SignedReport signed_report(const std::string& placer, const std::string& ipp = "4056601", bool qualified = true) {
        const auto order = registered(placer, "T" + placer, ipp, qualified);
        keep(message("ORU-" + placer, {group({"T" + placer}, {result("NA", "140")})}));
        const auto report = report_of(file(order).value());
        if (const auto done = sign(report); !done) throw std::runtime_error(to_string(done.error()));
        return report;
    }
    static domain::PlannedLetter letter(domain::Channel channel, std::string recipient,
                                        domain::LetterState state = domain::LetterState::due,
                                        domain::Reason reason = domain::Reason::none) {
        domain::PlannedLetter letter;
        letter.channel = channel;
        letter.recipient_key = std::move(recipient);
        letter.state = state;
        letter.reason = reason;
        return letter;
    }
    bool publish(domain::ReportVersionId id, std::vector<domain::PlannedLetter> letters) {
        const auto version = run(reports_.version(scope_a_, id)).value();
        const StoredDocuments documents{"<ClinicalDocument/>", "%PDF-1.4"};
        return run(reports_.publish(version, documents, letters, "daemon:un", now_));
    }

    Instant now_{parse_iso8601("2026-03-14T08:15:00Z").value()};
    const std::vector<std::int32_t> scope_a_{1};
    const std::vector<std::int32_t> scope_b_{2};
    const std::vector<std::int32_t> scope_both_{1, 2};
    pg::Pool pool_{executor(), conninfo(), 6, pg::test::session()};
    Inbox inbox_{pool_};
    Orders orders_{pool_, inbox_};
    Reports reports_{pool_};
    const domain::Catalogue catalogue_{[] {
        domain::Analyte sodium;
        sodium.id = domain::AnalyteId{1};
        sodium.local_code = "NA";
        return std::vector<domain::Analyte>(1, sodium);
    }()};

private:
    asio::awaitable<Result<OrderFile>> read_file(domain::OrderId order, domain::SiteId site) {
        const std::vector<std::int32_t> scope(1, site.value());
        pg::Transaction transaction = co_await pool_.begin(scope);
        Result<OrderFile> file = co_await orders_.file(transaction, order, false);
        co_await transaction.rollback();
        co_return file;
    }
    asio::awaitable<Result<void>> begin_and_sign(const SignedReport& report) {
        const std::vector<std::int32_t> scope(1, report.site.value());
        pg::Transaction transaction = co_await pool_.begin(scope);
        co_return co_await Reports::sign(std::move(transaction), report);
    }
};

}  // namespace sgl::store::test

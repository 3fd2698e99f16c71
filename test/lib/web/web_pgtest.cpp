// The console over a real database: sign-in, rights, row-level security, audit, CSRF, stale screens.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "lib/store/console_queries.hpp"
#include "lib/base/password.hpp"
#include "lib/web/rights.hpp"
#include "lib/web/web.hpp"
#include "test/lib/store/pg/cluster_fixture.hpp"
#include "test/lib/web/fakes.hpp"

namespace sgl::web {
namespace {

using namespace std::chrono_literals;

class FakeCommands final : public Commands {
public:
    asio::awaitable<Result<Draft>> draft(User, domain::OrderId) override { co_return made; }
    asio::awaitable<Result<ValidationDone>> validate(User user, ValidationRequest request) override {
        asked.push_back(request);
        by = user.login;
        if (refusal) co_return *refusal;
        co_return ValidationDone{domain::ReportVersionId{fakes::uuid(77)}, 1, fakes::now};
    }
    asio::awaitable<Result<void>> compose_again(User user, domain::ReportVersionId version) override {
        acts.push_back("compose " + user.login + " " + to_string(version.value()));
        co_return Result<void>();
    }
    asio::awaitable<Result<std::size_t>> withdraw(User user, domain::OrderId order, int row_version, std::string why) override {
        acts.push_back("withdraw " + to_string(order.value()) + " " + std::to_string(row_version) + " " + why);
        by = user.login;
        if (refusal) co_return *refusal;
        co_return std::size_t{3};
    }
    asio::awaitable<Result<void>> retry_letter(User, domain::LetterId letter) override { return act("retry", letter, ""); }
    asio::awaitable<Result<void>> hold_letter(User, domain::LetterId letter, std::string why) override { return act("hold", letter, std::move(why)); }
    asio::awaitable<Result<void>> abandon_letter(User, domain::LetterId letter, std::string why) override { return act("abandon", letter, std::move(why)); }
    asio::awaitable<Result<void>> set_aside(User user, domain::OrderId order, domain::ResultId result, std::string why) override {
        acts.push_back("set_aside " + to_string(order.value()) + " " + std::to_string(result.value()) + " " + why);
        by = user.login;
        if (refusal) co_return *refusal;
        co_return Result<void>{};
    }
    asio::awaitable<Result<void>> close_work_item(User user, domain::WorkItemId item, std::string why) override {
        acts.push_back("close " + std::to_string(item.value()) + " " + why);
        by = user.login;
        if (refusal) co_return *refusal;
        co_return Result<void>{};
    }
    asio::awaitable<std::vector<store::RulesLine>> rules(User) override {
        store::RulesLine line{4, "Règles d'essai", fakes::now, "cli:it", {{domain::SiteId{1}, "BIOLOGISTE CLAUDE", fakes::now, fakes::now}}};
        co_return std::vector<store::RulesLine>{line};
    }
    asio::awaitable<Result<void>> approve_rules(User user, std::int32_t number) override {
        acts.push_back("approve rules " + std::to_string(number) + " by " + user.login);
        if (refusal) co_return *refusal;
        co_return Result<void>{};
    }
    asio::awaitable<Result<Account>> account(User) override { co_return fakes::account(); }
    asio::awaitable<Result<void>> ready() override { co_return Result<void>{}; }

    Draft made;
    std::vector<ValidationRequest> asked;
    std::string by;
    std::optional<Error> refusal;
    std::vector<std::string> acts;

private:
    asio::awaitable<Result<void>> act(std::string verb, domain::LetterId letter, std::string why) {
        acts.push_back(verb + " " + to_string(letter.value()) + " " + why);
        co_return Result<void>{};
    }
};

class FakeWaiting final : public WaitingCommands {
public:
    asio::awaitable<std::vector<store::WaitingGroup>> waiting(store::User) override { co_return groups; }
    asio::awaitable<Result<WaitingPoint>> waiting_point(store::User, domain::WorkItemId item) override {
        WaitingPoint point = fakes::waiting_point();
        point.item.id = item;
        co_return point;
    }
    std::vector<Examination> examinations(domain::SiteId) override { return fakes::examinations(); }
    asio::awaitable<Result<store::Expectation>> expect(store::User, domain::Mapping mapping, std::vector<domain::MessageId>) override {
        told(mapping, "expect");
        co_return fakes::expectation();
    }
    asio::awaitable<Result<store::ReplaySum>> map(store::User user, domain::Mapping mapping, std::vector<domain::MessageId> messages, std::string why) override {
        told(mapping, "map");
        acts.back() += " " + std::to_string(messages.size()) + " " + why + " by " + user.login;
        if (refusal) co_return *refusal;
        co_return sum;
    }
    asio::awaitable<Result<store::ReplaySum>> replay(store::User, std::vector<domain::MessageId> messages) override {
        acts.push_back("replay " + std::to_string(messages.size()));
        co_return sum;
    }
    asio::awaitable<Result<store::ReplaySum>> assign(store::User, domain::WorkItemId item, std::string number, std::string why) override {
        acts.push_back("assign " + std::to_string(item.value()) + " " + number + " " + why);
        if (refusal) co_return *refusal;
        co_return sum;
    }

    std::vector<store::WaitingGroup> groups{fakes::waiting_group()};
    store::ReplaySum sum{14, 14, 2, 14, {}};
    std::vector<std::string> acts;
    std::optional<Error> refusal;

private:
    void told(const domain::Mapping& mapping, const std::string& verb) {
        acts.push_back(verb + " " + std::string(to_string(mapping.kind)) + " " + mapping.theirs + " " + mapping.ours + " " +
                       (mapping.factor ? mapping.factor->text() : "-"));
    }
};

class FakeDesk final : public DeskCommands {
public:
    asio::awaitable<Result<DeskChoices>> desk_choices(store::User, domain::SiteId) override {
        DeskChoices choices = fakes::choices();
        choices.identity_slave = slave;
        co_return choices;
    }
    asio::awaitable<Result<DeskTaken>> register_order(store::User user, domain::SiteId site, domain::DeskForm form, std::string token) override {
        acts.push_back("register " + std::to_string(site.value()) + " " + token + " by " + user.login);
        typed = form;
        if (refusal) co_return *refusal;
        co_return taken;
    }
    asio::awaitable<Result<store::DeskOrder>> desk_order(store::User user, domain::OrderId order) override {
        if (order.value() != fakes::uuid(1) || sites_for(user, Action::order_at_desk).empty()) co_return Error{Fault::missing, "order", "no such order on your sites"};
        co_return fakes::desk_order();
    }
    asio::awaitable<Result<DeskTaken>> correct_order(store::User user, domain::OrderId order, int row_version, domain::DeskForm form, std::string token) override {
        acts.push_back("correct " + to_string(order.value()) + " " + std::to_string(row_version) + " " + token + " by " + user.login);
        typed = form;
        if (refusal) co_return *refusal;
        co_return taken;
    }
    asio::awaitable<Result<void>> close_identity_change(store::User user, std::int64_t change, std::string why) override {
        acts.push_back("close change " + std::to_string(change) + " " + why + " by " + user.login);
        co_return Result<void>{};
    }

    bool slave{};
    domain::DeskForm typed;
    DeskTaken taken{domain::OrderId{fakes::uuid(1)}, "261122000001", false, {}, {}};
    std::optional<Error> refusal;
    std::vector<std::string> acts;
};

class WebTest : public pg::test::DatabaseTest {
protected:
    WebTest() {
        static const std::string password = hash_password("demonstration");
        superuser(R"sql(insert into instance (instance_uuid, label, environment, created_at)
                        values ('11111111-1111-4111-8111-111111111111', 'essai', 'test', now()) on conflict do nothing)sql");
        superuser(R"sql(insert into legal_entity (finess, definition, updated_at) values ('690000017', '{"name":"Laboratoire d''essai"}', now()))sql");
        superuser(R"sql(insert into site (legal_entity_id, finess, definition, updated_at) values
            (1, '690000025', '{"name":"Site Bellevue","time_zone":"Europe/Paris"}', now()),
            (1, '690000033', '{"name":"Site Gerland","time_zone":"Europe/Paris"}', now()))sql");
        superuser(R"sql(insert into app_user (login, definition, password, updated_at) values
            ('bio', '{"family":"ESSAI","given":"CLAIRE","rpps":"99900000017"}', $1::text, now()),
            ('tech', '{"family":"TECHNIQUE","given":"LEA"}', $1::text, now()),
            ('it', '{"family":"RESEAU","given":"NOE"}', $1::text, now()))sql",
                  pg::params(password));
        superuser(R"sql(insert into user_role (user_id, site_id, role, valid_from) values
            (1, 1, 'biologist', '2020-01-01'), (2, 1, 'technician', '2020-01-01'), (3, 1, 'it_operator', '2020-01-01'))sql");
        for (const int site : {1, 2}) order_on(site);
        superuser(R"sql(insert into result (legal_entity_id, site_id, order_id, message_id, position, code, analyte_id, run, status,
                value_kind, comparator, value, value_system, unit, received_flags, note, specimen_number, measured_at, received_at, state)
            select 1, 1, $1, 1, n, 'HGB', 5, '1', 'F', 'q', '', '9.8', '', 'g/dL', 'L', '', 'T1', '20261121', $2, 'raw'
            from generate_series(1, 1) n
            union all select 1, 1, $1, 1, 2, 'XX', null, '1', 'F', 'q', '', '4', '', 'U/L', '', '', 'T1', '20261121', $2, 'raw')sql",
                  pg::params(order_id(1), fakes::now));
    }

    static Uuid order_id(int site) { return fakes::uuid(static_cast<unsigned>(site)); }
    static std::string path_of(int site) { return "/dossiers/" + to_string(order_id(site)); }

    void order_on(int site) {
        const auto patient = fakes::uuid(static_cast<unsigned>(100 + site));
        superuser(R"sql(insert into patient (id, legal_entity_id, site_id, local_authority, local_id, birth_name, birth_given_names,
                first_given_name, used_name, used_given_name, birth_date, sex, birth_place, address, phone, ins_matricule, ins_oid, status,
                doubtful, fictitious, dmp_opposed, messaging_opposed, updated_at)
            values ($1, 1, $2, '1.2.3', $3, 'PAT-TROIS', 'DOMINIQUE', 'DOMINIQUE', '', '', '19790328', 'F', '63220', '{}', '',
                '279035121518989', '1.2.250.1.213.1.4.10', 'QUAL', false, false, false, false, $4))sql",
                  pg::params(patient, site, std::to_string(site), fakes::now));
        superuser(R"sql(insert into lab_order (id, legal_entity_id, site_id, patient_id, number, placer_group, state, prescriber, copies,
                collector, exams, prescribed_at, registered_at, stay_number, patient_class, clinical_context, urgent, row_version, last_event_at)
            values ($1, 1, $2, $3, $4, 'RX1', 'in_progress', '{"family":"PRESCRIPTEUR","given":"ALIX","title":"DR"}', '[]', '{}',
                '[{"placer_number":"P1","code":"HGB","label":"Hémoglobine"},{"placer_number":"P2","code":"FER","label":"Ferritine"}]',
                '20261120', $5, '', 'O', '', true, 4, $5))sql",
                  pg::params(order_id(site), site, patient, "2611210000" + std::to_string(site), fakes::now - 60min));
        superuser(R"sql(insert into specimen (id, legal_entity_id, site_id, order_id, number, type, type_label, collected_at, received_at)
            values ($1, 1, $2, $3, 'T1', 'BLD', 'Sang', '202611211955', ''))sql",
                  pg::params(fakes::uuid(static_cast<unsigned>(200 + site)), site, order_id(site)));
    }

    /// A published report of the order of `site`, with one dead letter.
    void report_on(int site) {
        const auto version = fakes::uuid(static_cast<unsigned>(300 + site));
        superuser("insert into report_set (id, legal_entity_id, site_id, order_id) values ($1, 1, $2, $3)",
                  pg::params(fakes::uuid(static_cast<unsigned>(400 + site)), site, order_id(site)));
        superuser(R"sql(insert into report_version (id, legal_entity_id, site_id, set_id, version, kind, state, validated_at, validated_by,
                validator, month, comment, confidentiality, ins_qualified, patient, published_at, document_oid)
            values ($1, 1, $2, $3, 1, 'final', 'published', $4, 1, '{"family":"ESSAI","given":"CLAIRE","title":"DR"}', '2026-11-01', 'RAS', 'N', true,
                $5::jsonb, $4, $6))sql",
                  pg::params(version, site, fakes::uuid(static_cast<unsigned>(400 + site)), fakes::now,
                             std::string(R"({"id":"00000000-0000-4000-8000-000000000001","local_id":"1","birth_name":"PAT-TROIS","first_given_name":"DOMINIQUE","birth_date":"19790328","sex":"F","status":"VALI"})"),
                             "2.25." + std::to_string(site)));
        superuser(R"sql(insert into document (version_id, created_at, legal_entity_id, site_id, variant, form, oid, sha256, bytes)
            values ($1, $2, 1, $3, 'professional', 'pdf', '', sha256('x'), '%PDF-1.4'::bytea))sql",
                  pg::params(version, fakes::now, site));
        superuser(R"sql(insert into letter (id, legal_entity_id, site_id, version_id, variant, channel, act, recipient_key, recipient_name, address,
                state, reason, attempts, month, created_at, trying_since, next_attempt_at)
            values ($1, 1, $2, $3, 'professional', 'DMP', 'deliver', 'DMP', '', '', 'dead', 'GAVE_UP', 3, '2026-11-01', $4, $4, $4))sql",
                  pg::params(fakes::uuid(static_cast<unsigned>(500 + site)), site, version, fakes::now));
    }

    net::Response ask(net::Request request) {
        if (!cookie_.empty()) request.headers.add("Cookie", cookie_);
        request.headers.add("Host", "127.0.0.1:8080");
        request.peer.address = "127.0.0.1";
        return run(web_.handle(std::move(request)));
    }
    net::Response get(const std::string& path, net::Pairs query = {}) {
        net::Request request;
        request.method = "GET";
        request.path = path;
        request.query = std::move(query);
        return ask(std::move(request));
    }
    net::Response post(const std::string& path, std::string body, const std::string& csrf_header = {}) {
        net::Request request;
        request.method = "POST";
        request.path = path;
        request.body = std::move(body);
        if (!csrf_header.empty()) request.headers.add("X-CSRF-Token", csrf_header);
        return ask(std::move(request));
    }
    void sign_in(const std::string& login) {
        cookie_.clear();
        const auto response = post("/api/v1/session", R"({"login":")" + login + R"(","password":"demonstration"})");
        ASSERT_EQ(response.status, 201U) << response.body;
        const auto cookie = std::string(response.headers.find("Set-Cookie").value_or(""));
        cookie_ = cookie.substr(0, cookie.find(';'));
        csrf_ = boost::json::parse(response.body).at("csrf_token").as_string().c_str();
    }
    std::int64_t count(const std::string& sql) {
        const auto rows = superuser(sql);
        return rows[0].int64(0);
    }

    static std::shared_ptr<const domain::Catalogue> catalogue() {
        domain::Analyte analyte;
        analyte.id = domain::AnalyteId{5};
        analyte.local_code = "HGB";
        analyte.label = "Hémoglobine";
        analyte.chapter_label = "Hématologie";
        domain::RangeRule rule;
        rule.range.low = *Decimal::parse("12.0");
        rule.range.high = *Decimal::parse("16.0");
        analyte.ranges = {rule};
        std::vector<domain::Analyte> analytes{analyte};
        return std::make_shared<const domain::Catalogue>(std::move(analytes));
    }

    ManualClock clock_{fakes::now};
    pg::Pool pool_{executor(), conninfo(), 2, pg::test::session()};
    store::Console console_{pool_, clock_, [](domain::SiteId) { return catalogue(); }};
    FakeCommands commands_;
    FakeWaiting waiting_;
    FakeDesk desk_;
    store::PatientFiles patients_{pool_, clock_};
    Web web_{console_, patients_, commands_, waiting_, desk_, clock_, WebSettings{.demonstration_accounts = true, .production = false, .tls = false, .session = {}}};
    std::string cookie_;
    std::string csrf_;
};

bool has(const net::Response& response, std::string_view text) { return response.body.find(text) != std::string::npos; }

TEST_F(WebTest, EveryQueryOfTheConsoleIsUnderstoodByTheDatabase) {
    int n = 0;
    for (const auto& query : store::console_queries::all) {
        EXPECT_NO_THROW(superuser("prepare q" + std::to_string(n++) + " as " + std::string(query.sql))) << query.name;
    }
}

TEST_F(WebTest, WithoutASessionPagesSendToSignInAndTheApiSays401) {
    const auto page = get("/dossiers");
    EXPECT_EQ(page.status, 303U);
    EXPECT_EQ(page.headers.find("Location"), "/connexion?suite=%2Fdossiers");
    EXPECT_EQ(get("/api/v1/orders").status, 401U);
    EXPECT_EQ(get("/health/live").status, 200U);
    EXPECT_EQ(get("/health/ready").status, 200U);
    EXPECT_EQ(get("/nulle-part").status, 404U);
    EXPECT_EQ(post("/dossiers", "").status, 405U);
    cookie_ = "sgld_session=" + std::string(64, 'f');
    EXPECT_EQ(get("/api/v1/orders").status, 401U);
}

TEST_F(WebTest, EveryAnswerCarriesTheSecurityHeaders) {
    sign_in("bio");
    for (const auto* const path : {"/connexion", "/dossiers", "/nulle-part", "/api/v1/orders", "/assets/console.css", "/a-propos"}) {
        const auto response = get(path);
        EXPECT_NE(response.headers.find("Content-Security-Policy").value_or("").find("default-src 'none'"), std::string_view::npos) << path;
        EXPECT_EQ(response.headers.find("X-Content-Type-Options"), "nosniff") << path;
        EXPECT_TRUE(response.headers.find("Cache-Control")) << path;
    }
    EXPECT_EQ(get("/dossiers").headers.find("Cache-Control"), "no-store");
}

TEST_F(WebTest, AWrongPasswordIsRefusedAuditedAndSlowedDown) {
    const std::string wrong = R"({"login":"bio","password":"essai-faux"})";
    for (int i = 0; i < 3; ++i) EXPECT_EQ(post("/api/v1/session", wrong).status, 401U);
    const auto slowed = post("/api/v1/session", wrong);
    EXPECT_EQ(slowed.status, 429U);
    EXPECT_EQ(slowed.headers.find("Retry-After"), "2");
    EXPECT_EQ(count("select count(*) from audit_event where action = 'sign_in_refused' and actor = 'user:bio'"), 3);
    clock_.advance(3s);
    sign_in("bio");
    EXPECT_EQ(count("select count(*) from audit_event where action = 'sign_in'"), 1);
    EXPECT_EQ(count("select count(*) from web_session where encode(token_hash, 'hex') = '" + cookie_.substr(13) + "'"), 0);
}

TEST_F(WebTest, AnUnknownLoginIsNotWrittenDown) {
    EXPECT_EQ(post("/connexion", "identifiant=MotDePasse1&mot_de_passe=x").status, 401U);
    EXPECT_EQ(count("select count(*) from audit_event where actor like '%MotDePasse1%'"), 0);
}

TEST_F(WebTest, TheWorklistShowsOnlyMySitesWithFlagsAndWhatIsPending) {
    sign_in("bio");
    const auto page = get("/dossiers");
    EXPECT_EQ(page.status, 200U);
    for (const auto* const text : {"26112100001", "PAT-TROIS", "Hématologie", "1 hors norme", "1 code inconnu", "1 en attente", "47 ans", "Démonstration – comptes locaux"}) {
        EXPECT_TRUE(has(page, text)) << text;
    }
    EXPECT_FALSE(has(page, "26112100002"));
    const auto api = boost::json::parse(get("/api/v1/orders").body);
    EXPECT_EQ(api.at("orders").as_array().size(), 1U);
    EXPECT_EQ(api.at("counts").at("to_validate").as_int64(), 1);
}

TEST_F(WebTest, AFilterIsKeptUnderANameForItsUserAloneAndForgotten) {
    superuser("insert into user_role (user_id, site_id, role, valid_from) values (2, 2, 'technician', '2020-01-01')");
    sign_in("bio");
    const auto keep = [&](const std::string& name, const std::string& fields) {
        return std::string(post("/dossiers/filtres", "csrf=" + csrf_ + "&nom=" + name + "&" + fields).headers.find("Location").value_or(""));
    };
    EXPECT_EQ(post("/dossiers/filtres", "nom=X&urgent=1").status, 403U) << "without the token of the session";
    EXPECT_EQ(keep("%20Mes+urgences%20", "etat=en-attente&urgent=1&depuis=4&autre=1"), "/dossiers?etat=en-attente&urgent=1&depuis=4&filtre=garde");
    const auto page = get("/dossiers", {{"filtre", "garde"}});
    EXPECT_TRUE(has(page, "Filtre gardé."));
    EXPECT_TRUE(has(page, R"(href="/dossiers?etat=en-attente&amp;urgent=1&amp;depuis=4")"));
    EXPECT_TRUE(has(page, "Mes urgences"));
    keep("Mes+urgences", "urgent=1");
    EXPECT_EQ(count("select count(*) from saved_filter where query = 'etat=a-valider&urgent=1'"), 1) << "of one name there is one";
    EXPECT_EQ(count("select count(*) from saved_filter"), 1);

    sign_in("tech");
    EXPECT_FALSE(has(get("/dossiers"), "Mes urgences"));
    post("/dossiers/filtres/1/oublier", "csrf=" + csrf_);
    EXPECT_EQ(count("select count(*) from saved_filter"), 1) << "nobody forgets for another";
    sign_in("it");
    EXPECT_EQ(post("/dossiers/filtres", "csrf=" + csrf_ + "&nom=X&urgent=1").status, 403U) << "no list, no filter";

    sign_in("bio");
    const auto id = count("select id from saved_filter");
    const auto gone = post("/dossiers/filtres/" + std::to_string(id) + "/oublier", "csrf=" + csrf_ + "&etat=rendus");
    EXPECT_EQ(gone.headers.find("Location"), "/dossiers?etat=rendus&filtre=oublie");
    EXPECT_EQ(count("select count(*) from saved_filter"), 0);
}

TEST_F(WebTest, AFilterNeedsAFittingNameAndTwentyAreEnough) {
    sign_in("bio");
    const auto keep = [&](const std::string& name) {
        return std::string(post("/dossiers/filtres", "csrf=" + csrf_ + "&nom=" + name + "&urgent=1").headers.find("Location").value_or(""));
    };
    std::string accents;
    for (int n = 0; n < 60; ++n) accents += "%C3%A9";
    EXPECT_EQ(keep(accents), "/dossiers?etat=a-valider&urgent=1&filtre=garde") << "sixty characters, not bytes";
    for (const auto& name : {std::string(), std::string("%20"), accents + "e"}) {
        EXPECT_EQ(keep(name), "/dossiers?etat=a-valider&urgent=1&filtre=refuse") << name;
    }
    for (int n = 2; n <= 20; ++n) EXPECT_EQ(keep("f" + std::to_string(n)), "/dossiers?etat=a-valider&urgent=1&filtre=garde");
    EXPECT_EQ(keep("f21"), "/dossiers?etat=a-valider&urgent=1&filtre=plein");
    EXPECT_EQ(keep("f20"), "/dossiers?etat=a-valider&urgent=1&filtre=garde") << "one that is there is still replaced";
    EXPECT_TRUE(has(get("/dossiers", {{"filtre", "plein"}}), "vingt filtres"));
}

TEST_F(WebTest, AnOrderOfAnotherSiteDoesNotExistForMe) {
    sign_in("bio");
    EXPECT_EQ(get(path_of(1)).status, 200U);
    EXPECT_EQ(get(path_of(2)).status, 404U);
    EXPECT_EQ(get("/dossiers/pas-un-uuid").status, 404U);
    EXPECT_EQ(count("select count(*) from audit_event where action = 'read_order' and actor = 'user:bio' and site_id = 1"), 1);
    EXPECT_EQ(count("select count(*) from audit_event where action = 'read_order' and site_id = 2"), 0);
}

TEST_F(WebTest, ItSeesNoPatientAndATechnicianDoesNotValidate) {
    sign_in("it");
    EXPECT_EQ(get("/dossiers").status, 403U);
    EXPECT_EQ(get("/api/v1/orders").status, 403U);
    EXPECT_EQ(get("/envois").status, 200U);
    EXPECT_EQ(get("/").headers.find("Location"), "/envois");
    sign_in("tech");
    EXPECT_EQ(get("/dossiers").status, 200U);
    EXPECT_EQ(post(path_of(1) + "/validation", "csrf=" + csrf_ + "&version=4&vu=1").status, 403U);
    EXPECT_TRUE(commands_.asked.empty());
}

TEST_F(WebTest, AValidationSaysWhatWasSeenAndNeedsTheToken) {
    sign_in("bio");
    EXPECT_EQ(post(path_of(1) + "/validation", "version=4&vu=1&vu=2").status, 403U);
    EXPECT_EQ(post(path_of(1) + "/validation", "csrf=faux&version=4&vu=1&vu=2").status, 403U);
    EXPECT_EQ(post(path_of(1) + "/validation", "csrf=" + csrf_ + "&version=x&vu=1").status, 400U);
    EXPECT_TRUE(commands_.asked.empty());
    const auto done = post(path_of(1) + "/validation", "csrf=" + csrf_ + "&version=4&vu=1&vu=2&commentaire=An%C3%A9mie");
    EXPECT_EQ(done.status, 303U);
    EXPECT_EQ(done.headers.find("Location"), "/dossiers?fait=" + to_string(fakes::uuid(77)));
    ASSERT_EQ(commands_.asked.size(), 1U);
    const auto& wish = commands_.asked[0];
    EXPECT_EQ(wish.row_version, 4);
    EXPECT_EQ(wish.seen.size(), 2U);
    EXPECT_EQ(wish.comment, "Anémie");
    EXPECT_EQ(commands_.by, "bio");
}

TEST_F(WebTest, AStaleScreenIsRefusedWithWhatChangedAndKeepsTheComment) {
    sign_in("bio");
    commands_.refusal = Error{Fault::conflict, "row_version", "the order has changed"};
    const auto page = post(path_of(1) + "/validation", "csrf=" + csrf_ + "&version=3&vu=1&commentaire=Gard%C3%A9");
    EXPECT_EQ(page.status, 409U);
    EXPECT_TRUE(has(page, "Rien n&#39;a été signé"));
    EXPECT_TRUE(has(page, "Résultat reçu ou corrigé depuis : code XX : 4"));
    EXPECT_TRUE(has(page, ">Gardé</textarea>"));
    EXPECT_FALSE(has(page, "action=\"" + path_of(1) + "/validation\""));  // nothing to sign in this draft
    commands_.made.results = {fakes::result(1, "Hématologie", "Hémoglobine", fakes::quantity("9.8", "g/dL"), domain::Flag::low, "12.0", "16.0")};
    const auto again = post(path_of(1) + "/validation", "csrf=" + csrf_ + "&version=3&vu=2&commentaire=Gard%C3%A9");
    EXPECT_TRUE(has(again, ">Gardé</textarea>"));
    EXPECT_TRUE(has(again, "Résultat reçu ou corrigé depuis : Hémoglobine : 9,8"));
    EXPECT_TRUE(has(again, "<input type=\"hidden\" name=\"version\" value=\"4\">"));
}

TEST_F(WebTest, TheApiValidatesWithTheHeaderAndRefusesStrangeBodies) {
    sign_in("bio");
    const auto path = "/api/v1/orders/" + to_string(order_id(1)) + "/validation";
    EXPECT_EQ(post(path, R"({"row_version":4,"results":[1,2]})").status, 403U);
    EXPECT_EQ(post(path, R"({"row_version":"4","results":[1,2]})", csrf_).status, 400U);
    EXPECT_EQ(post(path, R"({"row_version":4,"results":[1,2],"force":true})", csrf_).status, 400U);
    EXPECT_EQ(post(path, "[]", csrf_).status, 400U);
    EXPECT_TRUE(commands_.asked.empty());
    const auto done = post(path, R"({"row_version":4,"results":[1,2],"comment":"RAS"})", csrf_);
    EXPECT_EQ(done.status, 201U) << done.body;
    commands_.refusal = Error{Fault::conflict, "row_version", "the order has changed"};
    EXPECT_EQ(post(path, R"({"row_version":4,"results":[1,2]})", csrf_).status, 409U);
}

TEST_F(WebTest, TheApiConfirmsImplausibleResultsAndApprovesRules) {
    sign_in("bio");
    const auto path = "/api/v1/orders/" + to_string(order_id(1)) + "/validation";
    EXPECT_EQ(post(path, R"({"row_version":4,"results":[1,2],"confirmed":"2"})", csrf_).status, 400U);
    EXPECT_EQ(post(path, R"({"row_version":4,"results":[1,2],"confirmed":[2],"confirmed_reason":"second tube"})", csrf_).status, 201U);
    ASSERT_EQ(commands_.asked.size(), 1U);
    EXPECT_EQ(commands_.asked[0].confirmed, std::vector<domain::ResultId>{domain::ResultId{2}});
    EXPECT_EQ(commands_.asked[0].confirmed_why, "second tube");
    const auto sets = get("/api/v1/rule-sets");
    EXPECT_EQ(sets.status, 200U);
    EXPECT_TRUE(has(sets, "BIOLOGISTE CLAUDE"));
    EXPECT_EQ(post("/api/v1/rule-sets/4/approvals", "{}", csrf_).status, 204U);
    EXPECT_EQ(commands_.acts.back(), "approve rules 4 by bio");
    EXPECT_EQ(post("/api/v1/rule-sets/x/approvals", "{}", csrf_).status, 404U);
    EXPECT_EQ(post("/api/v1/rule-sets/4/approvals", "{}").status, 403U);
}

TEST_F(WebTest, ARequestFromAnotherSiteIsRefused) {
    sign_in("bio");
    net::Request request;
    request.method = "POST";
    request.path = path_of(1) + "/validation";
    request.body = "csrf=" + csrf_ + "&version=4&vu=1";
    request.headers.add("Origin", "http://mal.example");
    EXPECT_EQ(ask(std::move(request)).status, 403U);
    EXPECT_TRUE(commands_.asked.empty());
}

TEST_F(WebTest, SessionsEndByIdlenessByAgeAndByLeaving) {
    sign_in("bio");
    clock_.advance(14min);
    EXPECT_EQ(get("/dossiers").status, 200U);
    clock_.advance(14min);
    EXPECT_EQ(get("/dossiers").status, 200U);
    clock_.advance(16min);
    EXPECT_EQ(get("/dossiers").status, 303U);
    sign_in("bio");
    for (int i = 0; i < 60; ++i) {
        clock_.advance(10min);
        if (i < 59) {
            EXPECT_EQ(get("/api/v1/session").status, 200U) << i;
        }
    }
    EXPECT_EQ(get("/api/v1/session").status, 401U);
    sign_in("bio");
    const auto kept = cookie_;
    const auto left = post("/deconnexion", "csrf=" + csrf_);
    EXPECT_EQ(left.status, 303U);
    cookie_ = kept;
    EXPECT_EQ(get("/dossiers").status, 303U);
}

TEST_F(WebTest, ARefreshByThePageDoesNotKeepAnAbandonedScreenAlive) {
    sign_in("bio");
    for (int i = 0; i < 3; ++i) {
        clock_.advance(6min);
        net::Request request;
        request.method = "GET";
        request.path = "/dossiers";
        request.headers.add("X-Refresh", "1");
        EXPECT_EQ(ask(std::move(request)).status, i < 2 ? 200U : 401U);
    }
}

TEST_F(WebTest, AReportIsReadDownloadedAndAuditedOnMySitesOnly) {
    report_on(1);
    report_on(2);
    sign_in("bio");
    const auto mine = "/comptes-rendus/" + to_string(fakes::uuid(301));
    const auto foreign = "/comptes-rendus/" + to_string(fakes::uuid(302));
    const auto page = get(mine);
    EXPECT_EQ(page.status, 200U) << page.body;
    EXPECT_TRUE(has(page, "Abandon après trop d&#39;essais"));
    EXPECT_TRUE(has(page, "Télécharger le PDF"));
    const auto pdf = get(mine + "/pdf");
    EXPECT_EQ(pdf.body, "%PDF-1.4");
    EXPECT_EQ(pdf.headers.find("Content-Type"), "application/pdf");
    EXPECT_EQ(pdf.headers.find("Content-Disposition"), "attachment; filename=\"CR-26112100001-v1.pdf\"");
    EXPECT_EQ(get(mine + "/cda").status, 404U);
    EXPECT_EQ(get(foreign).status, 404U);
    EXPECT_EQ(get(foreign + "/pdf").status, 404U);
    EXPECT_EQ(count("select count(*) from audit_event where action in ('read_report', 'read_document_pdf') and site_id = 1"), 2);
    EXPECT_EQ(get("/api/v1/reports/" + to_string(fakes::uuid(301)) + "/letters").status, 200U);
    EXPECT_EQ(get("/api/v1/reports/" + to_string(fakes::uuid(301)) + "/documents/pdf").status, 200U);
    const auto list = get("/dossiers", {{"etat", "tous"}});
    EXPECT_TRUE(has(list, "DMP : échec – Abandon après trop d&#39;essais"));
}

TEST_F(WebTest, AReportThatCouldNotBeComposedIsTriedAgainByWhoMay) {
    report_on(1);
    const auto version = to_string(fakes::uuid(301));
    superuser("update report_version set state = 'refused', refusal = 'site.address: is missing', published_at = null where id = '" + version + "'");
    const auto page = "/comptes-rendus/" + version;
    sign_in("tech");
    EXPECT_FALSE(has(get(page), "Composer à nouveau"));
    EXPECT_EQ(post(page + "/composer", "csrf=" + csrf_).status, 403U);
    sign_in("bio");
    EXPECT_TRUE(has(get(page), "Composer à nouveau"));
    EXPECT_EQ(post(page + "/composer", "").status, 403U) << "no CSRF token";
    EXPECT_EQ(post(page + "/composer", "csrf=" + csrf_).headers.find("Location"), page);
    EXPECT_EQ(commands_.acts.back(), "compose bio " + version);
    EXPECT_EQ(post("/api/v1/reports/" + version + "/compose", "", csrf_).status, 204U);
}

TEST_F(WebTest, LettersAreActedOnByWhoMayOnHisSitesOnly) {
    report_on(1);
    report_on(2);
    sign_in("it");
    EXPECT_TRUE(has(get("/envois"), "/relancer"));
    const auto mine = to_string(fakes::uuid(501));
    const auto foreign = to_string(fakes::uuid(502));
    const auto done = post("/envois/" + mine + "/relancer", "csrf=" + csrf_ + "&retour=%2Fenvois%3Fetat%3Ddead");
    EXPECT_EQ(done.status, 303U);
    EXPECT_EQ(done.headers.find("Location"), "/envois?etat=dead");
    EXPECT_EQ(post("/envois/" + mine + "/relancer", "csrf=" + csrf_ + "&retour=%2F%2Fmal.example").headers.find("Location"), "/envois");
    EXPECT_EQ(post("/envois/" + foreign + "/relancer", "csrf=" + csrf_).status, 404U);
    EXPECT_EQ(post("/api/v1/letters/" + mine + "/abandon", "{}", csrf_).status, 400U);
    EXPECT_EQ(post("/api/v1/letters/" + mine + "/abandon", R"({"reason":"remis sur papier"})", csrf_).status, 204U);
    EXPECT_EQ(post("/api/v1/letters/" + mine + "/explode", "{}", csrf_).status, 404U);
    ASSERT_EQ(commands_.acts.size(), 3U);
    EXPECT_EQ(commands_.acts[2], "abandon " + mine + " remis sur papier");
    sign_in("tech");
    EXPECT_EQ(post("/api/v1/letters/" + mine + "/retry", "{}", csrf_).status, 403U);
}

TEST_F(WebTest, WorkToDoIsCountedOnEveryPage) {
    superuser(R"sql(insert into work_item (legal_entity_id, site_id, kind, coordinate, what, created_at) values
        (1, 1, 'unknown_code', 'OBX[2]-3', 'not in the catalogue', $1), (1, 2, 'unmatched', 'OBR[1]', 'no order', $1))sql",
              pg::params(fakes::now));
    sign_in("bio");
    EXPECT_TRUE(has(get("/a-traiter"), "Code d&#39;examen inconnu du catalogue"));
    EXPECT_FALSE(has(get("/a-traiter"), "OBR[1]"));
    EXPECT_TRUE(has(get("/dossiers"), "<span class=\"count\">1</span>"));
    EXPECT_EQ(boost::json::parse(get("/api/v1/work-items").body).at("open").as_int64(), 1);
    EXPECT_EQ(get("/activite").status, 200U);
    EXPECT_TRUE(has(get("/a-propos"), "11111111-1111-4111-8111-111111111111"));
}

TEST_F(WebTest, ABiologistSetsAHeldResultAsideWithAReason) {
    superuser("update result set state = 'quarantined' where code = 'XX'");
    const auto held = std::to_string(count("select id from result where code = 'XX'"));
    sign_in("bio");
    const auto path = path_of(1) + "/resultats/" + held + "/ecarter";
    EXPECT_TRUE(has(get(path_of(1)), "action=\"" + path + "\""));
    EXPECT_EQ(post(path, "motif=dilution").status, 403U) << "no CSRF token";
    EXPECT_EQ(post(path, "csrf=" + csrf_ + "&motif=").status, 400U);
    EXPECT_EQ(post(path, "csrf=" + csrf_ + "&motif=" + std::string(801, 'x')).status, 400U);
    EXPECT_TRUE(commands_.acts.empty());
    const auto done = post(path, "csrf=" + csrf_ + "&motif=dilution+refaite");
    EXPECT_EQ(done.status, 303U);
    EXPECT_EQ(done.headers.find("Location"), path_of(1) + "?ecarte=1");
    EXPECT_EQ(commands_.acts.back(), "set_aside " + to_string(order_id(1)) + " " + held + " dilution refaite");
    EXPECT_TRUE(has(get(path_of(1), {{"ecarte", "1"}}), "Résultat écarté"));
    const auto api = "/api/v1/orders/" + to_string(order_id(1)) + "/results/" + held + "/set-aside";
    EXPECT_EQ(post(api, R"({"reason":"dilution"})").status, 403U);
    EXPECT_EQ(post(api, "{}", csrf_).status, 400U);
    EXPECT_EQ(post(api, R"({"reason":"dilution"})", csrf_).status, 204U);
    commands_.refusal = Error{Fault::conflict, "result", "the result is not held (any more)"};
    EXPECT_EQ(post(api, R"({"reason":"dilution"})", csrf_).status, 409U);
    const auto late = post(path, "csrf=" + csrf_ + "&motif=dilution");
    EXPECT_EQ(late.status, 409U);
    EXPECT_TRUE(has(late, "n&#39;est plus retenu"));
    commands_.acts.clear();
    sign_in("tech");
    EXPECT_FALSE(has(get(path_of(1)), "/ecarter"));
    EXPECT_EQ(post(path, "csrf=" + csrf_ + "&motif=dilution").status, 403U);
    EXPECT_EQ(post(api, R"({"reason":"dilution"})", csrf_).status, 403U);
    EXPECT_TRUE(commands_.acts.empty());
}

TEST_F(WebTest, WhatWasSetAsideStaysVisibleWithItsReason) {
    superuser("update result set state = 'set_aside', settled_at = $1, settled_by = 'user:bio', settled_why = 'tube coagulé' where code = 'XX'",
              pg::params(fakes::now));
    sign_in("bio");
    const auto page = get(path_of(1));
    EXPECT_TRUE(has(page, "Résultats écartés"));
    EXPECT_TRUE(has(page, "« tube coagulé »"));
    const auto order = boost::json::parse(get("/api/v1/orders/" + to_string(order_id(1))).body);
    EXPECT_EQ(order.at("results").as_array().size(), 1U) << "it is not what a biologist signs";
    EXPECT_EQ(order.at("set_aside").at(0).at("reason").as_string(), "tube coagulé");
    EXPECT_FALSE(has(get("/dossiers"), "1 code inconnu"));
}

TEST_F(WebTest, AWorkItemIsClosedWithAReason) {
    superuser(R"sql(insert into work_item (legal_entity_id, site_id, kind, coordinate, what, created_at) values
        (1, 1, 'unmatched', 'OBR[1]', 'no order', $1))sql",
              pg::params(fakes::now));
    for (const auto* const who : {"bio", "tech", "it"}) {
        sign_in(who);
        EXPECT_TRUE(has(get("/a-traiter"), "action=\"/a-traiter/1/clore\"")) << who;
    }
    EXPECT_EQ(post("/a-traiter/1/clore", "motif=appel").status, 403U) << "no CSRF token";
    EXPECT_EQ(post("/a-traiter/1/clore", "csrf=" + csrf_).status, 400U);
    EXPECT_EQ(post("/a-traiter/x/clore", "csrf=" + csrf_ + "&motif=appel").status, 404U);
    EXPECT_TRUE(commands_.acts.empty());
    const auto done = post("/a-traiter/1/clore", "csrf=" + csrf_ + "&motif=demande+ressaisie");
    EXPECT_EQ(done.headers.find("Location"), "/a-traiter?clos=1");
    EXPECT_EQ(commands_.acts.back(), "close 1 demande ressaisie");
    EXPECT_EQ(commands_.by, "it");
    EXPECT_EQ(post("/api/v1/work-items/1/close", R"({"reason":"appel"})").status, 403U);
    EXPECT_EQ(post("/api/v1/work-items/1/close", R"({"reason":""})", csrf_).status, 400U);
    EXPECT_EQ(post("/api/v1/work-items/1/close", R"({"reason":"appel"})", csrf_).status, 204U);
    commands_.refusal = Error{Fault::conflict, "result", "its result still holds the order"};
    const auto held = post("/a-traiter/1/clore", "csrf=" + csrf_ + "&motif=appel");
    EXPECT_EQ(held.status, 409U);
    EXPECT_TRUE(has(held, "retient encore son dossier"));
    EXPECT_EQ(post("/api/v1/work-items/1/close", R"({"reason":"appel"})", csrf_).status, 409U);
}

TEST_F(WebTest, AWordOfAnAnalyserIsMappedByWhoeverMay) {
    superuser("insert into user_role (user_id, site_id, role, valid_from) values (2, 1, 'secretary', '2020-01-01')");
    superuser("delete from user_role where user_id = 2 and role = 'technician'");
    const net::Pairs word{{"lien", "2"}, {"type", "unknown_code"}, {"mot", "Gluc_2"}, {"examen", ""}};
    const std::string form = "lien=2&type=unknown_code&mot=Gluc_2&examen=&sens=code&notre=Glucose&facteur=0%2C1&unite=g%2FL&motif=notice";
    sign_in("tech");  // a secretary now
    EXPECT_TRUE(has(get("/a-traiter"), "Code Gluc_2, lien cobas-1"));
    EXPECT_TRUE(has(get("/a-traiter/mot", word), "14 résultats en attente"));
    EXPECT_FALSE(has(get("/a-traiter/mot", word), "Enregistrer et rejouer"));
    EXPECT_EQ(post("/a-traiter/mot", "csrf=" + csrf_ + "&" + form).status, 403U);
    EXPECT_TRUE(waiting_.acts.empty());
    sign_in("it");
    EXPECT_EQ(post("/a-traiter/mot", form).status, 403U) << "no CSRF token";
    const auto preview = post("/a-traiter/mot", "csrf=" + csrf_ + "&apercu=1&" + form);
    EXPECT_EQ(preview.status, 200U);
    EXPECT_TRUE(has(preview, "Rien n&#39;est encore enregistré")) << "and what was typed stays";
    EXPECT_TRUE(has(preview, "value=\"notice\""));
    EXPECT_EQ(waiting_.acts.back(), "expect code Gluc_2 GLU 0.1") << "the label names the examination";
    const auto done = post("/a-traiter/mot", "csrf=" + csrf_ + "&" + form);
    EXPECT_EQ(done.status, 303U);
    EXPECT_EQ(done.headers.find("Location"), "/a-traiter?rejoues=14&rendus=14&restent=2");
    EXPECT_EQ(waiting_.acts.back(), "map code Gluc_2 GLU 0.1 14 notice by it");
    EXPECT_TRUE(has(get("/a-traiter", {{"rejoues", "14"}, {"rendus", "14"}, {"restent", "2"}}), "14 messages rejoués"));
    waiting_.refusal = Error{Fault::conflict, "theirs", "the imported link says it already"};
    const auto refused = post("/a-traiter/mot", "csrf=" + csrf_ + "&" + form);
    EXPECT_EQ(refused.status, 409U);
    EXPECT_TRUE(has(refused, "Ce mot a déjà un sens"));
    EXPECT_EQ(post("/a-traiter/rejouer", "csrf=" + csrf_ + "&" + form).status, 303U);
    EXPECT_EQ(waiting_.acts.back(), "replay 14");
    EXPECT_EQ(get("/a-traiter/mot", {{"lien", "2"}, {"type", "unknown_code"}, {"mot", "autre"}}).status, 303U) << "gone: mapped by somebody else";
    EXPECT_EQ(post("/a-traiter/7/attribuer", "csrf=" + csrf_ + "&numero=T1&motif=lu").status, 403U) << "who may not know patients identifies none";
    sign_in("bio");
    EXPECT_EQ(post("/a-traiter/7/attribuer", "csrf=" + csrf_ + "&numero=T1").status, 400U) << "a reason is needed";
    waiting_.refusal.reset();
    EXPECT_EQ(post("/a-traiter/7/attribuer", "csrf=" + csrf_ + "&numero=T1&motif=lu").status, 303U);
    EXPECT_EQ(waiting_.acts.back(), "assign 7 T1 lu");
}

TEST_F(WebTest, AWorkItemOfAHeldResultLeadsToItsOrder) {
    superuser("update result set state = 'quarantined' where code = 'XX'");
    superuser(R"sql(insert into work_item (legal_entity_id, site_id, kind, coordinate, what, message_id, order_id, created_at) values
        (1, 1, 'unknown_code', 'OBX[2]-3', 'not in the catalogue', 1, $2, $1))sql",
              pg::params(fakes::now, order_id(1)));
    sign_in("bio");
    const auto page = get("/a-traiter");
    EXPECT_TRUE(has(page, "à écarter dans le dossier"));
    EXPECT_FALSE(has(page, "/clore"));
    EXPECT_TRUE(boost::json::parse(get("/api/v1/work-items").body).at("work_items").at(0).at("holds_order").as_bool());
}

// ── Patients and the desk ──

TEST_F(WebTest, APatientIsFoundByNameBirthDateOrNumberAndNothingOfItIsInAnAddress) {
    superuser("update patient set local_id = 'IPP77' where id = $1", pg::params(fakes::uuid(101)));
    sign_in("bio");
    EXPECT_TRUE(has(get("/patients"), "Nom"));
    const auto path = "/patients/" + to_string(fakes::uuid(101));
    for (const auto* const wanted : {"nom=pat-tr", "nom=PAT-TROIS&prenom=dom&naissance=28%2F03%2F1979", "numero=IPP77", "numero=279035121518989"}) {
        const auto page = post("/patients", "csrf=" + csrf_ + "&" + wanted);
        EXPECT_EQ(page.status, 200U) << wanted;
        EXPECT_TRUE(has(page, "href=\"" + path + "\"")) << wanted;
    }
    EXPECT_TRUE(has(post("/patients", "csrf=" + csrf_ + "&nom=PAT&naissance=29%2F03%2F1979"), "Personne ne répond"));
    EXPECT_EQ(post("/patients", "nom=PAT").status, 403U) << "no CSRF token";
    const auto vague = post("/patients", "csrf=" + csrf_ + "&nom=P");
    EXPECT_EQ(vague.status, 422U);
    EXPECT_EQ(post("/patients", "csrf=" + csrf_ + "&nom=PAT&naissance=hier").status, 422U);
    EXPECT_EQ(count("select count(*) from audit_event where action = 'search_patients' and actor = 'user:bio'"), 5);
    EXPECT_EQ(count("select count(*) from audit_event where action = 'search_patients' and payload like '%PAT-%'"), 0);
    const auto api = boost::json::parse(post("/api/v1/patients/search", R"({"number":"IPP77"})", csrf_).body);
    EXPECT_EQ(api.at("patients").as_array().size(), 1U);
    sign_in("it");
    EXPECT_EQ(get("/patients").status, 403U);
    EXPECT_EQ(post("/patients", "csrf=" + csrf_ + "&nom=PAT").status, 403U);
}

TEST_F(WebTest, APatientsPageHasHisOrdersOfMySitesAndTheHistoryOfHisIdentity) {
    report_on(1);
    superuser("update patient set status = 'PROV', ins_matricule = null, ins_oid = null, birth_name = 'PAT-QUATRE', updated_at = $2 where id = $1",
              pg::params(fakes::uuid(101), fakes::now));
    superuser("update lab_order set patient_id = $1 where site_id = 2", pg::params(fakes::uuid(101)));
    sign_in("bio");
    const auto path = "/patients/" + to_string(fakes::uuid(101));
    const auto page = get(path);
    EXPECT_EQ(page.status, 200U);
    for (const auto* const text : {"PAT-QUATRE", "26112100001", "Hémoglobine, Ferritine", "identité qualifiée → provisoire", "INS modifiée",
                                   "auparavant PAT-TROIS DOMINIQUE", "Nouvelle demande"}) {
        EXPECT_TRUE(has(page, text)) << text;
    }
    EXPECT_FALSE(has(page, "26112100002")) << "an order of a site that is not mine";
    EXPECT_EQ(count("select count(*) from audit_event where action = 'read_patient' and actor = 'user:bio'"), 1);
    const auto api = boost::json::parse(get("/api/v1" + path).body);
    EXPECT_EQ(api.at("orders").as_array().size(), 1U);
    EXPECT_EQ(api.at("history").at(0).at("was").as_string(), "QUAL");
    EXPECT_EQ(get("/patients/" + to_string(fakes::uuid(999))).status, 404U);
    EXPECT_EQ(get("/patients/x").status, 404U);
}

TEST_F(WebTest, WhatLeftUnderAWrongIdentityIsListedAndWithdrawnByABiologistOnly) {
    report_on(1);
    superuser("update letter set state = 'accepted', reason = '' where site_id = 1");
    superuser(R"sql(insert into letter (id, legal_entity_id, site_id, version_id, variant, channel, act, recipient_key, recipient_name, address,
            state, reason, attempts, month, created_at, trying_since, next_attempt_at)
        select $1, 1, 1, version_id, 'professional', 'MSS_PRO', 'deliver', 'X', 'Dr Alix PRESCRIPTEUR', '', 'in_doubt', '', 1, month, created_at, created_at, created_at
        from letter where site_id = 1)sql",
              pg::params(fakes::uuid(510)));
    superuser(R"sql(insert into validated_result (version_id, legal_entity_id, site_id, result_id, patient_id, loinc, local_code, at, position, content)
        select $1, 1, 1, min(id), $2, '718-7', 'HGB', $3, 1, '{}' from result)sql",
              pg::params(fakes::uuid(301), fakes::uuid(101), fakes::now));
    superuser(R"sql(insert into identity_change (legal_entity_id, site_id, kind, patient_id, wrong_patient_id, said_at, at, actor)
        values (1, 1, 'merged', $1, $2, $3, $3, 'link:gestion'))sql",
              pg::params(fakes::uuid(102), fakes::uuid(101), fakes::now));
    const auto path = "/patients/" + to_string(fakes::uuid(101));
    sign_in("tech");
    const auto seen = get(path);
    EXPECT_TRUE(has(seen, "2 envois partis sous l&#39;identité erronée"));
    EXPECT_TRUE(has(seen, "reçu, à retirer"));
    EXPECT_FALSE(has(seen, "/retrait"));
    EXPECT_FALSE(has(seen, "/clore"));
    EXPECT_EQ(post(path + "/identite/1/clore", "csrf=" + csrf_ + "&motif=x").status, 403U);
    EXPECT_EQ(post("/api/v1/identity-changes/1/close", R"({"reason":"x"})", csrf_).status, 403U);
    sign_in("bio");
    const auto page = get(path);
    EXPECT_TRUE(has(page, "action=\"" + path_of(1) + "/retrait\""));
    const auto gone = post(path_of(1) + "/retrait", "csrf=" + csrf_ + "&version=4&motif=Identit%C3%A9+erron%C3%A9e");
    EXPECT_EQ(gone.status, 303U);
    EXPECT_EQ(commands_.acts.back(), "withdraw " + to_string(order_id(1)) + " 4 Identité erronée");
    EXPECT_EQ(post(path + "/identite/1/clore", "csrf=" + csrf_).status, 400U) << "a reason is needed";
    const auto done = post(path + "/identite/1/clore", "csrf=" + csrf_ + "&motif=correspondants+pr%C3%A9venus");
    EXPECT_EQ(done.headers.find("Location"), path + "?clos=1");
    EXPECT_EQ(desk_.acts.back(), "close change 1 correspondants prévenus by bio");
    superuser("update report_version set state = 'withdrawn', withdrawn_at = now(), withdrawn_by = 'user:bio', withdrawn_why = 'x' where site_id = 1");
    EXPECT_TRUE(has(get(path), "retrait en cours"));
    EXPECT_TRUE(has(get("/patients/" + to_string(fakes::uuid(102))), "2 envois partis")) << "as from the one who goes on";
    EXPECT_EQ(boost::json::parse(get("/api/v1" + path).body).at("misdirected").as_array().size(), 2U);
}

class DeskWebTest : public WebTest {
protected:
    DeskWebTest() {
        superuser("insert into user_role (user_id, site_id, role, valid_from) values (2, 1, 'secretary', '2020-01-01')");
        superuser("delete from user_role where user_id = 2 and role = 'technician'");
        sign_in("tech");  // a secretary now
    }
    std::string form(const std::string& more) const { return "csrf=" + csrf_ + "&jeton=j1&site=1&patient=" + to_string(fakes::uuid(101)) + "&" + more; }
};

TEST_F(DeskWebTest, ASecretaryTypesAnOrderForAKnownPatient) {
    EXPECT_TRUE(has(get("/dossiers"), "Nouvelle demande"));
    const auto page = get("/demandes/nouvelle", {{"patient", to_string(fakes::uuid(101))}});
    EXPECT_EQ(page.status, 200U);
    for (const auto* const text : {"PAT-TROIS", "name=\"jeton\"", "PRESCRIPTEUR-TEST Alix 89990000002", "Prélèvements", "Bilans"}) EXPECT_TRUE(has(page, text)) << text;
    EXPECT_EQ(get("/demandes/nouvelle").headers.find("Location"), "/patients");
    EXPECT_EQ(get("/demandes/nouvelle", {{"patient", to_string(fakes::uuid(999))}}).status, 404U);
    const auto more = post("/demandes", form("faire=relire&plus=iono&prescripteur=moi+%3Cb%3E&renseignements=suivi"));
    EXPECT_EQ(more.status, 200U);
    EXPECT_TRUE(desk_.acts.empty()) << "reading again writes nothing";
    EXPECT_TRUE(has(more, "name=\"examen\" value=\"IONO\" checked"));
    EXPECT_TRUE(has(more, "value=\"moi &lt;b&gt;\""));
    EXPECT_TRUE(has(more, ">suivi</textarea>"));
    EXPECT_TRUE(has(more, "value=\"j1\"")) << "the same screen";
    EXPECT_TRUE(has(more, "<option value=\"SER\" selected")) << "a tube of the kind that is needed";
    const auto done = post("/demandes", form("faire=enregistrer&examen=IONO&prescripteur=x&urgent=1&copie=a&copie=b&tube_avant=&tube_numero=CB1&tube_type=SER&tube_preleve="));
    EXPECT_EQ(done.status, 303U);
    EXPECT_EQ(done.headers.find("Location"), path_of(1) + "?cree=1");
    EXPECT_EQ(desk_.acts.back(), "register 1 j1 by tech");
    EXPECT_TRUE(desk_.typed.urgent);
    EXPECT_EQ(desk_.typed.copies.size(), 2U);
    ASSERT_EQ(desk_.typed.tubes.size(), 1U);
    EXPECT_EQ(desk_.typed.tubes[0].number, "CB1");
}

TEST_F(DeskWebTest, ARefusalStandsAtItsFieldAndNothingTypedIsLost) {
    desk_.taken.order.reset();
    desk_.taken.errors = {{"prescriber", "Inconnu du laboratoire."}, {"tubes[1].number", "Ce numéro est saisi deux fois."}};
    const auto page = post("/demandes", form("faire=enregistrer&examen=NFS&prescripteur=perdu%3F&sejour=S1&tube_avant=&tube_numero=CB1&tube_type=BLD&tube_preleve="));
    EXPECT_EQ(page.status, 422U);
    for (const auto* const text : {"id=\"e-prescriber\"", "href=\"#f-prescriber\"", "value=\"perdu?\"", "value=\"S1\"", "value=\"CB1\"", "id=\"e-tubes[1].number\"",
                                   "name=\"examen\" value=\"NFS\" checked"}) {
        EXPECT_TRUE(has(page, text)) << text;
    }
    desk_.taken.errors.clear();
    desk_.taken.namesakes = {fakes::patient()};
    const auto twins = post("/demandes", "csrf=" + csrf_ + "&jeton=j2&site=1&faire=enregistrer&nom=PAT-TROIS&prenom=DOM&naissance=28%2F03%2F1979&sexe=F");
    EXPECT_EQ(twins.status, 422U);
    EXPECT_TRUE(has(twins, "name=\"choisir\" value=\"" + to_string(fakes::uuid(900)) + "\""));
    EXPECT_TRUE(has(twins, "value=\"28/03/1979\""));
    const auto api = post("/api/v1/orders", R"({"site":1,"traits":{"birth_name":"PAT-TROIS"},"exams":["NFS"]})", csrf_);
    EXPECT_EQ(api.status, 422U);
    EXPECT_EQ(boost::json::parse(api.body).at("namesakes").as_array().size(), 1U);
}

TEST_F(DeskWebTest, AnIdentitySlaveSaysThatThePatientIsMadeElsewhere) {
    desk_.slave = true;
    EXPECT_TRUE(has(post("/demandes", "csrf=" + csrf_ + "&faire=relire&nom=PAT"), "serveur d&#39;identités"));
}

TEST_F(DeskWebTest, OnlyOnHisSitesAndOnlyWhoMayOrder) {
    EXPECT_EQ(post("/demandes", "jeton=j&site=1&faire=enregistrer").status, 403U) << "no CSRF token";
    EXPECT_EQ(post("/demandes", "csrf=" + csrf_ + "&jeton=j&site=2&faire=enregistrer").status, 403U) << "another site";
    EXPECT_EQ(post("/api/v1/orders", R"({"site":2,"exams":["NFS"]})", csrf_).status, 403U);
    EXPECT_EQ(post("/api/v1/orders", R"({"site":1,"strange":true})", csrf_).status, 400U);
    EXPECT_EQ(get(path_of(2) + "/demande").status, 404U);
    sign_in("it");
    EXPECT_EQ(get("/demandes/nouvelle", {{"patient", to_string(fakes::uuid(101))}}).status, 403U);
    EXPECT_EQ(post("/demandes", "csrf=" + csrf_ + "&jeton=j&site=1&faire=enregistrer").status, 403U);
    EXPECT_EQ(get(path_of(1) + "/demande").status, 403U);
    EXPECT_EQ(post("/api/v1/orders", R"({"site":1})", csrf_).status, 403U);
    EXPECT_TRUE(desk_.acts.empty());
}

TEST_F(DeskWebTest, AnOrderIsCorrectedFromTheScreenThatWasSeen) {
    EXPECT_TRUE(has(get(path_of(1)), path_of(1) + "/demande"));
    const auto page = get(path_of(1) + "/demande");
    EXPECT_EQ(page.status, 200U);
    for (const auto* const text : {"Correction du dossier 26112100001", "name=\"annuler\" value=\"P1\"", "name=\"version\" value=\"4\"", "value=\"2026-11-21T19:55\"",
                                   "value=\"COPIE-TEST Alix 89990000003\""}) {
        EXPECT_TRUE(has(page, text)) << text;
    }
    const std::string typed = "csrf=" + csrf_ + "&jeton=j3&version=3&prescripteur=x&annuler=P1&motif=doublon&tube_avant=26112100011&tube_numero=T9&tube_type=BLD&tube_preleve=";
    desk_.refusal = Error{Fault::conflict, "row_version", "the order has changed since it was shown"};
    const auto stale = post(path_of(1) + "/demande", typed + "&faire=enregistrer");
    EXPECT_EQ(stale.status, 409U);
    EXPECT_TRUE(has(stale, "a changé depuis son affichage"));
    EXPECT_TRUE(has(stale, "name=\"version\" value=\"4\"")) << "saved again, it is about the order as it is now";
    EXPECT_TRUE(has(stale, "value=\"T9\""));
    EXPECT_TRUE(has(stale, "value=\"P1\" checked"));
    const auto read = post(path_of(1) + "/demande", typed);
    EXPECT_TRUE(has(read, "name=\"version\" value=\"3\"")) << "reading again is not seeing again";
    desk_.refusal.reset();
    const auto done = post(path_of(1) + "/demande", typed + "&faire=enregistrer");
    EXPECT_EQ(done.headers.find("Location"), path_of(1) + "?corrige=1");
    EXPECT_EQ(desk_.acts.back(), "correct " + to_string(order_id(1)) + " 3 j3 by tech");
    EXPECT_EQ(desk_.typed.cancelled.size(), 1U);
    const auto api = "/api/v1/orders/" + to_string(order_id(1)) + "/correction";
    EXPECT_EQ(post(api, R"({"urgent":true})", csrf_).status, 400U) << "which version?";
    EXPECT_EQ(post(api, R"({"row_version":4,"urgent":true,"specimens":[{"was":"26112100011","number":"T8"}]})", csrf_).status, 200U);
    EXPECT_TRUE(desk_.typed.urgent);
    EXPECT_EQ(desk_.typed.prescriber, "PRESCRIPTEUR-TEST Alix 89990000002") << "what is not said stays";
    EXPECT_EQ(desk_.typed.tubes[0].number, "T8");
    EXPECT_EQ(desk_.typed.tubes[0].type, "BLD");
}

TEST_F(WebTest, LocalAccountsAreRefusedInProduction) {
    Web production(console_, patients_, commands_, waiting_, desk_, clock_, WebSettings{.demonstration_accounts = true, .production = true, .tls = true, .session = {}});
    net::Request request;
    request.method = "POST";
    request.path = "/api/v1/session";
    request.body = R"({"login":"bio","password":"demonstration"})";
    const auto response = run(production.handle(std::move(request)));
    EXPECT_EQ(response.status, 403U);
    EXPECT_TRUE(response.headers.find("Strict-Transport-Security"));
}

}  // namespace
}  // namespace sgl::web

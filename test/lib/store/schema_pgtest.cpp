// Every statement is one that PostgreSQL takes with the rights of its role, and no table lets a site see another's rows
// (SEC-52, SEC-53).
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <regex>
#include <sstream>

#include "lib/store/identities.hpp"
#include "lib/store/queries.hpp"
#include "lib/store/replay.hpp"
#include "lib/store/rules.hpp"
#include "lib/store/waiting.hpp"
#include "test/lib/store/laboratory_fixture.hpp"

namespace sgl::store {
namespace {

struct Listed {
    std::string file;
    std::vector<pg::Query> queries;
};

std::vector<Listed> all_queries() {
    return {{"inbox", inbox_queries()},
            {"inbox_batch", inbox_batch_queries()},
            {"work_rows", work_row_queries()},
            {"link_state", link_state_queries()},
            {"orders", orders_queries()},
            {"reports", reports_queries()},
            {"outbox", outbox_queries()},
            {"accounts", accounts_queries()},
            {"order_taking", order_taking_queries()},
            {"audit", audit_queries()},
            {"work", work_queries()},
            {"rules", rules_queries()},
            {"work_orders", work_order_queries()},
            {"waiting", waiting_queries()},
            {"replay", replay_queries()},
            {"patients", patients_queries()},
            {"identities", identities_queries()},
            {"identity_session", identity_session_queries()}};
}

class PgSchema : public test::LaboratoryTest {
protected:
    /// Prepares and explains: the second checks the rights of the role, too. Gives the error, empty when there is none.
    std::string tried(pg::Connection& connection, const pg::Query& query, int number) {
        const auto name = "q" + std::to_string(number);
        try {
            run(connection.execute("prepare " + name + " as " + std::string(query.sql)));
            const pg::Rows parameters = run(connection.query(
                pg::Query{"", "select cardinality(parameter_types) from pg_prepared_statements where name = $1"},
                pg::params(name)));
            std::string nulls;
            for (std::int64_t i = 0; i < parameters[0].int64(0); ++i)
                nulls += i == 0 ? "null" : ", null";
            run(connection.execute("explain execute " + name + (nulls.empty() ? "" : "(" + nulls + ")")));
        } catch (const pg::DatabaseError& error) {
            return error.sqlstate() + " " + error.what();
        }
        return {};
    }
};

TEST_F(PgSchema, TakesEveryStatementWithTheRightsOfItsRole) {
    pg::Connection application(executor());
    run(application.connect(conninfo("lab_app")));
    pg::Connection auditor(executor());
    run(auditor.connect(conninfo("lab_audit_w")));
    int number = 0;
    for (const auto& [file, queries] : all_queries()) {
        for (const auto& query : queries) {
            const bool sealing = file == "audit" && query.name != "audit.insert";
            EXPECT_EQ(tried(sealing ? auditor : application, query, ++number), "") << query.name;
        }
    }
    EXPECT_GE(number, 40);
}

TEST_F(PgSchema, LooksForAMessageInTheIndexByItsNumberAndNotThroughAllOfItsLink) {
    pg::Connection application(executor());
    run(application.connect(conninfo("lab_app")));
    run(application.execute("set plan_cache_mode = force_generic_plan"));
    run(application.execute("set enable_seqscan = off"));
    const auto queries = inbox_queries();
    const auto look = std::ranges::find(queries, std::string_view("inbox.find_keys"), &pg::Query::name);
    ASSERT_NE(look, queries.end());
    run(application.execute("prepare look as " + std::string(look->sql)));
    const pg::Rows plan =
        run(application.query(pg::Query{"", "explain execute look('{}', '{}', '{}', '{}', '{}')"}, {}));
    std::string text;
    for (const auto row : plan)
        text += row.string(0) + "\n";
    EXPECT_THAT(text,
                ::testing::HasSubstr("Index Cond: ((link_id = n.link_id) AND (key = n.key) AND (sha256 = n.sha))"));
    EXPECT_THAT(text,
                ::testing::HasSubstr("Index Cond: ((link_id = n.link_id) AND (key >= n.first) AND (key <= n.last))"));
}

TEST_F(PgSchema, ListsEveryStatementThatTheStoresHave) {
    const std::regex constant(R"(constexpr pg::Query \w+\{)");
    std::set<std::string_view> names;
    for (const auto& [file, queries] : all_queries()) {
        std::ifstream in("lib/store/" + file + ".cpp");
        ASSERT_TRUE(in) << file;
        std::stringstream text;
        text << in.rdbuf();
        const auto source = text.str();
        const auto found =
            std::distance(std::sregex_iterator(source.begin(), source.end(), constant), std::sregex_iterator());
        EXPECT_EQ(static_cast<std::size_t>(found), queries.size()) << file << ": a statement is not in its list";
        for (const auto& query : queries)
            EXPECT_TRUE(names.insert(query.name).second) << query.name << " twice";
    }
}

/// Tables that name a site and that everybody may read: the laboratory's own settings, without any patient.
bool is_setting(const std::string& table) {
    return table == "link" || table == "analyte" || table == "user_role";
}

struct Table {
    std::string name;
    bool forced;
    bool readable;
};

std::vector<Table> tables_with_site(const pg::Rows& rows) {
    std::vector<Table> tables;
    for (const auto row : rows)
        tables.push_back({row.string(0), row.boolean(1), row.boolean(2)});
    return tables;
}

constexpr std::string_view catalogue_of_tables = R"sql(
    select c.relname, c.relrowsecurity and c.relforcerowsecurity,
           has_table_privilege('lab_app', c.oid, 'select,update,delete')
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind in ('r', 'p')
      and exists (select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'site_id' and not a.attisdropped)
    order by 1)sql";

TEST_F(PgSchema, ForcesRowLevelSecurityOnEveryTableOfASite) {
    const auto tables = tables_with_site(superuser(catalogue_of_tables));
    EXPECT_GE(tables.size(), 18U);
    for (const auto& table : tables) {
        EXPECT_TRUE(table.forced || !table.readable || is_setting(table.name))
            << table.name << " has a site_id, is readable by the application, and has no forced row-level security";
    }
    EXPECT_EQ(count("select count(*) from pg_roles where rolname like 'lab_%' and rolname <> 'lab_owner' and "
                    "(rolbypassrls or rolsuper)"),
              0);
}

TEST_F(PgSchema, ShowsNoSiteARowOfAnother) {
    // One row of each site in every table, whatever the table asks for: checks, keys and triggers aside.
    superuser(R"sql(do $$
        declare t record; k record; i int;
        begin
            for k in select conrelid::regclass as rel, conname from pg_constraint
                     where contype = 'c' and connamespace = 'public'::regnamespace and coninhcount = 0 loop
                execute format('alter table %s drop constraint %I', k.rel, k.conname);
            end loop;
            set session_replication_role = replica;
            for t in select c.oid, c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'site_id'
                     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
                       and c.relforcerowsecurity loop
                for i in 1..2 loop
                    execute (
                        select format('insert into %I (%s) overriding system value values (%s)', t.relname,
                            string_agg(quote_ident(a.attname), ', '),
                            string_agg(case
                                when a.attname in ('site_id', 'legal_entity_id') then i::text
                                when ty.typname = 'uuid' then 'gen_random_uuid()'
                                when ty.typname in ('int4', 'int8') then i::text
                                when ty.typname = 'timestamptz' then 'now()'
                                when ty.typname = 'date' then 'current_date'
                                when ty.typname = 'jsonb' then $q$'{}'$q$
                                when ty.typname = 'bool' then 'false'
                                when ty.typcategory = 'A' then $q$'{}'$q$
                                when ty.typname = 'bytea' then format($q$'\x0%s'$q$, i)
                                else format($q$'x%s'$q$, i) end, ', '))
                        from pg_attribute a join pg_type ty on ty.oid = a.atttypid
                        where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped and a.attnotnull);
                end loop;
            end loop;
        end $$)sql");
    const auto seen = [&](const std::vector<std::int32_t>& scope, const std::string& sql) {
        const auto work = [&]() -> asio::awaitable<std::string> {
            pg::Transaction transaction = co_await pool_.begin(scope);
            try {
                const pg::Query query{"", sql};
                const pg::Rows rows = co_await transaction.query(query);
                const std::string answer = rows.empty() ? std::to_string(rows.affected()) : rows[0].string(0);
                co_await transaction.rollback();
                co_return answer;
            } catch (const pg::DatabaseError& error) {
                co_return error.sqlstate();
            }
        };
        return run(work());
    };
    int tables = 0;
    for (const auto& table : tables_with_site(superuser(catalogue_of_tables))) {
        if (!table.forced) continue;
        ++tables;
        SCOPED_TRACE(table.name);
        const auto all = "select count(*) from " + table.name;
        EXPECT_EQ(count(all), 2);
        EXPECT_EQ(seen({1, 2}, all), "2");
        EXPECT_EQ(seen({1}, all), "1");
        EXPECT_EQ(seen({1}, all + " where site_id <> 1"), "0");
        EXPECT_EQ(seen({}, all), "0") << "without sites nothing is seen";
        EXPECT_EQ(seen({3}, all), "0");
        // 42501: the policy refuses, or the application may not write there at all.
        const auto copy = "insert into " + table.name +
                          " overriding system value select (jsonb_populate_record(null::" + table.name +
                          R"(, to_jsonb(t) || '{"site_id": 2, "legal_entity_id": 2}')).* from )" + table.name + " t";
        EXPECT_EQ(seen({1}, copy), "42501") << "a row written into another site";
        const auto moved = seen({1}, "update " + table.name + " set site_id = 2, legal_entity_id = 2");
        EXPECT_EQ(moved, "42501") << "a row moved to another site";
    }
    EXPECT_EQ(tables, 32);
}

TEST_F(PgSchema, LetsTheApplicationDeleteOrRewriteNoHistory) {
    for (const auto* table :
         {"message", "document", "validated_result", "letter_event", "order_number", "rule_set", "rule_approval"}) {
        EXPECT_EQ(one(std::string("select has_table_privilege('lab_app', '") + table + "', 'update')"), "f") << table;
    }
    for (const auto* table :
         {"message", "document", "result", "letter", "letter_event", "report_version", "patient", "lab_order",
          "audit_event", "audit_chain", "rule_set", "rule_approval", "rule_decision"}) {
        EXPECT_EQ(one(std::string("select has_table_privilege('lab_app', '") + table + "', 'delete, truncate')"), "f")
            << table;
    }
    EXPECT_EQ(one("select has_table_privilege('lab_app', 'audit_event', 'select, update')"), "f");
}

/// What the program prints; empty when it fails.
std::string output_of(const std::string& command) {
    std::string text;
    FILE* const pipe = popen(command.c_str(), "r");
    std::array<char, 65536> block{};
    while (const auto count = std::fread(block.data(), 1, block.size(), pipe))
        text.append(block.data(), count);
    return pclose(pipe) == 0 ? text : "";
}

TEST_F(PgSchema, LetsTheBackupRoleDumpEveryRowOfEverySite) {
    const auto report = signed_report("P1");
    publish(report.ids.version_id, {});
    auto other = message("AUTRE-SITE");
    other.site = test::site_b;
    other.legal_entity = test::entity_b;
    keep(other);
    superuser("update message set received_at = now()");  // into the partition of this month
    ASSERT_EQ(count("select count(*) from only message_default"), 0);
    const auto dump =
        output_of("$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)/pg_dump --enable-row-security '" +
                  conninfo("lab_backup") + "'");
    for (const auto* table : {"message_20", "document_", "letter_event", "audit_event", "patient", "schema_migration"})
        EXPECT_NE(dump.find("COPY public." + std::string(table)), std::string::npos) << table;
    EXPECT_NE(dump.find("\tAUTRE-SITE\t"), std::string::npos);
    EXPECT_NE(dump.find("\tORU-P1\t"), std::string::npos);
    EXPECT_NE(dump.find("setval('public.work_item_id_seq'"), std::string::npos);
    // What an upgrade or the next months add is readable, too.
    superuser("do $$ begin set local role lab_owner; create table later (id int); call make_partitions(60); end $$");
    EXPECT_EQ(count("select count(*) from pg_class where relkind in ('r', 'p', 'S') and relnamespace = "
                    "'public'::regnamespace and not has_table_privilege('lab_backup', oid, 'select')"),
              0);
    EXPECT_EQ(count("select count(*) from pg_class where relkind in ('r', 'p') and relnamespace = "
                    "'public'::regnamespace and has_table_privilege('lab_backup', oid, 'insert, update, delete')"),
              0);
}

TEST_F(PgSchema, LetsTheBackupRoleReadAMonthMadeAfterItsGrants) {
    keep(message("M1"));
    superuser("do $$ begin set local role lab_owner; call make_partitions(60); end $$");
    superuser("update message set received_at = now() + interval '59 months'");
    const auto month = one("select tableoid::regclass::text from message");
    ASSERT_NE(month, "message_default");
    const auto rows_read_by = [&](std::string_view role, const std::string& table) -> std::string {
        pg::Connection reader(executor());
        run(reader.connect(conninfo(role)));
        const auto sql = "select count(*)::text from " + table;
        try {
            const pg::Rows rows = run(reader.query(pg::Query{"", sql}, pg::params()));
            return rows[0].string(0);
        } catch (const pg::DatabaseError& error) {
            return std::string(error.sqlstate());
        }
    };
    EXPECT_EQ(rows_read_by("lab_backup", month), "1");
    EXPECT_EQ(rows_read_by("lab_backup", "message"), "1");
    EXPECT_EQ(rows_read_by("lab_app", month), "42501") << "no way round the sites of the table";
}

TEST_F(PgSchema, KeepsTheInstanceIdentifierForEver) {
    superuser("insert into instance values (true, '0190aaaa-0000-7000-8000-000000000001', 'essai', 'test', now())");
    EXPECT_THROW(superuser("update instance set instance_uuid = '0190aaaa-0000-7000-8000-000000000002'"),
                 pg::DatabaseError);
    EXPECT_THROW(superuser("delete from instance"), pg::DatabaseError);
    EXPECT_NO_THROW(superuser("update instance set label = 'autre'"));
}

}  // namespace
}  // namespace sgl::store

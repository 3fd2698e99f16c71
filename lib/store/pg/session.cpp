#include "lib/store/pg/session.hpp"

#include <atomic>

#include "lib/base/log.hpp"
#include "lib/store/pg/connection.hpp"

namespace sgl::pg {

namespace {

constexpr Query set_session{"", R"sql(
    select set_config('application_name', $1, false), set_config('search_path', $2, false),
           set_config('statement_timeout', $3, false), set_config('lock_timeout', $4, false),
           set_config('idle_in_transaction_session_timeout', $5, false),
           set_config('synchronous_commit', $6, false), set_config('TimeZone', 'UTC', false),
           set_config('DateStyle', 'ISO, YMD', false), set_config('IntervalStyle', 'iso_8601', false),
           set_config('bytea_output', 'hex', false), set_config('standard_conforming_strings', 'on', false),
           set_config('client_min_messages', 'error', false), set_config('extra_float_digits', '1', false),
           set_config('client_connection_check_interval', '10s', false), set_config('jit', 'off', false),
           set_config('plan_cache_mode', $7, false), set_config('enable_seqscan', $8, false),
           set_config('enable_hashjoin', $8, false), set_config('enable_mergejoin', $8, false))sql"};

constexpr Query look_at_server{"", R"sql(
    select current_setting('fsync') as fsync, current_setting('full_page_writes') as full_page_writes,
           current_setting('data_checksums') as data_checksums, current_setting('server_encoding') as encoding,
           current_setting('server_version_num')::int as version, pg_is_in_recovery() as standby)sql"};

std::string milliseconds(std::chrono::milliseconds duration) {
    return std::to_string(duration.count()) + "ms";
}

}  // namespace

asio::awaitable<void> open_session(Connection& connection, const Session& session) {
    std::vector<Step> steps;
    steps.push_back({look_at_server, {}});
    steps.push_back(
        {set_session, params(session.application_name, session.search_path, milliseconds(session.statement_timeout),
                             milliseconds(session.lock_timeout), milliseconds(session.idle_in_transaction_timeout),
                             session.allow_unsafe_server ? "off" : "on",
                             session.plan_by_key ? "force_generic_plan" : "auto", session.plan_by_key ? "off" : "on")});
    const auto answers = co_await connection.pipeline(std::move(steps));
    const auto server = answers.at(0)[0];
    if (!session.allow_unsafe_server) {
        if (server.text("fsync") != "on")
            throw ServerRefused("the database server runs with fsync=off: it can lose acknowledged results; set it on");
        if (server.text("full_page_writes") != "on")
            throw ServerRefused(
                "the database server runs with full_page_writes=off: a power cut can corrupt it; set it on");
    }
    if (server.text("encoding") != "UTF8") throw ServerRefused("the database is not in UTF8");
    if (server.int32("version") < 150000) throw ServerRefused("PostgreSQL before version 15 is not supported");
    if (server.boolean("standby")) throw DatabaseError("25006", "the server is a read-only standby", "connect");
    if (server.text("data_checksums") != "on") {
        static std::atomic<bool> said{false};
        if (!said.exchange(true))
            log::warn("the database cluster has no data checksums: corruption would not be noticed");
    }
}

}  // namespace sgl::pg

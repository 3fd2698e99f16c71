// What goes wrong with the database, without any data of a patient (SEC-70): the server's DETAIL, HINT and CONTEXT are
// dropped, and the primary message too where it can quote a value.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace sgl::pg {

class DatabaseError : public std::runtime_error {
public:
    /// `primary` is the server's primary message; kept only for classes of SQLSTATE that never quote values.
    DatabaseError(std::string_view sqlstate, std::string_view primary, std::string_view query,
                  std::string_view constraint = {});

    const std::string& sqlstate() const { return sqlstate_; }      ///< five characters; "08006" when the server is gone
    const std::string& constraint() const { return constraint_; }  ///< name of the violated constraint, or empty
    const std::string& query() const { return query_; }            ///< Query::name, or empty

    bool is_unique_violation() const { return sqlstate_ == "23505"; }
    bool is_foreign_key_violation() const { return sqlstate_ == "23503"; }
    /// The server is gone, going, not there yet or read-only after a failover: a new connection may help.
    bool is_connection_loss() const;
    /// Serialization failure or deadlock: repeating the whole transaction helps.
    bool is_serialization() const { return sqlstate_ == "40001" || sqlstate_ == "40P01"; }
    /// The connection was lost after COMMIT was sent: nobody knows whether it happened. Never retried blindly.
    bool is_in_doubt() const { return in_doubt_; }
    DatabaseError in_doubt() const;  ///< the same error, marked

private:
    std::string sqlstate_;
    std::string constraint_;
    std::string query_;
    bool in_doubt_{false};
};

/// The server breaks a condition that we do not work without (SEC-55): durability, version, encoding. Needs a person.
class ServerRefused : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

}  // namespace sgl::pg

// What `sgld` does for the laboratory's IT beside running: each command opens the database, does one thing, and says
// it.
#pragma once

#include <string>
#include <vector>

#include "config/settings.hpp"

namespace sgl::daemon {

/// What a demonstration biologist does with an order.
struct SigningCommand {
    std::string order;  ///< its number
    std::string login;
    std::string comment;
    std::string reason;  ///< why a report that has left is replaced or withdrawn
    bool partial{};      ///< sign what is there, though results are missing
    bool withdraw{};     ///< take its report back, and sign nothing
};

/// 0 done, 1 refused or failed with a sentence on standard error.
int migrate(const config::Settings& settings);
/// Files by name and bytes: they were read before the process became the daemon's user.
struct InputFile {
    std::string name;
    std::string bytes;
};
int import_files(const config::Settings& settings, const std::vector<InputFile>& files);
int status(const config::Settings& settings, bool json);
/// Demonstration accounts only.
int validate(const config::Settings& settings, const SigningCommand& command);

struct LetterCommand {
    std::string verb;  ///< list, show, retry, hold, abandon
    std::string id;
    std::string why;
    std::string state;  ///< of list; empty: all
    bool json{};
};
int letters(const config::Settings& settings, const LetterCommand& command);
struct IdentityCommand {
    std::string verb;  ///< documents, changes, split, close, status
    std::int64_t change{};
    std::string patient;
    std::string status;
    std::string why;
    bool json{};
};
int identity(const config::Settings& settings, const IdentityCommand& command);
int account(const config::Settings& settings, bool json, bool recount);
int export_documents(const config::Settings& settings, const std::string& folder);
int audit(const config::Settings& settings);

}  // namespace sgl::daemon

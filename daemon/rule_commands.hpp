// `sgld rules`: the sets that help biologists to validate, imported, tried on past results, approved, listed.
#pragma once

#include <cstdint>
#include <string>

#include "config/settings.hpp"
#include "daemon/operator_commands.hpp"

namespace sgl::daemon {

struct RulesCommand {
    std::string verb;  ///< check, import, simulate, approve, list
    InputFile file;    ///< of the first three
    std::int32_t number{};
    std::string login;  ///< demonstration account that approves
    std::string from;   ///< of simulate: days of validation, both included
    std::string to;
    bool json{};
};

/// What is wrong with a file of rules, each at its coordinate; needs no database.
int check_rules(const InputFile& file);
int rules(const config::Settings& settings, const RulesCommand& command);

}  // namespace sgl::daemon

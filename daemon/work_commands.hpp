// `sgld work`: what waits because a message could not be understood wholly, mapping it, and reading it again.
#pragma once

#include <cstdint>
#include <string>

#include "config/settings.hpp"

namespace sgl::daemon {

struct WorkCommand {
    std::string verb;  ///< list, show, map, replay, dismiss, assign, mappings, forget
    std::int64_t id{};  ///< of a work item, or of a mapping; 0: none
    std::int64_t message{};
    std::string link;
    std::string kind;    ///< code, unit, value, flag
    std::string theirs;
    std::string ours;    ///< of a flag: ignore, comment, block or hide
    std::string unit;
    std::string factor;
    std::string text;
    std::string number;  ///< of an order or specimen
    std::string why;
    bool all{};
    bool only_expect{};  ///< map: say what it would change
    bool json{};
};
/// 0 done, 1 refused or failed with a sentence on standard error.
int work(const config::Settings& settings, const WorkCommand& command);

}  // namespace sgl::daemon

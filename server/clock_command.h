// `kubemu clock`: shows and turns the clock of a running cluster.
#pragma once

#include <string>

namespace kubemu::server {

struct ClockCommand {
    enum class Action { show, advance, set, settle };
    Action action = Action::show;
    std::string argument;  // a duration or a time
    std::string server = "http://127.0.0.1:8080";
};

// Prints what the clock shows afterwards and what waits. The process's exit code.
int run_clock_command(const ClockCommand& command);

}  // namespace kubemu::server

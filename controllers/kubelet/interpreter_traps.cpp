// Signals, what `trap` has set up for them, and commands in the background.
#include <algorithm>
#include <utility>

#include "controllers/kubelet/interpreter.h"

namespace kubemu::controllers::kubelet::shell {

void Interpreter::run_trap(const std::string& action, bool ends) {
    interrupted_.push_back({program_, at_, std::move(lists_), std::move(positions_), std::move(open_redirects_), machine_.status, ends});
    load(parse(action));
}

void Interpreter::leave_trap() {
    Interrupted before = std::move(interrupted_.back());
    interrupted_.pop_back();
    load(std::move(before.program));
    at_ = before.at;
    lists_ = std::move(before.lists);
    positions_ = std::move(before.positions);
    open_redirects_ = std::move(before.open_redirects);
    machine_.status = before.status;
    machine_.exited = before.ends;
}

bool Interpreter::run_exit_trap() {
    const auto found = machine_.traps.find("EXIT");
    if (found == machine_.traps.end()) return false;
    const std::string action = found->second;
    machine_.traps.erase(found);
    if (action.empty()) return false;
    machine_.exited = false;
    at_ = program_->code.size();
    interrupted_.clear();
    run_trap(action, true);
    return true;
}

void Interpreter::signal(const std::string& name, Time at) {
    const auto found = machine_.traps.find(name);
    if (found == machine_.traps.end() || found->second.empty()) return;
    signals_.push_back(name);
    if (!machine_.waiting || (!machine_.endless && machine_.time <= at)) return;
    constexpr int by_signal = 128 + 15;
    machine_.waiting = machine_.endless = false;
    machine_.time = at;
    machine_.status = by_signal;
}

void Interpreter::leave_in_background(Time start) {
    machine_.newest_job = machine_.endless ? std::nullopt : std::optional(machine_.time);
    if (!machine_.newest_job || !machine_.all_jobs) machine_.all_jobs.reset();
    else machine_.all_jobs = std::max(*machine_.all_jobs, *machine_.newest_job);
    machine_.time = start;
    machine_.endless = machine_.waiting = false;
    machine_.stop_code.reset();
    machine_.status = 0;
}

}  // namespace kubemu::controllers::kubelet::shell

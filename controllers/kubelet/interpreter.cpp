// The instruction loop.
#include "controllers/kubelet/interpreter.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace kubemu::controllers::kubelet {
namespace shell {
namespace {

constexpr int steps_per_second = 4000;
constexpr int steps_per_run_max = 400'000;
constexpr int captured_steps_max = 20'000;
constexpr std::size_t captured_bytes_max = 256 * 1024;
constexpr int depth_max = 20;
// What is written before somebody has to take it: run() is called again then.
constexpr std::size_t run_bytes_max = 1024 * 1024;

bool is_assignment(std::string_view word, std::size_t& equals) {
    equals = word.find('=');
    if (equals == word.npos || equals == 0 || std::isdigit(static_cast<unsigned char>(word[0]))) return false;
    return std::all_of(word.begin(), word.begin() + static_cast<std::ptrdiff_t>(equals),
                       [](unsigned char c) { return std::isalnum(c) || c == '_'; });
}

std::string joined(const std::vector<std::string>& fields) {
    std::string text;
    for (const std::string& field : fields) text += (text.empty() ? "" : " ") + field;
    return text;
}

std::string absolute(const Machine& machine, const std::string& path) {
    return !path.empty() && path[0] == '/' ? path : machine.directory + "/" + path;
}

}  // namespace

Interpreter::Interpreter(Machine machine, std::shared_ptr<const Program> program)
    : machine_(std::move(machine)), program_(std::move(program)), lists_(static_cast<std::size_t>(program_->slots)),
      positions_(static_cast<std::size_t>(program_->slots)) {}

bool Interpreter::finished() const { return machine_.exited || (interrupted_.empty() && signals_.empty() && at_ >= program_->code.size()); }

void Interpreter::run(Time until, const Process::Output& output) {
    if (!program_->error.empty() && !machine_.exited) {
        output(machine_.time, "sh: " + program_->error + "\n", 2);
        machine_.status = 2;
        machine_.exited = true;
    }
    int steps = 0;
    written_ = 0;
    until_ = until;
    while (!finished() && !machine_.endless && !wants_input_ && machine_.time <= until && written_ < run_bytes_max) {
        const Time before = machine_.time;
        // A trap waits for the end of the pipeline.
        if (!signals_.empty() && interrupted_.empty() && !pipe_) {
            const auto found = machine_.traps.find(signals_.front());
            signals_.erase(signals_.begin());
            if (found != machine_.traps.end()) run_trap(found->second, false);
        }
        if (at_ >= program_->code.size()) {
            if (interrupted_.empty()) break;
            leave_trap();
            continue;
        }
        step(output);
        busy_steps_ = machine_.time == before ? busy_steps_ + 1 : 0;
        if (busy_steps_ >= steps_per_second) {
            machine_.time += std::chrono::seconds(1);
            busy_steps_ = 0;
        }
        if (machine_.depth > 0 && --machine_.steps_left <= 0) machine_.endless = true;
        if (++steps >= steps_per_run_max && machine_.time < until) {
            machine_.time = until;  // too far behind: what would have been written is not
            steps = 0;
        }
    }
}

void Interpreter::resume(Time at) {
    if (wants_input_) machine_.time = std::max(machine_.time, at);
    wants_input_ = false;
}

void Interpreter::load(std::shared_ptr<const Program> program) {
    program_ = std::move(program);
    at_ = 0;
    lists_.assign(static_cast<std::size_t>(program_->slots), {});
    positions_.assign(static_cast<std::size_t>(program_->slots), 0);
    open_redirects_.clear();
    waiting_.reset();
    pipe_.reset();
    wants_input_ = false;
}

void Interpreter::interrupt(Time at) {
    constexpr int interrupted = 130;  // 128 and SIGINT
    at_ = program_->code.size();
    open_redirects_.clear();
    waiting_.reset();
    machine_.followed.reset();
    pipe_.reset();
    wants_input_ = machine_.endless = false;
    machine_.time = at;
    machine_.status = interrupted;
}

void Interpreter::suspend() {
    machine_.wants_input = false;
    wants_input_ = true;
    --at_;
}

std::string Interpreter::capture(Machine& machine, const std::shared_ptr<const Program>& program, Input& input, bool subshell,
                                 std::string& err) {
    std::string text, errors;
    if (machine.depth >= depth_max) return text;
    Machine inner = machine;
    inner.depth = machine.depth + 1;
    inner.steps_left = machine.depth > 0 ? machine.steps_left : captured_steps_max;
    Interpreter interpreter(std::move(inner), program);
    *interpreter.input_ = input;
    const Time until = machine.time + std::chrono::hours(24 * 365);
    const auto keep = [&](Time, std::string_view part, int descriptor) {
        std::string& target = descriptor == 2 ? errors : text;
        if (target.size() < captured_bytes_max) target += part;
    };
    do interpreter.run(until, keep);
    while (interpreter.written_ >= run_bytes_max);
    if (interpreter.wants_input_) {
        machine.wants_input = true;
        return {};
    }
    input = std::move(*interpreter.input_);
    err += errors;
    Machine& after = interpreter.machine_;
    machine.time = after.time;
    machine.status = after.status;
    machine.endless = after.endless || !interpreter.finished();
    machine.steps_left = after.steps_left;
    if (!subshell) {
        machine.variables = std::move(after.variables);
        machine.directory = std::move(after.directory);
        machine.exited = after.exited;
    }
    return text;
}

void Interpreter::step(const Process::Output& output) {
    using Op = Instruction::Op;
    const Instruction& now = program_->code[at_++];
    machine_.waiting = false;
    switch (now.op) {
        case Op::command: return command(now, output);
        case Op::jump: at_ = now.target; return;
        case Op::jump_if_ok: if (machine_.status == 0) at_ = now.target; return;
        case Op::jump_if_fail: if (machine_.status != 0) at_ = now.target; return;
        case Op::negate: machine_.status = machine_.status == 0 ? 1 : 0; return;
        case Op::set_ok: machine_.status = 0; return;
        case Op::pipeline: return pipeline(now, output);
        case Op::subshell: return subshell(now, output);
        case Op::for_start: {
            std::vector<std::string>& list = lists_[static_cast<std::size_t>(now.slot)];
            list.clear();
            for (const std::string& word : now.words)
                for (std::string& field : expand_word(machine_, word, true)) list.push_back(std::move(field));
            positions_[static_cast<std::size_t>(now.slot)] = 0;
            return;
        }
        case Op::for_next: {
            const auto slot = static_cast<std::size_t>(now.slot);
            if (positions_[slot] >= lists_[slot].size()) at_ = now.target;
            else machine_.variables[now.words[0]] = lists_[slot][positions_[slot]++];
            return;
        }
        case Op::case_match: {
            const std::string subject = joined(expand_word(machine_, now.words[0], false));
            for (std::size_t i = 1; i < now.words.size(); ++i)
                if (glob_match(joined(expand_word(machine_, now.words[i], false)), subject)) return;
            at_ = now.target;
            return;
        }
        case Op::redirect: {
            std::string err;
            auto given = given_input(now.redirects, err);
            open_redirects_.push_back({now.redirects, std::move(given)});
            if (!err.empty()) output(machine_.time, err, 2);
            return;
        }
        case Op::end_redirect: if (!open_redirects_.empty()) open_redirects_.pop_back(); return;
    }
}

// Runs ahead of the clock as a whole; a group in braces does not.
void Interpreter::subshell(const Instruction& instruction, const Process::Output& output) {
    const Time start = machine_.time;
    Streams streams;
    streams.out = Interpreter::capture(machine_, instruction.stages[0], current_input(), true, streams.err);
    if (machine_.wants_input) return suspend();
    if (instruction.background) leave_in_background(start);
    emit({}, streams, output);
}

Input& Interpreter::current_input() {
    for (auto outer = open_redirects_.rbegin(); outer != open_redirects_.rend(); ++outer)
        if (outer->input) return *outer->input;
    return *input_;
}

std::optional<Input> Interpreter::given_input(const std::vector<Redirect>& redirects, std::string& err) {
    std::optional<Input> given;
    for (const Redirect& redirect : redirects) {
        if (redirect.kind == Redirect::Kind::text) {
            given = Input{redirect.literal ? redirect.word : expand_text(machine_, redirect.word), false};
        } else if (redirect.kind == Redirect::Kind::read) {
            const std::string path = joined(expand_word(machine_, redirect.word, false));
            const auto content = machine_.files->read(absolute(machine_, path));
            if (!content && path != "/dev/null") {
                err = "sh: can't open " + path + ": no such file\n";
                machine_.status = 1;
            }
            given = Input{content.value_or(""), false};
        }
    }
    return given;
}

// Nothing when a substitution waits for ever.
std::optional<Interpreter::Call> Interpreter::expand(const Instruction& instruction) {
    Call call;
    bool substitutes = false;
    machine_.matches_names = instruction.words.empty() || instruction.words.front() != "[[";
    for (const std::string& word : instruction.words) {
        std::size_t equals = 0;
        substitutes = substitutes || word.find("$(") != std::string::npos || word.find('`') != std::string::npos;
        if (call.argv.empty() && is_assignment(word, equals)) {
            const std::string name = word.substr(0, equals);
            const std::string_view value = std::string_view(word).substr(equals + 1);
            if (value.size() > 1 && value.front() == '(' && value.back() == ')') {
                assign_list(name, value.substr(1, value.size() - 2), call);
                continue;
            }
            call.assignments.emplace_back(name, joined(expand_word(machine_, value, false)));
            continue;
        }
        for (std::string& field : expand_word(machine_, word, true)) call.argv.push_back(std::move(field));
    }
    machine_.matches_names = true;
    if (machine_.endless) return std::nullopt;
    // An assignment alone ends as its command substitution did.
    if (!call.argv.empty() || !substitutes) {
        if (call.argv.size() != 1 || call.argv[0] != "exit") machine_.status = 0;  // a bare exit keeps the last status
    }
    return call;
}

// name=(one two): parsed as the words of a command are.
void Interpreter::assign_list(const std::string& name, std::string_view list, Call& call) {
    for (auto old = machine_.variables.lower_bound(name + "[");
         old != machine_.variables.end() && old->first.compare(0, name.size() + 1, name + "[") == 0;)
        old = machine_.variables.erase(old);
    std::size_t count = 0;
    const std::shared_ptr<const Program> words = parse(": " + std::string(list));
    for (const Instruction& part : words->code) {
        for (std::size_t i = 1; i < part.words.size(); ++i) {
            for (std::string& field : expand_word(machine_, part.words[i], true)) {
                call.assignments.emplace_back(count == 0 ? name : name + "[" + std::to_string(count) + "]",
                                              std::move(field));
                ++count;
            }
        }
    }
}

void Interpreter::command(const Instruction& instruction, const Process::Output& output) {
    std::optional<Call> call = std::exchange(waiting_, std::nullopt);
    Streams streams;
    streams.resumed = call.has_value();
    if (!call) call = expand(instruction);
    if (!call) return;
    streams.err = std::exchange(machine_.errors, {});
    std::string unreadable;
    std::optional<Input> given = given_input(instruction.redirects, unreadable);
    streams.err += unreadable;
    streams.input = given ? &*given : &current_input();
    streams.live = machine_.depth == 0 && !given && instruction.redirects.empty() && open_redirects_.empty();
    const bool runs = !call->argv.empty(), restores = runs && !call->assignments.empty();
    const std::map<std::string, std::string> saved = restores ? machine_.variables : std::map<std::string, std::string>();
    for (const auto& [name, value] : call->assignments) machine_.variables[name] = value;
    if (runs && unreadable.empty()) {
        const Time start = machine_.time;
        if (!run_command(machine_, call->argv, streams)) unknown_program(call->argv[0], streams);
        if (machine_.wants_input) {
            if (restores) machine_.variables = saved;
            machine_.time = start;
            if (streams.written_early) emit({}, streams, output);
            waiting_ = std::move(call);
            return suspend();
        }
        if (instruction.background) {
            leave_in_background(start);
            machine_.followed.reset();
        }
    }
    if (restores) machine_.variables = saved;
    emit(instruction.redirects, streams, output);
    if (machine_.followed) {  // the same again, from where it has come to
        waiting_ = std::move(call);
        --at_;
    }
}

// A program of the image that is not known here.
void Interpreter::unknown_program(const std::string& name, Streams& streams) {
    machine_.status = 0;
    if (machine_.unknown_is_an_error) {
        machine_.status = 127;
        streams.err += "sh: " + name + ": not found\n";
    } else {
        run_unknown(machine_, name);
    }
}

void Interpreter::emit(const std::vector<Redirect>& redirects, const Streams& streams, const Process::Output& output) {
    write_text(1, streams.out, redirects, output);
    write_text(2, streams.err, redirects, output);
}

void Interpreter::write_text(int descriptor, const std::string& text, const std::vector<Redirect>& redirects, const Process::Output& output) {
    const auto target = [&](const std::vector<Redirect>& list) -> const Redirect* {
        const Redirect* found = nullptr;
        for (const Redirect& redirect : list)
            if (redirect.descriptor == descriptor && redirect.kind != Redirect::Kind::read && redirect.kind != Redirect::Kind::text) found = &redirect;
        return found;
    };
    const auto handle = [&](const std::vector<Redirect>& list, bool truncates) {
        const Redirect* found = target(list);
        if (found == nullptr) return false;
        if (found->kind == Redirect::Kind::to_stdout) {
            const int other = found->word == "2" ? 2 : 1;
            if (other != descriptor) {
                descriptor = other;
                found = target(list);
                if (found == nullptr || found->kind == Redirect::Kind::to_stdout) return false;
                truncates = false;
            } else {
                return false;
            }
        }
        const std::string path = absolute(machine_, joined(expand_word(machine_, found->word, false)));
        if (path == "/dev/stdout" || path == "/dev/stderr" || path == "/proc/1/fd/1") return false;
        if (!machine_.files->write(path, text, found->kind == Redirect::Kind::append || !truncates)) {
            output(machine_.time, "sh: can't create " + path + ": Read-only file system\n", 2);
            machine_.status = 1;
        }
        return true;
    };
    if (handle(redirects, true)) return;
    for (auto outer = open_redirects_.rbegin(); outer != open_redirects_.rend(); ++outer)
        if (handle(outer->list, false)) return;
    written_ += text.size();
    if (!text.empty()) output(machine_.time, text, descriptor);
}

}  // namespace shell

}  // namespace kubemu::controllers::kubelet

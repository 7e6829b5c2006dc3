// The instruction loop, and the process that wraps it.
#include "controllers/kubelet/interpreter.h"

#include <algorithm>
#include <cctype>

namespace kubemu::controllers::kubelet {
namespace shell {
namespace {

constexpr int steps_per_second = 4000;
constexpr int steps_per_run_max = 400'000;
constexpr int captured_steps_max = 20'000;
constexpr std::size_t captured_bytes_max = 256 * 1024;
constexpr int depth_max = 20;

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

bool Interpreter::finished() const { return machine_.exited || at_ >= program_->code.size(); }

void Interpreter::run(Time until, const Process::Output& output) {
    if (!program_->error.empty() && !machine_.exited) {
        output(machine_.time, "sh: " + program_->error + "\n");
        machine_.status = 2;
        machine_.exited = true;
    }
    int steps = 0;
    while (!finished() && !machine_.endless && machine_.time <= until) {
        const Time before = machine_.time;
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

std::string Interpreter::capture(Machine& machine, const std::shared_ptr<const Program>& program, std::string input, bool subshell) {
    std::string text;
    if (machine.depth >= depth_max) return text;
    Machine inner = machine;
    inner.depth = machine.depth + 1;
    inner.steps_left = machine.depth > 0 ? machine.steps_left : captured_steps_max;
    Interpreter interpreter(std::move(inner), program);
    interpreter.input_ = std::move(input);
    interpreter.run(machine.time + std::chrono::hours(24 * 365), [&](Time, std::string_view part) {
        if (text.size() < captured_bytes_max) text += part;
    });
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
    switch (now.op) {
        case Op::command: return command(now, output);
        case Op::jump: at_ = now.target; return;
        case Op::jump_if_ok: if (machine_.status == 0) at_ = now.target; return;
        case Op::jump_if_fail: if (machine_.status != 0) at_ = now.target; return;
        case Op::negate: machine_.status = machine_.status == 0 ? 1 : 0; return;
        case Op::set_ok: machine_.status = 0; return;
        case Op::pipeline: {
            std::string text;
            const Time start = machine_.time;
            for (const auto& stage : now.stages) {
                const bool before = machine_.endless;
                text = Interpreter::capture(machine_, stage, std::move(text), true);
                machine_.endless = machine_.endless || before;
            }
            if (now.background) machine_.time = start, machine_.endless = false;
            Streams streams;
            streams.out = std::move(text);
            return emit({}, streams, output);
        }
        case Op::subshell: {
            // Runs ahead of the clock as a whole; a group in braces does not.
            const Time start = machine_.time;
            Streams streams;
            streams.out = Interpreter::capture(machine_, now.stages[0], input_, true);
            if (now.background) machine_.time = start, machine_.endless = false, machine_.status = 0;
            return emit({}, streams, output);
        }
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
        case Op::redirect: open_redirects_.push_back(now.redirects); return;
        case Op::end_redirect: if (!open_redirects_.empty()) open_redirects_.pop_back(); return;
    }
}

void Interpreter::command(const Instruction& instruction, const Process::Output& output) {
    std::vector<std::string> argv;
    std::vector<std::pair<std::string, std::string>> assignments;
    bool substitutes = false;
    for (const std::string& word : instruction.words) {
        std::size_t equals = 0;
        substitutes = substitutes || word.find("$(") != std::string::npos || word.find('`') != std::string::npos;
        if (argv.empty() && is_assignment(word, equals)) {
            assignments.emplace_back(word.substr(0, equals), joined(expand_word(machine_, std::string_view(word).substr(equals + 1), false)));
            continue;
        }
        for (std::string& field : expand_word(machine_, word, true)) argv.push_back(std::move(field));
    }
    if (machine_.endless) return;
    // An assignment alone ends as its command substitution did.
    if (!argv.empty() || !substitutes) {
        if (argv.size() != 1 || argv[0] != "exit") machine_.status = 0;  // a bare exit keeps the last status
    }
    Streams streams;
    const auto feed = [&](const std::vector<Redirect>& redirects) {
        for (const Redirect& redirect : redirects) {
            if (redirect.kind == Redirect::Kind::text) {
                streams.input = redirect.literal ? redirect.word : expand_text(machine_, redirect.word);
            } else if (redirect.kind == Redirect::Kind::read) {
                const std::string path = joined(expand_word(machine_, redirect.word, false));
                const auto content = machine_.files->read(absolute(machine_, path));
                if (!content && path != "/dev/null") {
                    streams.err = "sh: can't open " + path + ": no such file\n";
                    machine_.status = 1;
                }
                streams.input = content.value_or("");
            }
        }
    };
    streams.input = input_;
    for (const auto& outer : open_redirects_) feed(outer);
    feed(instruction.redirects);
    const std::map<std::string, std::string> saved = argv.empty() || assignments.empty() ? std::map<std::string, std::string>() : machine_.variables;
    for (auto& [name, value] : assignments) machine_.variables[name] = std::move(value);
    if (!argv.empty() && streams.err.empty()) {
        const Time start = machine_.time;
        if (!run_command(machine_, argv, streams)) {
            // A program of the image that is not known here.
            if (machine_.unknown_runs_for_ever && machine_.depth == 0) machine_.endless = true;
            else machine_.time += machine_.unknown_duration;
            machine_.status = 0;
        }
        if (instruction.background) machine_.time = start, machine_.endless = false, machine_.status = 0;
    }
    if (!saved.empty()) machine_.variables = saved;
    emit(instruction.redirects, streams, output);
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
            output(machine_.time, "sh: can't create " + path + ": Read-only file system\n");
            machine_.status = 1;
        }
        return true;
    };
    if (handle(redirects, true)) return;
    for (auto outer = open_redirects_.rbegin(); outer != open_redirects_.rend(); ++outer)
        if (handle(*outer, false)) return;
    if (!text.empty()) output(machine_.time, text);
}

}  // namespace shell

namespace {

std::string_view base_of(std::string_view path) { return path.substr(path.rfind('/') == path.npos ? 0 : path.rfind('/') + 1); }

bool is_shell(std::string_view program) {
    const std::string_view base = base_of(program);
    return base == "sh" || base == "bash" || base == "ash" || base == "dash";
}

std::shared_ptr<const shell::Program> program_of(const std::vector<std::string>& argv, shell::Machine& machine) {
    for (std::size_t i = 1; i < argv.size() && is_shell(argv[0]); ++i) {
        if (argv[i].empty() || (argv[i][0] != '-' && argv[i][0] != '+')) {
            const auto script = machine.files->read(argv[i]);
            machine.arguments.assign(argv.begin() + static_cast<std::ptrdiff_t>(i), argv.end());
            if (script) return shell::parse(*script);
            break;
        }
        if (argv[i][0] == '-' && argv[i].find('c') != std::string::npos && i + 1 < argv.size()) {
            machine.arguments.assign(argv.begin() + static_cast<std::ptrdiff_t>(i) + 2, argv.end());
            if (machine.arguments.empty()) machine.arguments.push_back(argv[0]);
            return shell::parse(argv[i + 1]);
        }
    }
    auto program = std::make_shared<shell::Program>();
    if (argv.empty() || (argv.size() == 1 && is_shell(argv[0]))) return program;  // no input: it ends at once
    shell::Instruction run;
    for (const std::string& word : argv) {
        std::string quoted = "'";
        for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
        run.words.push_back(quoted + "'");
    }
    program->code.push_back(std::move(run));
    return program;
}

class InterpretedProcess final : public Process {
  public:
    explicit InterpretedProcess(ProcessContext context) : context_(std::move(context)), interpreter_(make(context_)) {}

    State advance(Time until, const Output& output) override {
        interpreter_->run(until, output);
        const shell::Machine& machine = interpreter_->machine();
        State state;
        if (machine.endless) return state;
        if (interpreter_->finished() && machine.time <= until) {
            state.exited = true;
            state.exit_code = machine.status;
            state.finished_at = machine.time;
        } else {
            state.next = machine.time;
        }
        return state;
    }

    ExecResult exec(const std::vector<std::string>& argv, Time at) override {
        ProcessContext context = context_;
        context.argv = argv;
        context.started_at = at;
        context.unknown_runs_for_ever = false;
        context.unknown_duration = Duration::zero();
        const auto interpreter = make(context);
        ExecResult result;
        const Time limit = at + std::chrono::minutes(5);
        interpreter->run(limit, [&](Time, std::string_view text) { result.output += text; });
        result.exit_code = interpreter->machine().status;
        result.endless = interpreter->machine().endless || !interpreter->finished();
        result.duration = std::min(interpreter->machine().time, limit) - at;
        return result;
    }

    bool changes_files() const override { return true; }

  private:
    static std::unique_ptr<shell::Interpreter> make(const ProcessContext& context) {
        shell::Machine machine;
        machine.variables = context.env;
        machine.arguments = {"sh"};
        machine.directory = context.working_directory;
        machine.files = context.files;
        machine.network = context.network;
        machine.host_name = context.host_name;
        machine.pod_namespace = context.pod_namespace;
        machine.unknown_runs_for_ever = context.unknown_runs_for_ever;
        machine.unknown_duration = context.unknown_duration;
        machine.time = context.started_at;
        auto program = program_of(context.argv, machine);
        return std::make_unique<shell::Interpreter>(std::move(machine), std::move(program));
    }

    ProcessContext context_;
    std::unique_ptr<shell::Interpreter> interpreter_;
};

}  // namespace

std::unique_ptr<Process> make_interpreted_process(ProcessContext context) { return std::make_unique<InterpretedProcess>(std::move(context)); }

bool is_known_program(std::string_view program) { return is_shell(program) || shell::is_command(base_of(program)); }

}  // namespace kubemu::controllers::kubelet

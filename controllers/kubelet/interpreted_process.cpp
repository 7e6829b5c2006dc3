// Processes that the interpreter runs: a command line, or a shell that somebody types into.
#include <algorithm>
#include <utility>

#include "controllers/kubelet/interpreter.h"
#include "controllers/kubelet/line_shell.h"
#include "controllers/kubelet/terminal.h"

namespace kubemu::controllers::kubelet {
namespace {

// What may wait to be read by a program that takes its input as a whole; with more than that it is killed.
constexpr std::size_t input_bytes_max = 16 * 1024 * 1024;
constexpr int killed = 137;  // 128 and SIGKILL
constexpr int by_sigterm = 143;

std::string_view base_of(std::string_view path) { return path.substr(path.rfind('/') == path.npos ? 0 : path.rfind('/') + 1); }

bool is_shell(std::string_view program) {
    const std::string_view base = base_of(program);
    return base == "sh" || base == "bash" || base == "ash" || base == "dash";
}

// A shell without a script, which reads one from its input: only options follow its name.
bool reads_commands(const std::vector<std::string>& argv) {
    if (argv.empty() || !is_shell(argv[0])) return false;
    return std::all_of(argv.begin() + 1, argv.end(), [](const std::string& word) {
        const bool option = word.size() > 1 && (word[0] == '-' || word[0] == '+');
        return option && (word[1] == '-' || word.find('c') == std::string::npos);
    });
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
    if (argv.empty() || reads_commands(argv)) return program;
    shell::Instruction run;
    for (const std::string& word : argv) {
        std::string quoted = "'";
        for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
        run.words.push_back(quoted + "'");
    }
    program->code.push_back(std::move(run));
    return program;
}

shell::Machine machine_of(const ProcessContext& context) {
    shell::Machine machine;
    machine.variables = context.env;
    machine.arguments = {"sh"};
    machine.directory = context.working_directory;
    machine.files = context.files;
    machine.network = context.network;
    machine.requests_take_time = context.requests_take_time;
    machine.identity = context.identity;
    machine.stop = context.stop;
    machine.host_name = context.host_name;
    machine.pod_namespace = context.pod_namespace;
    machine.unknown_runs_for_ever = context.unknown_runs_for_ever;
    machine.unknown_duration = context.unknown_duration;
    machine.time = context.started_at;
    if (const auto& conversation = context.conversation) {
        machine.unknown_is_an_error = conversation->strict;
        if (conversation->tty) machine.variables.emplace("TERM", "xterm");
    }
    return machine;
}

std::unique_ptr<shell::Interpreter> make_interpreter(const ProcessContext& context) {
    shell::Machine machine = machine_of(context);
    auto program = program_of(context.argv, machine);
    return std::make_unique<shell::Interpreter>(std::move(machine), std::move(program));
}

class InterpretedProcess final : public Process {
  public:
    explicit InterpretedProcess(ProcessContext context)
        : context_(std::move(context)), interpreter_(make_interpreter(context_)), input_(std::make_shared<shell::Input>()),
          reads_commands_(reads_commands(context_.argv)), sole_command_(interpreter_->is_sole_command()) {
        input_->open = context_.conversation != nullptr && context_.conversation->in;
        interpreter_->read_from(input_);
    }

    State advance(Time until, const Output& output) override {
        if (!tty()) return run(until, output);
        if (!echo_.empty()) output(until, std::exchange(echo_, {}), 1);
        return run(until, [&](Time time, std::string_view text, int) { output(time, Terminal::shown(text), 1); });
    }

    bool changes_files() const override { return true; }

    // The kernel keeps signals that have no handler from the first process of a container: it is killed in the end.
    OnTerminate on_terminate() const override {
        const shell::Machine& machine = interpreter_->machine();
        if (const auto found = machine.traps.find("TERM"); found != machine.traps.end() && !machine.replaced)
            return found->second.empty() ? OnTerminate::ignores : OnTerminate::handles;
        if (context_.first_process && !machine.passes_signals && !stop_code()) return OnTerminate::ignores;
        return OnTerminate::ends;
    }
    int end_code() const override { return stop_code().value_or(by_sigterm); }
    void terminate(Time at) override { interpreter_->signal("TERM", at); }
    ProcessContext& context() override { return context_; }

    void input(std::string_view text, Time at) override {
        if (!tty()) return give(text, at);
        for (Terminal::Event& event : terminal_.type(text, echo_)) {
            using Kind = Terminal::Event::Kind;
            if (event.kind == Kind::text) give(event.text, at);
            else if (event.kind == Kind::end) input_closed(at);
            else interrupt(at);
        }
    }

    void input_closed(Time at) override {
        input_->open = false;
        interpreter_->resume(at);
    }

    void resize(int width, int height) override {
        interpreter_->machine().variables["COLUMNS"] = std::to_string(width);
        interpreter_->machine().variables["LINES"] = std::to_string(height);
    }

    // A program that wants more is not held up by what it has not taken yet.
    std::size_t unread() const override { return interpreter_->wants_input() ? 0 : input_->text.size(); }

  private:
    bool tty() const { return context_.conversation != nullptr && context_.conversation->tty; }

    // Of the program that signals reach: not of one that a shell waits for.
    std::optional<int> stop_code() const {
        const shell::Machine& machine = interpreter_->machine();
        return machine.endless && (machine.replaced || sole_command_) ? machine.stop_code : std::nullopt;
    }

    // A server does; the first process of a container gets no signal that it has no handler for.
    bool ends_when_asked() const {
        return context_.stop != nullptr && context_.stop->at && context_.conversation == nullptr && stop_code().has_value();
    }

    void give(std::string_view text, Time at) {
        if (!input_->open) return;
        input_->text += text;
        interpreter_->resume(at);
        if (input_->text.size() <= input_bytes_max) return;
        input_->open = false;
        input_->text.clear();
        end(killed, at);
    }

    void interrupt(Time at) {
        line_shell_.forget();
        prompted_ = false;
        const bool idle = interpreter_->finished();
        interpreter_->interrupt(at);
        if (!reads_commands_) end(interpreter_->machine().status, at);
        else if (!idle) input_->text.clear();
    }

    void end(int status, Time at) {
        interpreter_->interrupt(at);
        interpreter_->machine().status = status;
        interpreter_->machine().exited = true;
    }

    State run(Time until, const Output& output) {
        shell::Machine& machine = interpreter_->machine();
        State state;
        for (;;) {
            interpreter_->run(until, output);
            if (machine.endless && ends_when_asked()) {
                state.exited = true;
                state.exit_code = end_code();
                state.finished_at = std::max(machine.time, *context_.stop->at);
                return state;
            }
            if (machine.endless || interpreter_->wants_input()) return state;
            if (!interpreter_->finished() || machine.time > until) {
                state.next = machine.time;
                return state;
            }
            if (machine.exited || !reads_commands_) {
                if (interpreter_->run_exit_trap()) continue;
                break;
            }
            auto program = line_shell_.next(*input_);
            if (program != nullptr) {
                prompted_ = false;
                if (input_->open) machine.time = std::max(machine.time, until);
                interpreter_->load(std::move(program));
                continue;
            }
            if (!input_->open) break;
            if (tty() && !std::exchange(prompted_, true)) {
                output(machine.time, line_shell_.prompt(machine, context_.conversation->prompt), 1);
            }
            return state;
        }
        state.exited = true;
        state.exit_code = machine.status;
        state.finished_at = machine.time;
        return state;
    }

    ProcessContext context_;
    std::unique_ptr<shell::Interpreter> interpreter_;
    std::shared_ptr<shell::Input> input_;
    shell::LineShell line_shell_;
    Terminal terminal_;
    std::string echo_;  // of keys, not shown yet
    bool reads_commands_, prompted_ = false;
    bool sole_command_;  // which shells run in their own place
};

}  // namespace

Process::ExecResult Process::exec(const std::vector<std::string>& argv, Time at) {
    const auto interpreter = make_interpreter(beside(context(), argv, at));
    ExecResult result;
    const Time limit = at + std::chrono::minutes(5);
    interpreter->run(limit, [&](Time, std::string_view text, int) { result.output += text; });
    result.exit_code = interpreter->machine().status;
    result.endless = interpreter->machine().endless || !interpreter->finished();
    result.duration = std::min(interpreter->machine().time, limit) - at;
    return result;
}

ProcessContext beside(const ProcessContext& container, std::vector<std::string> argv, Time at) {
    ProcessContext context = container;
    context.argv = std::move(argv);
    context.started_at = at;
    context.requests_take_time = false;  // whoever looks on a clock that stands still gets an answer
    context.unknown_runs_for_ever = false;
    context.unknown_duration = Duration::zero();
    context.conversation.reset();
    return context;
}

std::unique_ptr<Process> make_interpreted_process(ProcessContext context) { return std::make_unique<InterpretedProcess>(std::move(context)); }

bool is_known_program(std::string_view program) { return is_shell(program) || shell::is_command(base_of(program)); }

}  // namespace kubemu::controllers::kubelet

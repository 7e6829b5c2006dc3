// Interpreter: runs shell instructions against simulated files, network and time. Nothing reaches the host.
//
// Bounded everywhere: steps, output, nesting and file sizes; a loop that never sleeps is taken to need a second for
// every few thousand steps.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controllers/kubelet/process.h"
#include "controllers/kubelet/shell_parser.h"

namespace kubemu::controllers::kubelet::shell {

// Standard input. Of a pipe or a file it is all there; what a client types may still come.
struct Input {
    std::string text;
    bool open = false;  // more may come
};

// The state that commands see and change.
struct Machine {
    std::map<std::string, std::string> variables;  // the environment is part of them
    std::vector<std::string> arguments;            // $0, $1...
    std::string directory = "/";
    std::shared_ptr<FileSystem> files;
    std::shared_ptr<const Network> network;
    std::string host_name, pod_namespace;
    bool requests_take_time = true;
    std::shared_ptr<const Identity> identity;  // null: not known
    std::shared_ptr<StopRequest> stop;         // of the container's first process; null: nobody can stop it
    // How much of the file that `tail -f` follows has been shown; nothing: none is followed.
    std::optional<std::size_t> followed;
    bool unknown_is_an_error = false;      // a program that is not known here is not found (127)
    bool unknown_runs_for_ever = false;
    Duration unknown_duration{};
    // What `trap` has set up, by the name of the signal ("TERM", "EXIT"); empty: it is ignored.
    std::map<std::string, std::string> traps;
    // Commands in the background: when the last one of them ends, and when the last that does; nothing: never.
    std::optional<Time> newest_job = Time{}, all_jobs = Time{};
    bool waiting = false;   // in `wait`, which a signal ends
    // What the endless program that runs exits with when it is asked to end; nothing: it takes no notice.
    std::optional<int> stop_code;
    bool passes_signals = false;  // to its child: a small init such as tini
    bool replaced = false;  // by `exec`: there is no shell any more
    Time time{};          // of the process; sleep moves it
    int status = 0;
    bool exited = false;
    bool endless = false;  // waits for ever in a command
    bool wants_input = false;  // set by a command that has to be run again when there is more input, or its end
    std::string errors;        // what substitutions in the words of the next command wrote
    bool matches_names = true;  // wildcards in words stand for names of files
    int depth = 0;
    int steps_left = 0;
};

// One command: its input, and where its output goes.
struct Streams {
    Input* input = nullptr;  // never null while a command runs
    // Its output goes straight to whoever listens, so that it may write before its input ends. A command that does and
    // wants more input sets `written_early`; else what it has written is forgotten, and it is run again.
    bool live = false, written_early = false;
    bool resumed = false;  // it has run before, with less input; machine.status is what it left there
    std::string out, err;
};

// Sets machine.status, and time, exited or endless where the command does that. False: there is no such command.
bool run_command(Machine& machine, const std::vector<std::string>& argv, Streams& streams);
bool is_command(std::string_view name);
// A program of the image that is not known here: it goes on for ever, as a server that ends when it is asked to or as an
// interpreter that takes no notice, or it is done soon.
void run_unknown(Machine& machine, std::string_view name);

class Interpreter {
  public:
    Interpreter(Machine machine, std::shared_ptr<const Program> program);

    // Until the time is reached, the program ends, waits for input or for ever, or has written much.
    void run(Time until, const Process::Output& output);
    bool finished() const;
    bool wants_input() const { return wants_input_; }
    // There is more input, or its end, at this time.
    void resume(Time at);
    // Goes on with another program, on the same machine.
    void load(std::shared_ptr<const Program> program);
    // Gives up the command that runs.
    void interrupt(Time at);
    // A signal that has a trap: its commands run once the command that runs has ended; `wait` ends at once.
    void signal(const std::string& name, Time at);
    // The program has ended: begins with the commands of the trap EXIT. False when there are none (any more).
    bool run_exit_trap();
    Machine& machine() { return machine_; }
    const Machine& machine() const { return machine_; }
    // One command and nothing else.
    bool is_sole_command() const { return program_->code.size() == 1; }
    void read_from(std::shared_ptr<Input> input) { input_ = std::move(input); }

    // The whole of it at once, as $(...) and subshells need it: what it writes to standard output; `err` receives the
    // rest. The machine's time moves on. When it wants more input than there is, it is as if it had not run, and
    // machine.wants_input is set.
    static std::string capture(Machine& machine, const std::shared_ptr<const Program>& program, Input& input, bool subshell,
                               std::string& err);

  private:
    void step(const Process::Output& output);
    // A command in the background takes no time of its own.
    void leave_in_background(Time start);
    // The words of a command, expanded, and what else it takes to run it again.
    struct Call {
        std::vector<std::string> argv;
        std::vector<std::pair<std::string, std::string>> assignments;
    };
    // Redirections that hold until the end of a loop or a group; a file that it reads is read once.
    struct OpenRedirects {
        std::vector<Redirect> list;
        std::optional<Input> input;
    };
    // The commands of a trap run in the middle of the program, which then goes on.
    struct Interrupted {
        std::shared_ptr<const Program> program;
        std::size_t at = 0;
        std::vector<std::vector<std::string>> lists;
        std::vector<std::size_t> positions;
        std::vector<OpenRedirects> open_redirects;
        int status = 0;
        bool ends = false;  // the program had ended
    };
    void run_trap(const std::string& action, bool ends);
    void leave_trap();
    void command(const Instruction& instruction, const Process::Output& output);
    std::optional<Call> expand(const Instruction& instruction);
    void assign_list(const std::string& name, std::string_view list, Call& call);
    void unknown_program(const std::string& name, Streams& streams);
    // A pipeline that is under way: its stages, each with its own input.
    struct Pipe {
        std::vector<std::unique_ptr<Interpreter>> stages;
    };
    void pipeline(const Instruction& instruction, const Process::Output& output);
    void begin_pipe(const Instruction& instruction);
    void run_stage(std::size_t number, const Process::Output& output);
    void run_pipe(const Process::Output& output);
    void capture_pipeline(const Instruction& instruction, const Process::Output& output);
    void subshell(const Instruction& instruction, const Process::Output& output);
    // Nothing when no redirection gives input; `err` says what could not be opened.
    std::optional<Input> given_input(const std::vector<Redirect>& redirects, std::string& err);
    Input& current_input();
    // The instruction is run again when there is more input.
    void suspend();
    void emit(const std::vector<Redirect>& redirects, const Streams& streams, const Process::Output& output);
    void write_text(int descriptor, const std::string& text, const std::vector<Redirect>& redirects, const Process::Output& output);

    Machine machine_;
    std::shared_ptr<const Program> program_;
    std::size_t at_ = 0;
    int busy_steps_ = 0;
    std::size_t written_ = 0;  // by this run()
    std::shared_ptr<Input> input_ = std::make_shared<Input>();
    bool wants_input_ = false;
    std::optional<Call> waiting_;  // for input
    std::optional<Pipe> pipe_;
    Time until_{};  // of this run()
    std::vector<std::vector<std::string>> lists_;
    std::vector<std::size_t> positions_;
    std::vector<OpenRedirects> open_redirects_;
    std::vector<std::string> signals_;  // that have come and wait for their trap
    std::vector<Interrupted> interrupted_;
};

// The fields that a raw word becomes; `split` is false in assignments and redirections.
std::vector<std::string> expand_word(Machine& machine, std::string_view raw, bool split);
std::string expand_text(Machine& machine, std::string_view raw);  // as in double quotes
bool glob_match(std::string_view pattern, std::string_view text);
std::int64_t arithmetic(Machine& machine, std::string_view expression);

}  // namespace kubemu::controllers::kubelet::shell

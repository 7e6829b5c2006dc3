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

// The state that commands see and change.
struct Machine {
    std::map<std::string, std::string> variables;  // the environment is part of them
    std::vector<std::string> arguments;            // $0, $1...
    std::string directory = "/";
    std::shared_ptr<FileSystem> files;
    std::shared_ptr<const Network> network;
    std::string host_name, pod_namespace;
    bool unknown_runs_for_ever = false;
    Duration unknown_duration{};
    Time time{};          // of the process; sleep moves it
    int status = 0;
    bool exited = false;
    bool endless = false;  // waits for ever in a command
    int depth = 0;
    int steps_left = 0;
};

// One command: its input, and where its output goes.
struct Streams {
    std::string input;
    std::string out, err;
};

// Sets machine.status, and time, exited or endless where the command does that. False: there is no such command.
bool run_command(Machine& machine, const std::vector<std::string>& argv, Streams& streams);
bool is_command(std::string_view name);

class Interpreter {
  public:
    Interpreter(Machine machine, std::shared_ptr<const Program> program);

    // Until the time is reached, the program ends, or it waits for ever.
    void run(Time until, const Process::Output& output);
    bool finished() const;
    Machine& machine() { return machine_; }

    // The whole of it at once, as $(...) and pipelines need it. The machine's time moves on.
    static std::string capture(Machine& machine, const std::shared_ptr<const Program>& program, std::string input, bool subshell);

  private:
    void step(const Process::Output& output);
    void command(const Instruction& instruction, const Process::Output& output);
    void emit(const std::vector<Redirect>& redirects, const Streams& streams, const Process::Output& output);
    void write_text(int descriptor, const std::string& text, const std::vector<Redirect>& redirects, const Process::Output& output);

    Machine machine_;
    std::shared_ptr<const Program> program_;
    std::size_t at_ = 0;
    int busy_steps_ = 0;
    std::string input_;
    std::vector<std::vector<std::string>> lists_;
    std::vector<std::size_t> positions_;
    std::vector<std::vector<Redirect>> open_redirects_;
};

// The fields that a raw word becomes; `split` is false in assignments and redirections.
std::vector<std::string> expand_word(Machine& machine, std::string_view raw, bool split);
std::string expand_text(Machine& machine, std::string_view raw);  // as in double quotes
bool glob_match(std::string_view pattern, std::string_view text);
std::int64_t arithmetic(Machine& machine, std::string_view expression);

}  // namespace kubemu::controllers::kubelet::shell

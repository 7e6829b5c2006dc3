// Process: what runs in a simulated container: text over time, and perhaps an end.
//
// It is resumable and driven by the clock: advance(until) produces what the process would have written by then.
// Nothing is ever executed on the machine that kubemu runs on.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "controllers/kubelet/identity.h"
#include "controllers/kubelet/pod_pages.h"
#include "storage/base/clock.h"

namespace kubemu::controllers::kubelet {

// Files by absolute path within one volume or one container's own layer.
using Files = std::map<std::string, std::string, std::less<>>;

// A container's view of its files: volumes over its own layer, and below both what its runtime and kernel show.
// Volumes are shared between containers of a pod.
class FileSystem {
  public:
    struct Mount {
        std::string path;
        std::shared_ptr<Files> files;
        bool read_only = false;
        bool projected = false;  // written by the kubelet, which swaps a link when the content changes
        std::string folder{};    // of the volume that is mounted (subPath): "/data"; empty: all of it
    };
    void mount(Mount mount);
    void mount(std::string path, std::shared_ptr<Files> volume, bool read_only) {
        mount(Mount{std::move(path), std::move(volume), read_only});
    }
    // Whose /etc/hosts and /proc it shows; without, there are none.
    void belong_to(std::shared_ptr<const Identity> identity) { identity_ = std::move(identity); }
    std::optional<std::string> read(std::string_view path) const;
    // A file that somebody has written, in its place; null: there is none.
    const std::string* peek(std::string_view path) const;
    // False when the path is read-only or the file is too big.
    bool write(std::string_view path, std::string text, bool append);
    bool remove(std::string_view path);
    // Takes over the volumes of another view of the same container, freshly mounted; its own layer stays.
    void remount(FileSystem&& fresh);
    // All files below a directory with what is in them, directories without files ending in "/"; sorted.
    std::vector<std::pair<std::string, std::string>> all_below(std::string_view path) const;
    void make_directory(std::string_view path);
    bool is_directory(std::string_view path) const;
    // Without ".", ".." and repeated slashes.
    static std::string normalized(std::string_view path);
    // Names directly below a directory, sorted.
    std::vector<std::string> list(std::string_view path) const;
    // The volume that a path is in, null: the container's own layer.
    const Mount* mount_of(std::string_view normalized_path) const;

  private:
    // The path inside of the volume that it is in.
    static std::string key_of(const Mount* mount, std::string_view path);
    const Files& files_of(const Mount* mount) const { return mount != nullptr ? *mount->files : own_; }

    std::vector<Mount> mounts_;  // longest path first
    Files own_;
    std::shared_ptr<const Identity> identity_;
};

// How a process asks the cluster about the network. Thread-safe.
class Network {
  public:
    virtual ~Network() = default;
    struct Answer {
        std::vector<std::string> addresses;  // of the name; empty: NXDOMAIN
        bool reachable = false;              // somebody listens there
        std::string server_image;            // of the one who would answer
        std::string pod_namespace, pod;      // who that is
        int port = 0;                        // and where: a Service's targetPort
        bool outside = false;                // of the cluster
    };
    // Who asks, and when: a Service's pods take turns by that.
    struct Caller {
        std::string_view pod_ip;
        Time at{};
    };
    virtual Answer resolve(std::string_view host, int port, const Caller& caller) const = 0;
    // What is answered over HTTP there; nothing: nobody there speaks it. Called while the pods' files are locked.
    virtual std::optional<Page> ask(const Answer&, const PageRequest&, Time) const { return std::nullopt; }
};

// A wish of somebody in a container that its first process ends.
struct StopRequest {
    std::optional<Time> at;
};

// What makes a process one that somebody talks to. Most are not.
struct Conversation {
    bool in = false, tty = false;
    bool strict = false;  // a program that is not known is not found
    std::string prompt;                  // of a shell: "\\w # ", with the directory for \\w and the host for \\h
};

struct ProcessContext {
    std::vector<std::string> argv;
    std::map<std::string, std::string> env;
    std::string working_directory = "/";
    std::string host_name;
    std::string pod_namespace;
    std::shared_ptr<FileSystem> files;
    std::shared_ptr<const Network> network;
    std::shared_ptr<const Identity> identity;  // null: not known
    std::shared_ptr<StopRequest> stop;         // null: nobody has looked into the container
    Time started_at{};
    bool requests_take_time = true;  // what it asks over the network
    bool first_process = true;  // of its PID namespace: the kernel keeps signals from it that it has no handler for
    // An unknown program goes on for ever (a server), or ends well after a short while (a job).
    bool unknown_runs_for_ever = true;
    Duration unknown_duration = std::chrono::seconds(2);
    std::shared_ptr<const Conversation> conversation;  // null: nobody writes to its input
};

class Process {
  public:
    virtual ~Process() = default;
    struct State {
        bool exited = false;
        int exit_code = 0;
        Time finished_at{};
        std::optional<Time> next;  // when something happens again; nothing: never by itself
    };
    // Complete or partial lines, and where they go: 1 standard output, 2 standard error.
    using Output = std::function<void(Time, std::string_view, int descriptor)>;
    virtual State advance(Time until, const Output& output) = 0;
    // The same, when its output can wait until somebody reads it: advance() will still produce it.
    virtual std::optional<State> foresee(Time) const { return std::nullopt; }
    // What `argv` would do in this container now (exec probes, preStop): exit code, output, duration.
    struct ExecResult {
        int exit_code = 0;
        std::string output;
        Duration duration{};
        bool endless = false;
    };
    ExecResult exec(const std::vector<std::string>& argv, Time at);
    // True when exec's outcome may change while the process runs.
    virtual bool changes_files() const = 0;

    // What asking it to end (SIGTERM) does: it ends soon, in `end_code`; or it does what it has set up for that; or nothing.
    enum class OnTerminate { ends, handles, ignores };
    virtual OnTerminate on_terminate() const = 0;
    virtual int end_code() const = 0;
    virtual void terminate(Time) {}

    // Standard input, and the keys of a terminal. Advance the process afterwards.
    virtual void input(std::string_view, Time) {}
    virtual void input_closed(Time) {}
    virtual void resize(int, int) {}
    // Bytes of input that wait for somebody to read them.
    virtual std::size_t unread() const { return 0; }

    // Where it runs; its environment and files may be filled in later.
    virtual ProcessContext& context() = 0;
};

// A process known in advance: some text at its start, then a duration or none. It ends in `stop_code` when it is asked
// to; nothing: it takes no notice.
std::unique_ptr<Process> make_fixed_process(ProcessContext context, std::string text, std::optional<Duration> duration, int exit_code,
                                            std::optional<int> stop_code = 0);
// What `argv` sees that is run in a container beside its own process: an exec, a probe, a hook.
ProcessContext beside(const ProcessContext& container, std::vector<std::string> argv, Time at);
// A command line that the interpreter runs (sh -c, echo, sleep...).
std::unique_ptr<Process> make_interpreted_process(ProcessContext context);
// True when the interpreter knows what this program does.
bool is_known_program(std::string_view program);

}  // namespace kubemu::controllers::kubelet

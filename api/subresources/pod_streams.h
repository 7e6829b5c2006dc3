// What goes on between a client and the inside of a pod, once they are connected: commands (exec, attach) and ports
// (port-forward, proxy). The simulated nodes implement it; the server speaks the protocols.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/request.h"
#include "api/values/status.h"
#include "storage/base/clock.h"
#include "storage/record.h"

namespace kubemu::api {

// PodExecOptions and PodAttachOptions.
struct CommandQuery {
    storage::RecordPtr pod;
    std::string container;
    std::vector<std::string> command;  // of an exec
    bool attach = false;
    bool in = false, out = false, err = false, tty = false;
};

// How a command ended.
struct CommandEnd {
    int exit_code = 0;
    std::string error;  // why it could not be started; empty: it was
};

// A command that runs in a container, or the container's own process that somebody has attached to. Sans I/O; used from
// one thread at a time, except that the wake function may be called from any thread. Dropping it hangs up.
class RemoteCommand {
  public:
    virtual ~RemoteCommand() = default;

    virtual void input(std::string_view text) = 0;
    virtual void input_closed() = 0;
    virtual void resize(int width, int height) = 0;
    // Bytes of input that nobody has read yet: more should wait when these are many.
    virtual std::size_t unread() const = 0;

    struct Step {
        std::string out, err;
        std::optional<CommandEnd> end;
        bool more = false;             // there is more to read at once
        std::optional<Time> wake_at;   // by the machine's clock; call next() again then
    };
    virtual Step next() = 0;
    // Called when next() is worth calling again. Set once, before the first next().
    virtual void on_wake(std::function<void()> wake) = 0;
};

// A connection to a port of a pod. Sans I/O, used from one thread at a time.
class PortConnection {
  public:
    virtual ~PortConnection() = default;
    virtual void input(std::string_view bytes) = 0;
    virtual void input_closed() = 0;
    // What the pod has said since the last call; `ended` when it says nothing more.
    virtual std::string output() = 0;
    virtual bool ended() const = 0;
};

// Thread-safe.
class PodStreams {
  public:
    virtual ~PodStreams() = default;
    // The error is the kubelet's: plain text and its HTTP code.
    struct Refusal {
        int code = 500;
        std::string text;
    };
    virtual Result<std::unique_ptr<RemoteCommand>, Refusal> open(const CommandQuery& query) = 0;
    // The kubelet's checks before it forwards any port.
    virtual std::optional<Refusal> refuse_ports(const storage::RecordPtr& pod) = 0;
    // The error is a sentence of the container runtime.
    virtual Result<std::unique_ptr<PortConnection>, std::string> dial(const storage::RecordPtr& pod, int port) = 0;
};

// The answer to a request that connects to a pod, all checks of the API server passed. What becomes of it depends on
// the protocol that client and server agree on, so the server takes it from here.
class PodConnect final : public Stream {
  public:
    PodConnect(PodStreams& streams, CommandQuery query, bool ports, std::vector<std::string> port_list, Request request)
        : streams(streams), query(std::move(query)), ports(ports), port_list(std::move(port_list)),
          request(std::move(request)) {}

    PodStreams& streams;
    CommandQuery query;   // of `ports` the pod alone
    bool ports;           // port-forward, rather than a command
    std::vector<std::string> port_list;  // the query's "ports"
    Request request;      // for the form of refusals

    Step next() override { return {Step::State::end, {}, {}}; }
    void on_wake(std::function<void()>) override {}
};

// The v1.Status that says how a command ended, as the kubelet writes it to the error channel. `translated`: as an API
// server repeats it to clients of v5.channel.k8s.io.
std::string status_text(const CommandEnd& end, const std::vector<std::string>& command, bool translated);
// ... and of what went wrong before there was a command, which only v5 clients hear on that channel.
std::string internal_error_text(std::string_view message);
// What the protocols before v4 write there: the message alone, and nothing when all went well.
std::string status_message(std::string_view status_text);

}  // namespace kubemu::api

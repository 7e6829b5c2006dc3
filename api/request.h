// Request and Response: what api/handlers takes and gives. No sockets, no threads, no HTTP library.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/values/object.h"
#include "storage/base/bytes.h"
#include "storage/base/clock.h"

namespace kubemu::api {

// Who asks (k8s.io/apiserver/pkg/authentication/user.Info).
struct User {
    std::string name;
    std::string uid;
    std::vector<std::string> groups;
    std::map<std::string, std::vector<std::string>> extra;

    bool in_group(std::string_view group) const {
        for (const std::string& member : groups) {
            if (member == group) return true;
        }
        return false;
    }
};

// Who need not say who they are on a connection that is trusted.
inline User administrator() { return {"admin", "admin", {"system:masters", "system:authenticated"}, {}}; }

struct Request {
    std::string method;  // upper case
    std::string path;    // still percent-encoded, without the query
    std::string query;   // raw, without '?'
    std::string body;
    std::string content_type;
    std::string accept;
    std::string user_agent;
    std::string if_none_match;
    User user = administrator();
};

// An answer that goes on: a watch, or a log that is followed. Sans I/O; used from one thread at a time, except that
// the wake function may be called from any thread. Dropping the stream ends it.
class Stream {
  public:
    virtual ~Stream() = default;

    struct Step {
        enum class State { more, wait, end };
        State state = State::wait;
        Scatter data;  // write this first, in any state
        // With `wait`: call next() again then, by the machine's clock, even when nobody woke it (bookmarks, time-outs).
        std::optional<Time> wake_at;
    };
    virtual Step next() = 0;
    // What to write last when the reader takes too little and is not waited for any longer.
    virtual Scatter cut_off() { return {}; }
    // Called when next() is worth calling after it said `wait`. Set once, before the first next().
    virtual void on_wake(std::function<void()> wake) = 0;
};

struct Response {
    int code = 200;
    std::string content_type = "application/json";
    std::vector<std::pair<std::string, std::string>> headers;  // Warning, ETag, Audit-Id...
    Scatter body;
    std::unique_ptr<Stream> stream;  // when set, `body` is empty and the answer is chunked
};

// Called exactly once: inside handle() or later from the storage thread, when the write is durable.
using Respond = std::function<void(Response)>;

}  // namespace kubemu::api

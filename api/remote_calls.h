// Calls of a request to other servers: webhooks of admission and of conversion.
//
// Nothing in api waits. What needs an answer asks the request's RemoteCalls for it; when it is not there yet, the request
// gives up and is run again from its beginning once it is. Until its commit a request only computes, so that it comes to
// the same place with the same question, whose answer it then has. Requests that ask nobody pay nothing.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/request.h"
#include "api/values/status.h"
#include "storage/base/clock.h"
#include "storage/base/random.h"

namespace kubemu::api {

// A request over HTTP(S), with a body of JSON unless the headers say otherwise.
struct RemoteCall {
    std::string method = "POST";
    std::string url;              // https://HOST[:PORT]/PATH?timeout=10s, or http
    // Of a call to a Service: "NAMESPACE/NAME"; then the connection is made to `address`, which is HOST:PORT, or cannot be
    // for the reason in `unreachable`.
    std::string service, address, unreachable;
    std::string ca_bundle;        // PEM; empty: the certificates of the system
    bool insecure = false;        // any certificate will do
    bool as_front_proxy = false;  // with the client certificate that lets us speak for users
    bool follows_redirects = false;  // as net/http does by itself
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    Duration timeout = std::chrono::seconds(10);
};

struct RemoteAnswer {
    std::string error;            // nothing came back: why, in the words of Go's net/http
    int code = 0;
    std::string content_type, body;
    std::string url = {};         // where it was asked last; empty: where the call says
};

// What a request gets whose server did not answer.
Response unreachable_response(const std::string& why);

class RemoteCaller {
  public:
    virtual ~RemoteCaller() = default;
    // `done` is called once, from any thread, maybe inside the call.
    virtual void call(RemoteCall call, std::function<void(RemoteAnswer)> done) = 0;
    // Passes a request on: the answer is the other server's, with its body as it comes in. 503 when there is none.
    virtual void forward(RemoteCall call, Respond respond);
    // Whether somebody has said where the Service "NAMESPACE/NAME" is reached.
    virtual bool reaches(const std::string& service) const;
};

// One thread at a time.
class RemoteCalls {
  public:
    // Before each run of the request: what it draws and the time that it reads are those of its first run.
    void begin();
    Time time(const Clock& clock);
    Random& random(Random& cluster);

    // The answer to the question `key`, which `make` turns into a call when it is asked for the first time; null when it
    // is not there yet. `uid` is one that this question has for itself.
    // `random` is used for uids that this never had before; it may be the request's own.
    const RemoteAnswer* ask(const std::string& key, Random& random, const std::function<RemoteCall(const std::string& uid)>& make,
                            std::string& uid);
    bool waiting() const { return !wanted_.empty(); }
    std::size_t waiting_count() const { return wanted_.size(); }
    // The request ends without the answers.
    void forget() { wanted_.clear(); }
    // Makes the calls that were asked for; `done` runs when all are answered, or says why none is made.
    void start(RemoteCaller& caller, std::function<void()> done);
    // Whether the request has been run so often that it is given up.
    bool exhausted() const;

  private:
    struct Question {
        std::string uid;
        RemoteCall call;
        std::optional<RemoteAnswer> answer;
    };
    std::map<std::string, std::unique_ptr<Question>> questions_;
    std::vector<Question*> wanted_;
    std::atomic<std::size_t> open_{0};
    std::optional<Time> time_;
    std::optional<std::uint64_t> seed_;
    std::unique_ptr<Random> random_, uids_;
    int runs_ = 0;
};

// What a request says that has to be run again.
Status waits_for_answer();

}  // namespace kubemu::api

// RequestScope: what belongs to the request that the thread is handling right now, beyond what a write is told: where the
// answers of other servers are kept, and what admission is to know of it.
//
// A request runs on one thread from its beginning to where it is submitted or gives up, so that its scope is a variable
// of that thread. Scopes nest: an inner one begins as a copy of the outer one.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "api/remote_calls.h"
#include "api/values/object.h"

namespace kubemu::api {

struct RequestScope {
    RequestScope();
    ~RequestScope();
    RequestScope(const RequestScope&) = delete;
    RequestScope& operator=(const RequestScope&) = delete;

    // Null when the thread handles no request: a controller writes.
    static RequestScope* current();

    // Where the answers of other servers are kept; not owned. Null: nobody can be asked without waiting.
    RemoteCalls* calls = nullptr;
    // The options of the request as JSON (CreateOptions, PatchOptions...); may be empty.
    std::string options;
    // Policies and webhooks have judged the request of which what is written now is a part.
    bool admitted = false;
    // The request is for the Scale of an object, which is what policies and webhooks judge.
    bool through_scale = false;
    // A body that was posted to a subresource and is no part of the object (an Eviction, a Binding): it is judged before
    // the first write that comes of it, and what comes of it is `admitted`. Not owned.
    std::string_view posted_subresource;
    Json* posted = nullptr;
    // Takes what is noted for the audit log, see audit_note; null: nobody reads it. Not owned.
    std::map<std::string, std::string>* audit = nullptr;
    // It has been judged: here and in the scopes around it that speak of it.
    void judged();

  private:
    RequestScope* outer_;
};

// How a thread that writes without a request waits for other servers.
class RemoteWaiter {
  public:
    virtual ~RemoteWaiter() = default;
    // Makes the calls that were asked for, and returns when all are answered.
    virtual void wait(RemoteCalls& calls) = 0;
};

// On the spot.
class BlockingWaiter final : public RemoteWaiter {
  public:
    explicit BlockingWaiter(RemoteCaller& caller) : caller_(caller) {}
    void wait(RemoteCalls& calls) override;

  private:
    RemoteCaller& caller_;
};

// From now on this thread waits when it writes without a request; null, as at first: it asks nobody.
void may_wait_by(RemoteWaiter* waiter);
RemoteWaiter* waiter_of_thread();

// Such a thread waits for another server as long as one of these lives.
struct RemoteWait {
    RemoteWait();
    ~RemoteWait();
    RemoteWait(const RemoteWait&) = delete;
    RemoteWait& operator=(const RemoteWait&) = delete;
};
// Whether one waits right now; from any thread. What is asked meanwhile may come from the server that is waited for.
bool somebody_waits();

}  // namespace kubemu::api

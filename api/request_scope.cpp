// Two variables of each thread.
#include "api/request_scope.h"

#include <atomic>
#include <utility>

namespace kubemu::api {
namespace {

thread_local RequestScope* current_scope = nullptr;
thread_local RemoteCaller* caller_of_thread = nullptr;
std::atomic<int> waits{0};

}  // namespace

RequestScope::RequestScope() : outer_(current_scope) {
    if (outer_ != nullptr) {
        calls = outer_->calls;
        options = outer_->options;
        admitted = outer_->admitted;
        through_scale = outer_->through_scale;
        posted_subresource = outer_->posted_subresource;
        posted = outer_->posted;
        audit = outer_->audit;
    }
    current_scope = this;
}

RequestScope::~RequestScope() { current_scope = outer_; }

void RequestScope::judged() {
    for (RequestScope* scope = this; scope != nullptr && scope->posted != nullptr; scope = scope->outer_) {
        scope->posted = nullptr;
        scope->admitted = true;
    }
}

RequestScope* RequestScope::current() { return current_scope; }

void may_wait_for(RemoteCaller* caller) { caller_of_thread = caller; }
RemoteCaller* waited_for() { return caller_of_thread; }

RemoteWait::RemoteWait() { ++waits; }
RemoteWait::~RemoteWait() { --waits; }
bool somebody_waits() { return waits > 0; }

}  // namespace kubemu::api

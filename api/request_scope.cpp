// Two variables of each thread.
#include "api/request_scope.h"

#include <atomic>
#include <future>
#include <memory>
#include <utility>

namespace kubemu::api {
namespace {

thread_local RequestScope* current_scope = nullptr;
thread_local RemoteWaiter* thread_waiter = nullptr;
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

void may_wait_by(RemoteWaiter* waiter) { thread_waiter = waiter; }
RemoteWaiter* waiter_of_thread() { return thread_waiter; }

void BlockingWaiter::wait(RemoteCalls& calls) {
    const auto answered = std::make_shared<std::promise<void>>();
    calls.start(caller_, [answered] { answered->set_value(); });
    answered->get_future().wait();
}

RemoteWait::RemoteWait() { ++waits; }
RemoteWait::~RemoteWait() { --waits; }
bool somebody_waits() { return waits > 0; }

}  // namespace kubemu::api

// Durable: holds an answer back until every write that it speaks of is on disk.
//
// A completion may run on the storage thread before the call that submitted the write has returned, so whoever comes
// last, the answer or the last completion, sends.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "storage/base/mutex.h"
#include "storage/store.h"

namespace kubemu::api {

class Durable : public std::enable_shared_from_this<Durable> {
  public:
    // For one write. When that write turns out to take no revision, call not_pending().
    storage::Completion completion() {
        Lock lock(mutex_);
        ++outstanding_;
        return [self = shared_from_this()](const storage::Error* failure) { self->finish(failure); };
    }
    void not_pending() { finish(nullptr); }
    // `send` gets the failure of a write, or null. Called once, here or by the last completion.
    void answer(std::function<void(const storage::Error*)> send) {
        {
            Lock lock(mutex_);
            send_ = std::move(send);
            if (outstanding_ > 0) return;
        }
        run();
    }

  private:
    void finish(const storage::Error* failure) {
        {
            Lock lock(mutex_);
            if (failure != nullptr) failure_ = *failure;
            --outstanding_;
            if (outstanding_ > 0 || !send_) return;
        }
        run();
    }
    void run() {
        std::function<void(const storage::Error*)> send;
        std::optional<storage::Error> failure;
        {
            Lock lock(mutex_);
            send.swap(send_);
            failure = failure_;
        }
        if (send) send(failure ? &*failure : nullptr);
    }

    Mutex mutex_;
    int outstanding_ KUBEMU_GUARDED_BY(mutex_) = 0;
    std::optional<storage::Error> failure_ KUBEMU_GUARDED_BY(mutex_);
    std::function<void(const storage::Error*)> send_ KUBEMU_GUARDED_BY(mutex_);
};

}  // namespace kubemu::api

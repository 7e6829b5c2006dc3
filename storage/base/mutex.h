// Mutex, Lock and CondVar that Clang's -Wthread-safety understands (libstdc++'s own are not annotated).
//
//     Mutex mutex_;
//     int value_ KUBEMU_GUARDED_BY(mutex_);
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define KUBEMU_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define KUBEMU_THREAD_ATTRIBUTE(x)
#endif
#define KUBEMU_GUARDED_BY(x) KUBEMU_THREAD_ATTRIBUTE(guarded_by(x))
#define KUBEMU_REQUIRES(...) KUBEMU_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define KUBEMU_EXCLUDES(...) KUBEMU_THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))

namespace kubemu {

class KUBEMU_THREAD_ATTRIBUTE(capability("mutex")) Mutex {
  public:
    void lock() KUBEMU_THREAD_ATTRIBUTE(acquire_capability()) { mutex_.lock(); }
    void unlock() KUBEMU_THREAD_ATTRIBUTE(release_capability()) { mutex_.unlock(); }
    bool try_lock() KUBEMU_THREAD_ATTRIBUTE(try_acquire_capability(true)) { return mutex_.try_lock(); }

  private:
    friend class CondVar;
    std::mutex mutex_;
};

// Holds a Mutex for a scope. Neither copyable nor movable, so that it cannot cross a suspension point.
class KUBEMU_THREAD_ATTRIBUTE(scoped_lockable) Lock {
  public:
    explicit Lock(Mutex& mutex) KUBEMU_THREAD_ATTRIBUTE(acquire_capability(mutex)) : mutex_(mutex) { mutex_.lock(); }
    ~Lock() KUBEMU_THREAD_ATTRIBUTE(release_capability()) { mutex_.unlock(); }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

  private:
    Mutex& mutex_;
};

// Waits give the Mutex back while they sleep and hold it again when they return; wake-ups may be spurious.
class CondVar {
  public:
    void wait(Mutex& mutex) KUBEMU_REQUIRES(mutex) {
        std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
        condition_.wait(lock);
        lock.release();
    }
    // False when `timeout` passed first.
    bool wait_for(Mutex& mutex, std::chrono::microseconds timeout) KUBEMU_REQUIRES(mutex) {
        std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
        const bool woken = condition_.wait_for(lock, timeout) == std::cv_status::no_timeout;
        lock.release();
        return woken;
    }
    void notify_one() { condition_.notify_one(); }
    void notify_all() { condition_.notify_all(); }

  private:
    std::condition_variable condition_;
};

}  // namespace kubemu

// Clock: where the program reads the time, so that a test, or a user, can turn it.
//
// Nothing else in kubemu asks the system for the time, sockets' own time-outs aside.
#pragma once

#include <atomic>
#include <chrono>

namespace kubemu {

using Duration = std::chrono::microseconds;
// Wall-clock time in UTC with microsecond precision.
using Time = std::chrono::sys_time<Duration>;

// Thread-safe.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual Time now() const = 0;
};

// The machine's clock.
class RealClock final : public Clock {
  public:
    Time now() const override {
        return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
    }
};

// Stands still until it is told to move.
class SimClock final : public Clock {
  public:
    explicit SimClock(Time start) : now_(start.time_since_epoch().count()) {}
    Time now() const override { return Time(Duration(now_.load())); }
    void set(Time time) { now_.store(time.time_since_epoch().count()); }
    void advance(Duration by) { now_.fetch_add(by.count()); }

  private:
    std::atomic<Duration::rep> now_;
};

}  // namespace kubemu

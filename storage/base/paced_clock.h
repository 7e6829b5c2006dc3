// PacedClock: the clock of a whole cluster. It runs with the machine's time, or a fixed factor faster, or stands still
// until somebody turns it, so that a test, or a user, decides when the next cron schedule is due.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "storage/base/clock.h"
#include "storage/base/mutex.h"

namespace kubemu {

// Thread-safe.
class PacedClock final : public Clock {
  public:
    // Shows `start` now, and runs: `factor` seconds pass for each second of the machine. With factor 1 it is the
    // machine's clock, whatever `start`; with 0 it stands still.
    PacedClock(double factor, Time start);

    Time now() const override;
    bool stands_still() const { return factor_ == 0; }
    double factor() const { return factor_; }  // 0: stands still

    // How long the machine takes until this clock shows `when`; nothing when only turning it brings that about.
    std::optional<Duration> machine_time_until(Time when) const;

    // Moves a clock that stands still. It never goes back: an earlier time is ignored.
    void turn(Time to);
    // `turned` is called after each turn, on the turning thread, as long as the caller keeps it.
    void on_turn(std::weak_ptr<std::function<void()>> turned);

  private:
    const double factor_;
    const Time start_;    // what this clock showed when the machine's showed `machine_start_`
    const Time machine_start_;
    std::atomic<Duration::rep> still_;
    mutable Mutex mutex_;
    std::vector<std::weak_ptr<std::function<void()>>> listeners_ KUBEMU_GUARDED_BY(mutex_);
};

}  // namespace kubemu

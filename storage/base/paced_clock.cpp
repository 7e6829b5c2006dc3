// See paced_clock.h.
#include "storage/base/paced_clock.h"

#include <algorithm>

namespace kubemu {
namespace {

Time machine_now() { return RealClock().now(); }

}  // namespace

PacedClock::PacedClock(double factor, Time start)
    : factor_(factor), start_(start), machine_start_(machine_now()), still_(start.time_since_epoch().count()) {}

Time PacedClock::now() const {
    if (factor_ == 0) return Time(Duration(still_.load()));
    if (factor_ == 1) return machine_now();
    const auto passed = static_cast<double>((machine_now() - machine_start_).count());
    return start_ + Duration(static_cast<Duration::rep>(passed * factor_));
}

std::optional<Duration> PacedClock::machine_time_until(Time when) const {
    const Duration left = std::max(when - now(), Duration(0));
    if (left.count() == 0) return left;
    if (factor_ == 0) return std::nullopt;
    // Rounded up: a sleeper that wakes too early would find nothing to do.
    return Duration(static_cast<Duration::rep>(static_cast<double>(left.count()) / factor_) + 1);
}

void PacedClock::turn(Time to) {
    const Duration::rep wanted = to.time_since_epoch().count();
    Duration::rep shown = still_.load();
    while (shown < wanted && !still_.compare_exchange_weak(shown, wanted)) {
    }
    std::vector<std::shared_ptr<std::function<void()>>> woken;
    {
        Lock lock(mutex_);
        std::erase_if(listeners_, [](const auto& listener) { return listener.expired(); });
        for (const auto& listener : listeners_) {
            if (auto kept = listener.lock()) woken.push_back(std::move(kept));
        }
    }
    for (const auto& turned : woken) (*turned)();
}

void PacedClock::on_turn(std::weak_ptr<std::function<void()>> turned) {
    Lock lock(mutex_);
    listeners_.push_back(std::move(turned));
}

}  // namespace kubemu

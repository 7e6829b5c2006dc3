// Timers: what is to be done at which time, by owner and name.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "storage/base/clock.h"

namespace kubemu::controllers {

class Controller;

// One thread at a time.
class Timers {
  public:
    struct Timer {
        const void* owner;
        std::string name;
        Controller* controller;  // whose code it is; null: nobody's in particular
        std::function<void()> fire;
    };
    // Whether a timer has to wait although it is due.
    using Held = std::function<bool(const Timer& timer)>;

    // Takes the place of an earlier one of the same owner and name.
    void set(Time when, Timer timer);
    void remove(const void* owner, std::string_view name);
    // The earliest that is due and not held.
    std::optional<Timer> take_due(Time now, const Held& held);
    // When the first that is not held is due.
    std::optional<Time> next(const Held& held) const;
    // In the order in which they are due.
    void each(const std::function<void(Time due, const Timer& timer)>& visit) const;

  private:
    using Place = std::pair<Time, std::uint64_t>;
    std::map<Place, Timer> timers_;
    std::map<std::pair<const void*, std::string>, Place> places_;
    std::uint64_t sequence_ = 0;
};

}  // namespace kubemu::controllers

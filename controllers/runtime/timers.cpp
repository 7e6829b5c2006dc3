// By time, and where to find each by its name.
#include "controllers/runtime/timers.h"

namespace kubemu::controllers {

void Timers::set(Time when, Timer timer) {
    remove(timer.owner, timer.name);
    const Place place(when, ++sequence_);
    places_.emplace(std::pair(timer.owner, timer.name), place);
    timers_.emplace(place, std::move(timer));
}

void Timers::remove(const void* owner, std::string_view name) {
    const auto known = places_.find({owner, std::string(name)});
    if (known == places_.end()) return;
    timers_.erase(known->second);
    places_.erase(known);
}

std::optional<Timers::Timer> Timers::take_due(Time now, const Held& held) {
    for (auto at = timers_.begin(); at != timers_.end() && at->first.first <= now; ++at) {
        if (held(at->second)) continue;
        Timer timer = std::move(at->second);
        timers_.erase(at);
        places_.erase({timer.owner, timer.name});
        return timer;
    }
    return std::nullopt;
}

std::optional<Time> Timers::next(const Held& held) const {
    for (const auto& [place, timer] : timers_) {
        if (!held(timer)) return place.first;
    }
    return std::nullopt;
}

void Timers::each(const std::function<void(Time due, const Timer& timer)>& visit) const {
    for (const auto& [place, timer] : timers_) visit(place.first, timer);
}

}  // namespace kubemu::controllers

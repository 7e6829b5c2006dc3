// Topics and their sleepers.
#include "storage/watch_hub.h"

namespace kubemu::storage {

void CursorWake::call() {
    Lock lock(mutex_);
    if (wake_) wake_();
}

void CursorWake::silence() {
    Lock lock(mutex_);
    wake_ = nullptr;
}

WatchHub::Topic& WatchHub::topic(std::string_view resource) {
    auto found = topics_.find(resource);
    if (found == topics_.end()) found = topics_.try_emplace(std::string(resource), newest_).first;
    return found->second;
}

EventLog& WatchHub::log_of(std::string_view resource) {
    return topic(resource).log;
}

void WatchHub::append(Event event) {
    Topic& changed = topic(event.record->resource);
    changed.log.append(std::move(event));
    if (RecordPtr cooled = changed.log.cooled()) cooled_.push_back(std::move(cooled));
    for (auto& wake : changed.idle) {
        wake->idle_slot_ = CursorWake::not_idle;
        woken_.push_back(std::move(wake));
    }
    changed.idle.clear();
}

std::vector<std::shared_ptr<CursorWake>> WatchHub::take_woken() {
    return std::exchange(woken_, {});
}

std::vector<RecordPtr> WatchHub::take_cooled() {
    return std::exchange(cooled_, {});
}

void WatchHub::idle(std::string_view resource, const std::shared_ptr<CursorWake>& wake) {
    if (wake->idle_slot_ != CursorWake::not_idle) return;
    Topic& at = topic(resource);
    wake->idle_slot_ = at.idle.size();
    at.idle.push_back(wake);
}

void WatchHub::leave(std::string_view resource, const std::shared_ptr<CursorWake>& wake) {
    if (wake->idle_slot_ == CursorWake::not_idle) return;
    Topic& at = topic(resource);
    at.idle.back()->idle_slot_ = wake->idle_slot_;
    std::swap(at.idle[wake->idle_slot_], at.idle.back());
    at.idle.pop_back();
    wake->idle_slot_ = CursorWake::not_idle;
}

std::size_t WatchHub::idle_count(std::string_view resource) {
    return topic(resource).idle.size();
}

}  // namespace kubemu::storage

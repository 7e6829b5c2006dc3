// The ring of recent events.
#include "storage/event_log.h"

#include <algorithm>

namespace kubemu::storage {

void EventLog::append(Event event) {
    events_.push_back(std::move(event));
    if (events_.size() > limits::event_log_events_max) {
        complete_after_ = events_.front().record->revision;
        events_.pop_front();
    }
}

RecordPtr EventLog::cooled() const {
    if (events_.size() <= limits::event_log_plain_events_max) return nullptr;
    return events_[events_.size() - 1 - limits::event_log_plain_events_max].record;
}

Revision EventLog::read(Revision after, std::string_view prefix, std::size_t events_max,
                        std::vector<Event>& into) const {
    auto at = std::upper_bound(
        events_.begin(), events_.end(), after,
        [](Revision revision, const Event& event) { return revision < event.record->revision; });
    for (; at != events_.end(); ++at) {
        if (into.size() >= events_max) return std::prev(at)->record->revision;
        if (at->record->key.compare(0, prefix.size(), prefix) == 0) into.push_back(*at);
    }
    return 0;
}

}  // namespace kubemu::storage

// One step of a cursor.
#include "storage/watch_cursor.h"

#include <algorithm>

#include "storage/base/log.h"

namespace kubemu::storage {

LogCursor::LogCursor(EventSource& source, std::string_view resource, std::string_view prefix, Revision after,
                     std::function<void()> wake)
    : source_(source),
      resource_(resource),
      prefix_(prefix),
      wake_(std::make_shared<CursorWake>(std::move(wake))),
      position_(after) {}

LogCursor::~LogCursor() {
    source_.leave(resource_, wake_);
    // The publisher may have taken the wake just before; this waits for a call that is running.
    wake_->silence();
}

WatchCursor::Batch LogCursor::next(std::size_t events_max) {
    Batch batch;
    batch.position = position_;
    batch.state = Batch::State::expired;
    if (expired_) return batch;
    const EventSource::Query query{resource_, prefix_, position_, std::max<std::size_t>(events_max, 1)};
    std::optional<EventSource::Part> part = source_.recent(query, wake_);
    if (!part) {
        StoreResult<EventSource::Part> history = source_.replay(query);
        if (!history) {
            if (history.error().code != Error::Code::compacted) {
                log_line(LogLevel::error, "a watch ends because history cannot be read",
                         {{"resource", resource_}, {"error", to_string(history.error())}});
            }
            expired_ = true;
            return batch;
        }
        part = std::move(*history);
    }
    position_ = part->reached;
    batch.events = std::move(part->events);
    batch.position = position_;
    batch.state = part->head ? Batch::State::idle : Batch::State::more;
    return batch;
}

}  // namespace kubemu::storage

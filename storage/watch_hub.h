// WatchHub: the event logs of all resources, and the cursors that sleep until one of them grows.
//
// There are no queues per watcher: publishing is an append, then one call to each cursor that is idle on that
// resource.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/event_log.h"
#include "storage/record.h"

namespace kubemu::storage {

// What a cursor and the publisher share. When `silence` has returned, the callback is neither running nor
// called again; so the callback itself must not destroy its cursor.
class CursorWake {
  public:
    explicit CursorWake(std::function<void()> wake) : wake_(std::move(wake)) {}
    void call() KUBEMU_EXCLUDES(mutex_);
    void silence() KUBEMU_EXCLUDES(mutex_);

  private:
    friend class WatchHub;
    static constexpr std::size_t not_idle = static_cast<std::size_t>(-1);

    Mutex mutex_;
    std::function<void()> wake_ KUBEMU_GUARDED_BY(mutex_);
    std::size_t idle_slot_ = not_idle;  // the hub's, under the mutex of the hub's owner
};

// Not synchronised: its owner's mutex protects it.
class WatchHub {
  public:
    // Events up to and including `newest` are in the database only.
    explicit WatchHub(Revision newest) : newest_(newest) {}

    EventLog& log_of(std::string_view resource);
    // Appends to the log of the event's resource and marks its idle cursors to be woken.
    void append(Event event);
    // The cursors to wake for what was appended since the last call. Call them without the mutex.
    std::vector<std::shared_ptr<CursorWake>> take_woken();
    // The records that the appends since the last call have moved away from the head of their logs.
    std::vector<RecordPtr> take_cooled();

    void idle(std::string_view resource, const std::shared_ptr<CursorWake>& wake);
    void leave(std::string_view resource, const std::shared_ptr<CursorWake>& wake);
    std::size_t idle_count(std::string_view resource);

  private:
    struct Topic {
        EventLog log;
        std::vector<std::shared_ptr<CursorWake>> idle;
        explicit Topic(Revision complete_after) : log(complete_after) {}
    };
    Topic& topic(std::string_view resource);

    std::map<std::string, Topic, std::less<>> topics_;
    std::vector<std::shared_ptr<CursorWake>> woken_;
    std::vector<RecordPtr> cooled_;
    Revision newest_;
};

}  // namespace kubemu::storage

// LogCursor: a position in the log of one resource, and how to go on from it.
//
// Replay after a reconnect, live events and lag are the same loop: read from memory while the position is in
// the event log, from the database while it is not, and end when it was compacted away.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/store.h"
#include "storage/watch_hub.h"

namespace kubemu::storage {

// Where a cursor reads. The store implements it.
class EventSource {
  public:
    // Events that were found, and the revision up to which all are among them.
    struct Part {
        std::vector<Event> events;
        Revision reached = 0;
        bool head = false;  // nothing newer is published; the cursor was noted as idle
    };
    struct Query {
        std::string_view resource;
        std::string_view prefix;
        Revision after = 0;
        std::size_t events_max = 0;
    };
    virtual ~EventSource() = default;
    // From memory; nothing when the event log does not reach back that far.
    virtual std::optional<Part> recent(const Query& query, const std::shared_ptr<CursorWake>& wake) = 0;
    // From the database, up to what is published. Errors: compacted, io.
    virtual StoreResult<Part> replay(const Query& query) = 0;
    virtual void leave(std::string_view resource, const std::shared_ptr<CursorWake>& wake) = 0;
};

// Must be destroyed before its source; otherwise from any thread, at any moment but inside its own wake.
class LogCursor final : public WatchCursor {
  public:
    LogCursor(EventSource& source, std::string_view resource, std::string_view prefix, Revision after,
              std::function<void()> wake);
    ~LogCursor() override;
    LogCursor(const LogCursor&) = delete;
    LogCursor& operator=(const LogCursor&) = delete;

    Batch next(std::size_t events_max) override;

  private:
    EventSource& source_;
    const std::string resource_;
    const std::string prefix_;
    const std::shared_ptr<CursorWake> wake_;
    Revision position_;
    bool expired_ = false;
};

}  // namespace kubemu::storage

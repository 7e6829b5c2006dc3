// EventLog: the last events of one resource, in order. What fell out of it is read from the database.
#pragma once

#include <cstddef>
#include <deque>
#include <string_view>
#include <vector>

#include "storage/base/limits.h"
#include "storage/record.h"

namespace kubemu::storage {

// Not synchronised: its owner's mutex protects it.
class EventLog {
  public:
    // Events up to and including `complete_after` are not here; all later ones are.
    explicit EventLog(Revision complete_after) : complete_after_(complete_after) {}

    void append(Event event);
    // Whether every event after this revision is here.
    bool covers(Revision after) const { return after >= complete_after_; }
    // Appends the events after `after` whose keys have the prefix, `events_max` at most; returns the revision up to
    // which this went, or 0 when the end of the log was reached.
    Revision read(Revision after, std::string_view prefix, std::size_t events_max, std::vector<Event>& into) const;
    // The record of the newest event that is no longer among the last `event_log_plain_events_max`; null when there is
    // none.
    RecordPtr cooled() const;
    std::size_t size() const { return events_.size(); }

  private:
    std::deque<Event> events_;
    Revision complete_after_;
};

}  // namespace kubemu::storage

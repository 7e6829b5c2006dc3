// TimeMarks: which revision was current when, so that a compactor can speak of ages.
#pragma once

#include <deque>

#include "storage/base/clock.h"
#include "storage/record.h"

namespace kubemu::storage {

struct TimeMark {
    Time time;
    Revision revision = 0;
};

// Not synchronised: its owner's mutex protects it.
class TimeMarks {
  public:
    // Adds a mark, at most one each ten seconds. Marks must come in the order of revisions.
    void note(Time now, Revision revision);
    // The newest revision that was surely current at `time` or before; 0 when unknown.
    Revision at(Time time) const;
    // Whether a mark should be written to the database now: at most one a minute.
    bool save_due(Time now);

  private:
    std::deque<TimeMark> marks_;
    Time saved_{};
};

}  // namespace kubemu::storage

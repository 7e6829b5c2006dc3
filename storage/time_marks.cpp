// A bounded list of marks.
#include "storage/time_marks.h"

#include <chrono>
#include <cstddef>

namespace kubemu::storage {
namespace {

constexpr std::chrono::seconds note_interval{10};
constexpr std::chrono::seconds save_interval{60};
constexpr std::size_t marks_max = 360;  // an hour of them

}  // namespace

void TimeMarks::note(Time now, Revision revision) {
    // A clock that was turned back would put marks into the future; they would never come of age.
    while (!marks_.empty() && marks_.back().time > now) marks_.pop_back();
    if (!marks_.empty() && (marks_.back().revision >= revision || now - marks_.back().time < note_interval))
        return;
    marks_.push_back({now, revision});
    if (marks_.size() > marks_max) marks_.pop_front();
}

Revision TimeMarks::at(Time time) const {
    Revision found = 0;
    for (const TimeMark& mark : marks_) {
        if (mark.time > time) break;
        found = mark.revision;
    }
    return found;
}

bool TimeMarks::save_due(Time now) {
    if (saved_ != Time{} && now >= saved_ && now - saved_ < save_interval) return false;
    saved_ = now;
    return true;
}

}  // namespace kubemu::storage

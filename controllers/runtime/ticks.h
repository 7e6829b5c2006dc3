// Looks that are made at fixed intervals, whenever the news for them come.
#pragma once

#include "storage/base/clock.h"

namespace kubemu::controllers {

// The first look after `time`.
inline Time next_tick(Time time, Duration period) { return Time((time.time_since_epoch() / period + 1) * period); }

}  // namespace kubemu::controllers

// Cron expressions as robfig/cron reads them, which is what kube-apiserver validates and the CronJob controller runs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/base/clock.h"
#include "storage/base/result.h"

namespace kubemu::api {

// An IANA time zone from the system's database (TZif files).
class TimeZone {
  public:
    // UTC for an empty name; nothing when there is no such zone.
    static std::optional<TimeZone> load(std::string_view name);
    // Seconds east of UTC at this moment.
    std::int64_t offset_at(std::int64_t unix_seconds) const;

  private:
    std::string data_;  // the 64-bit part of the file: transitions, then types
    std::size_t transitions_ = 0, types_at_ = 0, indexes_at_ = 0;
};

class CronSchedule {
  public:
    // "*/5 * * * *", names of months and days, "@hourly", "@every 90s", each after "TZ=Europe/Paris " if wanted. The
    // error is the real parser's sentence.
    static Result<CronSchedule, std::string> parse(std::string_view text);
    // The first activation after `after`, in the schedule's own zone if it names one; nothing when there is none within
    // five years.
    std::optional<Time> next(Time after, const TimeZone& zone) const;

  private:
    std::uint64_t minutes_ = 0, hours_ = 0, days_ = 0, months_ = 0, weekdays_ = 0;
    bool any_day_ = false, any_weekday_ = false;  // written as * or ?
    std::int64_t every_seconds_ = 0;              // of "@every"; the rest is unused then
    std::optional<TimeZone> zone_;                // of "TZ="
};

}  // namespace kubemu::api

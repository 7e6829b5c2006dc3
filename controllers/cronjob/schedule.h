// Which activation of a CronJob is due (pkg/controller/cronjob/utils.go).
#pragma once

#include <optional>
#include <string>

#include "api/kinds/batch/cron_syntax.h"
#include "api/values/object.h"
#include "storage/base/clock.h"

namespace kubemu::controllers {

struct Activation {
    std::optional<Time> due;   // the latest one that has passed and was not acted upon
    bool missed = false;       // at least two have passed
    bool many_missed = false;  // about a hundred or more
};

// `earliest`: the last activation acted upon, else the creation; activations up to then are over. How many were missed is
// an estimate from the distance of the first two, and when the latest is not within two such distances of now, none is
// due. Nothing for a schedule that never comes.
std::optional<Activation> due_activation(const api::CronSchedule& schedule, const api::TimeZone& zone, Time earliest, Time now);
// When to look again; nothing for a schedule that never comes.
std::optional<Time> next_activation(const api::CronSchedule& schedule, const api::TimeZone& zone, Time earliest, Time now);

// RFC 3339 in the zone's own offset.
std::string format_in_zone(Time time, const api::TimeZone& zone);
// RFC 1123 in UTC with a numeric zone: "Mon, 02 Jan 2006 15:04:05 +0000".
std::string format_rfc1123(Time time);

}  // namespace kubemu::controllers

// ClockOptions: at what pace the cluster's clock runs (kubemu serve --clock).
#pragma once

#include <optional>
#include <string_view>

#include "storage/base/clock.h"

namespace kubemu::server {

struct ClockOptions {
    double factor = 1;          // seconds of the cluster for one of the machine; 0: it stands still until it is turned
    std::optional<Time> start;  // what a new cluster's standing clock shows first; later ones go on where they were

    // "real", "scaled=60", "virtual" or "virtual=2026-01-01T00:00:00Z"; nothing when it is none of these.
    static std::optional<ClockOptions> parse(std::string_view text);
};

}  // namespace kubemu::server

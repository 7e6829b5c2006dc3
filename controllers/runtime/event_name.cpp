// The clock tells microseconds; the three digits below them are random.
#include "controllers/runtime/event_name.h"

#include <algorithm>
#include <charconv>

#include "controllers/runtime/manager.h"
#include "storage/base/random.h"

namespace kubemu::controllers {

std::string event_name(Manager& manager, const std::string& object_name, std::int64_t& last_stamp) {
    const std::int64_t now = manager.clock().now().time_since_epoch().count() * 1000 +
                             static_cast<std::int64_t>(manager.random().below("event", 1000));
    last_stamp = std::max(now, last_stamp + 1);
    char digits[16];
    const auto end = std::to_chars(digits, digits + sizeof digits, last_stamp, 16).ptr;
    return object_name + "." + std::string(digits, end);
}

}  // namespace kubemu::controllers

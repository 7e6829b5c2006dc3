// Portions: rounded up to what the policy of an amount allows.
#include "controllers/scheduler/devices/capacity.h"

#include <algorithm>

namespace kubemu::controllers::scheduler::devices {
namespace {

using api::Quantity;

Quantity in_steps(const Quantity& asked, const Capacity::Range& range) {
    if (asked < *range.min) return *range.min;
    if (!range.step || range.step->value() <= 0) return asked;
    const std::int64_t min = range.min->value(), step = range.step->value(), above = asked.value() - min;
    return Quantity::from_value(min + step * (above / step + (above % step != 0 ? 1 : 0)), Quantity::Format::binary_si);
}

Quantity portion(const Quantity* asked, const Capacity& capacity) {
    if (asked == nullptr) return capacity.unasked.value_or(capacity.value);
    if (capacity.range && capacity.range->min) return in_steps(*asked, *capacity.range);
    if (capacity.range) return *asked;
    const auto next = std::find_if(capacity.values.begin(), capacity.values.end(),
                                   [&](const Quantity& value) { return !(value < *asked); });
    return next == capacity.values.end() ? *asked : *next;
}

bool is_allowed(const Quantity& portion, const Capacity& capacity) {
    if (!capacity.has_policy || (capacity.unasked && portion == *capacity.unasked)) return true;
    if (capacity.range) {
        if (capacity.range->max && *capacity.range->max < portion) return false;
        const std::int64_t step = capacity.range->step ? capacity.range->step->value() : 0;
        const std::int64_t min = capacity.range->min ? capacity.range->min->value() : 0;
        return step <= 0 || (portion.value() - min) % step == 0;
    }
    return capacity.values.empty() ||
           std::find(capacity.values.begin(), capacity.values.end(), portion) != capacity.values.end();
}

const Quantity* amount_of(const Amounts& amounts, const std::string& name) {
    const auto found = amounts.find(name);
    return found == amounts.end() ? nullptr : &found->second;
}

}  // namespace

Amounts consumed_by(const Amounts& asked, const Device& device) {
    Amounts consumed;
    for (const auto& [name, capacity] : device.capacity) consumed[name] = portion(amount_of(asked, name), capacity);
    return consumed;
}

bool has_room(const Amounts& asked, const Device& device, const Amounts& taken) {
    for (const auto& [name, amount] : asked)
        if (device.capacity.count(name) == 0) return false;
    for (const auto& [name, capacity] : device.capacity) {
        Quantity total = portion(amount_of(asked, name), capacity);
        if (!is_allowed(total, capacity)) return false;
        if (const Quantity* others = amount_of(taken, name)) total += *others;
        if (capacity.value < total) return false;
    }
    return true;
}

}  // namespace kubemu::controllers::scheduler::devices

// From the document of a ResourceSlice to its devices.
#include "controllers/scheduler/devices/slice.h"

#include <nlohmann/json.hpp>
#include <tuple>

namespace kubemu::controllers::scheduler::devices {

using api::Json;

bool DeviceId::operator<(const DeviceId& other) const {
    return std::tie(driver, pool, device) < std::tie(other.driver, other.pool, other.device);
}

bool Reach::includes(const NodeInfo& node) const {
    if (node_name) return *node_name == node.name;
    return all || (terms && matches_terms(*terms, node));
}

namespace {

std::optional<api::Quantity> quantity_at(const Json& object, const char* member) {
    return api::Quantity::parse(api::string_at(object, {member}));
}

Capacity read_capacity(const Json& document) {
    Capacity capacity;
    capacity.value = quantity_at(document, "value").value_or(api::Quantity());
    const Json* policy = api::find(document, "requestPolicy");
    if (policy == nullptr) return capacity;
    capacity.has_policy = true;
    capacity.unasked = quantity_at(*policy, "default");
    if (const Json* range = api::find(*policy, "validRange"))
        capacity.range =
            Capacity::Range{quantity_at(*range, "min"), quantity_at(*range, "max"), quantity_at(*range, "step")};
    for (const Json& value : api::array_at(*policy, {"validValues"})) {
        if (const auto parsed = api::Quantity::parse(value.get<std::string>())) capacity.values.push_back(*parsed);
    }
    return capacity;
}

Reach read_reach(const Json& document) {
    Reach reach;
    if (const auto name = api::string_at(document, {"nodeName"}); !name.empty()) reach.node_name = name;
    reach.all = api::bool_at(document, {"allNodes"});
    if (const Json* selector = api::find(document, "nodeSelector")) {
        reach.terms = read_node_terms(api::array_at(*selector, {"nodeSelectorTerms"}));
        reach.selector = std::make_shared<const Json>(*selector);
    }
    return reach;
}

Device read_device(const Json& document) {
    Device device;
    device.name = api::string_at(document, {"name"});
    device.document = std::make_shared<const Json>(document);
    device.shared = api::bool_at(document, {"allowMultipleAllocations"});
    for (const auto& [name, amount] : api::object_at(document, {"capacity"}).items())
        device.capacity.emplace(name, read_capacity(amount));
    for (const Json& use : api::array_at(document, {"consumesCounters"}))
        device.consumes.emplace_back(api::string_at(use, {"counterSet"}),
                                     read_amounts(api::object_at(use, {"counters"})));
    for (const Json& taint : api::array_at(document, {"taints"})) {
        device.taints.push_back({std::string(api::string_at(taint, {"key"})),
                                 std::string(api::string_at(taint, {"value"})),
                                 std::string(api::string_at(taint, {"effect"}))});
    }
    device.reach = read_reach(document);
    device.binds_to_node = api::bool_at(document, {"bindsToNode"});
    device.has_conditions = api::find(document, "bindingConditions") != nullptr;
    return device;
}

}  // namespace

Amounts read_amounts(const Json& object) {
    Amounts amounts;
    for (const auto& [name, amount] : object.items()) {
        const std::string_view text = amount.is_string() ? std::string_view(amount.get_ref<const std::string&>())
                                                         : api::string_at(amount, {"value"});
        amounts[name] = api::Quantity::parse(text).value_or(api::Quantity());
    }
    return amounts;
}

SlicePtr read_slice(const Json& document) {
    auto slice = std::make_shared<Slice>();
    const Json& spec = api::object_at(document, {"spec"});
    slice->name = api::name_of(document);
    slice->driver = api::string_at(spec, {"driver"});
    slice->pool = api::string_at(spec, {"pool", "name"});
    slice->generation = api::int_at(spec, {"pool", "generation"});
    slice->slices_in_pool = api::int_at(spec, {"pool", "resourceSliceCount"});
    slice->reach = read_reach(spec);
    slice->by_device = api::bool_at(spec, {"perDeviceNodeSelection"});
    for (const Json& device : api::array_at(spec, {"devices"})) slice->devices.push_back(read_device(device));
    for (const Json& set : api::array_at(spec, {"sharedCounters"}))
        slice->counter_sets.emplace_back(api::string_at(set, {"name"}),
                                         read_amounts(api::object_at(set, {"counters"})));
    return slice;
}

}  // namespace kubemu::controllers::scheduler::devices

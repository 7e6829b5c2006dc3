// From what the search has taken to what a claim's status says.
#include "controllers/scheduler/devices/allocator.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "controllers/scheduler/devices/search.h"

namespace kubemu::controllers::scheduler::devices {

using api::Json;

Outcome allocate(const World& world, const NodeInfo& node, const std::vector<ClaimSpec>& claims) {
    return Search(world, node, claims).run();
}

void Allocated::add(const Json& allocation) {
    for (const Json& result : api::array_at(allocation, {"devices", "results"})) {
        if (api::bool_at(result, {"adminAccess"})) continue;
        DeviceId id{std::string(api::string_at(result, {"driver"})), std::string(api::string_at(result, {"pool"})),
                    std::string(api::string_at(result, {"device"}))};
        if (api::find(result, "shareID") == nullptr) {
            whole.insert(std::move(id));
            continue;
        }
        for (const auto& [name, amount] : read_amounts(api::object_at(result, {"consumedCapacity"})))
            consumed[id][name] += amount;
        shared.insert(std::move(id));
    }
}

std::shared_ptr<const api::cel::DeviceSelector> Selectors::get(const std::string& expression) {
    constexpr std::size_t kept_max = 64;
    const auto known = compiled_.find(expression);
    if (known != compiled_.end()) return known->second;
    if (compiled_.size() >= kept_max) compiled_.clear();
    return compiled_[expression] =
               std::make_shared<const api::cel::DeviceSelector>(api::cel::compile_device_selector(expression));
}

Json Search::result_of(std::size_t claim) const {
    Json results = Json::array();
    for (const Taken& taken : taken_[claim]) {
        const Device& device = *taken.candidate.device;
        const Request& request = taken.wish->request;
        Json result = {{"request", request.full_name()},
                       {"driver", taken.candidate.slice->driver},
                       {"pool", taken.candidate.slice->pool},
                       {"device", device.name}};
        if (request.admin) result["adminAccess"] = true;
        if (request.tolerations_document != nullptr) result["tolerations"] = *request.tolerations_document;
        for (const char* member : {"bindingConditions", "bindingFailureConditions"})
            if (const Json* conditions = api::find(*device.document, member)) result[member] = *conditions;
        if (!taken.share_id.empty()) result["shareID"] = taken.share_id;
        for (const auto& [name, amount] : taken.consumed) result["consumedCapacity"][name] = amount.text();
        results.push_back(std::move(result));
    }
    Json allocation = {{"devices", Json::object()}};
    if (!results.empty()) allocation["devices"]["results"] = std::move(results);
    add_configuration(claim, allocation["devices"]);
    if (Json selector = node_selector_of(claim); !selector.is_null()) allocation["nodeSelector"] = std::move(selector);
    return allocation;
}

// First what the classes say, once for each class with the requests that use it, then the claim.
void Search::add_configuration(std::size_t claim, Json& devices) const {
    Json list = Json::array();
    std::map<std::string, std::pair<std::size_t, std::size_t>> of_class;
    const auto chosen = [&](std::size_t i) -> const Wish& { return wishes_[claim][i][chosen_[claim][i]]; };
    for (std::size_t i = 0; i < wishes_[claim].size(); ++i) {
        const Wish& wish = chosen(i);
        const auto known = of_class.find(wish.device_class->name);
        if (known != of_class.end()) {
            for (std::size_t at = known->second.first; at < known->second.second; ++at)
                list[at]["requests"].push_back(wish.request.full_name());
            continue;
        }
        const std::size_t first = list.size();
        for (const Json& config : *wish.device_class->config) {
            Json entry = config;
            entry["source"] = "FromClass";
            entry["requests"] = Json::array({wish.request.full_name()});
            list.push_back(std::move(entry));
        }
        of_class[wish.device_class->name] = {first, list.size()};
    }
    for (const Json& config : api::array_at(*claims_[claim].devices, {"config"})) {
        Json entry = config;
        entry["source"] = "FromClaim";
        const Json& requests = api::array_at(config, {"requests"});
        const auto names = [&](const std::string& name) {
            return std::find(requests.begin(), requests.end(), name) != requests.end();
        };
        if (requests.empty()) list.push_back(entry);
        for (std::size_t i = 0; i < wishes_[claim].size() && !requests.empty(); ++i) {
            const Request& request = chosen(i).request;
            if (names(request.parent.empty() ? request.name : request.parent) || names(request.full_name()))
                list.push_back(entry);
        }
    }
    if (!list.empty()) devices["config"] = std::move(list);
}

namespace {

// Values are a set.
bool same_requirement(const Json& a, const Json& b) {
    const auto values = [](const Json& requirement) {
        const Json& list = api::array_at(requirement, {"values"});
        return std::set<Json>(list.begin(), list.end());
    };
    return api::string_at(a, {"key"}) == api::string_at(b, {"key"}) &&
           api::string_at(a, {"operator"}) == api::string_at(b, {"operator"}) && values(a) == values(b);
}

}  // namespace

// One device that is a node's alone makes the allocation that node's; null: it is good everywhere.
Json Search::node_selector_of(std::size_t claim) const {
    Json term = Json::object();
    for (const Taken& taken : taken_[claim]) {
        const Reach& reach =
            taken.candidate.slice->by_device ? taken.candidate.device->reach : taken.candidate.slice->reach;
        if (reach.node_name || taken.candidate.device->binds_to_node) {
            const Json this_node = {{"key", "metadata.name"}, {"operator", "In"}, {"values", {node_.name}}};
            return {{"nodeSelectorTerms", Json::array({{{"matchFields", Json::array({this_node})}}})}};
        }
        if (reach.selector == nullptr) continue;
        const Json& terms = api::array_at(*reach.selector, {"nodeSelectorTerms"});
        for (const char* member : {"matchFields", "matchExpressions"}) {
            if (terms.empty()) continue;
            for (const Json& requirement : api::array_at(terms[0], {member})) {
                Json& list = term[member];
                const bool known = std::any_of(list.begin(), list.end(),
                                               [&](const Json& other) { return same_requirement(other, requirement); });
                if (!known) list.push_back(requirement);
            }
        }
    }
    return term.empty() ? Json() : Json{{"nodeSelectorTerms", Json::array({std::move(term)})}};
}

}  // namespace kubemu::controllers::scheduler::devices

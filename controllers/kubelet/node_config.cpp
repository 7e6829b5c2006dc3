// Groups to nodes; whether names, labels and amounts are good is the API's to say when the nodes are made.
#include "controllers/kubelet/node_config.h"

#include <nlohmann/json.hpp>
#include <set>

#include "api/codec/yaml.h"

namespace kubemu::controllers::kubelet {

using api::Json;

namespace {

constexpr std::size_t nodes_max = 5000;
constexpr const char* members[] = {"count",  "name",     "labels",      "annotations",
                                   "taints", "capacity", "allocatable", "unschedulable"};

std::string scalar_text(const Json& value) {
    if (value.is_string()) return value.get<std::string>();
    return value.is_null() ? std::string() : value.dump();
}

// A map of scalars, or of lists that are dealt out in turn.
Json texts(const Json& map, std::size_t turn) {
    Json result = Json::object();
    for (const auto& [key, value] : map.items()) {
        const Json& own = value.is_array() && !value.empty() ? value[turn % value.size()] : value;
        result[key] = scalar_text(own);
    }
    return result;
}

// Empty when the group is well formed.
std::string complaint(const Json& group) {
    if (!group.is_object()) return ": expected a map";
    for (const auto& [key, value] : group.items()) {
        bool known = false;
        for (const char* member : members) known = known || key == member;
        if (!known) return ": unknown field " + Json(key).dump();
    }
    const Json* name = api::find(group, "name");
    if (name == nullptr || !name->is_string() || name->get_ref<const std::string&>().empty())
        return ".name: required";
    if (const Json* count = api::find(group, "count")) {
        if (!count->is_number_integer() || *count < 0 || *count > nodes_max)
            return ".count: expected a number from 0 to " + std::to_string(nodes_max);
    }
    for (const char* member : {"labels", "annotations", "capacity", "allocatable"}) {
        const Json* map = api::find(group, member);
        if (map == nullptr) continue;
        if (!map->is_object()) return "." + std::string(member) + ": expected a map";
        for (const auto& [key, value] : map->items()) {
            bool good = !value.is_object();
            if (value.is_array()) {
                for (const Json& each : value) good = good && !each.is_structured();
            }
            if (!good) return "." + std::string(member) + "." + key + ": expected a text, or a list of texts";
        }
    }
    if (const Json* taints = api::find(group, "taints"); taints != nullptr && !taints->is_array())
        return ".taints: expected a list";
    if (const Json* off = api::find(group, "unschedulable"); off != nullptr && !off->is_boolean())
        return ".unschedulable: expected true or false";
    return {};
}

Json node_of(const Json& group, const std::string& name, std::size_t turn) {
    Json node = {{"metadata", {{"name", name}}}};
    for (const char* member : {"labels", "annotations"})
        if (const Json* map = api::find(group, member)) node["metadata"][member] = texts(*map, turn);
    for (const char* member : {"capacity", "allocatable"})
        if (const Json* map = api::find(group, member)) node["status"][member] = texts(*map, turn);
    if (const Json* taints = api::find(group, "taints"); taints != nullptr && !taints->empty())
        node["spec"]["taints"] = *taints;
    if (api::bool_at(group, {"unschedulable"})) node["spec"]["unschedulable"] = true;
    return node;
}

}  // namespace

Result<std::vector<Json>, std::string> read_node_config(std::string_view yaml) {
    std::vector<std::string> repeated;
    const auto document = api::parse_yaml(yaml, &repeated);
    if (!document) return document.error().message;
    if (!repeated.empty()) return repeated.front();
    const Json* groups = document->is_object() ? api::find(*document, "nodes") : nullptr;
    if (groups == nullptr || !groups->is_array())
        return std::string("nodes: expected a list of groups of nodes");
    for (const auto& [key, value] : document->items()) {
        if (key != "nodes" && key != "apiVersion" && key != "kind")
            return "unknown field " + Json(key).dump();
    }
    std::vector<Json> nodes;
    std::set<std::string> names;
    for (std::size_t i = 0; i < groups->size(); ++i) {
        const Json& group = (*groups)[i];
        const std::string place = "nodes[" + std::to_string(i) + "]";
        if (const std::string what = complaint(group); !what.empty()) return place + what;
        const bool many = group.contains("count");
        const std::size_t count = many ? group["count"].get<std::size_t>() : 1;
        for (std::size_t n = 0; n < count; ++n) {
            std::string name = group["name"].get<std::string>();
            const std::string number = std::to_string(n + 1);
            if (const std::size_t at = name.find("{}"); at != std::string::npos)
                name.replace(at, 2, number);
            else if (many)
                name += number;
            if (!names.insert(name).second) return place + ".name: there are two nodes " + Json(name).dump();
            if (names.size() > nodes_max)
                return "there are more than " + std::to_string(nodes_max) + " nodes";
            nodes.push_back(node_of(group, name, n));
        }
    }
    return nodes;
}

}  // namespace kubemu::controllers::kubelet

// For tests of the allocator: slices, classes and claims in a few words of YAML, and what a node gives.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "controllers/scheduler/devices/allocator.h"

namespace kubemu::tests {

using controllers::scheduler::NodeInfo;
namespace devices = controllers::scheduler::devices;

inline NodeInfo node_of(const std::string& name, api::Labels labels = {}) {
    NodeInfo node;
    node.name = name;
    node.labels = std::move(labels);
    return node;
}

// A claim for one device of the class that the CEL expression takes.
inline std::string selecting(const std::string& expression, const std::string& device_class = "any") {
    const api::Json selectors = api::Json::array({{{"cel", {{"expression", expression}}}}});
    return api::Json{{"requests", api::Json::array({{{"name", "r"}, {"exactly", {{"deviceClassName", device_class}, {"selectors", selectors}}}}})}}.dump();
}

// A world of one class, "any", that takes every device.
struct Devices {
    std::vector<devices::SlicePtr> slices;
    std::map<std::string, devices::ClassPtr> classes;
    devices::Allocated allocated;
    devices::Selectors selectors;
    int next_slice = 0, next_share = 0;

    Devices() { add_class("any", "{}"); }
    void add_class(const std::string& name, const char* spec) {
        classes[name] = devices::read_class({{"metadata", {{"name", name}}}, {"spec", api::Json::parse(spec)}});
    }
    // `spec` without a driver ("d.example") and with a whole pool of one slice, named after its node or "p", where nothing is said.
    void slice(const char* spec, const std::string& name = {}) {
        api::Json full = api::Json::parse(spec);
        if (!full.contains("driver")) full["driver"] = "d.example";
        if (!full.contains("nodeName") && !full.contains("nodeSelector") && !full.contains("perDeviceNodeSelection")) full["allNodes"] = true;
        api::Json pool = {{"name", full.value("nodeName", "p")}, {"generation", 1}, {"resourceSliceCount", 1}};
        if (full.contains("pool")) pool.update(full["pool"]);
        full["pool"] = pool;
        const std::string own = name.empty() ? "slice-" + std::to_string(next_slice++) : name;
        slices.push_back(devices::read_slice({{"metadata", {{"name", own}}}, {"spec", full}}));
    }
    // Each is spec.devices of a claim; requests may leave out all but their names, then they want one device of "any".
    devices::Outcome allocate(const std::vector<std::string>& claims, const NodeInfo& node = node_of("n")) {
        std::vector<devices::ClaimSpec> specs;
        for (const std::string& text : claims) {
            api::Json spec = api::Json::parse(text);
            for (api::Json& request : spec["requests"]) {
                if (request.contains("firstAvailable")) {
                    for (api::Json& alternative : request["firstAvailable"]) complete(alternative);
                } else {
                    complete(request["exactly"]);
                }
            }
            const std::string name = "c" + std::to_string(specs.size());
            specs.push_back({"default/" + name, name, std::make_shared<const api::Json>(std::move(spec))});
        }
        const devices::World world{slices, allocated,
                                   [this](const std::string& name) {
                                       const auto found = classes.find(name);
                                       return found == classes.end() ? nullptr : found->second;
                                   },
                                   selectors, [this] { return "share-" + std::to_string(next_share++); }};
        return devices::allocate(world, node, specs);
    }
    // "a=gpu-0 b=gpu-1 | c=nic-0": by claim, each request and its device.
    std::string given(const std::vector<std::string>& claims, const NodeInfo& node = node_of("n")) {
        const devices::Outcome outcome = allocate(claims, node);
        if (!outcome.error.empty()) return "error: " + outcome.error;
        if (!outcome.refusal.empty()) return "refused: " + outcome.refusal;
        if (!outcome.found) return "none";
        std::string text;
        for (const auto& allocation : outcome.allocations) {
            text += text.empty() ? "" : " |";
            for (const api::Json& result : api::array_at(*allocation, {"devices", "results"}))
                text += " " + result["request"].get<std::string>() + "=" + result["device"].get<std::string>();
        }
        return text.substr(text.starts_with(" ") ? 1 : 0);
    }
    // As if a claim had been given these.
    void take(const std::string& device, const std::string& pool = "p") {
        allocated.add({{"devices", {{"results", api::Json::array({{{"driver", "d.example"}, {"pool", pool}, {"device", device}, {"request", "r"}}})}}}});
    }

  private:
    static void complete(api::Json& wish) {
        if (!wish.is_object()) wish = api::Json::object();
        wish.emplace("deviceClassName", "any");
        wish.emplace("allocationMode", "ExactCount");
        if (wish["allocationMode"] == "ExactCount") wish.emplace("count", 1);
    }
};

}  // namespace kubemu::tests

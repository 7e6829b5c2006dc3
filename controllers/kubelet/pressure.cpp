// Signals, ranking and messages of eviction.
#include "controllers/kubelet/pressure.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

#include "api/kinds/core/pod_requests.h"
#include "api/kinds/metrics/usage.h"
#include "controllers/kubelet/image_catalog.h"

namespace kubemu::controllers::kubelet {

using api::Json;
using api::Quantity;

namespace {

constexpr std::int64_t inodes = 6'553'600, process_ids = 32'768;

std::string binary(std::int64_t bytes) {
    return Quantity::from_value(bytes, Quantity::Format::binary_si).text();
}

std::int64_t bytes_at(const Json& object, std::string_view name) {
    const auto quantity = Quantity::parse(api::string_at(object, {name}));
    return quantity ? quantity->value() : 0;
}

// Logs and the writable layer: what an annotation of the pod says, a third of what was asked for, or a few MiB.
std::int64_t disk_usage(const Json& pod, const Json& container) {
    const std::string name(api::string_at(container, {"name"})), annotation = "kubemu.io/ephemeral-storage-usage";
    const Json& annotations = api::object_at(pod, {"metadata", "annotations"});
    for (const std::string& key : {annotation + "." + name, annotation})
        if (annotations.contains(key)) return bytes_at(annotations, key);
    const std::int64_t asked = bytes_at(api::object_at(container, {"resources", "requests"}), "ephemeral-storage");
    if (asked > 0) return asked / 3;
    const std::string digits = hex_digits(std::string(api::uid_of(pod)) + name, 4);
    return (1 << 20) + std::stol(digits, nullptr, 16) * 256;
}

}  // namespace

const std::vector<Signal>& signals() {
    static const std::vector<Signal> all = {
        {"memory.available", "MemoryPressure", "memory", "memory", 0, 100LL << 20, 0},
        {"nodefs.available", "DiskPressure", "ephemeral-storage", "ephemeral-storage", 0, 0, 10},
        {"imagefs.available", "DiskPressure", "ephemeral-storage", "ephemeral-storage", 0, 0, 15},
        {"nodefs.inodesFree", "DiskPressure", "inodes", nullptr, inodes, 0, 5},
        {"imagefs.inodesFree", "DiskPressure", "inodes", nullptr, inodes, 0, 5},
        {"pid.available", "PIDPressure", "pids", nullptr, process_ids, 0, 10},
    };
    return all;
}

const Signal* find_signal(std::string_view name) {
    for (const Signal& signal : signals())
        if (name == signal.name) return &signal;
    return nullptr;
}

const Signal* signal_of_condition(std::string_view condition) {
    for (const Signal& signal : signals())
        if (condition == signal.condition) return &signal;
    return nullptr;
}

std::int64_t threshold_of(const Signal& signal, const Json& node) {
    if (signal.percentage == 0) return signal.quantity;
    const std::int64_t capacity = signal.capacity_of == nullptr
                                      ? signal.capacity
                                      : bytes_at(api::object_at(node, {"status", "capacity"}), signal.capacity_of);
    return capacity * signal.percentage / 100;
}

std::string amount_text(const Signal& signal, std::int64_t amount) {
    return signal.capacity_of != nullptr ? binary(amount) : Quantity::from_value(amount).text();
}

Candidate read_candidate(std::string key, const Json& pod, const Signal& signal, Time now) {
    Candidate result;
    result.key = std::move(key);
    result.name = api::name_of(pod);
    result.priority = static_cast<int>(api::int_at(pod, {"spec", "priority"}));
    const std::string_view resource = signal.resource;
    const api::PodRequests all = api::effective_requests(api::object_at(pod, {"spec"}));
    if (resource == "memory") result.requested = all.memory_bytes;
    else if (const auto found = all.other.find(std::string(resource)); found != all.other.end()) result.requested = found->second;
    if (resource == "memory") result.whole_request = api::string_at(pod, {"spec", "resources", "requests", "memory"});
    const auto usage = api::usage_of_pod(pod, now);
    if (!usage) return result;
    result.measured = true;
    for (const api::ContainerUsage& each : usage->containers) {
        Candidate::Container container{each.name, 0, 0, "0"};
        for (const char* list : {"containers", "initContainers"}) {
            for (const Json& spec : api::array_at(pod, {"spec", list})) {
                if (api::string_at(spec, {"name"}) != each.name) continue;
                const Json& requests = api::object_at(spec, {"resources", "requests"});
                container.requested = bytes_at(requests, resource);
                container.request_text = api::string_at(requests, {resource}, "0");
                if (resource == "ephemeral-storage") container.used = disk_usage(pod, spec);
            }
        }
        if (resource == "memory") container.used = each.usage.memory_bytes;
        if (resource == "pids") container.used = 1;
        if (resource == "inodes") container.used = 16;
        result.used += container.used;
        result.containers.push_back(std::move(container));
    }
    return result;
}

void rank(std::vector<Candidate>& pods, const Signal& signal) {
    const bool by_request = std::string_view(signal.resource) != "pids";
    const auto order = [&](const Candidate& pod) {
        const std::int64_t beyond = pod.used - (by_request ? pod.requested : 0);
        return std::tuple(by_request && pod.measured, by_request && !pod.exceeds(), pod.priority, pod.measured, -beyond);
    };
    std::stable_sort(pods.begin(), pods.end(),
                     [&](const Candidate& a, const Candidate& b) { return order(a) < order(b); });
}

EvictionText eviction_text(const Candidate& pod, const Signal& signal, std::int64_t threshold, std::int64_t available) {
    const std::string resource = signal.resource;
    EvictionText text;
    text.message = "The node was low on resource: " + resource + ". Threshold quantity: " + amount_text(signal, threshold) +
                   ", available: " + amount_text(signal, available) + ". ";
    if (!pod.measured) return text;
    const auto describe = [&](const std::string& what, std::int64_t used, const std::string& request) {
        text.message += what + " was using " + binary(used) + ", request is " + request + ", has larger consumption of " +
                        resource + ". ";
    };
    if (!pod.whole_request.empty()) describe("Pod " + pod.name, pod.used, pod.whole_request);
    if (resource != "memory" && resource != "ephemeral-storage") return text;
    for (const Candidate::Container& container : pod.containers) {
        if (container.used <= container.requested) continue;
        describe("Container " + container.name, container.used, container.request_text);
        const char* separator = text.offending_containers.empty() ? "" : ",";
        text.offending_containers += separator + container.name;
        text.offending_usage += separator + binary(container.used);
    }
    return text;
}

}  // namespace kubemu::controllers::kubelet

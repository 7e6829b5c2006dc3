// The devices of a pod's claims (pkg/kubelet/cm/dra/manager.go): it starts when its claims are allocated and reserved
// for it.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/registry.h"
#include "controllers/kubelet/pod_worker.h"

namespace kubemu::controllers::kubelet {

using api::Json;
using api::string_at;

namespace {

// The pod is synced again after --sync-frequency: nobody tells the kubelet what becomes of claims.
constexpr Duration sync_frequency = std::chrono::minutes(1);

struct Wanted {
    std::string claim;  // empty: none is needed
    bool generated = false;
    bool made = true;
};

std::vector<Wanted> wanted_claims(const Json& pod) {
    std::vector<Wanted> wanted;
    for (const Json& entry : api::array_at(pod, {"spec", "resourceClaims"})) {
        Wanted& one = wanted.emplace_back();
        one.claim = string_at(entry, {"resourceClaimName"});
        if (!one.claim.empty()) continue;
        one.generated = true;
        one.made = false;
        for (const Json& status : api::array_at(pod, {"status", "resourceClaimStatuses"})) {
            if (string_at(status, {"name"}) != string_at(entry, {"name"})) continue;
            one.made = true;
            one.claim = string_at(status, {"resourceClaimName"});
        }
    }
    if (const auto extended = string_at(pod, {"status", "extendedResourceClaimStatus", "resourceClaimName"});
        !extended.empty())
        wanted.push_back({std::string(extended)});
    return wanted;
}

bool is_owner(const Json& claim, std::string_view uid) {
    const Json& owners = api::array_at(claim, {"metadata", "ownerReferences"});
    return std::any_of(owners.begin(), owners.end(), [&](const Json& owner) {
        return api::bool_at(owner, {"controller"}) && string_at(owner, {"uid"}) == uid;
    });
}

}  // namespace

std::string missing_devices(const Json& pod, const api::Registry& registry) {
    const std::string space(api::namespace_of(pod)), name(api::name_of(pod)), uid(api::uid_of(pod));
    for (const Wanted& wanted : wanted_claims(pod)) {
        if (!wanted.made) return "pod \"" + space + "/" + name + "\": ResourceClaim not created yet";
        if (wanted.claim.empty()) continue;
        const auto record = registry.get("resourceclaims.resource.k8s.io", space, wanted.claim);
        if (record == nullptr)
            return "fetch ResourceClaim " + wanted.claim + ": resourceclaims.resource.k8s.io \"" + wanted.claim +
                   "\" not found";
        const Json claim = registry.document(*record);
        if (wanted.generated && !is_owner(claim, uid))
            return "ResourceClaim " + space + "/" + wanted.claim + " was not created for Pod " + space + "/" + name +
                   " (Pod is not owner)";
        const Json& consumers = api::array_at(claim, {"status", "reservedFor"});
        if (std::none_of(consumers.begin(), consumers.end(),
                         [&](const Json& consumer) { return string_at(consumer, {"uid"}) == uid; }))
            return "pod " + name + " (" + uid + ") is not allowed to use ResourceClaim " + wanted.claim + " (" +
                   std::string(api::uid_of(claim)) + ")";
        if (api::find(claim, {"status", "allocation"}) == nullptr)
            return "ResourceClaim " + wanted.claim + ": not allocated";
    }
    return {};
}

namespace {

// "driver/pool/device" of what the claim was given, for one of its requests or for all.
Json devices_of(const Json& claim, std::string_view request) {
    Json devices = Json::array();
    for (const Json& result : api::array_at(claim, {"status", "allocation", "devices", "results"})) {
        const std::string_view whole = string_at(result, {"request"});  // "request/alternative" where there are any
        if (!request.empty() && whole.substr(0, whole.find('/')) != request.substr(0, request.find('/'))) continue;
        std::string id;
        for (const char* member : {"driver", "pool", "device"})
            id += (id.empty() ? "" : "/") + std::string(string_at(result, {member}));
        const bool known =
            std::any_of(devices.begin(), devices.end(), [&](const Json& device) { return device["resourceID"] == id; });
        if (!known) devices.push_back({{"resourceID", id}, {"health", "Unknown"}});
    }
    return devices;
}

}  // namespace

void write_devices(Json& pod, const api::Registry& registry) {
    const std::vector<Wanted> wanted = wanted_claims(pod);
    const Json& entries = api::array_at(pod, {"spec", "resourceClaims"});
    for (Json& status : pod["status"]["containerStatuses"]) {
        Json list = Json::array();
        for (const Json& container : api::array_at(pod, {"spec", "containers"})) {
            if (string_at(container, {"name"}) != string_at(status, {"name"})) continue;
            for (const Json& used : api::array_at(container, {"resources", "claims"})) {
                const std::string_view request = string_at(used, {"request"});
                std::string name(string_at(used, {"name"}));
                const auto entry = std::find_if(entries.begin(), entries.end(),
                                                [&](const Json& one) { return string_at(one, {"name"}) == name; });
                if (entry == entries.end()) continue;
                const Wanted& claim = wanted[static_cast<std::size_t>(entry - entries.begin())];
                const auto record = registry.get("resourceclaims.resource.k8s.io", api::namespace_of(pod), claim.claim);
                Json devices = record == nullptr ? Json::array() : devices_of(registry.document(*record), request);
                if (devices.empty()) continue;
                if (!request.empty()) name.append("/").append(request);
                list.push_back({{"name", "claim:" + name}, {"resources", std::move(devices)}});
            }
        }
        if (!list.empty()) status["allocatedResourcesStatus"] = std::move(list);
    }
}

bool PodWorker::devices_ready() {
    if (now_ < devices_retry_) {
        due(devices_retry_);
        return false;
    }
    const std::string missing = missing_devices(document(), services_.manager.registry());
    if (missing.empty()) return true;
    event(true, "FailedPrepareDynamicResources",
          "Failed to prepare dynamic resources: prepare dynamic resources: " + missing);
    devices_retry_ = now_ + sync_frequency;
    due(devices_retry_);
    return false;
}

}  // namespace kubemu::controllers::kubelet

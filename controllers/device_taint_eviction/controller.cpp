// A pod is looked at when it, one of its claims or a slice with such taints changes.
#include "controllers/device_taint_eviction/controller.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "api/kinds/core/disruption_target.h"
#include "api/values/time.h"
#include "controllers/runtime/owner_refs.h"
#include "storage/base/text_search.h"

namespace kubemu::controllers {

using api::Json;
using api::string_at;

namespace {

constexpr std::size_t workers = 8;

bool taints(const storage::RecordPtr& slice) {
    return slice != nullptr && contains_text(*slice->bytes.get(), "\"NoExecute\"");
}

bool tolerates(const Json& toleration, const Json& taint) {
    const auto same = [&](const char* member) { return string_at(toleration, {member}) == string_at(taint, {member}); };
    if (string_at(toleration, {"effect"}) != "NoExecute") return false;
    if (!string_at(toleration, {"key"}).empty() && !same("key")) return false;
    return string_at(toleration, {"operator"}) == "Exists" || same("value");
}

// When a device with this taint is to be given up by who has these tolerations.
std::optional<Time> end_of_toleration(const Json& result, const Json& taint) {
    const Time since = api::parse_time_or_zero(string_at(taint, {"timeAdded"}));
    std::optional<std::int64_t> seconds;
    for (const Json& toleration : api::array_at(result, {"tolerations"})) {
        if (!tolerates(toleration, taint)) continue;
        if (api::find(toleration, "tolerationSeconds") == nullptr) return std::nullopt;
        const std::int64_t own = std::max<std::int64_t>(api::int_at(toleration, {"tolerationSeconds"}), 0);
        seconds = std::min(seconds.value_or(own), own);
    }
    return since + std::chrono::seconds(seconds.value_or(0));
}

}  // namespace

DeviceTaintEvictionController::DeviceTaintEvictionController(Manager& manager)
    : Controller(manager, "device-taint-eviction-controller", "device-taint-eviction-controller"),
      reader_(client()),
      pods_(manager.informer("pods")),
      claims_(manager.informer("resourceclaims.resource.k8s.io")),
      slices_(manager.informer("resourceslices.resource.k8s.io")) {
    has_workers(workers);
    pods_.subscribe([this](const api::Informer::Change& change) {
        const storage::Record& record = change.after ? *change.after : *change.before;
        if (!change.after) {
            users_.erase(record.key);
            to_evict_.erase(record.key);
            return;
        }
        const bool uses_some = change.before ? users_.count(record.key) > 0  // its claims never change
                                             : contains_text(*record.bytes.get(), "\"resourceClaims\":[");
        if (!uses_some) return;
        users_[record.key] = api::view_of(record).uid;
        enqueue(record.key);
    });
    claims_.subscribe([this](const api::Informer::Change& change) {
        for (const storage::RecordPtr& claim : {change.before, change.after}) {
            if (claim == nullptr || !contains_text(*claim->bytes.get(), "\"reservedFor\":[")) continue;
            const Json document = client().document(*claim);
            for (const Json& consumer : api::array_at(document, {"status", "reservedFor"})) {
                const std::string key =
                    std::string(api::namespace_of(document)) + "/" + std::string(string_at(consumer, {"name"}));
                if (users_.count(key) > 0) enqueue(key);
            }
        }
    });
    slices_.subscribe([this](const api::Informer::Change& change) {
        if (taints(change.before) || taints(change.after)) look_at_all();
    });
}

void DeviceTaintEvictionController::look_at_all() {
    for (const auto& [key, uid] : users_) enqueue(key);
}

// The NoExecute taints of a device that a claim was given; of slices of older generations nothing counts.
Json DeviceTaintEvictionController::taints_of(const Json& result) const {
    Json found = Json::array();
    std::int64_t newest = INT64_MIN;
    for (const storage::RecordPtr& record : slices_.list()) {
        const std::string_view pool = string_at(result, {"pool"});
        if (!contains_text(*record->bytes.get(), std::string("\"").append(pool).append("\""))) continue;
        const Json slice = reader_.document(*record);
        const Json& spec = api::object_at(slice, {"spec"});
        if (string_at(spec, {"driver"}) != string_at(result, {"driver"}) || string_at(spec, {"pool", "name"}) != pool)
            continue;
        const std::int64_t generation = api::int_at(spec, {"pool", "generation"});
        if (generation < newest) continue;
        if (generation > newest) found = Json::array();
        newest = generation;
        for (const Json& device : api::array_at(spec, {"devices"})) {
            if (string_at(device, {"name"}) != string_at(result, {"device"})) continue;
            for (const Json& taint : api::array_at(device, {"taints"}))
                if (string_at(taint, {"effect"}) == "NoExecute") found.push_back(taint);
        }
    }
    return found;
}

std::optional<Time> DeviceTaintEvictionController::eviction_time_of_claim(const Json& claim) const {
    std::optional<Time> first;
    for (const Json& result : api::array_at(claim, {"status", "allocation", "devices", "results"})) {
        for (const Json& taint : taints_of(result)) {
            const std::optional<Time> end = end_of_toleration(result, taint);
            if (end && (!first || *end < *first)) first = end;
        }
    }
    return first;
}

std::optional<Time> DeviceTaintEvictionController::eviction_time(const Json& pod) const {
    if (string_at(pod, {"spec", "nodeName"}).empty()) return std::nullopt;
    const auto is_user = [&](const Json& consumer) { return string_at(consumer, {"uid"}) == api::uid_of(pod); };
    std::optional<Time> first;
    for (const Json& entry : api::array_at(pod, {"spec", "resourceClaims"})) {
        std::string name(string_at(entry, {"resourceClaimName"}));
        for (const Json& status : api::array_at(pod, {"status", "resourceClaimStatuses"}))
            if (name.empty() && string_at(status, {"name"}) == string_at(entry, {"name"}))
                name = string_at(status, {"resourceClaimName"});
        const storage::RecordPtr record = name.empty() ? nullptr : claims_.get(api::namespace_of(pod), name);
        if (record == nullptr) continue;
        const Json claim = reader_.document(*record);
        const Json& consumers = api::array_at(claim, {"status", "reservedFor"});
        if (std::none_of(consumers.begin(), consumers.end(), is_user)) continue;
        const std::optional<Time> end = eviction_time_of_claim(claim);
        if (end && (!first || *end < *first)) first = end;
    }
    return first;
}

api::ApiResult<Requeue> DeviceTaintEvictionController::reconcile(const std::string& key) {
    const storage::RecordPtr pod = pods_.get(key);
    if (pod == nullptr || api::view_of(*pod).deleting) return Requeue{};
    const std::string uid = api::view_of(*pod).uid;
    const std::optional<Time> when = eviction_time(client().document(*pod));
    if (!when) {
        if (to_evict_.erase(key) > 0)
            events().normal(object_reference(kind("pods"), *pod), "DeviceTaintManagerEviction", "Cancelling deletion");
        return Requeue{};
    }
    to_evict_[key] = uid;
    if (*when > now()) return Requeue{*when - now()};
    return evict(*pod);
}

api::ApiResult<Requeue> DeviceTaintEvictionController::evict(const storage::Record& pod) {
    const api::ObjectView& view = api::view_of(pod);
    events().normal(object_reference(kind("pods"), pod), "DeviceTaintManagerEviction", "Marking for deletion");
    const std::string time = api::format_time(now());
    const auto marked = client().modify(kind("pods"), view.namespace_name, view.name, "status", [&](Json& document) {
        if (api::uid_of(document) != view.uid || api::find(document, {"metadata", "deletionTimestamp"}) != nullptr)
            return false;
        api::set_disruption_target(document, "DeletionByDeviceTaintManager", "Device Taint manager: deleting due to NoExecute taint", time);
        return true;
    });
    if (!marked) return marked.error().code() == 404 ? api::ApiResult<Requeue>(Requeue{}) : marked.error();
    api::DeleteOptions options;
    options.precondition_uid = view.uid;
    const auto removed = client().remove(kind("pods"), view.namespace_name, view.name, options);
    if (!removed && removed.error().code() != 404) return removed.error();
    to_evict_.erase(api::object_key(view.namespace_name, view.name));
    return Requeue{};
}

}  // namespace kubemu::controllers

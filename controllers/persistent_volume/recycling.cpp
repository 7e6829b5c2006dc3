// The reclaim policy Recycle: a pod that scrubs the volume, watched until it ends (pkg/volume/util/recyclerclient).
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/registry.h"
#include "api/values/text.h"
#include "controllers/persistent_volume/controller.h"
#include "controllers/persistent_volume/plugins.h"
#include "controllers/runtime/owner_refs.h"
#include "storage/store.h"

namespace kubemu::controllers {
namespace {

using api::Json;

constexpr const char* pods_namespace = "default";
constexpr std::string_view pod_prefix = "recycler-for-";

}  // namespace

void PersistentVolumeController::recycler_changed(const api::Informer::Change& change) {
    const api::ObjectView& pod = api::view_of(change.after ? *change.after : *change.before);
    if (pod.namespace_name != pods_namespace || !pod.name.starts_with(pod_prefix)) return;
    enqueue(pod.name.substr(pod_prefix.size()));
}

// The volume tells what befalls its pod.
void PersistentVolumeController::forward_events(const Json& volume, const std::string& pod_name, Recycling& recycling) {
    std::vector<storage::RecordPtr> events_of_pod;
    const std::string prefix = api::object_key(pods_namespace, pod_name) + ".";
    for (storage::RecordPtr& record : manager().registry().store().list("events", prefix).records) {
        if (recycling.told.insert(record->key).second) events_of_pod.push_back(std::move(record));
    }
    std::sort(events_of_pod.begin(), events_of_pod.end(),
              [](const auto& a, const auto& b) { return a->create_revision < b->create_revision; });
    for (const storage::RecordPtr& record : events_of_pod) {
        const Json event = client().document(*record);
        if (api::string_at(event, {"involvedObject", "name"}) != pod_name) continue;
        const std::string message = "Recycler pod: " + std::string(api::string_at(event, {"message"}));
        if (api::string_at(event, {"type"}) == "Warning")
            events().warning(volume, "RecyclerPod", message);
        else
            events().normal(volume, "RecyclerPod", message);
    }
}

api::ApiResult<Requeue> PersistentVolumeController::fail_recycling(const storage::Record& record,
                                                                   const std::string& why) {
    recycling_.erase(api::view_of(record).uid);
    TRY(fail_volume(record, "VolumeFailedRecycle", why));
    return Requeue{resync_period};
}

api::ApiResult<Requeue> PersistentVolumeController::begin_recycling(const storage::Record& record, const Json& volume) {
    const Json reference = object_reference(kind("persistentvolumes"), record);
    const std::string claim = api::object_key(api::string_at(volume, {"spec", "claimRef", "namespace"}),
                                              api::string_at(volume, {"spec", "claimRef", "name"}));
    // A claim of that name would be another one, which has its own volume and pods.
    if (claims_.get(claim) == nullptr) {
        std::vector<std::string> users;
        for (const auto& pod : pod_claims_.users(claim)) users.push_back(pod->key);
        if (!users.empty()) {
            std::sort(users.begin(), users.end());
            events().normal(reference, "VolumeFailedRecycle", "Volume is used by pods: " + api::join(users, ","));
            return Requeue{resync_period};
        }
    }
    std::optional<Json> pod = recycler_pod(volume);
    if (!pod) return fail_recycling(record, "No recycler plugin found for the volume!");
    const std::string pod_name(api::name_of(*pod));
    const auto made = client().create(kind("pods"), pods_namespace, std::move(*pod));
    if (!made && made.error()->reason == "AlreadyExists") {
        const auto removed = client().remove(kind("pods"), pods_namespace, pod_name);
        if (removed || removed.error().code() == 404) {
            return fail_recycling(record, "Recycle failed: old recycler pod found, will retry later");
        }
        return fail_recycling(record, "Recycle failed: failed to delete old recycler pod " +
                                          std::string(pods_namespace) + "/" + pod_name + ": " +
                                          removed.error()->message);
    }
    if (!made) {
        return fail_recycling(record,
                              "Recycle failed: unexpected error creating recycler pod:  " + made.error()->message);
    }
    recycling_[api::view_of(record).uid] = {api::view_of(**made).uid, {}};
    return Requeue{};
}

api::ApiResult<Requeue> PersistentVolumeController::recycle(const storage::Record& record, const Json& volume) {
    const api::ObjectView& view = api::view_of(record);
    const auto known = recycling_.find(view.uid);
    if (known == recycling_.end()) return begin_recycling(record, volume);
    const Json reference = object_reference(kind("persistentvolumes"), record);
    const std::string pod_name = std::string(pod_prefix) + view.name;
    const storage::RecordPtr pod = pods_.get(pods_namespace, pod_name);
    forward_events(reference, pod_name, known->second);
    if (pod == nullptr || api::view_of(*pod).uid != known->second.pod_uid) {
        return fail_recycling(record, "Recycle failed: failed to recycle volume: recycler pod was deleted");
    }
    const api::PodView& status = api::pod_view_of(*pod);
    if (!status.finished()) return Requeue{};
    const auto removed = client().remove(kind("pods"), pods_namespace, pod_name);
    if (status.phase == api::PodPhase::failed) {
        std::string why(api::string_at(client().document(*pod), {"status", "message"}));
        if (why.empty()) why = "pod failed, pod.Status.Message unknown";
        return fail_recycling(record, "Recycle failed: failed to recycle volume: " + why);
    }
    if (!removed && removed.error().code() != 404) {
        return fail_recycling(record, "Recycle failed: failed to delete recycler pod: " + removed.error()->message);
    }
    recycling_.erase(known);
    events().normal(reference, "VolumeRecycled", "Volume recycled");
    TRY(unbind(record));
    return Requeue{};
}

}  // namespace kubemu::controllers

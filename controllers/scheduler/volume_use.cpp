// Counts volumes by driver, from pods and from VolumeAttachments.
#include "controllers/scheduler/volume_use.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace kubemu::controllers::scheduler {

using api::Json;

namespace {

void add_volume(DriverVolumes& to, const Json& volume) {
    const Json& csi = api::object_at(volume, {"spec", "csi"});
    const std::string driver(api::string_at(csi, {"driver"})), handle(api::string_at(csi, {"volumeHandle"}));
    if (!driver.empty() && !handle.empty()) to[driver + "/" + handle] = driver;
}

}  // namespace

VolumeUse::VolumeUse(Manager& manager, const api::Client& reader)
    : claims_(manager.informer("persistentvolumeclaims")),
      volumes_(manager.informer("persistentvolumes")),
      classes_(manager.informer("storageclasses.storage.k8s.io")),
      csi_nodes_(manager.informer("csinodes.storage.k8s.io")),
      csi_drivers_(manager.informer("csidrivers.storage.k8s.io")),
      attachments_(manager.informer("volumeattachments.storage.k8s.io")),
      reader_(reader) {}

DriverVolumes VolumeUse::of(const PodInfo& pod) const {
    DriverVolumes result;
    for (const std::string& name : pod.rules().claims) {
        const auto record = claims_.get(pod.namespace_name, name);
        if (record == nullptr) continue;
        const Json claim = reader_.document(*record);
        const auto volume = volumes_.get(api::string_at(claim, {"spec", "volumeName"}));
        if (volume != nullptr) {
            add_volume(result, reader_.document(*volume));
            continue;
        }
        const auto storage_class = classes_.get(api::string_at(claim, {"spec", "storageClassName"}));
        if (storage_class == nullptr) continue;
        const Json document = reader_.document(*storage_class);
        const std::string driver(api::string_at(document, {"provisioner"}));
        result[driver + "/unbound " + record->key] = driver;
    }
    return result;
}

DriverVolumes VolumeUse::attached_to(const std::string& node) const {
    DriverVolumes result;
    for (const auto& record : attachments_.list()) {
        const Json attachment = reader_.document(*record);
        if (api::string_at(attachment, {"spec", "nodeName"}) != node) continue;
        const auto volume = volumes_.get(api::string_at(attachment, {"spec", "source", "persistentVolumeName"}));
        if (volume != nullptr) add_volume(result, reader_.document(*volume));
    }
    return result;
}

// Only drivers that ask for it keep pods away from nodes where they do not run.
bool VolumeUse::lacks_driver(const std::string& driver, const Json& csi_node) const {
    const auto record = csi_drivers_.get(driver);
    if (record == nullptr) return false;
    if (!api::bool_at(reader_.document(*record), {"spec", "preventPodSchedulingIfMissing"})) return false;
    const Json& drivers = api::array_at(csi_node, {"spec", "drivers"});
    return std::none_of(drivers.begin(), drivers.end(),
                        [&](const Json& entry) { return api::string_at(entry, {"name"}) == driver; });
}

std::string VolumeUse::refusal(const NodeInfo& node, DriverVolumes asked, const std::vector<PodInfoPtr>& removed) const {
    const auto record = csi_nodes_.get(node.name);
    const Json csi_node = record == nullptr ? Json::object() : reader_.document(*record);
    for (const auto& [volume, driver] : asked)
        if (lacks_driver(driver, csi_node)) return driver + " CSI driver is not installed on the node";
    std::map<std::string, std::int64_t> limits;
    for (const Json& driver : api::array_at(csi_node, {"spec", "drivers"})) {
        if (const Json* count = api::find(driver, {"allocatable", "count"}); count != nullptr && count->is_number())
            limits[std::string(api::string_at(driver, {"name"}))] = count->get<std::int64_t>();
    }
    if (limits.empty()) return {};
    DriverVolumes there = attached_to(node.name);
    for (const auto& [key, pod] : node.pods) {
        if (pod->rules().claims.empty()) continue;
        const bool gone = std::any_of(removed.begin(), removed.end(), [&, &key = key](const PodInfoPtr& each) { return each->key == key; });
        if (!gone) there.merge(of(*pod));
    }
    std::map<std::string, std::int64_t> attached, wanted;
    for (const auto& [volume, driver] : there) {
        asked.erase(volume);  // it is there already
        ++attached[driver];
    }
    for (const auto& [volume, driver] : asked) ++wanted[driver];
    for (const auto& [driver, count] : wanted) {
        const auto limit = limits.find(driver);
        if (limit != limits.end() && attached[driver] + count > limit->second) return "node(s) exceed max volume count";
    }
    return {};
}

}  // namespace kubemu::controllers::scheduler

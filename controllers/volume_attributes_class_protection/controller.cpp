// A class is looked at when it changes, and when something stops to name it.
#include "controllers/volume_attributes_class_protection/controller.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "storage/base/text_search.h"

namespace kubemu::controllers {
namespace {

constexpr std::string_view classes = "volumeattributesclasses.storage.k8s.io";
constexpr const char* protection = "kubernetes.io/vac-protection";

using Names = std::set<std::string, std::less<>>;

// The classes that a claim or a volume asks for, has, or is on the way to.
Names classes_of(api::Client& client, const storage::Record& record) {
    if (!contains_text(*record.bytes.get(), "olumeAttributesClassName\"")) return {};
    const api::Json document = client.document(record);
    Names names;
    for (const std::string_view name : {api::string_at(document, {"spec", "volumeAttributesClassName"}),
                                        api::string_at(document, {"status", "currentVolumeAttributesClassName"}),
                                        api::string_at(document, {"status", "modifyVolumeStatus", "targetVolumeAttributesClassName"})}) {
        if (!name.empty()) names.emplace(name);
    }
    return names;
}

}  // namespace

VolumeAttributesClassProtectionController::VolumeAttributesClassProtectionController(Manager& manager)
    : Controller(manager, "volumeattributesclass-protection-controller", "volumeattributesclass-protection-controller"),
      classes_(manager.informer(classes)),
      claims_(manager.informer("persistentvolumeclaims")),
      volumes_(manager.informer("persistentvolumes")) {
    enqueue_on_change(classes_);
    const auto released = [this](const api::Informer::Change& change) {
        if (!change.before) return;
        const Names now = change.after ? classes_of(client(), *change.after) : Names{};
        for (const std::string& name : classes_of(client(), *change.before)) {
            if (!now.contains(name)) enqueue(name);
        }
    };
    claims_.subscribe(released);
    volumes_.subscribe(released);
}

bool VolumeAttributesClassProtectionController::is_used(const std::string& name) {
    const auto names_it = [&](const storage::RecordPtr& record) { return classes_of(client(), *record).contains(name); };
    const auto claims = claims_.list(), volumes = volumes_.list();
    return std::any_of(volumes.begin(), volumes.end(), names_it) || std::any_of(claims.begin(), claims.end(), names_it);
}

api::ApiResult<Requeue> VolumeAttributesClassProtectionController::reconcile(const std::string& key) {
    const auto record = classes_.get("", key);
    if (!record) return Requeue{};
    const bool deleting = api::view_of(*record).deleting;
    if (deleting && is_used(key)) return Requeue{};
    const auto written = client().modify(kind(classes), {}, key, {}, [&](api::Json& object) {
        api::Json& finalizers = api::ensure(object, {"metadata"})["finalizers"];
        if (!finalizers.is_array()) finalizers = api::Json::array();
        const auto found = std::find(finalizers.begin(), finalizers.end(), protection);
        if ((found != finalizers.end()) == !deleting) return false;
        if (deleting) finalizers.erase(found);
        else finalizers.push_back(protection);
        return true;
    });
    if (!written && written.error().code() != 404) return written.error();
    return Requeue{};
}

}  // namespace kubemu::controllers

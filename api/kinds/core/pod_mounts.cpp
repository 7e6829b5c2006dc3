// volumeMounts and volumeDevices of a container.
#include <nlohmann/json.hpp>

#include "api/kinds/core/pod_checks.h"
#include "api/kinds/validation.h"

namespace kubemu::api::pods {
namespace {

std::string_view text(const Json& object, std::string_view member) { return string_at(object, {member}); }

bool used(const Json& list, std::string_view member, std::string_view value) {
    for (const Json& item : list) {
        if (text(item, member) == value) return true;
    }
    return false;
}

// The same value in an item before this one.
bool repeated(const Json& list, std::size_t index, std::string_view member, std::string_view value) {
    for (std::size_t i = 0; i < index; ++i) {
        if (text(list[i], member) == value) return true;
    }
    return false;
}

void validate_propagation(const Json& mount, const Json& container, const FieldPath& list, FieldErrors& errors) {
    const std::string_view propagation = text(mount, "mountPropagation");
    if (find(mount, "mountPropagation") == nullptr) return;
    if (propagation != "Bidirectional" && propagation != "HostToContainer" && propagation != "None") {
        errors.not_supported(list.child("mountPropagation"), propagation, {"Bidirectional", "HostToContainer", "None"});
    }
    if (propagation == "Bidirectional" && !bool_at(container, {"securityContext", "privileged"})) {
        errors.forbidden(list.child("mountPropagation"),
                         "Bidirectional mount propagation is available only to privileged containers");
    }
}

void validate_recursive_read_only(const Json& mount, const FieldPath& list, FieldErrors& errors) {
    if (find(mount, "recursiveReadOnly") == nullptr) return;
    const std::string_view mode = text(mount, "recursiveReadOnly");
    const FieldPath at = list.child("recursiveReadOnly");
    if (mode == "Disabled") return;
    if (mode != "Enabled" && mode != "IfPossible") {
        return errors.not_supported(at, mode, {"Disabled", "Enabled", "IfPossible"});
    }
    if (!bool_at(mount, {"readOnly"})) errors.forbidden(at, "may only be specified when readOnly is true");
    if (const std::string_view propagation = text(mount, "mountPropagation"); !propagation.empty() && propagation != "None") {
        errors.forbidden(at, "may only be specified when mountPropagation is None or not specified");
    }
}

void validate_mount(const Json& mounts, std::size_t index, const Json& container, const PodContext& context,
                    const FieldPath& list, FieldErrors& errors) {
    const Json& mount = mounts[index];
    const Json& devices = array_at(container, {"volumeDevices"});
    const std::string_view name = text(mount, "name"), where = text(mount, "mountPath");
    const auto at = [&](std::string_view member) { return list.index(index).child(member); };
    if (name.empty()) errors.required(at("name"), "");
    if (context.volume(name) == nullptr) errors.not_found(at("name"), std::string(name));
    if (where.empty()) errors.required(at("mountPath"), "");
    if (repeated(mounts, index, "mountPath", where)) errors.invalid(at("mountPath"), std::string(where), "must be unique");
    if (used(devices, "name", name)) errors.invalid(at("name"), std::string(name), "must not already exist in volumeDevices");
    if (used(devices, "devicePath", where)) {
        errors.invalid(at("mountPath"), std::string(where), "must not already exist as a path in volumeDevices");
    }
    // From here on the real server names the list, not the item.
    const std::string_view sub_path = text(mount, "subPath"), expression = text(mount, "subPathExpr");
    if (!sub_path.empty()) validate_local_descending_path(sub_path, list.child("subPath"), errors);
    if (!expression.empty()) {
        if (!sub_path.empty()) {
            errors.invalid(at("subPathExpr"), std::string(expression), "subPathExpr and subPath are mutually exclusive");
        }
        validate_local_descending_path(expression, list.child("subPathExpr"), errors);
    }
    validate_propagation(mount, container, list, errors);
    validate_recursive_read_only(mount, list, errors);
}

bool has_backsteps(std::string_view path) {
    FieldErrors found;
    validate_path_no_backsteps(path, FieldPath(), found);
    return !found.empty();
}

void validate_device(const Json& devices, std::size_t index, const Json& container, const PodContext& context,
                     const FieldPath& list, FieldErrors& errors) {
    const Json& mounts = array_at(container, {"volumeMounts"});
    const std::string_view name = text(devices[index], "name"), where = text(devices[index], "devicePath");
    const FieldPath name_path = list.index(index).child("name"), device_path = list.index(index).child("devicePath");
    const Json* volume = context.volume(name);
    if (name.empty()) errors.required(name_path, "");
    if (!name.empty() && repeated(devices, index, "name", name)) {
        errors.invalid(name_path, std::string(name), "must be unique");
    }
    if (volume == nullptr) {
        errors.not_found(name_path, std::string(name));
    } else if (find(*volume, "persistentVolumeClaim") == nullptr && find(*volume, "ephemeral") == nullptr) {
        errors.invalid(name_path, std::string(name),
                       "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode");
    }
    if (where.empty()) errors.required(device_path, "");
    if (repeated(devices, index, "devicePath", where)) errors.invalid(device_path, std::string(where), "must be unique");
    if (!where.empty() && has_backsteps(where)) {
        errors.invalid(device_path, std::string(where), "can not contain backsteps ('..')");
    }
    if (used(mounts, "name", name)) errors.invalid(name_path, std::string(name), "must not already exist in volumeMounts");
    if (used(mounts, "mountPath", where)) {
        errors.invalid(device_path, std::string(where), "must not already exist as a path in volumeMounts");
    }
}

}  // namespace

void validate_mounts(const Json& container, const PodContext& context, const FieldPath& path, FieldErrors& errors) {
    const Json& mounts = array_at(container, {"volumeMounts"});
    const Json& devices = array_at(container, {"volumeDevices"});
    if (!mounts.empty()) {
        const FieldPath list = path.child("volumeMounts");
        for (std::size_t i = 0; i < mounts.size(); ++i) validate_mount(mounts, i, container, context, list, errors);
    }
    if (!devices.empty()) {
        const FieldPath list = path.child("volumeDevices");
        for (std::size_t i = 0; i < devices.size(); ++i) validate_device(devices, i, container, context, list, errors);
    }
}

}  // namespace kubemu::api::pods

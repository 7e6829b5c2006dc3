// Rules of PersistentVolumes (kubernetes pkg/apis/core/validation, pkg/registry/core/persistentvolume).
#include "api/kinds/core/persistent_volume.h"

#include <nlohmann/json.hpp>

#include "api/kinds/go_diff.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/node_label_warnings.h"
#include "api/kinds/rules.h"
#include "api/kinds/validation.h"
#include "api/values/names.h"
#include "api/values/time.h"

namespace kubemu::api::kinds {

void validate_access_modes(const Json& spec, const FieldPath& path, FieldErrors& errors) {
    bool once_pod = false, others = false;
    for (const Json& item : array_at(spec, {"accessModes"})) {
        const std::string& mode = item.get_ref<const std::string&>();
        const bool known = mode == "ReadWriteOnce" || mode == "ReadOnlyMany" || mode == "ReadWriteMany";
        if (mode == "ReadWriteOncePod") {
            once_pod = true;
        } else if (known) {
            others = true;
        } else {
            errors.not_supported(path, mode, {"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"});
        }
    }
    if (once_pod && others) errors.forbidden(path, "may not use ReadWriteOncePod with other access modes");
}

namespace {

// map[...] as core.ResourceList prints; its quantities are structs.
GoText resources_text(const Json& list) {
    if (list.empty()) return {"core.ResourceList(nil)"};
    std::string text = "core.ResourceList{";
    bool first = true;
    for (const auto& [name, quantity] : list.items()) {
        if (!first) text += ", ";
        first = false;
        text += "\"" + name + "\":" + go_quantity(quantity.get<std::string>(), true).text;
    }
    return {text + "}"};
}

void validate_capacity(const Json& spec, const FieldPath& path, FieldErrors& errors) {
    const Json& capacity = object_at(spec, {"capacity"});
    if (capacity.empty()) errors.required(path, "");
    if (!capacity.contains("storage") || capacity.size() > 1)
        errors.not_supported(path, resources_text(capacity), {"storage"});
    for (const auto& [name, value] : capacity.items()) {
        const Quantity quantity = quantity_of(&value);
        if (quantity.value() < 0) errors.invalid(path.key(name), quantity.value(), "must be a valid resource quantity");
        validate_positive_quantity(quantity, path.key(name), errors);
    }
}

void validate_selector_requirement(const Json& requirement, bool of_fields, const FieldPath& path,
                                   FieldErrors& errors) {
    const std::string op(string_at(requirement, {"operator"})), key(string_at(requirement, {"key"}));
    const Json& values = array_at(requirement, {"values"});
    const bool lists = op == "In" || op == "NotIn";
    if (of_fields) {
        if (lists && values.size() != 1) {
            errors.required(path.child("values"),
                            "must be only one value when `operator` is 'In' or 'NotIn' for node field selector");
        }
        if (!lists) errors.invalid(path.child("operator"), op, "not a valid selector operator");
        if (key != "metadata.name") return errors.invalid(path.child("key"), key, "not a valid field selector key");
        for (std::size_t i = 0; i < values.size(); ++i) {
            validate_dns1123_subdomain(values[i].get<std::string>(), path.child("values").index(i), errors);
        }
        return;
    }
    if (lists) {
        if (values.empty())
            errors.required(path.child("values"), "must be specified when `operator` is 'In' or 'NotIn'");
    } else if (op == "Exists" || op == "DoesNotExist") {
        if (!values.empty()) {
            errors.forbidden(path.child("values"),
                             "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
        }
    } else if (op == "Gt" || op == "Lt") {
        if (values.size() != 1) {
            errors.required(path.child("values"), "must be specified single value when `operator` is 'Lt' or 'Gt'");
        }
    } else {
        errors.invalid(path.child("operator"), op, "not a valid selector operator");
    }
    validate_qualified_name(key, path.child("key"), errors);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::string value = values[i].get<std::string>();
        add_invalid(check_label_value(value), path.child("values").index(i), value, errors);
    }
}

void validate_node_affinity(const Json& affinity, const FieldPath& path, FieldErrors& errors) {
    const Json* required = find(affinity, "required");
    if (required == nullptr) return errors.required(path.child("required"), "must specify required node constraints");
    const FieldPath terms_path = path.child("required").child("nodeSelectorTerms");
    const Json& terms = array_at(*required, {"nodeSelectorTerms"});
    if (terms.empty()) return errors.required(terms_path, "must have at least one node selector term");
    for (std::size_t i = 0; i < terms.size(); ++i) {
        for (const char* list : {"matchExpressions", "matchFields"}) {
            const Json& requirements = array_at(terms[i], {list});
            for (std::size_t j = 0; j < requirements.size(); ++j) {
                validate_selector_requirement(requirements[j], std::string_view(list) == "matchFields",
                                              terms_path.index(i).child(list).index(j), errors);
            }
        }
    }
}

void validate_inline(const Json& spec, const FieldPath& path, FieldErrors& errors) {
    constexpr const char* not_inline = "may not be specified in the context of inline volumes";
    if (find(spec, "claimRef") != nullptr) errors.forbidden(path.child("claimRef"), not_inline);
    if (!object_at(spec, {"capacity"}).empty()) errors.forbidden(path.child("capacity"), not_inline);
    if (find(spec, "csi") == nullptr)
        errors.required(path.child("csi"), "has to be specified in the context of inline volumes");
}

void validate_policy_and_affinity(const Json& spec, bool inline_spec, const FieldPath& path, FieldErrors& errors) {
    const std::string_view policy = string_at(spec, {"persistentVolumeReclaimPolicy"});
    const FieldPath policy_path = path.child("persistentVolumeReclaimPolicy");
    const Json* affinity = find(spec, "nodeAffinity");
    if (inline_spec) {
        if (!policy.empty() && policy != "Retain") {
            errors.forbidden(policy_path, "may only be Retain in the context of inline volumes");
        }
        if (affinity != nullptr) {
            errors.forbidden(path.child("nodeAffinity"), "may not be specified in the context of inline volumes");
        }
        return;
    }
    validate_optional_enum(policy, {"Delete", "Recycle", "Retain"}, policy_path, errors);
    if (affinity != nullptr) validate_node_affinity(*affinity, path.child("nodeAffinity"), errors);
}

void validate_class_and_mode(const Json& spec, bool inline_spec, const FieldPath& path, FieldErrors& errors) {
    if (const std::string_view name = string_at(spec, {"storageClassName"}); !name.empty()) {
        if (inline_spec) {
            errors.forbidden(path.child("storageClassName"), "may not be specified in the context of inline volumes");
        } else {
            validate_dns1123_subdomain(name, path.child("storageClassName"), errors);
        }
    }
    if (find(spec, "volumeMode") != nullptr) {
        const std::string_view mode = string_at(spec, {"volumeMode"});
        if (inline_spec && mode != "Filesystem") {
            errors.forbidden(path.child("volumeMode"),
                             "may not specify volumeMode other than Filesystem in the context of inline volumes");
        } else if (!inline_spec && mode != "Block" && mode != "Filesystem") {
            errors.not_supported(path.child("volumeMode"), mode, {"Block", "Filesystem"});
        }
    }
    if (find(spec, "volumeAttributesClassName") == nullptr) return;
    const FieldPath class_path = path.child("volumeAttributesClassName");
    const std::string_view name = string_at(spec, {"volumeAttributesClassName"});
    if (name.empty()) {
        errors.required(class_path, "an empty string is disallowed");
    } else {
        validate_dns1123_subdomain(name, class_path, errors);
    }
    if (find(spec, "csi") == nullptr) {
        errors.required(path.child("csi"), "has to be specified when using volumeAttributesClassName");
    }
}

}  // namespace

void validate_volume_spec(const Json& spec, std::string_view name, bool inline_spec, const FieldPath& path,
                          FieldErrors& errors) {
    if (inline_spec) validate_inline(spec, path, errors);
    if (array_at(spec, {"accessModes"}).empty()) errors.required(path.child("accessModes"), "");
    validate_access_modes(spec, path.child("accessModes"), errors);
    if (!inline_spec) validate_capacity(spec, path.child("capacity"), errors);
    validate_policy_and_affinity(spec, inline_spec, path, errors);
    validate_volume_sources(spec, name, path, errors);
    const std::string_view host_path = string_at(spec, {"hostPath", "path"});
    const bool root = !host_path.empty() && host_path.find_first_not_of('/') == std::string_view::npos;
    if (root && string_at(spec, {"persistentVolumeReclaimPolicy"}) == "Recycle") {
        errors.forbidden(path.child("persistentVolumeReclaimPolicy"),
                         "may not be 'recycle' for a hostPath mount of '/'");
    }
    validate_class_and_mode(spec, inline_spec, path, errors);
}

namespace {

void prepare_for_create(Json& object, const HookContext&) {
    object["status"] = {{"phase", "Pending"}};
}

void prepare_for_update(Json& object, const Json& old, const HookContext&) {
    if (const Json* status = find(old, "status")) object["status"] = *status;
}

// Who writes a phase need not say when it changed.
void prepare_for_status_update(Json& object, const Json& old, const HookContext& context) {
    if (const Json* spec = find(old, "spec")) object["spec"] = *spec;
    constexpr const char* member = "lastPhaseTransitionTime";
    const bool same_phase = string_at(object, {"status", "phase"}) == string_at(old, {"status", "phase"});
    const std::string_view since = string_at(object, {"status", member}), before = string_at(old, {"status", member});
    if (same_phase && since.empty() && !before.empty()) object["status"][member] = std::string(before);
    if (!same_phase && (since.empty() || since == before)) object["status"][member] = format_time(context.now);
}

constexpr const char* mount_options = "volume.beta.kubernetes.io/mount-options";

// The annotation is for volumes that something is mounted for (kubernetes pkg/volume/validation).
void validate_mount_options(const Json& object, FieldErrors& errors) {
    if (find(object, {"metadata", "annotations", mount_options}) == nullptr) return;
    const Json& spec = object_at(object, {"spec"});
    for (const char* mounted :
         {"gcePersistentDisk", "awsElasticBlockStore", "glusterfs", "nfs", "rbd", "quobyte", "iscsi", "cinder", "cephfs",
          "azureFile", "vsphereVolume", "azureDisk", "photonPersistentDisk"}) {
        if (find(spec, mounted) != nullptr) return;
    }
    errors.forbidden(FieldPath("metadata").child("annotations").child(mount_options),
                     "may not specify mount options for this volume type");
}

void validate_spec(const Json& object, FieldErrors& errors) {
    validate_volume_spec(object_at(object, {"spec"}), name_of(object), false, FieldPath("spec"), errors);
}

void validate(const Json& object, const HookContext&, FieldErrors& errors) {
    validate_spec(object, errors);
    validate_mount_options(object, errors);
}

// The members of a spec that say where the volume is.
Json source_of(const Json& object) {
    Json source = Json::object();
    for (const auto& [member, value] : object_at(object, {"spec"}).items()) {
        if (is_volume_source(member)) source[member] = value;
    }
    return source;
}

void validate_update(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    // The real server checks the spec a second time.
    validate_spec(object, errors);
    Json source = source_of(object);
    const Json before = source_of(old);
    // The Secret for expansion may be named later.
    if (find(before, "csi") != nullptr && find(before, {"csi", "controllerExpandSecretRef"}) == nullptr) {
        if (Json* csi = find(source, "csi")) erase(*csi, "controllerExpandSecretRef");
    }
    if (source != before) {
        errors.forbidden(FieldPath("spec.persistentvolumesource"),
                         "spec.persistentvolumesource is immutable after creation\n" +
                             go_diff("core.PersistentVolumeSource", before, source));
    }
    validate_immutable(find(object, {"spec", "volumeMode"}), find(old, {"spec", "volumeMode"}), FieldPath("volumeMode"),
                       errors);
    const Json* old_affinity = find(old, {"spec", "nodeAffinity"});
    const Json* affinity = find(object, {"spec", "nodeAffinity"});
    if (old_affinity != nullptr && (affinity == nullptr || *affinity != *old_affinity)) {
        const GoText echo = affinity == nullptr
                                ? GoText{"\"null\""}
                                : GoText{"core.VolumeNodeAffinity{Required:(*core.NodeSelector)(0xc000a1b2c8)}"};
        errors.invalid(FieldPath("nodeAffinity"), echo,
                       "field is immutable, except for updating from beta label to GA");
    }
    if (find(old, {"spec", "volumeAttributesClassName"}) != nullptr &&
        find(object, {"spec", "volumeAttributesClassName"}) == nullptr) {
        errors.forbidden(FieldPath("spec.volumeAttributesClassName"), "update from non-nil value to nil is forbidden");
    }
}

void warnings(const Json& object, const Json*, const HookContext&, std::vector<std::string>& out) {
    const Json& annotations = object_at(object, {"metadata", "annotations"});
    const auto deprecated = [&](const char* key, const char* since) {
        if (annotations.contains(key))
            out.push_back(std::string("metadata.annotations[") + key + "]: deprecated since " + since);
    };
    deprecated("volume.beta.kubernetes.io/storage-class", "v1.8; use \"storageClassName\" attribute instead");
    deprecated(mount_options, "v1.31; use \"mountOptions\" attribute instead");
    const Json& spec = object_at(object, {"spec"});
    if (string_at(spec, {"persistentVolumeReclaimPolicy"}) == "Recycle") {
        out.emplace_back(
            "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended "
            "approach is to use dynamic provisioning.");
    }
    const FieldPath terms_path("spec.nodeAffinity.required.nodeSelectorTerms");
    const Json& terms = array_at(spec, {"nodeAffinity", "required", "nodeSelectorTerms"});
    for (std::size_t i = 0; i < terms.size(); ++i) {
        const Json& expressions = array_at(terms[i], {"matchExpressions"});
        for (std::size_t j = 0; j < expressions.size(); ++j) {
            const std::string key(string_at(expressions[j], {"key"}));
            const std::string_view why = deprecated_node_label(key);
            if (why.empty()) continue;
            out.push_back(terms_path.index(i).child("matchExpressions").index(j).child("key").text() + ": " + key + " is " +
                          std::string(why));
        }
    }
    constexpr std::pair<const char*, const char*> sources[] = {
        {"cephfs", "deprecated in v1.28, non-functional in v1.31+"},
        {"photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"},
        {"rbd", "deprecated in v1.28, non-functional in v1.31+"},
        {"scaleIO", "deprecated in v1.16, non-functional in v1.22+"},
        {"storageOS", "deprecated in v1.22, non-functional in v1.25+"},
        {"glusterfs", "deprecated in v1.25, non-functional in v1.26+"}};
    for (const auto& [member, why] : sources) {
        // One of them is named unlike its field.
        const char* field = std::string_view(member) == "storageOS" ? "storageos" : member;
        if (find(spec, field) != nullptr) out.push_back(std::string("spec.") + member + ": " + why);
    }
}

}  // namespace

extern const KindRules persistent_volume_rules;
const KindRules persistent_volume_rules{.prepare_for_create = prepare_for_create,
                                        .prepare_for_update = prepare_for_update,
                                        .prepare_for_status_update = prepare_for_status_update,
                                        .validate = validate,
                                        .validate_update = validate_update,
                                        .warnings = warnings};

}  // namespace kubemu::api::kinds

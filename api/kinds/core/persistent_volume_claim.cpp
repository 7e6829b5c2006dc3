// Rules of PersistentVolumeClaims (kubernetes pkg/apis/core/validation, pkg/registry/core/persistentvolumeclaim).
#include <nlohmann/json.hpp>

#include "api/kinds/core/persistent_volume.h"
#include "api/kinds/core/persistent_volume_claim.h"
#include "api/kinds/go_diff.h"
#include "api/kinds/rules.h"
#include "api/kinds/validation.h"
#include "api/values/names.h"

namespace kubemu::api::kinds {
namespace {

constexpr const char* class_annotation = "volume.beta.kubernetes.io/storage-class";

bool copies_claim_or_snapshot(const Json& source) {
    const std::string_view group = string_at(source, {"apiGroup"}), kind = string_at(source, {"kind"});
    return (kind == "PersistentVolumeClaim" && group.empty()) ||
           (kind == "VolumeSnapshot" && group == "snapshot.storage.k8s.io");
}

void validate_source(const Json& source, const FieldPath& path, FieldErrors& errors) {
    const std::string kind(string_at(source, {"kind"})), group(string_at(source, {"apiGroup"}));
    validate_required(string_at(source, {"name"}), path.child("name"), errors);
    validate_required(kind, path.child("kind"), errors);
    if (group.empty() && kind != "PersistentVolumeClaim") {
        errors.invalid(path, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup");
    }
    if (!group.empty()) validate_dns1123_subdomain(group, path.child("apiGroup"), errors);
    if (const std::string_view space = string_at(source, {"namespace"}); !space.empty()) {
        validate_dns1123_label(space, path.child("namespace"), errors);
    }
}

void validate_sources(const Json& spec, const FieldPath& path, FieldErrors& errors) {
    const Json* source = find(spec, "dataSource");
    const Json* reference = find(spec, "dataSourceRef");
    if (source != nullptr) validate_source(*source, path.child("dataSource"), errors);
    if (reference != nullptr) validate_source(*reference, path.child("dataSourceRef"), errors);
    if (source == nullptr || reference == nullptr) return;
    // The server echoes the path of the field instead of its value.
    const GoText echo{path.child("dataSource").text()};
    if (!string_at(*reference, {"namespace"}).empty()) {
        return errors.invalid(path, echo, "may not be specified when dataSourceRef.namespace is specified");
    }
    for (const char* member : {"apiGroup", "kind", "name"}) {
        if (string_at(*source, {member}) == string_at(*reference, {member})) continue;
        return errors.invalid(path, echo, "must match dataSourceRef");
    }
}

void set_defaults(Json& object, const HookContext&) {
    if (string_at(object, {"status", "phase"}).empty()) ensure(object, {"status"})["phase"] = "Pending";
}

void prepare_for_create(Json& object, const HookContext&) {
    object["status"] = {{"phase", "Pending"}};
    settle_data_sources(ensure(object, {"spec"}), nullptr);
}

void prepare_for_update(Json& object, const Json& old, const HookContext&) {
    if (const Json* status = find(old, "status")) object["status"] = *status;
    settle_data_sources(ensure(object, {"spec"}), &object_at(old, {"spec"}));
}

void prepare_for_status_update(Json& object, const Json& old, const HookContext&) {
    if (const Json* spec = find(old, "spec")) object["spec"] = *spec;
}

void validate(const Json& object, const HookContext&, FieldErrors& errors) {
    validate_claim_spec(object_at(object, {"spec"}), FieldPath("spec"), errors);
}

std::string_view class_annotation_of(const Json& object) {
    return string_at(object, {"metadata", "annotations", class_annotation});
}

// The class may move from the annotation to the field, and be set where there was none.
void let_class_in(const Json& object, const Json& old, Json& spec, const Json& old_spec, FieldErrors& errors) {
    const Json* name = find(spec, "storageClassName");
    const std::string_view before = class_annotation_of(old);
    const bool had_none = find(old_spec, "storageClassName") == nullptr;
    const bool annotated = find(object_at(old, {"metadata", "annotations"}), class_annotation) != nullptr;
    const std::string_view now = class_annotation_of(object);
    const bool moves = annotated && had_none && name != nullptr && *name == before && (now.empty() || now == before);
    if (!moves && now != before) {
        errors.invalid(FieldPath("metadata").child("annotations").key(class_annotation), std::string(now),
                       "field is immutable");
    }
    if (name != nullptr && had_none && (!annotated || *name == before)) spec.erase("storageClassName");
}

void validate_update(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    Json spec = object_at(object, {"spec"}), old_spec = object_at(old, {"spec"});
    settle_data_sources(old_spec, &old_spec);
    if (string_at(old_spec, {"volumeName"}).empty()) {
        spec.erase("volumeName");
        old_spec.erase("volumeName");
    }
    let_class_in(object, old, spec, old_spec, errors);
    const Quantity size = quantity_of(find(spec, {"resources", "requests", "storage"}));
    const Quantity old_size = quantity_of(find(old_spec, {"resources", "requests", "storage"}));
    if (string_at(object, {"status", "phase"}) == "Bound") {
        for (Json* each : {&spec, &old_spec}) {
            if (Json* requests = find(*each, {"resources", "requests"})) erase(*requests, "storage");
            erase(*each, "volumeAttributesClassName");
        }
    }
    if (spec != old_spec) {
        errors.forbidden(FieldPath("spec"),
                         "spec is immutable after creation except resources.requests for bound claims\n" +
                             go_diff("core.PersistentVolumeClaimSpec", old_spec, spec));
    }
    if (size < old_size) {
        errors.forbidden(FieldPath("spec.resources.requests.storage"), "field can not be less than previous value");
    }
    validate_immutable(find(object, {"spec", "volumeMode"}), find(old, {"spec", "volumeMode"}), FieldPath("volumeMode"),
                       errors);
    const Json* attributes = find(object, {"spec", "volumeAttributesClassName"});
    if (find(old, {"status", "currentVolumeAttributesClassName"}) == nullptr) return;
    constexpr const char* has_one = " is forbidden when status.currentVolumeAttributesClassName is not nil";
    const FieldPath path("spec.volumeAttributesClassName");
    if (attributes == nullptr && find(old, {"spec", "volumeAttributesClassName"}) != nullptr) {
        errors.forbidden(path, std::string("update to nil") + has_one);
    } else if (attributes != nullptr && *attributes == "") {
        errors.forbidden(path, std::string("update to empty string") + has_one);
    }
}

// Which resources a claim can have been given: storage, and those of others. False when it is neither.
bool validate_status_resource(const std::string& name, const FieldPath& path, FieldErrors& errors) {
    const Messages wrong = check_qualified_name(name);
    add_invalid(wrong, path, name, errors);
    if (!wrong.empty()) return false;
    const bool known = !is_native_resource(name) || name == "storage";
    if (!known) errors.not_supported(path, name, {"storage"});
    return known;
}

void validate_status_update(const Json& object, const Json&, const HookContext&, FieldErrors& errors) {
    const FieldPath status("status");
    if (array_at(object, {"spec", "accessModes"}).empty()) errors.required(FieldPath("Spec.accessModes"), "");
    const auto check_amount = [&](const Quantity& amount, const FieldPath& path) {
        if (amount.value() < 0) errors.invalid(path, amount.value(), "must be a valid resource quantity");
        return amount.value() >= 0;
    };
    for (const auto& [name, value] : object_at(object, {"status", "capacity"}).items()) {
        check_amount(quantity_of(&value), status.child("capacity").key(name));
    }
    for (const auto& [name, value] : object_at(object, {"status", "allocatedResourceStatuses"}).items()) {
        const FieldPath path = status.child("allocatedResourceStatuses");
        validate_status_resource(name, path, errors);
        static constexpr std::string_view known[] = {"ControllerResizeInProgress", "ControllerResizeInfeasible",
                                                     "NodeResizeInProgress", "NodeResizeInfeasible",
                                                     "NodeResizePending"};
        bool fits = false;
        for (const std::string_view state : known) fits = fits || value == state;
        if (!fits) errors.not_supported(path, name, std::vector<std::string>(std::begin(known), std::end(known)));
    }
    for (const auto& [name, value] : object_at(object, {"status", "allocatedResources"}).items()) {
        const FieldPath path = status.child("allocatedResources");
        if (!validate_status_resource(name, path, errors)) continue;
        const Quantity amount = quantity_of(&value);
        if (check_amount(amount, path.key(name))) validate_resource_quantity("storage", amount, path.key(name), errors);
    }
}

void warnings(const Json& object, const Json*, const HookContext&, std::vector<std::string>& out) {
    if (find(object_at(object, {"metadata", "annotations"}), class_annotation) != nullptr) {
        out.push_back(std::string("metadata.annotations[") + class_annotation +
                      "]: deprecated since v1.8; use \"storageClassName\" attribute instead");
    }
    warn_of_claim_spec(object_at(object, {"spec"}), FieldPath("spec"), out);
}

}  // namespace

void warn_of_claim_spec(const Json& spec, const FieldPath& path, std::vector<std::string>& warnings) {
    for (const char* list : {"requests", "limits"}) {
        const Quantity storage = quantity_of(find(spec, {"resources", list, "storage"}));
        if (storage.milli_value() % 1000 == 0) continue;
        warnings.push_back(path.child("resources").child(list).key("storage").text() + ": fractional byte value \"" +
                           storage.text() + "\" is invalid, must be an integer");
    }
}

void settle_data_sources(Json& spec, const Json* old) {
    const bool had_one =
        old != nullptr && (find(*old, "dataSource") != nullptr || find(*old, "dataSourceRef") != nullptr);
    const Json* source = find(spec, "dataSource");
    const Json* reference = find(spec, "dataSourceRef");
    if (!had_one && reference == nullptr && source != nullptr && !copies_claim_or_snapshot(*source)) {
        erase(spec, "dataSource");
        source = nullptr;
    }
    const auto copy = [](const Json& from) {
        Json to = Json::object();
        for (const char* member : {"apiGroup", "kind", "name"}) {
            if (const Json* value = find(from, member)) to[member] = *value;
        }
        return to;
    };
    if (source != nullptr && reference == nullptr) {
        spec["dataSourceRef"] = copy(*source);
    } else if (reference != nullptr && source == nullptr && string_at(*reference, {"namespace"}).empty()) {
        spec["dataSource"] = copy(*reference);
    }
}

void validate_claim_spec(const Json& spec, const FieldPath& path, FieldErrors& errors) {
    if (array_at(spec, {"accessModes"}).empty()) {
        errors.required(path.child("accessModes"), "at least 1 access mode is required");
    }
    if (const Json* selector = find(spec, "selector"))
        validate_label_selector(*selector, path.child("selector"), errors);
    validate_access_modes(spec, path.child("accessModes"), errors);
    const FieldPath storage_path = path.child("resources").key("storage");
    if (const Json* storage = find(spec, {"resources", "requests", "storage"}); storage == nullptr) {
        errors.required(storage_path, "");
    } else {
        validate_positive_quantity(quantity_of(storage), storage_path, errors);
    }
    if (const std::string_view name = string_at(spec, {"storageClassName"}); !name.empty()) {
        validate_dns1123_subdomain(name, path.child("storageClassName"), errors);
    }
    if (find(spec, "volumeMode") != nullptr) {
        const std::string_view mode = string_at(spec, {"volumeMode"});
        if (mode != "Block" && mode != "Filesystem")
            errors.not_supported(path.child("volumeMode"), mode, {"Block", "Filesystem"});
    }
    validate_sources(spec, path, errors);
    if (const std::string_view name = string_at(spec, {"volumeAttributesClassName"}); !name.empty()) {
        validate_dns1123_subdomain(name, path.child("volumeAttributesClassName"), errors);
    }
}

extern const KindRules persistent_volume_claim_rules;
const KindRules persistent_volume_claim_rules{.set_defaults = set_defaults,
                                              .prepare_for_create = prepare_for_create,
                                              .prepare_for_update = prepare_for_update,
                                              .prepare_for_status_update = prepare_for_status_update,
                                              .validate = validate,
                                              .validate_update = validate_update,
                                              .validate_status_update = validate_status_update,
                                              .warnings = warnings};

}  // namespace kubemu::api::kinds

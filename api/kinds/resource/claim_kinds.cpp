// Rules of ResourceClaim, ResourceClaimTemplate and DeviceClass.
#include <nlohmann/json.hpp>
#include <set>

#include "api/kinds/define.h"
#include "api/kinds/resource/claims.h"
#include "api/kinds/validation.h"
#include "api/values/names.h"

namespace kubemu::api::kinds {
namespace {

constexpr std::size_t consumers_max = 256;

void claim_defaults(Json& object, const HookContext&) {
    default_device_claim(ensure(object, {"spec"}));
}
void template_defaults(Json& object, const HookContext&) {
    default_device_claim(ensure(object, {"spec", "spec"}));
}

void validate_claim(const Json& object, const HookContext&, FieldErrors& errors) {
    validate_device_claim(object_at(object, {"spec", "devices"}), FieldPath("spec").child("devices"), errors);
}

void validate_claim_update(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    if (object_at(object, {"spec"}) == object_at(old, {"spec"})) return;
    errors.invalid(FieldPath("spec"), go_claim_spec(object_at(object, {"spec"})), "field is immutable");
}

void validate_claim_status(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    const FieldPath path("status");
    const FieldPath at = path.child("reservedFor");
    const Json& consumers = array_at(object, {"status", "reservedFor"});
    if (consumers.size() > consumers_max) errors.too_many(at, consumers.size(), consumers_max);
    std::set<std::string_view> seen;
    for (std::size_t i = 0; i < consumers.size(); ++i) {
        for (const char* member : {"resource", "name", "uid"}) {
            validate_required(string_at(consumers[i], {member}), at.index(i).child(member), errors);
        }
        const std::string_view uid = string_at(consumers[i], {"uid"});
        if (!seen.insert(uid).second) errors.duplicate(at.index(i), std::string(uid));
    }
    const Json* allocation = find(object, {"status", "allocation"});
    const Json* before = find(old, {"status", "allocation"});
    if (!consumers.empty() && allocation == nullptr) {
        errors.forbidden(at, "may not be specified when `allocated` is not set");
    } else if (find(object, {"metadata", "deletionTimestamp"}) != nullptr) {
        std::set<std::string_view> known;
        for (const Json& consumer : array_at(old, {"status", "reservedFor"}))
            known.insert(string_at(consumer, {"uid"}));
        for (const std::string_view uid : seen) {
            if (known.contains(uid)) continue;
            errors.forbidden(
                at,
                "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set");
            break;
        }
    }
    if (allocation != nullptr && before != nullptr && *allocation != *before) {
        errors.invalid(path.child("allocation"), *allocation, "field is immutable");
    }
}

void validate_template(const Json& object, const HookContext&, FieldErrors& errors) {
    const FieldPath path("spec");
    const Json& metadata = object_at(object, {"spec", "metadata"});
    if (const Json* labels = find(metadata, "labels"))
        validate_labels(*labels, path.child("metadata").child("labels"), errors);
    if (const Json* annotations = find(metadata, "annotations")) {
        validate_annotations(*annotations, path.child("metadata").child("annotations"), errors);
    }
    validate_device_claim(object_at(object, {"spec", "spec", "devices"}), path.child("spec").child("devices"),
                          errors);
}

void validate_template_update(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    const Json& spec = object_at(object, {"spec"});
    if (spec == object_at(old, {"spec"})) return;
    errors.invalid(FieldPath("spec"), spec, "field is immutable");
}

void validate_class(const Json& object, const HookContext&, FieldErrors& errors) {
    const FieldPath path("spec");
    const Json& spec = object_at(object, {"spec"});
    validate_device_selectors(array_at(spec, {"selectors"}), path.child("selectors"), errors);
    const Json& config = array_at(spec, {"config"});
    for (std::size_t i = 0; i < config.size(); ++i)
        validate_device_configuration(config[i], path.child("config").index(i), errors);
    const Json* name = find(spec, "extendedResourceName");
    if (name != nullptr && !is_extended_resource(string_at(spec, {"extendedResourceName"}))) {
        errors.invalid(path.child("extendedResourceName"), *name, "must be a valid extended resource name");
    }
}

}  // namespace

KUBEMU_RULES(resource_claim_rules){.set_defaults = claim_defaults,
                                   .validate_create = validate_claim,
                                   .validate_update = validate_claim_update,
                                   .validate_status_update = validate_claim_status};
KUBEMU_RULES(resource_claim_template_rules){.set_defaults = template_defaults,
                                            .validate_create = validate_template,
                                            .validate_update = validate_template_update};
KUBEMU_RULES(device_class_rules){.validate = validate_class};

}  // namespace kubemu::api::kinds

// Rules of CSIDrivers (kubernetes pkg/apis/storage/validation, pkg/registry/storage/csidriver).
#include <nlohmann/json.hpp>
#include <set>

#include "api/kinds/go_syntax.h"
#include "api/kinds/rules.h"
#include "api/kinds/validation.h"

namespace kubemu::api::kinds {
namespace {

void validate_token_requests(const Json& spec, FieldErrors& errors) {
    std::set<std::string> audiences;
    std::size_t i = 0;
    for (const Json& request : array_at(spec, {"tokenRequests"})) {
        const FieldPath path = FieldPath("spec.tokenRequests").index(i++);
        const std::string audience(string_at(request, {"audience"}));
        if (!audiences.insert(audience).second) {
            errors.duplicate(path.child("audience"), audience);
            continue;
        }
        if (find(request, "expirationSeconds") == nullptr) continue;
        const std::int64_t seconds = int_at(request, {"expirationSeconds"});
        const FieldPath at = path.child("expirationSeconds");
        if (seconds < 600) errors.invalid(at, seconds, "may not specify a duration less than 10 minutes");
        if (seconds > std::int64_t{1} << 32)
            errors.invalid(at, seconds, "may not specify a duration larger than 2^32 seconds");
    }
}

void validate_driver(const Json& object, FieldErrors& errors) {
    const Json& spec = object_at(object, {"spec"});
    const FieldPath path("spec");
    const auto need = [&](const char* member, const char* shown) {
        if (find(spec, member) == nullptr) errors.required(path.child(shown), "");
    };
    need("attachRequired", "attachedRequired");
    need("podInfoOnMount", "podInfoOnMount");
    need("storageCapacity", "storageCapacity");
    if (find(spec, "fsGroupPolicy") != nullptr) {
        const std::string_view policy = string_at(spec, {"fsGroupPolicy"});
        if (policy != "File" && policy != "None" && policy != "ReadWriteOnceWithFSType") {
            errors.not_supported(path.child("fsGroupPolicy"), policy, {"File", "None", "ReadWriteOnceWithFSType"});
        }
    }
    validate_token_requests(spec, errors);
    for (const Json& item : array_at(spec, {"volumeLifecycleModes"})) {
        if (item == "Persistent" || item == "Ephemeral") continue;
        errors.not_supported(path.child("volumeLifecycleModes"), item.get<std::string>(), {"Persistent", "Ephemeral"});
    }
    if (find(spec, "nodeAllocatableUpdatePeriodSeconds") != nullptr) {
        const std::int64_t period = int_at(spec, {"nodeAllocatableUpdatePeriodSeconds"});
        if (period < 10) {
            errors.invalid(path.child("nodeAllocatableUpdatePeriodSeconds"), period,
                           "must be greater than or equal to 10 seconds");
        }
    }
    const Json* in_secrets = find(spec, "serviceAccountTokenInSecrets");
    if (in_secrets != nullptr && array_at(spec, {"tokenRequests"}).empty()) {
        errors.invalid(path.child("serviceAccountTokenInSecrets"), *in_secrets,
                       "serviceAccountTokenInSecrets is set but no tokenRequests are specified");
    }
}

void validate(const Json& object, const HookContext&, FieldErrors& errors) {
    validate_driver(object, errors);
}

void validate_update(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    const FieldPath path("spec");
    validate_immutable(find(object, {"spec", "attachRequired"}), find(old, {"spec", "attachRequired"}),
                       path.child("attachedRequired"), errors);
    const Json* modes = find(object, {"spec", "volumeLifecycleModes"});
    validate_immutable(modes, find(old, {"spec", "volumeLifecycleModes"}),
                       go_strings("[]storage.VolumeLifecycleMode", modes), path.child("volumeLifecycleModes"), errors);
}

// The generation counts changes and is not there before the first.
void prepare_for_update(Json& object, const Json& old, const HookContext&) {
    if (object_at(object, {"spec"}) == object_at(old, {"spec"})) return;
    object["metadata"]["generation"] = int_at(old, {"metadata", "generation"}) + 1;
}

}  // namespace

extern const KindRules csi_driver_rules;
const KindRules csi_driver_rules{
    .prepare_for_update = prepare_for_update,
    .validate = validate,
    .validate_update = validate_update};

}  // namespace kubemu::api::kinds

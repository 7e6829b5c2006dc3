// Rules of pods: what a running pod lets be changed, its phase and quality of service.
#include <nlohmann/json.hpp>

#include "api/kinds/core/pod_requests.h"
#include "api/kinds/core/pod_spec.h"
#include "api/kinds/rules.h"

namespace kubemu::api::kinds {
namespace {

void set_defaults(Json& pod, const HookContext&) {
    if (Json* spec = find(pod, "spec")) {
        // Pods have it, templates do not (SetDefaults_Pod).
        if (find(*spec, "enableServiceLinks") == nullptr) (*spec)["enableServiceLinks"] = true;
        default_pod_spec(*spec);
    }
}

void prepare_for_create(Json& pod, const HookContext&) {
    pod["status"] = {{"phase", "Pending"}, {"qosClass", quality_of_service(object_at(pod, {"spec"}))}};
    if (!array_at(pod, {"spec", "schedulingGates"}).empty()) {
        pod["status"]["conditions"] = Json::array(
            {{{"type", "PodScheduled"}, {"status", "False"}, {"reason", "SchedulingGated"}, {"message", "Scheduling is blocked due to non-empty scheduling gates"}}});
    }
}

void validate(const Json& pod, const HookContext&, FieldErrors& errors) {
    validate_pod_spec(object_at(pod, {"spec"}), FieldPath("spec"), errors);
}

// The spec with everything that may change taken out.
Json frozen_part(const Json& pod) {
    Json spec = object_at(pod, {"spec"});
    for (const char* list : {"containers", "initContainers"}) {
        if (Json* containers = find(spec, list)) {
            for (Json& container : *containers) container.erase("image");
        }
    }
    for (const char* member : {"activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "schedulingGates", "nodeSelector",
                               "affinity", "ephemeralContainers"}) {
        spec.erase(member);
    }
    return spec;
}

void validate_update(const Json& pod, const Json& old, const HookContext& context, FieldErrors& errors) {
    const FieldPath spec("spec");
    if (context.subresource == "ephemeralcontainers") return;
    if (array_at(pod, {"spec", "containers"}).size() != array_at(old, {"spec", "containers"}).size()) {
        errors.forbidden(spec.child("containers"), "pod updates may not add or remove containers");
        return;
    }
    const Json* before = find(old, {"spec", "activeDeadlineSeconds"});
    const Json* after = find(pod, {"spec", "activeDeadlineSeconds"});
    if (before != nullptr && (after == nullptr || after->get<std::int64_t>() > before->get<std::int64_t>())) {
        errors.invalid(spec.child("activeDeadlineSeconds"), after == nullptr ? Json("") : *after,
                       after == nullptr ? "must not update from a positive integer to nil value"
                                        : "must be less than or equal to previous value");
    }
    const Json& old_tolerations = array_at(old, {"spec", "tolerations"});
    for (const Json& toleration : old_tolerations) {
        bool kept = false;
        for (const Json& have : array_at(pod, {"spec", "tolerations"})) {
            Json a = toleration, b = have;
            a.erase("tolerationSeconds");
            b.erase("tolerationSeconds");
            kept = kept || a == b;
        }
        if (!kept) {
            errors.forbidden(spec.child("tolerations"), "existing toleration can not be modified except its tolerationSeconds");
            break;
        }
    }
    const bool gated = !array_at(old, {"spec", "schedulingGates"}).empty();
    if (!gated && (object_at(pod, {"spec", "nodeSelector"}) != object_at(old, {"spec", "nodeSelector"}) ||
                   object_at(pod, {"spec", "affinity"}) != object_at(old, {"spec", "affinity"}))) {
        errors.forbidden(spec, "pod updates may not change fields other than `spec.containers[*].image`,"
                               "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to "
                               "existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)");
        return;
    }
    if (frozen_part(pod) != frozen_part(old)) {
        errors.forbidden(spec, "pod updates may not change fields other than `spec.containers[*].image`,"
                               "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to "
                               "existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)");
    }
}

}  // namespace

extern const KindRules pod_rules;
const KindRules pod_rules{.set_defaults = set_defaults,
                          .prepare_for_create = prepare_for_create,
                          .validate = validate,
                          .validate_update = validate_update};

}  // namespace kubemu::api::kinds

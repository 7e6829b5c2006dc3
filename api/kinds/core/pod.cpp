// Rules of pods: the strategy of kubernetes pkg/registry/core/pod; the checks are in pod_<question>.cpp.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/kinds/core/pod_requests.h"
#include "api/kinds/core/pod_spec.h"
#include "api/kinds/rules.h"
#include "api/schema/zero.h"

namespace kubemu::api::kinds {
namespace {

// podIP is the first of podIPs; clients that know the one alone mean both (pkg/apis/core/v1/conversion.go).
void join_pod_ips(Json& pod) {
    Json* status = find(pod, "status");
    if (status == nullptr) return;
    const std::string one(string_at(*status, {"podIP"}));
    const Json& all = array_at(*status, {"podIPs"});
    if (!one.empty() && (all.empty() || string_at(all[0], {"ip"}) != one)) {
        (*status)["podIPs"] = Json::array({{{"ip", one}}});
    } else if (one.empty() && !all.empty()) {
        (*status)["podIP"] = std::string(string_at(all[0], {"ip"}));
    }
}

void set_defaults(Json& pod, const HookContext&) {
    if (Json* spec = find(pod, "spec")) default_pod_spec(*spec);
    default_pod(pod);
    join_pod_ips(pod);
}

void prepare_for_create(Json& pod, const HookContext& context) {
    pod["status"] = {{"phase", "Pending"}, {"qosClass", quality_of_service(object_at(pod, {"spec"}))}};
    if (!array_at(pod, {"spec", "schedulingGates"}).empty()) {
        pod["status"]["conditions"] =
            Json::array({{{"type", "PodScheduled"},
                          {"status", "False"},
                          {"reason", "SchedulingGated"},
                          {"message", "Scheduling is blocked due to non-empty scheduling gates"}}});
    }
    settle_new_pod(pod, context.warnings);
}

void keep(Json& object, const Json& old, std::string_view member) {
    if (const Json* value = find(old, member)) object[std::string(member)] = *value;
    else erase(object, member);
}

// Of metadata these two subresources take labels and annotations alone (metav1.ResetObjectMetaForStatus keeps the rest).
void keep_metadata(Json& pod, const Json& old) {
    Json& metadata = ensure(pod, {"metadata"});
    const Json& before = object_at(old, {"metadata"});
    for (const char* member : {"deletionGracePeriodSeconds", "ownerReferences", "finalizers", "labels", "annotations"}) {
        keep(metadata, before, member);
    }
}

// Only resources and resize policies count; containers that were moved or renamed are for validation to refuse.
void keep_all_but_resources(Json& containers, const Json& old) {
    if (!containers.is_array() || containers.size() != old.size()) return;
    for (std::size_t i = 0; i < old.size(); ++i) {
        if (string_at(containers[i], {"name"}) != string_at(old[i], {"name"})) return;
    }
    for (std::size_t i = 0; i < old.size(); ++i) {
        Json merged = old[i];
        keep(merged, containers[i], "resources");
        keep(merged, containers[i], "resizePolicy");
        containers[i] = std::move(merged);
    }
}

// Pods that are never resized do not show their generation, which is 1 (KEP 5067 shows it on all): a resize does, for that
// is what their status is compared with.
void count_change(Json& pod, const Json& old, bool resized) {
    const std::int64_t before = int_at(old, {"metadata", "generation"});
    if (before > 0) pod["metadata"]["generation"] = before;
    if ((before == 0 && !resized) || object_at(pod, {"spec"}) == object_at(old, {"spec"})) return;
    pod["metadata"]["generation"] = std::max<std::int64_t>(before, 1) + 1;
}

void prepare_for_update(Json& pod, const Json& old, const HookContext& context) {
    // Only a new pod is asked where its overhead comes from.
    if (const Json* overhead = find(pod, {"spec", "overhead"}); overhead != nullptr && overhead->empty()) {
        erase(pod["spec"], "overhead");
    }
    if (context.subresource == "ephemeralcontainers") keep_metadata(pod, old);
    if (context.subresource != "resize") return count_change(pod, old, false);
    keep_metadata(pod, old);
    for (const char* list : {"containers", "initContainers"}) {
        if (Json* containers = find(pod, {"spec", list})) {
            keep_all_but_resources(*containers, array_at(old, {"spec", list}));
        }
    }
    count_change(pod, old, true);
}

void prepare_for_status_update(Json& pod, const Json& old, const HookContext&) {
    Json& metadata = ensure(pod, {"metadata"});
    // Old kubelets wrote owner references in a way that breaks garbage collection.
    keep(metadata, object_at(old, {"metadata"}), "ownerReferences");
    Json& status = ensure(pod, {"status"});
    if (string_at(status, {"qosClass"}).empty()) keep(status, object_at(old, {"status"}), "qosClass");
}

void validate(const Json& pod, const HookContext&, FieldErrors& errors) { api::validate_pod(pod, errors); }
void validate_create(const Json& pod, const HookContext&, FieldErrors& errors) { validate_new_pod(pod, errors); }

void validate_update(const Json& pod, const Json& old, const HookContext& context, FieldErrors& errors) {
    if (context.subresource == "ephemeralcontainers") return validate_ephemeral_containers_update(pod, old, errors);
    if (context.subresource == "resize") return validate_pod_resize(pod, old, errors);
    if (errors.empty()) return validate_pod_update(pod, old, errors);
    // An empty list that was refused is no change.
    Json plain = pod;
    drop_all_zero_values(plain, *context.kind.type);
    validate_pod_update(plain, old, errors);
}

void validate_status(const Json& pod, const Json& old, const HookContext&, FieldErrors& errors) {
    validate_pod_status_update(pod, old, errors);
}

// On create only: people seldom update pods, and controllers do all the time.
void warnings(const Json& pod, const Json* old, const HookContext&, std::vector<std::string>& all) {
    if (old == nullptr) warn_of_pod(pod, all);
}

}  // namespace

extern const KindRules pod_rules;
const KindRules pod_rules{.set_defaults = set_defaults,
                          .prepare_for_create = prepare_for_create,
                          .prepare_for_update = prepare_for_update,
                          .prepare_for_status_update = prepare_for_status_update,
                          .validate = validate,
                          .validate_create = validate_create,
                          .validate_update = validate_update,
                          .validate_status_update = validate_status,
                          .warnings = warnings};

}  // namespace kubemu::api::kinds

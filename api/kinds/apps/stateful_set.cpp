// Rules of StatefulSet.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "api/kinds/apps/workload.h"
#include "api/kinds/core/persistent_volume_claim.h"
#include "api/kinds/core/pod_checks.h"
#include "api/kinds/core/pod_spec.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/validation.h"

namespace kubemu::api::kinds {
namespace {

const FieldPath spec_path("spec");

void set_defaults(Json& object, const HookContext& context) {
    default_template(object, context);
    Json& strategy = ensure(object, {"spec", "updateStrategy"});
    if (string_at(strategy, {"type"}).empty()) {
        strategy["type"] = "RollingUpdate";
        ensure(strategy, {"rollingUpdate"});
    }
    Json* rolling = find(strategy, "rollingUpdate");
    if (string_at(strategy, {"type"}) == "RollingUpdate" && rolling != nullptr && find(*rolling, "partition") == nullptr) {
        (*rolling)["partition"] = 0;
    }
    Json* claims = find(object, {"spec", "volumeClaimTemplates"});
    if (claims == nullptr || !claims->is_array()) return;
    for (Json& claim : *claims) {
        if (!claim.is_object()) continue;
        claim["kind"] = "PersistentVolumeClaim";
        claim["apiVersion"] = "v1";
        if (string_at(claim, {"status", "phase"}).empty()) ensure(claim, {"status"})["phase"] = "Pending";
        if (find(claim, {"spec", "volumeMode"}) == nullptr) ensure(claim, {"spec"})["volumeMode"] = "Filesystem";
    }
}

void validate_rolling_update(const Json& rolling, const FieldPath& path, FieldErrors& errors) {
    validate_non_negative(rolling, "partition", path, errors);
    const Json* unavailable = find(rolling, "maxUnavailable");
    if (unavailable == nullptr) return;
    const FieldPath at = path.child("maxUnavailable");
    validate_int_or_percent(unavailable, at, errors);
    if (is_zero_int_or_percent(unavailable)) errors.invalid(at, go_int_or_string(unavailable), "cannot be 0");
    validate_at_most_100_percent(unavailable, at, errors);
}

void validate_update_strategy(const Json& strategy, FieldErrors& errors) {
    constexpr GoField rolling_fields[] = {{"Partition", "partition", "int32"},
                                          {"MaxUnavailable", "maxUnavailable", "*intstr.IntOrString"}};
    constexpr GoField fields[] = {{"Type", "type", "string"},
                                  {"RollingUpdate", "rollingUpdate", "*apps.RollingUpdateStatefulSetStrategy"}};
    const FieldPath path = spec_path.child("updateStrategy");
    const std::string_view type = string_at(strategy, {"type"});
    const Json* rolling = find(strategy, "rollingUpdate");
    if (type == "OnDelete") {
        if (rolling != nullptr) {
            errors.invalid(path.child("rollingUpdate"), go_struct("apps.RollingUpdateStatefulSetStrategy", rolling_fields, *rolling),
                           "only allowed for updateStrategy 'RollingUpdate'");
        }
    } else if (type == "RollingUpdate") {
        if (rolling != nullptr) validate_rolling_update(*rolling, path.child("rollingUpdate"), errors);
    } else {
        errors.invalid(path, go_struct("apps.StatefulSetUpdateStrategy", fields, strategy),
                       "must be 'RollingUpdate' or 'OnDelete'");
    }
}

// The template as pods are made of it: claims are volumes, and the names are the controller's.
Json template_of_pods(const Json& spec) {
    Json pod_template = object_at(spec, {"template"});
    Json* pod = find(pod_template, "spec");
    if (pod == nullptr) return pod_template;
    erase(*pod, "subdomain");
    erase(*pod, "hostname");
    Json volumes = Json::array();
    std::set<std::string_view> claims;
    for (const Json& claim : array_at(spec, {"volumeClaimTemplates"})) {
        const std::string_view name = name_of(claim);
        if (claims.insert(name).second)
            volumes.push_back({{"name", name}, {"persistentVolumeClaim", {{"claimName", name}}}});
    }
    if (claims.empty()) return pod_template;
    for (const Json& volume : array_at(*pod, {"volumes"})) {
        if (!claims.contains(string_at(volume, {"name"}))) volumes.push_back(volume);
    }
    (*pod)["volumes"] = std::move(volumes);
    return pod_template;
}

// What a check of a spec leaves out, so that what was accepted once can still be updated.
struct Leniency {
    bool service_name = false, claim_templates = false, pod_template = false;
};

void validate_template(const Json& spec, bool with_pod_spec, FieldErrors& errors) {
    const FieldPath at = spec_path.child("template");
    const Json& metadata = object_at(spec, {"template", "metadata"});
    validate_template_matches(spec, selects_template(find(spec, "selector"), spec), errors);
    if (with_pod_spec) validate_pod_template(template_of_pods(spec), at, errors);
    if (const Json* labels = find(metadata, "labels")) validate_labels(*labels, at.child("labels"), errors);
    if (const Json* annotations = find(metadata, "annotations")) {
        validate_annotations(*annotations, at.child("annotations"), errors);
        pods::validate_pod_annotations(metadata, object_at(spec, {"template", "spec"}), at.child("annotations"),
                                       errors);
    }
}

void validate_spec(const Json& spec, const Leniency& tolerates, FieldErrors& errors) {
    const std::string_view management = string_at(spec, {"podManagementPolicy"});
    if (management != "OrderedReady" && management != "Parallel") {
        errors.invalid(spec_path.child("podManagementPolicy"), std::string(management), "must be 'OrderedReady' or 'Parallel'");
    }
    validate_update_strategy(object_at(spec, {"updateStrategy"}), errors);
    if (const Json* retention = find(spec, "persistentVolumeClaimRetentionPolicy")) {
        for (const char* member : {"whenDeleted", "whenScaled"}) {
            const std::string_view policy = string_at(*retention, {member});
            if (policy == "Retain" || policy == "Delete") continue;
            errors.not_supported(spec_path.child("persistentVolumeClaimRetentionPolicy").child(member), policy, {"Retain", "Delete"});
        }
    }
    std::size_t i = 0;
    for (const Json& claim : array_at(spec, {"volumeClaimTemplates"})) {
        const FieldPath at = spec_path.child("volumeClaimTemplates").index(i++).child("spec");
        if (!tolerates.claim_templates) validate_claim_spec(object_at(claim, {"spec"}), at, errors);
    }
    validate_non_negative(spec, "replicas", spec_path, errors);
    validate_non_negative(spec, "minReadySeconds", spec_path, errors);
    if (const Json* ordinals = find(spec, "ordinals")) validate_non_negative(*ordinals, "start", spec_path.child("ordinals"), errors);
    if (const std::string_view service = string_at(spec, {"serviceName"});
        !tolerates.service_name && !service.empty()) {
        validate_dns1123_label(service, spec_path.child("serviceName"), errors);
    }
    validate_selector(spec, "empty selector is invalid for statefulset", errors);
    const Json* selector = find(spec, "selector");
    if (!usable_selector(selector)) {
        errors.invalid(spec_path.child("selector"), go_label_selector(selector), "");
    } else {
        validate_template(spec, !tolerates.pod_template, errors);
    }
    validate_endless(spec, "StatefulSet", errors);
}

void validate(const Json& object, const HookContext&, FieldErrors& errors) {
    validate_spec(object_at(object, {"spec"}), {}, errors);
}

void validate_update(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    constexpr std::string_view mutable_members[] = {
        "replicas",        "ordinals", "template", "updateStrategy", "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds", "revisionHistoryLimit"};
    const Json& before = object_at(old, {"spec"});
    const Json& after = object_at(object, {"spec"});
    Leniency tolerates{.service_name = true, .claim_templates = true};
    FieldErrors of_old;
    validate_spec(before, tolerates, of_old);
    tolerates.pod_template = !of_old.empty();
    validate_spec(after, tolerates, errors);
    const auto frozen = [&](const std::string& member) {
        return std::find(std::begin(mutable_members), std::end(mutable_members), member) == std::end(mutable_members);
    };
    bool same = true;
    for (const auto& [member, value] : before.items()) {
        const Json* now = find(after, member);
        if (frozen(member)) same = same && now != nullptr && *now == value;
    }
    for (const auto& [member, value] : after.items()) same = same && (!frozen(member) || before.contains(member));
    if (same) return;
    errors.forbidden(spec_path,
                     "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
                     "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden");
}

void validate_status(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    const Json& status = object_at(object, {"status"});
    validate_counters(status,
                      {"replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas",
                       "observedGeneration", "collisionCount"},
                      errors);
    for (const char* member : {"readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"}) {
        validate_at_most(status, member, "replicas", "cannot be greater than status.replicas", errors);
    }
    validate_at_most(status, "availableReplicas", "readyReplicas", "cannot be greater than status.readyReplicas", errors);
    validate_collision_count(object, old, errors);
}

void warnings(const Json& object, const Json* old, const HookContext&, std::vector<std::string>& all) {
    warn_of_template(object, old, all);
    std::size_t i = 0;
    for (const Json& claim : array_at(object, {"spec", "volumeClaimTemplates"})) {
        warn_of_claim_spec(object_at(claim, {"spec"}), FieldPath("spec.volumeClaimTemplates").index(i++), all);
    }
    if (int_at(object, {"spec", "revisionHistoryLimit"}) < 0) {
        all.emplace_back("spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended");
    }
}

}  // namespace

extern const KindRules stateful_set_rules;
const KindRules stateful_set_rules{.set_defaults = set_defaults,
                                   .validate = validate,
                                   .validate_update = validate_update,
                                   .validate_status_update = validate_status,
                                   .validates_updates_apart = true,
                                   .validate_name = check_name_as_label,
                                   .warnings = warnings};

}  // namespace kubemu::api::kinds

// What may change of a pod that exists: by an update, and by its ephemeralcontainers subresource.
#include <nlohmann/json.hpp>

#include "api/kinds/core/pod_checks.h"
#include "api/kinds/core/pod_diff.h"
#include "api/kinds/core/pod_spec.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/validation.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

constexpr std::string_view mirror = "kubernetes.io/config.mirror";
constexpr std::string_view app_armor = "container.apparmor.security.beta.kubernetes.io/";

std::string_view text(const Json& object, std::string_view member) { return string_at(object, {member}); }
const Json& spec_of(const Json& pod) { return object_at(pod, {"spec"}); }

// Annotations that stand for what the node has made already.
void validate_annotations_update(const Json& pod, const Json& old, FieldErrors& errors) {
    const Json& now = object_at(pod, {"metadata", "annotations"});
    const Json& before = object_at(old, {"metadata", "annotations"});
    const FieldPath path("metadata.annotations");
    if (now != before) {
        for (const auto& [key, value] : before.items()) {
            const Json* current = find(now, key);
            if (current != nullptr && *current == value) continue;
            if (key.starts_with(app_armor)) errors.forbidden(path.key(key), "may not remove or update AppArmor annotations");
            if (key == mirror) errors.forbidden(path.key(key), "may not remove or update mirror pod annotation");
        }
        for (const auto& [key, value] : now.items()) {
            if (before.contains(key)) continue;
            if (key.starts_with(app_armor)) errors.forbidden(path.key(key), "may not add AppArmor annotations");
            if (key == mirror) errors.forbidden(path.key(key), "may not add mirror pod annotation");
        }
    }
    pods::validate_pod_annotations(object_at(pod, {"metadata"}), spec_of(pod), path, errors);
}

// False: nothing more is to be said of this update.
bool validate_container_updates(const Json& spec, const Json& old, const char* list, FieldErrors& errors) {
    const Json& now = array_at(spec, {list});
    const FieldPath path = FieldPath("spec").child(list);
    if (now.size() != array_at(old, {list}).size()) {
        errors.forbidden(path, "pod updates may not add or remove containers");
        return false;
    }
    for (std::size_t i = 0; i < now.size(); ++i) {
        if (text(now[i], "image").empty()) errors.required(path.index(i).child("image"), "");
        pods::validate_image_whitespace(now[i], path.index(i), errors);
    }
    return true;
}

bool validate_deadline(const Json& spec, const Json& old, FieldErrors& errors) {
    const FieldPath path("spec.activeDeadlineSeconds");
    const Json* now = find(spec, "activeDeadlineSeconds");
    const Json* before = find(old, "activeDeadlineSeconds");
    if (now == nullptr) {
        if (before != nullptr) errors.invalid(path, Json(nullptr), "must not update from a positive integer to nil value");
        return true;
    }
    const std::int64_t seconds = int_at(spec, {"activeDeadlineSeconds"});
    if (seconds < 0 || seconds > 2147483647) {
        validate_range(seconds, 0, 2147483647, path, errors);
        return false;
    }
    if (before != nullptr && int_at(old, {"activeDeadlineSeconds"}) < seconds) {
        errors.invalid(path, *now, "must be less than or equal to previous value");
        return false;
    }
    return true;
}

bool same_but_seconds(const Json& a, const Json& b) {
    for (const char* member : {"key", "operator", "value", "effect"}) {
        if (text(a, member) != text(b, member)) return false;
    }
    return true;
}

void validate_added_tolerations(const Json& spec, const Json& old, FieldErrors& errors) {
    const FieldPath path("spec.tolerations");
    const Json& now = array_at(spec, {"tolerations"});
    for (const Json& before : array_at(old, {"tolerations"})) {
        bool kept = false;
        for (const Json& toleration : now) kept = kept || same_but_seconds(before, toleration);
        if (kept) continue;
        return errors.forbidden(path, "existing toleration can not be modified except its tolerationSeconds");
    }
    pods::validate_tolerations(now, path, errors);
}

void validate_removed_gates(const Json& spec, const Json& old, FieldErrors& errors) {
    const Json& gates = array_at(spec, {"schedulingGates"});
    for (std::size_t i = 0; i < gates.size(); ++i) {
        bool known = false;
        for (const Json& before : array_at(old, {"schedulingGates"})) known = known || text(before, "name") == text(gates[i], "name");
        if (known) continue;
        errors.forbidden(FieldPath("spec.schedulingGates").index(i).child("name"),
                         "only deletion is allowed, but found new scheduling gate '" + std::string(text(gates[i], "name")) + "'");
    }
}

// ---------------------------------------------------------------- Gated pods: where they may run may be narrowed.

constexpr GoField requirement_fields[] = {
    {"Key", "key", "string"}, {"Operator", "operator", "string"}, {"Values", "values", "[]string"}};

std::string go_requirements(const Json& list) {
    std::string out = "[]core.NodeSelectorRequirement";
    if (list.empty()) return out + "(nil)";
    out += "{";
    for (std::size_t i = 0; i < list.size(); ++i) {
        out += (i > 0 ? ", " : "") + go_struct("core.NodeSelectorRequirement", requirement_fields, list[i]).text;
    }
    return out + "}";
}

std::string go_term(const Json& term) {
    return "core.NodeSelectorTerm{MatchExpressions:" + go_requirements(array_at(term, {"matchExpressions"})) +
           ", MatchFields:" + go_requirements(array_at(term, {"matchFields"})) + "}";
}

std::string go_terms(const Json& terms) {
    std::string out = "[]core.NodeSelectorTerm";
    if (terms.empty()) return out + "(nil)";
    out += "{";
    for (std::size_t i = 0; i < terms.size(); ++i) out += (i > 0 ? ", " : "") + go_term(terms[i]);
    return out + "}";
}

bool begins_with(const Json& now, const Json& before) {
    if (now.size() < before.size()) return false;
    return std::equal(before.begin(), before.end(), now.begin());
}

bool only_additions(const Json& now, const Json& before) {
    const Json& expressions = array_at(before, {"matchExpressions"});
    const Json& fields = array_at(before, {"matchFields"});
    const Json& now_expressions = array_at(now, {"matchExpressions"});
    const Json& now_fields = array_at(now, {"matchFields"});
    // An empty term matches nothing; adding to it would widen.
    if (expressions.empty() && fields.empty() && (!now_expressions.empty() || !now_fields.empty())) return false;
    return begins_with(now_expressions, expressions) && begins_with(now_fields, fields);
}

void validate_narrowed_selector(const Json& spec, const Json& old, FieldErrors& errors) {
    const Json& now = object_at(spec, {"nodeSelector"});
    for (const auto& [key, value] : object_at(old, {"nodeSelector"}).items()) {
        const Json* current = find(now, key);
        if (current != nullptr && *current == value) continue;
        return errors.invalid(FieldPath("spec.nodeSelector"), go_string_map(&now),
                              "only additions to spec.nodeSelector are allowed (no mutations or deletions)");
    }
}

void validate_narrowed_affinity(const Json& spec, const Json& old, FieldErrors& errors) {
    const auto terms_of = [](const Json& of) -> const Json& {
        return array_at(of, {"affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"});
    };
    const Json& before = terms_of(old);
    const Json& now = terms_of(spec);
    const FieldPath path("spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms");
    if (before.empty()) return;
    if (before.size() != now.size()) {
        return errors.invalid(path, GoText{go_terms(now)},
                              "no additions/deletions to non-empty NodeSelectorTerms list are allowed");
    }
    for (std::size_t i = 0; i < before.size(); ++i) {
        if (only_additions(now[i], before[i])) continue;
        errors.invalid(path.index(i), GoText{go_term(now[i])}, "only additions are allowed (no mutations or deletions)");
    }
}

void put_back(Json& spec, const Json& old, const char* member) {
    if (const Json* value = find(old, member)) spec[member] = *value;
    else spec.erase(member);
}

// Node affinity of a gated pod, with its own rules above.
void put_back_node_affinity(Json& spec, const Json& old) {
    const Json* before = find(old, {"affinity", "nodeAffinity"});
    if (before != nullptr) {
        ensure(spec, {"affinity"})["nodeAffinity"] = *before;
    } else if (Json* affinity = find(spec, "affinity")) {
        erase(*affinity, "nodeAffinity");
        if (affinity->empty() && find(old, "affinity") == nullptr) spec.erase("affinity");
    }
}

// The usual update of a pod's spec.
bool only_images_differ(const Json& spec, const Json& old) {
    if (spec.size() != old.size()) return false;
    for (const auto& [member, value] : spec.items()) {
        const Json* before = find(old, member);
        if (before == nullptr) return false;
        if (value == *before) continue;
        if ((member != "containers" && member != "initContainers") || value.size() != before->size()) return false;
        for (std::size_t i = 0; i < value.size(); ++i) {
            const Json& container = value[i];
            if (container.size() != (*before)[i].size()) return false;
            for (const auto& [part, now] : container.items()) {
                const Json* was = find((*before)[i], part);
                if (was == nullptr || (part != "image" && now != *was)) return false;
            }
        }
    }
    return true;
}

// The new spec with all that may change put back to what it was.
Json frozen(const Json& spec, const Json& old) {
    Json same = spec;
    for (const char* list : {"containers", "initContainers"}) {
        Json* containers = find(same, list);
        if (containers == nullptr) continue;
        const Json& before = array_at(old, {list});
        for (std::size_t i = 0; i < containers->size(); ++i) put_back((*containers)[i], before[i], "image");
    }
    for (const char* member : {"activeDeadlineSeconds", "schedulingGates", "tolerations"}) put_back(same, old, member);
    if (int_at(old, {"terminationGracePeriodSeconds"}) < 0 && int_at(spec, {"terminationGracePeriodSeconds"}) == 1) {
        put_back(same, old, "terminationGracePeriodSeconds");
    }
    return same;
}

}  // namespace

void validate_pod_update(const Json& pod, const Json& old, FieldErrors& errors) {
    const Json& spec = spec_of(pod);
    const Json& before = spec_of(old);
    validate_annotations_update(pod, old, errors);
    for (const char* list : {"containers", "initContainers"}) {
        if (!validate_container_updates(spec, before, list, errors)) return;
    }
    if (spec == before) return pods::validate_tolerations(array_at(spec, {"tolerations"}), FieldPath("spec.tolerations"), errors);
    if (!validate_deadline(spec, before, errors)) return;
    validate_added_tolerations(spec, before, errors);
    validate_removed_gates(spec, before, errors);
    if (only_images_differ(spec, before)) return;
    Json same = frozen(spec, before);
    if (!array_at(before, {"schedulingGates"}).empty()) {
        validate_narrowed_selector(spec, before, errors);
        put_back(same, before, "nodeSelector");
        if (object_at(spec, {"affinity", "nodeAffinity"}) != object_at(before, {"affinity", "nodeAffinity"})) {
            validate_narrowed_affinity(spec, before, errors);
            put_back_node_affinity(same, before);
        }
    }
    if (same == before) return;
    errors.forbidden(FieldPath("spec"),
                     "pod updates may not change fields other than `spec.containers[*].image`,"
                     "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to "
                     "existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
                     "previously negative)\n" +
                         diff_of("core/v1.PodSpec", before, same));
}

void validate_ephemeral_containers_update(const Json& pod, const Json& old, FieldErrors& errors) {
    validate_annotations_update(pod, old, errors);
    const FieldPath path("spec.ephemeralContainers");
    if (find(old, {"metadata", "annotations", mirror}) != nullptr) {
        errors.forbidden(FieldPath(), "static pods do not support ephemeral containers");
        return;
    }
    for (const Json& before : array_at(old, {"spec", "ephemeralContainers"})) {
        const Json* now = nullptr;
        for (const Json& container : array_at(pod, {"spec", "ephemeralContainers"})) {
            if (text(container, "name") == text(before, "name")) now = &container;
        }
        const std::string name = go_quote(text(before, "name"));
        if (now == nullptr) {
            errors.forbidden(path, "existing ephemeral containers " + name + " may not be removed\n");
        } else if (*now != before) {
            errors.forbidden(path, "existing ephemeral containers " + name + " may not be changed\n" +
                                       diff_of("core/v1.EphemeralContainer", before, *now));
        }
    }
}

}  // namespace kubemu::api

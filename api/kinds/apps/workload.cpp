// What the kinds that run pods of a template share.
#include "api/kinds/apps/workload.h"

#include <nlohmann/json.hpp>

#include "api/kinds/core/pod_spec.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/validation.h"
#include "api/selector/label.h"
#include "api/values/text.h"

namespace kubemu::api::kinds {

void default_template(Json& object, const HookContext&) {
    if (Json* spec = find(object, {"spec", "template", "spec"})) default_pod_spec(*spec);
}

void validate_selector(const Json& spec, std::string_view empty, FieldErrors& errors) {
    const FieldPath path("spec.selector");
    const Json* selector = find(spec, "selector");
    if (selector == nullptr) return errors.required(path, "");
    validate_label_selector(*selector, path, errors);
    if (object_at(*selector, {"matchLabels"}).empty() && array_at(*selector, {"matchExpressions"}).empty()) {
        errors.invalid(path, go_label_selector(selector), empty);
    }
}

bool usable_selector(const Json* selector) {
    if (selector == nullptr) return true;
    FieldErrors errors;
    validate_label_selector(*selector, FieldPath(), errors);
    return errors.empty();
}

bool selects_template(const Json* selector, const Json& spec) {
    if (selector == nullptr) return false;
    return LabelSelector::from_object(*selector).matches(labels_of(object_at(spec, {"template", "metadata", "labels"})));
}

void validate_template_matches(const Json& spec, bool matches, FieldErrors& errors) {
    if (matches) return;
    errors.invalid(FieldPath("spec.template.metadata.labels"), go_string_map(find(spec, {"template", "metadata", "labels"})),
                   "`selector` does not match template `labels`");
}

void validate_endless(const Json& spec, std::string_view kind, FieldErrors& errors) {
    const FieldPath path("spec.template.spec");
    const std::string_view policy = string_at(spec, {"template", "spec", "restartPolicy"});
    if (policy != "Always") errors.not_supported(path.child("restartPolicy"), policy, {"Always"});
    if (find(spec, {"template", "spec", "activeDeadlineSeconds"}) != nullptr) {
        errors.forbidden(path.child("activeDeadlineSeconds"), "activeDeadlineSeconds in " + std::string(kind) + " is not Supported");
    }
}

void immutable_selector(const Json& object, const Json& old, FieldErrors& errors) {
    const Json* now = find(object, {"spec", "selector"});
    validate_immutable(now, find(old, {"spec", "selector"}), go_label_selector(now), FieldPath("spec.selector"), errors);
}

void validate_counters(const Json& status, std::initializer_list<const char*> members, FieldErrors& errors) {
    for (const char* member : members) validate_non_negative(status, member, FieldPath("status"), errors);
}

void validate_at_most(const Json& status, const char* member, const char* limit, std::string_view message, FieldErrors& errors) {
    const std::int64_t value = int_at(status, {member});
    if (value > int_at(status, {limit})) errors.invalid(FieldPath("status").child(member), value, message);
}

void validate_collision_count(const Json& object, const Json& old, FieldErrors& errors) {
    const Json* now = find(object, {"status", "collisionCount"});
    const Json* before = find(old, {"status", "collisionCount"});
    if (before == nullptr) return;
    const std::int64_t count = now == nullptr ? 0 : int_at(object, {"status", "collisionCount"});
    if (now == nullptr || count < int_at(old, {"status", "collisionCount"})) {
        errors.invalid(FieldPath("status.collisionCount"), count, "cannot be decremented");
    }
}

void warn_of_template(const Json& object, const Json* old, std::vector<std::string>& warnings) {
    if (old != nullptr && int_at(object, {"metadata", "generation"}) == int_at(*old, {"metadata", "generation"})) return;
    warn_of_pod_template(object_at(object, {"spec", "template"}), FieldPath("spec.template"), warnings);
}

void warn_of_name(const Json& object, const Json* old, std::vector<std::string>& warnings) {
    if (old != nullptr) return;
    const Messages messages = check_dns1123_label(name_of(object));
    if (messages.empty()) return;
    warnings.push_back(
        "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is "
        "recommended: [" +
        join(messages, " ") + "]");
}

}  // namespace kubemu::api::kinds

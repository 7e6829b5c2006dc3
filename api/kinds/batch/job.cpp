// Rules of Job: defaults, the generated selector, what may change while it runs or is suspended.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/kinds/apps/workload.h"
#include "api/kinds/batch/job_spec.h"
#include "api/kinds/batch/job_status.h"
#include "api/kinds/core/pod_spec.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/validation.h"
#include "api/schema/zero.h"
#include "api/selector/label.h"

namespace kubemu::api::kinds {
namespace {

constexpr const char* uid_labels[] = {"controller-uid", "batch.kubernetes.io/controller-uid"};
constexpr const char* name_labels[] = {"job-name", "batch.kubernetes.io/job-name"};
const FieldPath spec_path("spec");

void set_default(Json& spec, const char* member, Json value) {
    if (find(spec, member) == nullptr) spec[member] = std::move(value);
}

void set_defaults(Json& job, const HookContext&) {
    Json& spec = ensure(job, {"spec"});
    if (find(spec, "completions") == nullptr && find(spec, "parallelism") == nullptr) spec["completions"] = 1;
    set_default(spec, "parallelism", 1);
    set_default(spec, "backoffLimit", find(spec, "backoffLimitPerIndex") != nullptr ? 2147483647 : 6);
    set_default(spec, "completionMode", "NonIndexed");
    set_default(spec, "suspend", false);
    if (Json* pod = find(spec, {"template", "spec"})) default_pod_spec(*pod);
    const Json& labels = object_at(job, {"spec", "template", "metadata", "labels"});
    if (object_at(job, {"metadata", "labels"}).empty() && !labels.empty()) job["metadata"]["labels"] = labels;
}

// The selector and labels that the server makes unless the user brings them; what the user wrote is left for
// validation to compare.
void prepare_for_create(Json& job, const HookContext& context) {
    if (bool_at(job, {"spec", "manualSelector"})) return;
    const std::string uid(uid_of(job)), name(name_of(job));
    Json& labels = ensure(job, {"spec", "template", "metadata", "labels"});
    for (const char* label : name_labels) set_default(labels, label, name);
    for (const char* label : uid_labels) set_default(labels, label, uid);
    set_default(ensure(job, {"spec", "selector", "matchLabels"}), uid_labels[1], uid);
    // A job that came without labels has those of its template, the generated ones among them: batch/v1's
    // SetDefaults_Job lets both share one map.
    if (!context.came_with_labels) job["metadata"]["labels"] = labels;
}

void validate_has_label(const Json& labels, const char* label, const std::string& value, FieldErrors& errors) {
    const FieldPath path = FieldPath("spec.template.metadata.labels").key(label);
    const Json* found = find(labels, label);
    if (found == nullptr) errors.required(path, "must be '" + value + "'");
    else if (*found != value) errors.invalid(path, go_string_map(&labels), "must be '" + value + "'");
}

void validate_generated_selector(const Json& job, FieldErrors& errors) {
    const Json* selector = find(job, {"spec", "selector"});
    if (bool_at(job, {"spec", "manualSelector"}) || selector == nullptr) return;
    const std::string uid(uid_of(job)), name(name_of(job));
    const Json& labels = object_at(job, {"spec", "template", "metadata", "labels"});
    LabelSpan expected;
    for (std::size_t i = 0; i < std::size(uid_labels); ++i) {
        validate_has_label(labels, uid_labels[i], uid, errors);
        validate_has_label(labels, name_labels[i], name, errors);
        expected.emplace_back(uid_labels[i], uid);
        expected.emplace_back(name_labels[i], name);
    }
    std::sort(expected.begin(), expected.end());
    if (usable_selector(selector) && !LabelSelector::from_object(*selector).matches(expected)) {
        errors.invalid(spec_path.child("selector"), go_label_selector(selector), "`selector` not auto-generated");
    }
}

void validate_selected_spec(const Json& job, FieldErrors& errors) {
    const Json& spec = object_at(job, {"spec"});
    validate_job_spec(spec, spec_path, errors);
    const Json* selector = find(spec, "selector");
    if (selector == nullptr) errors.required(spec_path.child("selector"), "");
    else validate_label_selector(*selector, spec_path.child("selector"), errors);
    if (usable_selector(selector)) validate_template_matches(spec, selects_template(selector, spec), errors);
}

void validate(const Json& job, const HookContext&, FieldErrors& errors) {
    validate_generated_selector(job, errors);
    validate_selected_spec(job, errors);
    const std::int64_t completions = int_at(job, {"spec", "completions"});
    if (string_at(job, {"spec", "completionMode"}) != "Indexed" || completions <= 0) return;
    // The pods of an indexed job have its name, a dash and their index as hostname.
    const std::string host = std::string(name_of(job)) + "-" + std::to_string(completions - 1);
    if (!check_dns1123_label(host).empty()) {
        errors.invalid(FieldPath("metadata.name"), std::string(name_of(job)),
                       "will not able to create pod with invalid DNS label: " + host);
    }
}

// ---------------------------------------------------------------- Update

void validate_completions(const Json& spec, const Json& old, FieldErrors& errors) {
    const FieldPath path = spec_path.child("completions");
    const Json* now = find(spec, "completions");
    const Json* before = find(old, "completions");
    if (string_at(spec, {"completionMode"}) != "Indexed") return validate_immutable(now, before, path, errors);
    // Elastic indexed jobs: both change together.
    if (now == nullptr || (before != nullptr && *now == *before)) return;
    if (int_at(spec, {"completions"}) != int_at(spec, {"parallelism"})) {
        errors.invalid(path, *now, "can only be modified in tandem with spec.parallelism");
    }
}

// A Job that has not begun, or was stopped and has no pods left, may still be told where to run and with what.
bool template_may_change(const Json& old) {
    const Json& conditions = array_at(old, {"status", "conditions"});
    const bool stopped = std::any_of(conditions.begin(), conditions.end(), [](const Json& condition) {
        return string_at(condition, {"type"}) == "Suspended" && string_at(condition, {"status"}) == "True";
    });
    return bool_at(old, {"spec", "suspend"}) && (stopped || find(old, {"status", "startTime"}) == nullptr) &&
           int_at(old, {"status", "active"}) == 0;
}

// The template without what such a Job may change: scheduling directives and the resources of its containers.
Json without_changeable(const Json& pod_template) {
    Json rest = pod_template;
    if (Json* spec = find(rest, "spec")) {
        for (const char* list : {"containers", "initContainers"}) {
            Json* containers = find(*spec, list);
            if (containers == nullptr || !containers->is_array()) continue;
            for (Json& container : *containers) erase(container, "resources");
        }
        for (const char* member : {"nodeSelector", "tolerations", "schedulingGates"}) erase(*spec, member);
        if (Json* affinity = find(*spec, "affinity")) {
            erase(*affinity, "nodeAffinity");
            if (affinity->empty()) erase(*spec, "affinity");
        }
    }
    if (Json* metadata = find(rest, "metadata")) {
        erase(*metadata, "labels");
        erase(*metadata, "annotations");
        if (metadata->empty()) erase(rest, "metadata");
    }
    return rest;
}

// The real server prints the whole template with the addresses of its parts; these members are its values.
GoText go_template(const Json& pod_template) {
    return {"core.PodTemplateSpec{ObjectMeta:v1.ObjectMeta{Name:\"\", Labels:" +
            go_string_map(find(pod_template, {"metadata", "labels"})).text +
            ", Annotations:" + go_string_map(find(pod_template, {"metadata", "annotations"})).text +
            "}, Spec:core.PodSpec{" + object_at(pod_template, {"spec"}).dump() + "}}"};
}

void validate_template_update(const Json& job, const Json& old, FieldErrors& errors) {
    Json now = object_at(job, {"spec", "template"});
    const Json& before = object_at(old, {"spec", "template"});
    if (now == before) return;
    drop_all_zero_values(now, *find_type("core/v1.PodTemplateSpec"));
    if (now == before) return;
    if (template_may_change(old) && without_changeable(now) == without_changeable(before)) return;
    errors.invalid(spec_path.child("template"), go_template(now), "field is immutable");
}

void validate_update(const Json& job, const Json& old, const HookContext&, FieldErrors& errors) {
    const Json& spec = object_at(job, {"spec"});
    const Json& before = object_at(old, {"spec"});
    // The real server checks the spec a second time.
    validate_selected_spec(job, errors);
    validate_completions(spec, before, errors);
    immutable_selector(job, old, errors);
    validate_template_update(job, old, errors);
    const auto immutable = [&](const char* member, std::string_view type) {
        const Json* now = find(spec, member);
        const bool composite = now != nullptr && now->is_structured();
        const FieldPath path = spec_path.child(member);
        if (composite) validate_immutable(now, find(before, member), GoText{std::string(type) + now->dump()}, path, errors);
        else validate_immutable(now, find(before, member), path, errors);
    };
    immutable("completionMode", "");
    immutable("podFailurePolicy", "batch.PodFailurePolicy");
    immutable("backoffLimitPerIndex", "");
    immutable("managedBy", "");
    immutable("successPolicy", "batch.SuccessPolicy");
}

void validate_status(const Json& job, const Json& old, const HookContext&, FieldErrors& errors) {
    validate_job_status(job, old, errors);
}

void warnings(const Json& job, const Json* old, const HookContext&, std::vector<std::string>& all) {
    warn_of_name(job, old, all);
    if (old != nullptr && int_at(job, {"metadata", "generation"}) == int_at(*old, {"metadata", "generation"})) return;
    warn_of_job_spec(object_at(job, {"spec"}), spec_path, all);
}

}  // namespace

extern const KindRules job_rules;
const KindRules job_rules{.set_defaults = set_defaults,
                          .prepare_for_create = prepare_for_create,
                          .validate = validate,
                          .validate_update = validate_update,
                          .validate_status_update = validate_status,
                          .warnings = warnings};

}  // namespace kubemu::api::kinds

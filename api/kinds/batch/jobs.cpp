// Rules of Job and CronJob.
#include <nlohmann/json.hpp>

#include "api/kinds/batch/cron_syntax.h"
#include "api/kinds/core/pod_spec.h"
#include "api/kinds/rules.h"
#include "api/values/names.h"

namespace kubemu::api::kinds {
namespace {

void default_job_spec(Json& spec) {
    if (!spec.is_object()) return;
    if (find(spec, "completions") == nullptr && find(spec, "parallelism") == nullptr) {
        spec["completions"] = 1;
        spec["parallelism"] = 1;
    } else if (find(spec, "parallelism") == nullptr) {
        spec["parallelism"] = 1;
    }
    if (find(spec, "backoffLimit") == nullptr) {
        spec["backoffLimit"] = find(spec, "backoffLimitPerIndex") != nullptr ? 2147483647 : 6;
    }
    if (find(spec, "completionMode") == nullptr) spec["completionMode"] = "NonIndexed";
    if (find(spec, "suspend") == nullptr) spec["suspend"] = false;
    if (Json* pod = find(spec, {"template", "spec"})) default_pod_spec(*pod);
}

void job_defaults(Json& job, const HookContext&) {
    default_job_spec(ensure(job, {"spec"}));
    const Json& labels = object_at(job, {"spec", "template", "metadata", "labels"});
    if (object_at(job, {"metadata", "labels"}).empty() && !labels.empty()) job["metadata"]["labels"] = labels;
}

// The selector that the server makes unless the user brings one.
void job_create(Json& job, const HookContext&) {
    if (bool_at(job, {"spec", "manualSelector"})) return;
    const std::string uid(uid_of(job)), name(name_of(job));
    Json& labels = ensure(job, {"spec", "template", "metadata", "labels"});
    labels["controller-uid"] = uid;
    labels["batch.kubernetes.io/controller-uid"] = uid;
    labels["job-name"] = name;
    labels["batch.kubernetes.io/job-name"] = name;
    Json& selector = ensure(job, {"spec", "selector"});
    ensure(selector, {"matchLabels"})["batch.kubernetes.io/controller-uid"] = uid;
    // Defaulting sees the labels only now.
    if (object_at(job, {"metadata", "labels"}).empty()) job["metadata"]["labels"] = labels;
}

void validate_job_spec(const Json& spec, const FieldPath& path, FieldErrors& errors) {
    for (const char* member : {"parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"}) {
        const Json* value = find(spec, member);
        if (value != nullptr && value->is_number() && value->get<std::int64_t>() < 0) {
            errors.invalid(path.child(member), *value, "must be greater than or equal to 0");
        }
    }
    if (string_at(spec, {"completionMode"}) == "Indexed" && find(spec, "completions") == nullptr) {
        errors.required(path.child("completions"), "when completion mode is Indexed");
    }
    const FieldPath pod = path.child("template").child("spec");
    validate_pod_spec(object_at(spec, {"template", "spec"}), pod, errors);
    const std::string policy(string_at(spec, {"template", "spec", "restartPolicy"}));
    if (policy.empty() || policy == "Always") {
        errors.required(pod.child("restartPolicy"), "valid values: \"OnFailure\", \"Never\"");
    }
    const Json* failure = find(spec, "podFailurePolicy");
    if (failure != nullptr && policy != "Never") {
        errors.invalid(pod.child("restartPolicy"), policy, "only \"Never\" is supported when podFailurePolicy is specified");
    }
}

void job_validate(const Json& job, const HookContext&, FieldErrors& errors) {
    validate_job_spec(object_at(job, {"spec"}), FieldPath("spec"), errors);
    const Json* completions = find(job, {"spec", "completions"});
    if (string_at(job, {"spec", "completionMode"}) == "Indexed" && completions != nullptr && completions->is_number()) {
        // The pods of an indexed job have its name, a dash and their index as hostname.
        const std::string host = std::string(name_of(job)) + "-" + std::to_string(std::max<std::int64_t>(0, completions->get<std::int64_t>() - 1));
        for (const std::string& message : check_dns1123_label(host)) {
            errors.invalid(FieldPath("metadata.name"), std::string(name_of(job)), "will not able to create pod with invalid DNS label: " + host);
            (void)message;
            break;
        }
    }
}

void job_validate_update(const Json& job, const Json& old, const HookContext&, FieldErrors& errors) {
    const FieldPath spec("spec");
    const bool indexed = string_at(job, {"spec", "completionMode"}) == "Indexed";
    for (const char* member : {"completions", "selector", "completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"}) {
        const Json before = object_at(old, {"spec"}).value(member, Json(nullptr));
        const Json after = object_at(job, {"spec"}).value(member, Json(nullptr));
        if (before == after) continue;
        // Elastic indexed jobs: both change together.
        if (std::string_view(member) == "completions" && indexed && after == object_at(job, {"spec"}).value("parallelism", Json(nullptr))) continue;
        errors.invalid(spec.child(member), after, "field is immutable");
    }
    Json before = object_at(old, {"spec", "template"}), after = object_at(job, {"spec", "template"});
    const bool suspended = bool_at(old, {"spec", "suspend"}) && find(old, {"status", "startTime"}) == nullptr;
    if (suspended) {
        for (Json* pod : {&before, &after}) {
            for (const char* member : {"nodeSelector", "affinity", "tolerations", "schedulingGates"}) ensure(*pod, {"spec"}).erase(member);
            erase(ensure(*pod, {"metadata"}), "annotations");
            erase(ensure(*pod, {"metadata"}), "labels");
        }
    }
    if (before != after) errors.invalid(spec.child("template"), object_at(job, {"spec", "template"}), "field is immutable");
}

// Of a CronJob's template only the pod spec is defaulted; the rest when the Job is made.
void cron_job_defaults(Json& cron, const HookContext&) {
    if (Json* pod = find(cron, {"spec", "jobTemplate", "spec", "template", "spec"})) default_pod_spec(*pod);
}

void cron_job_validate(const Json& cron, const HookContext&, FieldErrors& errors) {
    const FieldPath spec("spec");
    const std::string schedule(string_at(cron, {"spec", "schedule"}));
    if (schedule.empty()) {
        errors.required(spec.child("schedule"), "");
    } else {
        const bool zoned = schedule.find("TZ") != std::string::npos;
        if (const auto parsed = CronSchedule::parse(schedule); !parsed && !zoned) errors.invalid(spec.child("schedule"), schedule, parsed.error());
        if (zoned) errors.invalid(spec.child("schedule"), schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
    }
    if (const Json* zone = find(cron, {"spec", "timeZone"}); zone != nullptr && zone->is_string()) {
        const auto name = zone->get<std::string>();
        if (name.empty()) errors.invalid(spec.child("timeZone"), *zone, "timeZone must be nil or non-empty string");
        else if (name == "Local" || name == "local") errors.invalid(spec.child("timeZone"), *zone, "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones");
        else if (!TimeZone::load(name)) errors.invalid(spec.child("timeZone"), *zone, "unknown time zone " + name);
    }
    for (const char* member : {"startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"}) {
        const Json* value = find(cron, {"spec", member});
        if (value != nullptr && value->is_number() && value->get<std::int64_t>() < 0) {
            errors.invalid(spec.child(member), *value, "must be greater than or equal to 0");
        }
    }
    validate_job_spec(object_at(cron, {"spec", "jobTemplate", "spec"}), spec.child("jobTemplate").child("spec"), errors);
    if (name_of(cron).size() > 52) {
        errors.invalid(FieldPath("metadata.name"), std::string(name_of(cron)), "must be no more than 52 characters");
    }
}

}  // namespace

#define KUBEMU_RULES(name) extern const KindRules name; const KindRules name
KUBEMU_RULES(job_rules){.set_defaults = job_defaults,
                        .prepare_for_create = job_create,
                        .validate = job_validate,
                        .validate_update = job_validate_update};
KUBEMU_RULES(cron_job_rules){.set_defaults = cron_job_defaults, .validate = cron_job_validate};

}  // namespace kubemu::api::kinds

// Rules of CronJob, in both of its versions.
#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "api/kinds/apps/workload.h"
#include "api/kinds/batch/cron_syntax.h"
#include "api/kinds/batch/job_spec.h"
#include "api/kinds/core/pod_spec.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/rules.h"
#include "api/kinds/validation.h"
#include "api/values/text.h"

namespace kubemu::api::kinds {
namespace {

// A Job's name is the CronJob's, a dash and the minute: 63 characters at most.
constexpr std::size_t name_length_max = 52;
const FieldPath spec_path("spec");

// Of the template only the pod spec is defaulted; the rest when the Job is made.
void set_defaults(Json& cron, const HookContext&) {
    if (Json* pod = find(cron, {"spec", "jobTemplate", "spec", "template", "spec"})) default_pod_spec(*pod);
}

// The releases that served v1beta1 had an older parser, whose sentences begin with a capital and quote the whole text.
std::string old_wording(std::string sentence, std::string_view schedule) {
    if (!sentence.empty()) sentence[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(sentence[0])));
    const std::size_t list = sentence.find(": [");
    if (sentence.starts_with("Expected") && list != std::string::npos) sentence = sentence.substr(0, list + 2) + std::string(schedule);
    return sentence;
}

void validate_schedule(const Json& spec, const HookContext& context, FieldErrors& errors) {
    const std::string_view schedule = string_at(spec, {"schedule"});
    const FieldPath path = spec_path.child("schedule");
    if (!validate_required(schedule, path, errors)) return;
    if (const auto parsed = CronSchedule::parse(schedule); !parsed) {
        errors.invalid(path, std::string(schedule),
                       context.kind.version == "v1beta1" ? old_wording(parsed.error(), schedule) : parsed.error());
    }
    if (schedule.find("TZ") != std::string_view::npos && find(spec, "timeZone") != nullptr) {
        errors.invalid(path, std::string(schedule), "cannot use both timeZone field and TZ or CRON_TZ in schedule");
    }
}

// Names of the time zone database: parts of letters, digits and a few signs, none longer than 14 characters.
bool plausible_zone(std::string_view zone) {
    for (const std::string_view part : split(zone, '/')) {
        if (part.empty() || part.size() > 14 || part == "." || part == ".." || part[0] == '-') return false;
        const bool fine = std::all_of(part.begin(), part.end(), [](unsigned char c) {
            return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_' || c == '+';
        });
        if (!fine) return false;
    }
    return true;
}

void validate_time_zone(const Json& spec, FieldErrors& errors) {
    const Json* given = find(spec, "timeZone");
    if (given == nullptr) return;
    const std::string zone(string_at(spec, {"timeZone"}));
    const FieldPath path = spec_path.child("timeZone");
    if (zone.empty()) return errors.invalid(path, *given, "timeZone must be nil or non-empty string");
    if (!plausible_zone(zone)) return errors.invalid(path, *given, "unknown time zone " + zone);
    if (lower(zone) == "local") {
        errors.invalid(path, *given, "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones");
        if (zone == "Local") return;
    }
    if (!TimeZone::load(zone)) errors.invalid(path, *given, "unknown time zone " + zone);
}

void validate(const Json& cron, const HookContext& context, FieldErrors& errors) {
    const Json& spec = object_at(cron, {"spec"});
    validate_schedule(spec, context, errors);
    validate_non_negative(spec, "startingDeadlineSeconds", spec_path, errors);
    validate_time_zone(spec, errors);
    validate_enum(string_at(spec, {"concurrencyPolicy"}), {"Allow", "Forbid", "Replace"}, spec_path.child("concurrencyPolicy"),
                  errors);
    const Json& job = object_at(spec, {"jobTemplate", "spec"});
    const FieldPath job_path = spec_path.child("jobTemplate").child("spec");
    validate_job_spec(job, job_path, errors);
    if (const Json* selector = find(job, "selector")) {
        errors.invalid(job_path.child("selector"), go_label_selector(selector), "`selector` will be auto-generated");
    }
    if (bool_at(job, {"manualSelector"})) {
        errors.not_supported(job_path.child("manualSelector"), GoText{"true"}, {"nil", "false"});
    }
    validate_non_negative(spec, "successfulJobsHistoryLimit", spec_path, errors);
    validate_non_negative(spec, "failedJobsHistoryLimit", spec_path, errors);
}

void validate_create(const Json& cron, const HookContext&, FieldErrors& errors) {
    if (name_of(cron).size() <= name_length_max) return;
    errors.invalid(FieldPath("metadata.name"), std::string(name_of(cron)), "must be no more than 52 characters");
}

void warnings(const Json& cron, const Json* old, const HookContext&, std::vector<std::string>& all) {
    const Json& spec = object_at(cron, {"spec"});
    warn_of_name(cron, old, all);
    if (old == nullptr || int_at(cron, {"metadata", "generation"}) != int_at(*old, {"metadata", "generation"})) {
        warn_of_job_spec(object_at(spec, {"jobTemplate", "spec"}), spec_path.child("jobTemplate").child("spec"), all);
    }
    if (string_at(spec, {"schedule"}).find("TZ") == std::string_view::npos) return;
    all.emplace_back(
        "CRON_TZ or TZ used in spec.spec.schedule is not officially supported, see "
        "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details");
}

}  // namespace

extern const KindRules cron_job_rules;
const KindRules cron_job_rules{.set_defaults = set_defaults,
                               .validate = validate,
                               .validate_create = validate_create,
                               .warnings = warnings};

}  // namespace kubemu::api::kinds

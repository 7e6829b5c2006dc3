// One function a theme: counters, conditions, times, indexes.
#include "api/kinds/batch/job_status.h"

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "api/kinds/apps/workload.h"
#include "api/kinds/batch/job_spec.h"

namespace kubemu::api::kinds {
namespace {

const FieldPath path("status");

bool is_true(const Json& job, std::string_view type) {
    for (const Json& condition : array_at(job, {"status", "conditions"})) {
        if (string_at(condition, {"type"}) == type) return string_at(condition, {"status"}) == "True";
    }
    return false;
}

bool is_false(const Json& job, std::string_view type) {
    for (const Json& condition : array_at(job, {"status", "conditions"})) {
        if (string_at(condition, {"type"}) == type) return string_at(condition, {"status"}) == "False";
    }
    return false;
}

// Whether pods stop counting as active and ready when they are told to stop: for Jobs that ask for something newer than
// 1.28, and for those whose end is announced. Older counts lag behind a little.
bool counts_at_once(const Json& job) {
    constexpr const char* newer[] = {"backoffLimitPerIndex", "maxFailedIndexes", "successPolicy", "podReplacementPolicy",
                                     "managedBy"};
    for (const char* member : newer) {
        if (find(job, {"spec", member}) != nullptr) return true;
    }
    return is_true(job, "SuccessCriteriaMet") || is_true(job, "FailureTarget");
}

bool is_finished(const Json& job) { return is_true(job, "Complete") || is_true(job, "Failed"); }

// The Job before and after, and what differs.
struct Change {
    const Json &job, &old;

    bool of_condition(std::string_view type) const { return is_true(job, type) != is_true(old, type); }
    bool of_member(std::string_view member) const {
        const Json *now = find(job, {"status", member}), *before = find(old, {"status", member});
        return now == nullptr || before == nullptr ? now != before : *now != *before;
    }
    bool of_end() const { return is_finished(job) != is_finished(old); }
};

void validate_uncounted(const Json& status, FieldErrors& errors) {
    std::set<std::string_view> seen;
    for (const char* list : {"succeeded", "failed"}) {
        const FieldPath at_list = path.child("uncountedTerminatedPods").child(list);
        std::size_t i = 0;
        for (const Json& uid : array_at(status, {"uncountedTerminatedPods", list})) {
            const FieldPath at = at_list.index(i++);
            if (!uid.is_string()) continue;
            const std::string_view value = uid.get_ref<const std::string&>();
            if (value.empty()) errors.invalid(at, "", "must not be empty");
            else if (!seen.insert(value).second) errors.duplicate(at, uid);
        }
    }
}

void refuse_conditions(std::string_view why, FieldErrors& errors) {
    // The list itself is not echoed.
    errors.add({"FieldValueInvalid", path.child("conditions").text(), "Invalid value: " + std::string(why)});
}

void validate_end(const Change& change, FieldErrors& errors) {
    const Json& job = change.job;
    const bool complete = is_true(job, "Complete"), failed = is_true(job, "Failed");
    const bool complete_changed = change.of_condition("Complete");
    if (complete && failed && (complete_changed || change.of_condition("Failed")))
        refuse_conditions("cannot set Complete=True and Failed=true conditions", errors);
    if (complete && is_true(job, "FailureTarget") && (complete_changed || change.of_condition("FailureTarget")))
        refuse_conditions("cannot set Complete=True and FailureTarget=true conditions", errors);
    const Json *start = find(job, {"status", "startTime"}), *end = find(job, {"status", "completionTime"});
    const FieldPath at = path.child("completionTime");
    if (complete_changed || change.of_member("completionTime")) {
        if (end != nullptr && !complete)
            errors.invalid(at, *end, "cannot set completionTime when there is no Complete=True condition");
        if (end == nullptr && complete) errors.required(at, "completionTime is required for Complete jobs");
    }
    const bool times_changed = change.of_member("startTime") || change.of_member("completionTime");
    if (times_changed && start != nullptr && end != nullptr && *end < *start)
        errors.invalid(at, *end, "must be equal to or after `startTime`");
}

void validate_finished(const Change& change, FieldErrors& errors) {
    const Json& job = change.job;
    const Json& status = object_at(job, {"status"});
    if (!is_finished(job)) return;
    const bool exact = counts_at_once(job);
    const Json *active = find(status, "active"), *terminating = find(status, "terminating");
    if (exact && int_at(status, {"active"}) > 0 && (change.of_end() || change.of_member("active")))
        errors.invalid(path.child("active"), *active, "active>0 is invalid for finished job");
    const bool began = find(status, "startTime") != nullptr;
    const bool nothing_to_do = bool_at(job, {"spec", "suspend"}) && int_at(job, {"spec", "completions"}, 1) == 0;
    if (!began && !nothing_to_do && (change.of_end() || change.of_member("startTime")))
        errors.required(path.child("startTime"), "startTime is required for finished job");
    const Json& uncounted = object_at(status, {"uncountedTerminatedPods"});
    const bool some = !array_at(uncounted, {"failed"}).empty() || !array_at(uncounted, {"succeeded"}).empty();
    if (some && (change.of_end() || change.of_member("uncountedTerminatedPods")))
        errors.invalid(path.child("uncountedTerminatedPods"), GoText{uncounted.dump()}, "must be empty for finished job");
    if (exact && int_at(status, {"terminating"}) > 0 && (change.of_end() || change.of_member("terminating")))
        errors.invalid(path.child("terminating"), *terminating, "terminating>0 is invalid for finished job");
}

void validate_indexes(const Change& change, FieldErrors& errors) {
    const Json& job = change.job;
    const Json *done = find(job, {"status", "completedIndexes"}), *failed = find(job, {"status", "failedIndexes"});
    const bool bounded = find(job, {"spec", "completions"}) != nullptr;
    const bool per_index = find(job, {"spec", "backoffLimitPerIndex"}) != nullptr;
    const std::int64_t completions = int_at(job, {"spec", "completions"});
    const auto check = [&](const Json& list, const char* member) {
        const std::string wrong = index_list_error(list.is_string() ? list.get<std::string>() : "", completions);
        if (!wrong.empty()) errors.invalid(path.child(member), list, std::string("error parsing ") + member + ": " + wrong);
    };
    if (done != nullptr && change.of_member("completedIndexes")) {
        if (bounded) check(*done, "completedIndexes");
        if (*done != "" && string_at(job, {"spec", "completionMode"}) != "Indexed") {
            errors.invalid(path.child("completedIndexes"), *done,
                           "cannot set non-empty completedIndexes when non-indexed completion mode");
        }
    }
    if (failed != nullptr && change.of_member("failedIndexes")) {
        if (bounded && per_index) check(*failed, "failedIndexes");
        if (!per_index) {
            errors.invalid(path.child("failedIndexes"), *failed,
                           "cannot set non-null failedIndexes when backoffLimitPerIndex is null");
        }
    }
}

void validate_success_criteria(const Json& job, FieldErrors& errors) {
    const bool met = is_true(job, "SuccessCriteriaMet");
    if (met && is_true(job, "Failed"))
        refuse_conditions("cannot set SuccessCriteriaMet=True and Failed=true conditions", errors);
    if (met && is_true(job, "FailureTarget"))
        refuse_conditions("cannot set SuccessCriteriaMet=True and FailureTarget=true conditions", errors);
    if (!met && find(job, {"spec", "successPolicy"}) != nullptr && is_true(job, "Complete"))
        refuse_conditions("cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True", errors);
}

// What never goes back.
void validate_progress(const Change& change, FieldErrors& errors) {
    const Json &job = change.job, &old = change.old;
    for (const std::string type : {"Failed", "Complete", "FailureTarget"}) {
        if (is_true(old, type) && !is_true(job, type))
            refuse_conditions("cannot disable the terminal " + type + "=True condition", errors);
    }
    const bool elastic = string_at(job, {"spec", "completionMode"}) == "Indexed" &&
                         int_at(job, {"spec", "completions"}) == int_at(job, {"spec", "parallelism"});
    for (const std::string member : {"failed", "succeeded"}) {
        const std::int64_t now = int_at(job, {"status", member});
        if (now >= int_at(old, {"status", member}) || (member == "succeeded" && elastic)) continue;
        errors.invalid(path.child(member), now, "cannot decrease the " + member + " counter");
    }
    const Json *end = find(job, {"status", "completionTime"}), *old_end = find(old, {"status", "completionTime"});
    if (end != nullptr && old_end != nullptr && *end != *old_end)
        errors.invalid(path.child("completionTime"), *end, "field is immutable");
    const bool resumes = is_true(old, "Suspended") && is_false(job, "Suspended");
    if (find(old, {"status", "startTime"}) != nullptr && change.of_member("startTime") && !resumes &&
        !bool_at(job, {"spec", "suspend"})) {
        const Json* start = find(job, {"status", "startTime"});
        errors.invalid(path.child("startTime"), start == nullptr ? GoText{"null"} : GoText{start->dump()},
                       "field is immutable for unsuspended job once set");
    }
    const bool met = is_true(job, "SuccessCriteriaMet"), was_met = is_true(old, "SuccessCriteriaMet");
    if (was_met && !met) refuse_conditions("cannot disable the SuccessCriteriaMet=True condition", errors);
    if (is_true(old, "Complete") && !was_met && met)
        refuse_conditions("cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions", errors);
}

}  // namespace

void validate_job_status(const Json& job, const Json& old, FieldErrors& errors) {
    const Json& status = object_at(job, {"status"});
    const Change change{job, old};
    validate_counters(status, {"active", "succeeded", "failed", "ready", "terminating"}, errors);
    validate_uncounted(status, errors);
    validate_end(change, errors);
    validate_finished(change, errors);
    validate_indexes(change, errors);
    const Json* ready = find(status, "ready");
    const bool counted_anew = change.of_member("ready") || change.of_member("active");
    const bool more_ready = ready != nullptr && int_at(status, {"ready"}) > int_at(status, {"active"});
    if (more_ready && counted_anew && counts_at_once(job))
        errors.invalid(path.child("ready"), *ready, "cannot set more ready pods than active");
    validate_success_criteria(job, errors);
    validate_progress(change, errors);
}

}  // namespace kubemu::api::kinds

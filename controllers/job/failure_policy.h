// spec.podFailurePolicy of a Job: what the failure of one pod means for the whole
// (https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy).
#pragma once

#include <string>

#include "api/values/object.h"

namespace kubemu::controllers {

struct FailureVerdict {
    enum class Action { none, ignore, count, fail_index, fail_job } action = Action::none;
    std::string message;  // of fail_job: which rule, and why

    // Whether the failure counts towards the back-off limits.
    bool counted() const { return action != Action::ignore; }
};

// The first rule of the Job that the pod matches; none without a policy or a match.
FailureVerdict judge_failure(const api::Json& job, const api::Json& pod);

}  // namespace kubemu::controllers

// The spec of a Job wherever it stands: in a Job, and in the template of a CronJob.
#pragma once

#include <string>
#include <vector>

#include "api/values/field_errors.h"
#include "api/values/object.h"

namespace kubemu::api::kinds {

// validateJobSpec of kubernetes pkg/apis/batch/validation; the selector is the Job's own business.
void validate_job_spec(const Json& spec, const FieldPath& path, FieldErrors& errors);
// podFailurePolicy and successPolicy (job_policies.cpp).
void validate_failure_policy(const Json& spec, const FieldPath& path, FieldErrors& errors);
void validate_success_policy(const Json& spec, const FieldPath& path, FieldErrors& errors);

// WarningsForJobSpec.
void warn_of_job_spec(const Json& spec, const FieldPath& path, std::vector<std::string>& warnings);

}  // namespace kubemu::api::kinds

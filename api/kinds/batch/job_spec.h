// The spec of a Job wherever it stands: in a Job, and in the template of a CronJob.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/values/field_errors.h"
#include "api/values/object.h"

namespace kubemu::api::kinds {

// validateJobSpec of kubernetes pkg/apis/batch/validation; the selector is the Job's own business.
void validate_job_spec(const Json& spec, const FieldPath& path, FieldErrors& errors);
// podFailurePolicy and successPolicy (job_policies.cpp).
void validate_failure_policy(const Json& spec, const FieldPath& path, FieldErrors& errors);
void validate_success_policy(const Json& spec, const FieldPath& path, FieldErrors& errors);
// What is wrong with a list of indexes like "1,3-5"; empty when nothing is.
std::string index_list_error(std::string_view list, std::int64_t completions);

// WarningsForJobSpec.
void warn_of_job_spec(const Json& spec, const FieldPath& path, std::vector<std::string>& warnings);

}  // namespace kubemu::api::kinds

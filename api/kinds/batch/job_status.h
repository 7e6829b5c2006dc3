// What may be written into the status of a Job.
#pragma once

#include "api/values/field_errors.h"
#include "api/values/object.h"

namespace kubemu::api::kinds {

// ValidateJobUpdateStatus of kubernetes pkg/apis/batch/validation, by the options of pkg/registry/batch/job: a rule is
// applied when what it is about changes. Two rules are left to controllers that announce the end of a Job (conditions
// SuccessCriteriaMet and FailureTarget): older ones set Complete and Failed at once.
void validate_job_status(const Json& job, const Json& old, FieldErrors& errors);

}  // namespace kubemu::api::kinds

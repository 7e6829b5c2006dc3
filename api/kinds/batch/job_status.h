// What may be written into the status of a Job.
#pragma once

#include "api/values/field_errors.h"
#include "api/values/object.h"

namespace kubemu::api::kinds {

// ValidateJobUpdateStatus of kubernetes pkg/apis/batch/validation, by the options of pkg/registry/batch/job: a rule is
// applied when what it is about changes. Nobody has to announce an end (conditions SuccessCriteriaMet and FailureTarget):
// older controllers set Complete and Failed at once, and their counts may lag behind.
void validate_job_status(const Json& job, const Json& old, FieldErrors& errors);

}  // namespace kubemu::api::kinds

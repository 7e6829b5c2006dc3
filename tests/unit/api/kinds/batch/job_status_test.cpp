// What may be written into the status of a Job.
#include "api/kinds/batch/job_status.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/unit/api/kinds/complaints.h"

using namespace kubemu::api;

namespace {

Json job(const std::string& spec, const std::string& status) {
    return Json::parse(R"({"spec":{)" + spec + R"(},"status":{)" + status + "}}");
}

}  // namespace

TEST_CASE("the status of a Job: what contradicts itself, and what does not go back") {
    const std::string complete = R"("conditions":[{"type":"Complete","status":"True"}])";
    const std::string ended = complete + R"(,"startTime":"2026-01-01T00:00:00Z","completionTime":"2026-01-01T00:01:00Z")";
    const std::string indexed = R"("completionMode":"Indexed","completions":3,"parallelism":2)";
    struct Case {
        std::string spec, old, now;
        const char* said;
    };
    const Case cases[] = {
        // Older controllers set the last condition without announcing it.
        {"", "", ended, ""},
        {"", "", complete,
         "status.completionTime: Required value: completionTime is required for Complete jobs\n"
         "status.startTime: Required value: startTime is required for finished job"},
        {"", "", R"("startTime":"2026-01-01T00:00:00Z","completionTime":"2025-01-01T00:00:00Z")",
         "status.completionTime: Invalid value: \"2025-01-01T00:00:00Z\": cannot set completionTime when there is no "
         "Complete=True condition\n"
         "status.completionTime: Invalid value: \"2025-01-01T00:00:00Z\": must be equal to or after `startTime`"},
        {"", "", R"("startTime":"2026-01-01T00:00:00Z","completionTime":"2026-01-01T00:00:00Z","conditions":[{"type":"Complete","status":"True"},{"type":"Failed","status":"True"}])",
         "status.conditions: Invalid value: cannot set Complete=True and Failed=true conditions"},
        {"", ended, R"("startTime":"2026-01-01T00:00:00Z")",
         "status.conditions: Invalid value: cannot disable the terminal Complete=True condition"},
        {"", R"("failed":2,"succeeded":1)", R"("failed":1)",
         "status.failed: Invalid value: 1: cannot decrease the failed counter\n"
         "status.succeeded: Invalid value: 0: cannot decrease the succeeded counter"},
        {R"("completionMode":"Indexed","completions":2,"parallelism":2)", R"("succeeded":2)", R"("succeeded":1)", ""},
        {"", R"("startTime":"2026-01-01T00:00:00Z")", R"("startTime":"2026-01-02T00:00:00Z")",
         "status.startTime: Invalid value: \"2026-01-02T00:00:00Z\": field is immutable for unsuspended job once set"},
        {R"("suspend":true)", R"("startTime":"2026-01-01T00:00:00Z")", "", ""},
        {"", R"("startTime":"2026-01-01T00:00:00Z","conditions":[{"type":"Suspended","status":"True"}])",
         R"("startTime":"2026-01-02T00:00:00Z","conditions":[{"type":"Suspended","status":"False"}])", ""},
        {indexed, "", R"("completedIndexes":"0,2")", ""},
        {indexed, "", R"("completedIndexes":"2-5")",
         "status.completedIndexes: Invalid value: \"2-5\": error parsing completedIndexes: too large index: \"5\""},
        {"", "", R"("completedIndexes":"0","failedIndexes":"")",
         "status.completedIndexes: Invalid value: \"0\": cannot set non-empty completedIndexes when non-indexed completion "
         "mode\n"
         "status.failedIndexes: Invalid value: \"\": cannot set non-null failedIndexes when backoffLimitPerIndex is null"},
        {"", "", R"("active":-1)", "status.active: Invalid value: -1: must be greater than or equal to 0"},
        {"", "", R"("active":1,"ready":2)", ""},
        {R"("managedBy":"e.com/x")", "", R"("active":1,"ready":2)", "status.ready: Invalid value: 2: cannot set more ready pods than active"},
        {R"("successPolicy":{})", "", ended,
         "status.conditions: Invalid value: cannot set Complete=True for Job with SuccessPolicy unless "
         "SuccessCriteriaMet=True"},
        {"", "", ended + R"(,"active":1)", ""},
        {"", "", R"("active":1,"startTime":"2026-01-01T00:00:00Z","completionTime":"2026-01-01T00:00:00Z","conditions":[{"type":"Complete","status":"True"},{"type":"SuccessCriteriaMet","status":"True"}])",
         "status.active: Invalid value: 1: active>0 is invalid for finished job"},
    };
    for (const Case& one : cases) {
        CAPTURE(one.now);
        const Json now = job(one.spec, one.now), old = job(one.spec, one.old);
        CHECK(test::complaints([&](FieldErrors& errors) { kinds::validate_job_status(now, old, errors); }) ==
              one.said);
    }
}

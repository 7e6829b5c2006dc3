// The two conditions that are the last of a Job.
#include "controllers/job/job_end.h"

#include <nlohmann/json.hpp>

namespace kubemu::controllers {

std::string end_of_job(const api::Json& job) {
    for (const api::Json& condition : api::array_at(job, {"status", "conditions"})) {
        const std::string_view type = api::string_at(condition, {"type"});
        if ((type == "Complete" || type == "Failed") && api::string_at(condition, {"status"}) == "True") return std::string(type);
    }
    return {};
}

}  // namespace kubemu::controllers

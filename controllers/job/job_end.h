// How a Job has ended, as its conditions say it.
#pragma once

#include <string>

#include "api/values/object.h"

namespace kubemu::controllers {

// "Complete" or "Failed"; empty for a Job that goes on.
std::string end_of_job(const api::Json& job);

}  // namespace kubemu::controllers

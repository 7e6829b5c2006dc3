// The Secrets that a pod names: for its images, its containers' environment and its volumes (pkg/api/v1/pod
// VisitPodSecretNames).
#pragma once

#include <string_view>

#include "api/values/object.h"

namespace kubemu::controllers {

bool pod_names_secret(const api::Json& pod, std::string_view secret_name);

}  // namespace kubemu::controllers

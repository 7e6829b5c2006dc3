// Versions of APIs in Kubernetes' order: v2 before v1, v1 before v1beta2, those before v1alpha1, anything else last.
#pragma once

#include <string_view>

namespace kubemu::api {

// Above 0 when `a` is preferred to `b`, below 0 the other way round (k8s.io/apimachinery/pkg/version).
int compare_kube_versions(std::string_view a, std::string_view b);

}  // namespace kubemu::api

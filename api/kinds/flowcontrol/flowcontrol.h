// The objects of API Priority and Fairness that every cluster has
// (k8s.io/apiserver/pkg/apis/flowcontrol/bootstrap).
#pragma once

#include <cstddef>
#include <vector>

#include "api/values/object.h"

namespace kubemu::api {

// In v1, with name and annotation. The first ones of each list are mandatory: they may not be changed; the
// others are suggestions.
constexpr std::size_t mandatory_flow_control_objects = 2;
const std::vector<Json>& bootstrap_flow_schemas();
const std::vector<Json>& bootstrap_priority_levels();

}  // namespace kubemu::api

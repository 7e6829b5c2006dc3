// The CustomResourceDefinition of KWOK's Stages, so that a user's Stages are taken without further ado.
#pragma once

#include <string_view>

#include "api/registry.h"

namespace kubemu::controllers::stages {

constexpr std::string_view stage_resource = "stages.kwok.x-k8s.io";

// Makes it unless it is there; KWOK's own may take its place at any time.
void bootstrap_stage_definition(api::Registry& registry);

}  // namespace kubemu::controllers::stages

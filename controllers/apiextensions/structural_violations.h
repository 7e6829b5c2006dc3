// Why a definition from before structural schemas were required is not structural.
#pragma once

#include <string>

#include "api/values/object.h"

namespace kubemu::controllers {

// The message of the condition NonStructuralSchema; empty when nothing is wrong
// (k8s.io/apiextensions-apiserver/pkg/controller/nonstructuralschema).
std::string structural_violations(const api::Json& definition);

}  // namespace kubemu::controllers

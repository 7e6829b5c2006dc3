// Cells: what printer columns show that is more than a path (kubernetes pkg/printers/internalversion).
#pragma once

#include <string_view>

#include "api/values/object.h"
#include "storage/base/clock.h"

namespace kubemu::api {

struct CellContext {
    Time now{};
};
using CellFunction = Json (*)(const Json& object, const CellContext& context);

// By the name in ColumnSpec::cell; null when there is none. Generated from api/schema/*.yaml.
CellFunction cell_function(std::string_view name);

// `,"conditions":[...]` of a row, after which kubectl hides finished pods; empty for a pod that may still run.
std::string_view pod_row_conditions(const Json& pod);

}  // namespace kubemu::api

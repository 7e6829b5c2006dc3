// Table and PartialObjectMetadata: other forms of objects and lists (meta.k8s.io/v1).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/schema/kind.h"
#include "api/values/object.h"
#include "storage/base/clock.h"

namespace kubemu::api {

enum class IncludeObject { metadata, object, none };

struct TableRequest {
    const KindSpec& kind;  // whose columns are shown: the storage version's
    IncludeObject include = IncludeObject::metadata;
    bool with_columns = true;  // watches send the definitions once
    Time now{};
    std::string_view resource_version{}, continue_token{};
    long remaining = -1;
};

// The Table's JSON text for these documents.
std::string table_of(const std::vector<Json>& objects, const TableRequest& request);

// kind, apiVersion and metadata only.
Json partial_object_metadata(const Json& object);

}  // namespace kubemu::api

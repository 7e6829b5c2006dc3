// Table and PartialObjectMetadata: other forms of objects and lists (meta.k8s.io/v1).
#pragma once

#include <functional>
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
    std::string_view meta_version = "v1";  // of meta.k8s.io
    // The text of a row's whole object, in the version that was asked for; needed with IncludeObject::object.
    std::function<std::string(std::size_t row)> object_text = {};
    bool with_columns = true;  // watches send the definitions once
    Time now{};
    std::string_view resource_version{}, continue_token{};
    long remaining = -1;
};

// The Table's JSON text for these documents.
std::string table_of(const std::vector<Json>& objects, const TableRequest& request);

// kind, apiVersion and metadata only: the JSON text of a PartialObjectMetadata.
std::string partial_object_metadata(const Json& object, std::string_view meta_version = "v1");
// The same from an object's text as it is stored, which begins with kind, apiVersion and metadata; nothing is parsed.
std::string partial_object_metadata_of_text(std::string_view object_text, std::string_view meta_version = "v1");

}  // namespace kubemu::api

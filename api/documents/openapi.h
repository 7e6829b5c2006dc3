// OpenAPI documents made from the type tables: /openapi/v2 for everything at once, /openapi/v3 one for each group
// version and one for each of the roots (/api, /apis, /version...).
//
// They are large and rarely asked for, so each is made on demand; api/documents/openapi_service.h keeps them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/documents/discovery.h"
#include "api/documents/openapi_merge.h"
#include "api/values/object.h"

namespace kubemu::api {

// What is documented: the kinds that are served, at one moment.
struct OpenApiSource {
    const Kinds& kinds;
    std::string_view version;  // "v1.28.7"
    // Rises whenever kinds come, go or change, here or elsewhere.
    std::uint64_t generation = 0;
    // For a kind of a CustomResourceDefinition: the openAPIV3Schema of its version, null when it has none. Nothing for
    // kinds of the type tables, which are all kinds when this is empty. What it points to lives as long as `kinds`.
    std::function<std::optional<const Json*>(const KindSpec& kind)> custom_schema{};
    // Called when a document is made; nothing when no other server is asked.
    std::function<std::vector<ForeignOpenApi>()> elsewhere{};
};

// The whole of it as Swagger 2.0.
std::string openapi_v2_document(const OpenApiSource& source);
// The names of the v3 documents in order: "api", "api/v1", "apis", "apis/apps", "apis/apps/v1", "version"...
std::vector<std::string> openapi_v3_names(const OpenApiSource& source);
// One of them; empty when there is none of this name.
std::string openapi_v3_document(const OpenApiSource& source, std::string_view name);
// SHA-512 in upper-case hexadecimal, as in ETags and in the index.
std::string openapi_hash(std::string_view text);

}  // namespace kubemu::api

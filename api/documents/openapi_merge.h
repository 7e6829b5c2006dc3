// OpenAPI of other API servers among our own: what aggregated groups say of themselves
// (k8s.io/kube-aggregator/pkg/controllers/openapi, k8s.io/kube-openapi/pkg/aggregator).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/values/object.h"

namespace kubemu::api {

// One group version that another server answers for.
struct ForeignOpenApi {
    std::string group, version;
    std::string v3_url;                   // where its v3 document is, relative to this server; empty: it has none
    std::shared_ptr<const Json> swagger;  // its /openapi/v2; null: it has none
};

// The v2 document with the paths of those groups and all that these paths name. A path that is there already stays; a
// definition of the same name that says something else comes as NAME_v2, NAME_v3 and so on.
std::string merge_openapi_v2(const std::string& document, const std::vector<ForeignOpenApi>& others);

}  // namespace kubemu::api

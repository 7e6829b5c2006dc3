// Routes as the paths of an OpenAPI document.
#pragma once

#include <map>
#include <string>

#include "api/documents/json_text.h"
#include "api/documents/openapi_routes.h"
#include "api/documents/openapi_schema.h"

namespace kubemu::api {

// Parameters that Swagger documents keep in one place, because thousands of operations have them
// (k8s.io/kube-openapi, pkg/builder/parameters.go).
class SharedParameters {
  public:
    // The name under which this parameter is kept.
    const std::string& name_of(std::string_view parameter_name, const std::string& json);
    const std::map<std::string, std::string>& by_name() const { return by_name_; }

  private:
    std::map<std::string, std::string> by_name_, names_;
};

// {"PATH": {"get": {...}, "parameters": [...]}, ...}. `shared` is for v2, where it must be given.
void write_paths(JsonText& out, const Routes& routes, OpenApiVersion version, SharedParameters* shared);

}  // namespace kubemu::api

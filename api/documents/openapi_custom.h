// The schemas that kinds of CustomResourceDefinitions publish (k8s.io/apiextensions-apiserver,
// pkg/controller/openapi/builder): what their authors wrote, with the members that every object has, and for Swagger
// 2.0 without what it cannot say.
#pragma once

#include <string>
#include <string_view>

#include "api/documents/openapi_schema.h"
#include "api/values/object.h"

namespace kubemu::api {

// stable.example.com/v1 CronTab -> com.example.stable.v1.CronTab.
std::string custom_schema_name(const KindSpec& kind, std::string_view name);
// `schema` is the version's openAPIV3Schema; null for none, which allows everything.
std::string custom_schema(OpenApiVersion version, const KindSpec& kind, const Json* schema);
std::string custom_list_schema(OpenApiVersion version, const KindSpec& kind);

}  // namespace kubemu::api

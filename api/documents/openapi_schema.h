// The schemas of one OpenAPI document: what the type tables say of each type, in the words of kube-openapi's generator
// (k8s.io/kube-openapi, pkg/generators/openapi.go).
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "api/documents/discovery.h"
#include "api/documents/json_text.h"

namespace kubemu::api {

// 2 is Swagger 2.0: no defaults, no oneOf, references with members beside them.
enum class OpenApiVersion { v2, v3 };

// "#/definitions/NAME" or "#/components/schemas/NAME".
std::string openapi_reference(OpenApiVersion version, std::string_view name);
// The OpenAPI name of a type of meta/v1 such as "Status".
std::string meta_schema_name(std::string_view type);

class OpenApiSchemas {
  public:
    // `served` are all kinds of the cluster: DeleteOptions and WatchEvent name every group version.
    OpenApiSchemas(OpenApiVersion version, const Kinds& served) : version_(version), served_(served) {}

    // The type and all types that it holds. Returns its OpenAPI name.
    std::string_view add(const TypeInfo& type);
    // A type of meta/v1 ("Status"), which must exist. Returns its OpenAPI name.
    std::string add_meta(std::string_view type);
    // A schema that is JSON already. Later ones of the same name are dropped.
    void add_text(const std::string& name, std::string json) { texts_.emplace(name, std::move(json)); }

    // {"NAME": {...}, ...} in the order of the names.
    void write(JsonText& out) const;

  private:
    void add_special(const std::string& name);
    void write_type(JsonText& out, const TypeInfo& type) const;
    void write_field(JsonText& out, const FieldInfo& field) const;
    void write_element(JsonText& out, const FieldInfo& field, std::string_view default_json, bool alone) const;
    void write_kinds(JsonText& out, const TypeInfo& type) const;

    OpenApiVersion version_;
    const Kinds& served_;
    std::map<std::string, const TypeInfo*, std::less<>> types_;
    std::map<std::string, std::string, std::less<>> texts_;
};

}  // namespace kubemu::api

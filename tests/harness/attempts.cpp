// Attempts at writes, as the test's own manager of fields.
#include "tests/harness/attempts.h"

#include <nlohmann/json.hpp>

#include "api/registry.h"

namespace kubemu::tests {
namespace {

api::WriteContext context(std::vector<std::string>* warnings) {
    api::WriteContext write;
    write.field_manager = "test";
    write.warnings = warnings;
    return write;
}

}  // namespace

api::Json created(TestCluster& cluster, std::string_view resource, const std::string& json) {
    return cluster.create(resource, std::string_view(json));
}

std::string create_refused(TestCluster& cluster, std::string_view resource, std::string_view json,
                           std::vector<std::string>* warnings, std::string_view namespace_name) {
    const api::KindSpec& kind = cluster.kind(resource);
    const std::string_view space = kind.namespaced ? namespace_name : std::string_view();
    const auto written = cluster.registry().create(kind, space, api::Json::parse(json), context(warnings));
    cluster.store().flush();
    return written ? std::string() : written.error()->message;
}

std::string patch_refused(TestCluster& cluster, std::string_view resource, std::string_view name,
                          std::string_view merge_patch, std::string_view subresource,
                          std::vector<std::string>* warnings, std::string_view namespace_name) {
    const api::KindSpec& kind = cluster.kind(resource);
    const std::string_view space = kind.namespaced ? namespace_name : std::string_view();
    const api::Registry::Change change = [&](api::Json& object, bool) -> api::ApiResult<bool> {
        object.merge_patch(api::Json::parse(merge_patch));
        return true;
    };
    const auto written = cluster.registry().update(kind, space, name, subresource, change, context(warnings));
    cluster.store().flush();
    return written ? std::string() : written.error()->message;
}

}  // namespace kubemu::tests

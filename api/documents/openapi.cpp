// The whole documents: routes, then the schemas that they name.
#include "api/documents/openapi.h"

#include <openssl/sha.h>

#include <algorithm>
#include <set>

#include "api/documents/json_text.h"
#include "api/documents/openapi_custom.h"
#include "api/documents/openapi_operations.h"
#include "api/documents/openapi_schema.h"

namespace kubemu::api {
namespace {

constexpr std::string_view roots[] = {
    ".well-known/openid-configuration", "api", "apis", "logs", "openid/v1/jwks", "version"};
constexpr std::string_view token_scheme =
    R"({"description":"A bearer token.","in":"header","name":"authorization","type":"apiKey"})";

std::optional<const Json*> custom(const OpenApiSource& source, const KindSpec& kind) {
    return source.custom_schema ? source.custom_schema(kind) : std::nullopt;
}

std::string name_of(const KindSpec& kind) {
    return kind.group.empty() ? "api/" + std::string(kind.version)
                              : "apis/" + std::string(kind.group) + "/" + std::string(kind.version);
}

// What /version answers; no type of the tables, for nothing else uses it (k8s.io/apimachinery, pkg/version/types.go).
std::string version_info_schema(OpenApiVersion version) {
    JsonText out;
    out.open('{')
        .member("description", "Which release of Kubernetes the server is, and how it was built.")
        .member("type", "object");
    out.key("properties").open('{');
    constexpr std::pair<std::string_view, std::string_view> members[] = {
        {"major", "The first number of the release."},
        {"minor", "The second number of the release."},
        {"gitVersion", "The release as one text, such as v1.28.7."},
        {"gitCommit", "Commit from which the server was built."},
        {"gitTreeState", "Whether the sources were as committed: clean or dirty."},
        {"buildDate", "When the server was built."},
        {"goVersion", "Version of Go that compiled it."},
        {"compiler", "Name of the compiler."},
        {"platform", "Operating system and processor, such as linux/amd64."}};
    for (const auto& [name, description] : members) {
        out.key(name).open('{').member("description", description).member("type", "string");
        if (version == OpenApiVersion::v3) out.member("default", "");
        out.close('}');
    }
    out.close('}').key("required").open('[');
    for (const auto& [name, description] : members) out.text(name);
    return out.close(']').close('}').take();
}

// Adds the schemas that the routes name.
void add_schemas(OpenApiSchemas& schemas, OpenApiVersion version, const Routes& routes) {
    std::set<std::string, std::less<>> names;
    for (const auto& [path, of_path] : routes) {
        for (const Route& route : of_path) {
            names.insert(route.body);
            names.insert(route.answer);
        }
    }
    for (const TypeInfo* type : all_types()) {
        if (names.count(type->openapi_name) != 0) schemas.add(*type);
    }
    constexpr std::string_view info = "io.k8s.apimachinery.pkg.version.Info";
    if (names.count(info) != 0) schemas.add_text(std::string(info), version_info_schema(version));
}

void add_kind(const OpenApiSource& source, OpenApiVersion version, const KindSpec& kind, Routes& routes,
              OpenApiSchemas& schemas) {
    const std::optional<const Json*> schema = custom(source, kind);
    if (!schema) {
        add_routes(routes, kind);
        return;
    }
    const std::string name = custom_schema_name(kind, kind.kind), list = custom_schema_name(kind, kind.list_kind);
    schemas.add_text(name, custom_schema(version, kind, *schema));
    schemas.add_text(list, custom_list_schema(version, kind));
    schemas.add_meta("ObjectMeta");
    schemas.add_meta("ListMeta");
    add_custom_routes(routes, kind, name, list);
}

// Groups of the type tables; a group of CustomResourceDefinitions alone has no document of its own.
std::set<std::string_view> listed_groups(const OpenApiSource& source) {
    std::set<std::string_view> groups;
    for (const KindSpec* kind : source.kinds) {
        if (!kind->group.empty() && !custom(source, *kind)) groups.insert(kind->group);
    }
    return groups;
}

}  // namespace

std::string openapi_hash(std::string_view text) {
    unsigned char digest[SHA512_DIGEST_LENGTH];
    SHA512(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
    constexpr char digits[] = "0123456789ABCDEF";
    std::string out;
    for (const unsigned char byte : digest) {
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
    return out;
}

std::string openapi_v2_document(const OpenApiSource& source) {
    Routes routes;
    OpenApiSchemas schemas(OpenApiVersion::v2, source.kinds);
    std::set<std::string> versions;
    for (const KindSpec* kind : source.kinds) {
        add_kind(source, OpenApiVersion::v2, *kind, routes, schemas);
        if (!custom(source, *kind) && versions.insert(name_of(*kind)).second)
            add_resource_list(routes, kind->group, kind->version);
    }
    for (const std::string_view group : listed_groups(source)) add_group(routes, group);
    for (const std::string_view root : roots) add_root(routes, root);
    add_schemas(schemas, OpenApiVersion::v2, routes);

    JsonText out;
    out.reserve(std::size_t{4} << 20);
    out.open('{').member("swagger", "2.0");
    out.key("info").open('{').member("title", "Kubernetes").member("version", source.version).close('}');
    SharedParameters shared;
    out.key("paths");
    write_paths(out, routes, OpenApiVersion::v2, &shared);
    out.key("definitions");
    schemas.write(out);
    out.key("parameters").open('{');
    for (const auto& [name, parameter] : shared.by_name()) out.key(name).raw(parameter);
    out.close('}');
    out.key("securityDefinitions").open('{').key("BearerToken").raw(token_scheme).close('}');
    out.key("security").raw(R"([{"BearerToken":[]}])");
    return out.close('}').take();
}

std::vector<std::string> openapi_v3_names(const OpenApiSource& source) {
    std::set<std::string> names(std::begin(roots), std::end(roots));
    for (const KindSpec* kind : source.kinds) names.insert(name_of(*kind));
    for (const std::string_view group : listed_groups(source)) names.insert("apis/" + std::string(group));
    return {names.begin(), names.end()};
}

std::string openapi_v3_document(const OpenApiSource& source, std::string_view name) {
    Routes routes;
    OpenApiSchemas schemas(OpenApiVersion::v3, source.kinds);
    bool all_custom = true;
    for (const KindSpec* kind : source.kinds) {
        if (name_of(*kind) != name) continue;
        if (!custom(source, *kind) && all_custom) {
            all_custom = false;
            add_resource_list(routes, kind->group, kind->version);
        }
        add_kind(source, OpenApiVersion::v3, *kind, routes, schemas);
    }
    const bool is_group_version = !routes.empty();
    if (!is_group_version) {
        constexpr std::string_view groups = "apis/";
        const bool is_root = std::find(std::begin(roots), std::end(roots), name) != std::end(roots);
        if (is_root) add_root(routes, name);
        else if (name.substr(0, groups.size()) == groups &&
                 listed_groups(source).count(name.substr(groups.size())) != 0) {
            add_group(routes, name.substr(groups.size()));
        }
        if (routes.empty()) return {};
    }
    add_schemas(schemas, OpenApiVersion::v3, routes);

    JsonText out;
    out.reserve(std::size_t{1} << 20);
    out.open('{').member("openapi", "3.0.0").key("info").open('{');
    if (is_group_version && all_custom) out.member("title", "Kubernetes CRD Swagger").member("version", "v0.1.0");
    else out.member("title", "Kubernetes").member("version", source.version);
    out.close('}').key("paths");
    write_paths(out, routes, OpenApiVersion::v3, nullptr);
    out.key("components").open('{').key("schemas");
    schemas.write(out);
    out.key("securitySchemes").open('{').key("BearerToken").raw(token_scheme).close('}').close('}');
    return out.close('}').take();
}

}  // namespace kubemu::api

// The whole documents.
#include "api/documents/openapi.h"

#include <openssl/sha.h>

#include <nlohmann/json.hpp>

#include "api/documents/gnostic.h"
#include "api/documents/openapi_model.h"

namespace kubemu::api {
namespace {

std::string document_path(const KindSpec& kind) {
    return kind.group.empty() ? "api/v1" : "apis/" + std::string(kind.group) + "/" + std::string(kind.version);
}

Json v2_document(const Kinds& kinds, std::string_view version) {
    Json document = {{"swagger", "2.0"}, {"info", {{"title", "Kubernetes"}, {"version", version}}}};
    document["paths"] = paths_of(kinds, OpenApiVersion::v2);
    document["definitions"] = schemas_of(kinds, OpenApiVersion::v2);
    return document;
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

std::string openapi_v2_json(const Kinds& kinds, std::string_view version) { return v2_document(kinds, version).dump(); }

std::string openapi_v2_protobuf(const Kinds& kinds, std::string_view version) { return gnostic_document(v2_document(kinds, version)); }

std::string openapi_v3_document(const Kinds& kinds, std::string_view version, std::string_view path) {
    Kinds members;
    for (const KindSpec* kind : kinds) {
        if (document_path(*kind) == path) members.push_back(kind);
    }
    if (members.empty()) return {};
    Json document = {{"openapi", "3.0.0"}, {"info", {{"title", "Kubernetes"}, {"version", version}}}};
    document["paths"] = paths_of(members, OpenApiVersion::v3);
    document["components"]["schemas"] = schemas_of(members, OpenApiVersion::v3);
    return document.dump();
}

std::string openapi_v3_index(const Kinds& kinds, std::string_view version) {
    Json paths = Json::object();
    for (const KindSpec* kind : kinds) {
        const std::string path = document_path(*kind);
        if (paths.contains(path)) continue;
        const std::string hash = openapi_hash(openapi_v3_document(kinds, version, path));
        paths[path] = {{"serverRelativeURL", "/openapi/v3/" + path + "?hash=" + hash}};
    }
    return Json{{"paths", paths}}.dump() + "\n";
}

}  // namespace kubemu::api

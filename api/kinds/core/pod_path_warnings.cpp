// Warnings of volumes whose files would overwrite each other: two paths that are the same, or one within the other
// (kubernetes pkg/api/pod/warnings.go, warningsForOverlappingVirtualPaths).
#include <nlohmann/json.hpp>

#include "api/kinds/core/pod_checks.h"
#include "api/values/text.h"

namespace kubemu::api::pods {
namespace {

struct SourcedPath {
    std::string path, source;

    std::string text() const { return go_quote(path) + (source.empty() ? "" : " (" + source + ")"); }
};
using SourcedPaths = std::vector<SourcedPath>;

bool within(std::string_view inner, std::string_view outer) {
    return inner == outer || (inner.size() > outer.size() && inner.starts_with(outer) && inner[outer.size()] == '/');
}

std::string_view trimmed(std::string_view path) {
    while (path.ends_with('/')) path.remove_suffix(1);
    return path;
}

// Adds `paths` to those that are known; what collides is said as `"a" with "a/b"`.
std::vector<std::string> overlaps(SourcedPaths& known, SourcedPaths paths) {
    std::vector<std::string> found;
    for (SourcedPath& fresh : paths) {
        fresh.path = std::string(trimmed(fresh.path));
        for (const SourcedPath& other : known) {
            if (fresh.path.empty() || other.path.empty()) continue;
            if (within(fresh.path, other.path) || within(other.path, fresh.path)) {
                found.push_back(fresh.text() + " with " + other.text());
            }
        }
        known.push_back(std::move(fresh));
    }
    return found;
}

SourcedPaths paths_of_items(const Json& source, const std::string& name) {
    SourcedPaths paths;
    for (const Json& item : array_at(source, {"items"}))
        paths.push_back({std::string(string_at(item, {"path"})), name});
    return paths;
}

std::string named(const char* kind, const Json& source, std::string_view member) {
    return std::string(kind) + " " + go_quote(string_at(source, {member}));
}

SourcedPaths paths_of_projection(const Json& projection) {
    const auto has_items = [](const Json* source) { return source != nullptr && find(*source, "items") != nullptr; };
    if (const Json* map = find(projection, "configMap"); has_items(map))
        return paths_of_items(*map, named("ConfigMap", *map, "name"));
    if (const Json* secret = find(projection, "secret"); has_items(secret)) {
        return paths_of_items(*secret, named("Secret", *secret, "name"));
    }
    if (const Json* fields = find(projection, "downwardAPI"); has_items(fields))
        return paths_of_items(*fields, "DownwardAPI");
    if (const Json* token = find(projection, "serviceAccountToken")) {
        return {{std::string(string_at(*token, {"path"})), "ServiceAccountToken"}};
    }
    if (const Json* bundle = find(projection, "clusterTrustBundle")) {
        const char* member = find(*bundle, "name") != nullptr ? "name" : "signerName";
        return {{std::string(string_at(*bundle, {"path"})), named("ClusterTrustBundle", *bundle, member)}};
    }
    SourcedPaths paths;
    if (const Json* certificate = find(projection, "podCertificate")) {
        constexpr std::pair<const char*, const char*> files[] = {
            {"certificateChainPath", "PodCertificate chain"},
            {"keyPath", "PodCertificate key"},
            {"credentialBundlePath", "PodCertificate credential bundle"}};
        for (const auto& [member, source] : files) {
            if (const std::string_view path = string_at(*certificate, {member}); !path.empty()) {
                paths.push_back({std::string(path), source});
            }
        }
    }
    return paths;
}

}  // namespace

void warn_of_overlapping_paths(const Json& spec, std::vector<std::string>& warnings) {
    for (const Json& volume : array_at(spec, {"volumes"})) {
        const std::string start = "volume " + go_quote(string_at(volume, {"name"})) + " (";
        const auto warn = [&](SourcedPaths& known, SourcedPaths paths, const std::string& source) {
            for (const std::string& overlap : overlaps(known, std::move(paths))) {
                warnings.push_back(start + source + "): overlapping paths: " + overlap);
            }
        };
        SourcedPaths config, secrets, fields, projected;
        if (const Json* map = find(volume, "configMap"))
            warn(config, paths_of_items(*map, ""), named("ConfigMap", *map, "name"));
        if (const Json* secret = find(volume, "secret")) {
            warn(secrets, paths_of_items(*secret, ""), named("Secret", *secret, "secretName"));
        }
        if (const Json* downward = find(volume, "downwardAPI"))
            warn(fields, paths_of_items(*downward, ""), "DownwardAPI");
        for (const Json& projection : array_at(volume, {"projected", "sources"})) {
            if (projection.empty()) {
                warnings.push_back(start + "Projected) has no sources provided");
            } else {
                warn(projected, paths_of_projection(projection), "Projected");
            }
        }
    }
}

}  // namespace kubemu::api::pods

// Discovery, written by hand in the order in which the real server writes its fields: scripts grep it.
#include "api/documents/discovery.h"

#include "api/documents/openapi.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

std::string quoted(std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
}

std::string list(std::span<const std::string_view> items) {
    std::string out = "[";
    for (const std::string_view item : items) out += (out.size() > 1 ? "," : "") + quoted(item);
    return out + "]";
}

// In alphabetical order, as the real server sorts them.
std::string verb_list(std::uint16_t verbs) {
    struct Named {
        Verb verb;
        std::string_view name;
    };
    constexpr Named names[] = {{Verb::create, "create"}, {Verb::del, "delete"},  {Verb::delete_collection, "deletecollection"},
                               {Verb::get, "get"},       {Verb::list, "list"},   {Verb::patch, "patch"},
                               {Verb::update, "update"}, {Verb::watch, "watch"}};
    std::string out = "[";
    for (const Named& named : names) {
        if ((verbs & static_cast<std::uint16_t>(named.verb)) == 0) continue;
        out += (out.size() > 1 ? "," : "") + quoted(named.name);
    }
    return out + "]";
}

std::string group_version(std::string_view group, std::string_view version) {
    return group.empty() ? std::string(version) : std::string(group) + "/" + std::string(version);
}

std::vector<GroupVersionSpec> served_versions(const Kinds& kinds) {
    std::vector<GroupVersionSpec> out;
    for (const GroupVersionSpec& candidate : builtin_group_versions()) {
        for (const KindSpec* kind : kinds) {
            if (kind->group == candidate.group && kind->version == candidate.version) {
                out.push_back(candidate);
                break;
            }
        }
    }
    return out;
}

std::string group_members(const std::vector<GroupVersionSpec>& versions, std::string_view group) {
    std::string items, preferred;
    for (const GroupVersionSpec& version : versions) {
        if (version.group != group) continue;
        const std::string entry =
            "{\"groupVersion\":" + quoted(group_version(group, version.version)) + ",\"version\":" + quoted(version.version) + "}";
        items += (items.empty() ? "" : ",") + entry;
        if (preferred.empty()) preferred = entry;
    }
    if (items.empty()) return {};
    return "\"name\":" + quoted(group) + ",\"versions\":[" + items + "],\"preferredVersion\":" + preferred;
}

// Tells clients when the stored form of a kind changes; any stable text of this shape does.
std::string storage_hash(const KindSpec& kind) {
    std::string bytes;
    const std::string hash = openapi_hash(std::string(kind.resource) + "/" + std::string(kind.kind));
    for (std::size_t i = 0; i < 16; i += 2) bytes += static_cast<char>(std::stoi(hash.substr(i, 2), nullptr, 16));
    return base64_encode(bytes);
}

std::string scope_members(const KindSpec& kind) {
    std::string out;
    if (!kind.short_names.empty()) out += ",\"shortNames\":" + list(kind.short_names);
    if (!kind.categories.empty()) out += ",\"categories\":" + list(kind.categories);
    return out;
}

std::string response_kind(std::string_view group, std::string_view version, std::string_view kind) {
    return "{\"group\":" + quoted(group) + ",\"version\":" + quoted(version) + ",\"kind\":" + quoted(kind) + "}";
}

std::string aggregated_resource(const KindSpec& kind) {
    std::string out = "{\"resource\":" + quoted(kind.plural) + ",\"responseKind\":" + response_kind("", "", kind.kind) +
                      ",\"scope\":" + (kind.namespaced ? "\"Namespaced\"" : "\"Cluster\"") + ",\"singularResource\":" + quoted(kind.singular) +
                      ",\"verbs\":" + verb_list(kind.verbs) + scope_members(kind);
    if (!kind.subresources.empty()) {
        out += ",\"subresources\":[";
        for (const SubresourceSpec& sub : kind.subresources) {
            if (out.back() != '[') out += ',';
            out += "{\"subresource\":" + quoted(sub.name) + ",\"responseKind\":" + response_kind(sub.group, sub.version, sub.kind) +
                   ",\"verbs\":" + verb_list(sub.verbs) + "}";
        }
        out += ']';
    }
    return out + "}";
}

}  // namespace

std::string api_versions() {
    return R"({"kind":"APIVersions","versions":["v1"],"serverAddressByClientCIDRs":[{"clientCIDR":"0.0.0.0/0","serverAddress":"127.0.0.1:6443"}]})"
           "\n";
}

std::string api_group_list(const Kinds& kinds) {
    const auto versions = served_versions(kinds);
    std::string out = R"({"kind":"APIGroupList","apiVersion":"v1","groups":[)";
    std::string_view last;
    for (const GroupVersionSpec& version : versions) {
        if (version.group.empty() || version.group == last) continue;
        last = version.group;
        if (out.back() != '[') out += ',';
        out += "{" + group_members(versions, version.group) + "}";
    }
    return out + "]}\n";
}

std::string api_group(const Kinds& kinds, std::string_view group) {
    const std::string members = group_members(served_versions(kinds), group);
    if (members.empty() || group.empty()) return {};
    return R"({"kind":"APIGroup","apiVersion":"v1",)" + members + "}\n";
}

std::string api_resource_list(const Kinds& kinds, std::string_view group, std::string_view version) {
    std::string out = "{\"kind\":\"APIResourceList\",";
    if (!group.empty()) out += "\"apiVersion\":\"v1\",";
    out += "\"groupVersion\":" + quoted(group_version(group, version)) + ",\"resources\":[";
    bool any = false;
    for (const KindSpec* kind : kinds) {
        if (kind->group != group || kind->version != version) continue;
        any = true;
        if (out.back() != '[') out += ',';
        const std::string namespaced = kind->namespaced ? "true" : "false";
        out += "{\"name\":" + quoted(kind->plural) + ",\"singularName\":" + quoted(kind->singular) + ",\"namespaced\":" + namespaced +
               ",\"kind\":" + quoted(kind->kind) + ",\"verbs\":" + verb_list(kind->verbs) + scope_members(*kind);
        if (kind->can(Verb::list)) out += ",\"storageVersionHash\":" + quoted(storage_hash(*kind));
        out += '}';
        for (const SubresourceSpec& sub : kind->subresources) {
            out += ",{\"name\":" + quoted(std::string(kind->plural) + "/" + std::string(sub.name)) +
                   ",\"singularName\":\"\",\"namespaced\":" + namespaced;
            if (!sub.version.empty()) out += ",\"group\":" + quoted(sub.group) + ",\"version\":" + quoted(sub.version);
            out += ",\"kind\":" + quoted(sub.kind) + ",\"verbs\":" + verb_list(sub.verbs) + "}";
        }
    }
    return any ? out + "]}\n" : std::string();
}

std::string aggregated_discovery(const Kinds& kinds, bool core, std::string_view version) {
    const auto versions = served_versions(kinds);
    std::string out = R"({"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/)" + std::string(version) + R"(","metadata":{},"items":[)";
    std::string_view last = "\n";
    for (const GroupVersionSpec& group : versions) {
        if (group.group.empty() != core || group.group == last) continue;
        last = group.group;
        if (out.back() != '[') out += ',';
        out += core ? "{\"metadata\":{\"creationTimestamp\":null}," : "{\"metadata\":{\"name\":" + quoted(group.group) + ",\"creationTimestamp\":null},";
        out += "\"versions\":[";
        for (const GroupVersionSpec& member : versions) {
            if (member.group != group.group) continue;
            if (out.back() != '[') out += ',';
            out += "{\"version\":" + quoted(member.version) + ",\"resources\":[";
            for (const KindSpec* kind : kinds) {
                if (kind->group != member.group || kind->version != member.version) continue;
                if (out.back() != '[') out += ',';
                out += aggregated_resource(*kind);
            }
            out += "],\"freshness\":\"Current\"}";
        }
        out += "]}";
    }
    return out + "]}\n";
}

}  // namespace kubemu::api

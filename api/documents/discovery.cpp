// Discovery, written by hand in the order in which the real server writes its fields: scripts grep it.
#include "api/documents/discovery.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>

#include "api/crd/custom_resource.h"
#include "api/crd/versions.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

// Not "quoted": std::quoted would be found beside it.
std::string quote(std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
}

std::string list(std::span<const std::string_view> items) {
    std::string out = "[";
    for (const std::string_view item : items) out += (out.size() > 1 ? "," : "") + quote(item);
    return out + "]";
}

// In alphabetical order, as the real server sorts them; those of custom resources it lists in an order of their own.
std::string verb_list(std::uint16_t verbs, bool custom = false, bool terminating = false) {
    struct Named {
        Verb verb;
        std::string_view name;
    };
    constexpr std::array<Named, 8> sorted = {{{Verb::create, "create"},
                                              {Verb::del, "delete"},
                                              {Verb::delete_collection, "deletecollection"},
                                              {Verb::get, "get"},
                                              {Verb::list, "list"},
                                              {Verb::patch, "patch"},
                                              {Verb::update, "update"},
                                              {Verb::watch, "watch"}}};
    constexpr std::array<Named, 8> of_custom = {{{Verb::del, "delete"},
                                                 {Verb::delete_collection, "deletecollection"},
                                                 {Verb::get, "get"},
                                                 {Verb::list, "list"},
                                                 {Verb::patch, "patch"},
                                                 {Verb::create, "create"},
                                                 {Verb::update, "update"},
                                                 {Verb::watch, "watch"}}};
    std::string out = "[";
    for (const Named& named : custom ? of_custom : sorted) {
        if ((verbs & static_cast<std::uint16_t>(named.verb)) == 0) continue;
        if (terminating && (named.verb == Verb::patch || named.verb == Verb::create || named.verb == Verb::update)) continue;
        out += (out.size() > 1 ? "," : "") + quote(named.name);
    }
    return out + "]";
}

std::string verbs_of(const KindSpec& kind) {
    return verb_list(kind.verbs, kind.custom != nullptr, kind.custom != nullptr && kind.custom->resource->terminating());
}

std::string group_version(std::string_view group, std::string_view version) {
    return group.empty() ? std::string(version) : std::string(group) + "/" + std::string(version);
}

bool builtin_group(std::string_view group) {
    const auto all = builtin_group_versions();
    return std::any_of(all.begin(), all.end(), [&](const GroupVersionSpec& known) { return known.group == group; });
}

// Groups of custom resources have one priority, so the name of the first of their APIServices ("v1.example.com")
// orders them; each group's versions go by their stability.
std::vector<GroupVersionSpec> custom_versions(const Kinds& kinds) {
    std::vector<GroupVersionSpec> found;
    for (const KindSpec* kind : kinds) {
        const auto same = [&](const GroupVersionSpec& known) {
            return known.group == kind->group && known.version == kind->version;
        };
        if (kind->custom == nullptr || builtin_group(kind->group) || std::any_of(found.begin(), found.end(), same)) continue;
        found.push_back({kind->group, kind->version, false, 1000, 100});
    }
    std::sort(found.begin(), found.end(), [](const GroupVersionSpec& a, const GroupVersionSpec& b) {
        return std::string(a.version) + "." + std::string(a.group) < std::string(b.version) + "." + std::string(b.group);
    });
    std::vector<std::string_view> groups;
    for (const GroupVersionSpec& version : found) {
        if (std::find(groups.begin(), groups.end(), version.group) == groups.end()) groups.push_back(version.group);
    }
    const auto place = [&groups](std::string_view group) { return std::find(groups.begin(), groups.end(), group); };
    std::stable_sort(found.begin(), found.end(), [&](const GroupVersionSpec& a, const GroupVersionSpec& b) {
        if (a.group != b.group) return place(a.group) < place(b.group);
        return compare_kube_versions(a.version, b.version) > 0;
    });
    return found;
}

// A version of a group, and who answers for it when that is another server.
struct Version {
    GroupVersionSpec spec;
    const AggregatedService* elsewhere = nullptr;
    std::string service_name() const { return std::string(spec.version) + "." + std::string(spec.group); }
};
using Group = std::vector<Version>;

bool comes_first(const Version& a, const Version& b) {
    if (a.spec.version_priority != b.spec.version_priority) return a.spec.version_priority > b.spec.version_priority;
    return compare_kube_versions(a.spec.version, b.spec.version) > 0;
}

std::vector<Version> versions_with(const Kinds& kinds, const Elsewhere& elsewhere) {
    std::vector<Version> all;
    for (const GroupVersionSpec& spec : served_versions(kinds)) {
        const bool ours = std::none_of(elsewhere.begin(), elsewhere.end(), [&spec](const AggregatedServicePtr& service) {
            return service->group == spec.group && service->version == spec.version;
        });
        if (ours) all.push_back({spec});
    }
    for (const AggregatedServicePtr& service : elsewhere) {
        all.push_back({{service->group, service->version, false, static_cast<int>(service->group_priority), static_cast<int>(service->version_priority)},
                       service.get()});
    }
    return all;
}

// By the highest priority of their versions. Among equals the plain list goes by the names of APIServices, the aggregated
// one by those of groups.
std::vector<Group> ordered_groups(const Kinds& kinds, const Elsewhere& elsewhere, bool by_group_name) {
    std::vector<Version> all = versions_with(kinds, elsewhere);
    std::sort(all.begin(), all.end(), [&](const Version& a, const Version& b) {
        if (a.spec.group_priority != b.spec.group_priority) return a.spec.group_priority > b.spec.group_priority;
        if (by_group_name && a.spec.group != b.spec.group) return a.spec.group < b.spec.group;
        return a.service_name() < b.service_name();
    });
    std::vector<Group> groups;
    for (Version& version : all) {
        const auto known = std::find_if(groups.begin(), groups.end(), [&](const Group& group) { return group[0].spec.group == version.spec.group; });
        if (known != groups.end()) known->push_back(std::move(version));
        else groups.push_back({std::move(version)});
    }
    for (Group& group : groups) std::stable_sort(group.begin(), group.end(), comes_first);
    return groups;
}

std::string group_members(const Group& group) {
    std::string items, preferred;
    for (const Version& version : group) {
        const std::string entry = "{\"groupVersion\":" + quote(group_version(version.spec.group, version.spec.version)) +
                                  ",\"version\":" + quote(version.spec.version) + "}";
        items += (items.empty() ? "" : ",") + entry;
        if (preferred.empty()) preferred = entry;
    }
    return "\"name\":" + quote(group[0].spec.group) + ",\"versions\":[" + items + "],\"preferredVersion\":" + preferred;
}

// k8s.io/apiserver/pkg/endpoints/discovery.StorageVersionHash of the form in which this kind's objects are stored.
std::string storage_hash(const Kinds& kinds, const KindSpec& kind) {
    const KindSpec* stored = kind.custom != nullptr ? &kind.custom->resource->stored().spec : nullptr;
    for (const KindSpec* other : kinds) {
        if (kind.custom == nullptr && other->resource == kind.resource && (stored == nullptr || other->storage_version)) stored = other;
    }
    if (stored == nullptr) stored = &kind;
    std::string_view version = stored->version;
    // These are stored in the real server in a version that is served no longer, or not yet everywhere.
    for (const char* resource : {"customresourcedefinitions.apiextensions.k8s.io", "mutatingadmissionpolicies.admissionregistration.k8s.io",
                                 "mutatingadmissionpolicybindings.admissionregistration.k8s.io"}) {
        if (kind.resource == resource) version = "v1beta1";
    }
    const std::string text = std::string(stored->group) + "/" + std::string(version) + "/" + std::string(stored->kind);
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
    return base64_encode(std::string_view(reinterpret_cast<const char*>(digest), 8));
}

std::string scope_members(const KindSpec& kind) {
    std::string out;
    if (!kind.short_names.empty()) out += ",\"shortNames\":" + list(kind.short_names);
    if (!kind.categories.empty()) out += ",\"categories\":" + list(kind.categories);
    return out;
}

std::string response_kind(std::string_view group, std::string_view version, std::string_view kind) {
    return "{\"group\":" + quote(group) + ",\"version\":" + quote(version) + ",\"kind\":" + quote(kind) + "}";
}

// Versions that ended before release 1.27 have no singular name: discovery did not tell it then.
// `document`: the version of the document; v2beta1 is of releases whose pods had no resize.
std::string aggregated_resource(const KindSpec& kind, std::string_view document) {
    // Only custom resources spell out a group and version that go without saying.
    const bool custom = kind.custom != nullptr;
    const std::string responds = custom ? response_kind(kind.group, kind.version, kind.kind) : response_kind("", "", kind.kind);
    std::string out = "{\"resource\":" + quote(kind.plural) + ",\"responseKind\":" + responds +
                      ",\"scope\":" + (kind.namespaced ? "\"Namespaced\"" : "\"Cluster\"") + ",\"singularResource\":" + quote(kind.singular) +
                      ",\"verbs\":" + verbs_of(kind) + scope_members(kind);
    if (!kind.subresources.empty()) {
        out += ",\"subresources\":[";
        for (const SubresourceSpec& sub : kind.subresources) {
            if (document == "v2beta1" && sub.name == "resize") continue;
            if (out.back() != '[') out += ',';
            const bool own = custom && sub.version.empty();
            out += "{\"subresource\":" + quote(sub.name) + ",\"responseKind\":" +
                   (own ? response_kind(kind.group, kind.version, sub.kind) : response_kind(sub.group, sub.version, sub.kind)) +
                   ",\"verbs\":" + verb_list(sub.verbs) + "}";
        }
        out += ']';
    }
    return out + "}";
}

}  // namespace

std::vector<GroupVersionSpec> served_versions(const Kinds& kinds) {
    std::vector<GroupVersionSpec> out;
    for (const GroupVersionSpec& candidate : builtin_group_versions()) {
        const bool served = std::any_of(kinds.begin(), kinds.end(), [&](const KindSpec* kind) {
            return kind->group == candidate.group && kind->version == candidate.version;
        });
        if (served) out.push_back(candidate);
    }
    const std::vector<GroupVersionSpec> custom = custom_versions(kinds);
    out.insert(out.end(), custom.begin(), custom.end());
    return out;
}

std::string api_versions() {
    return R"({"kind":"APIVersions","versions":["v1"],"serverAddressByClientCIDRs":[{"clientCIDR":"0.0.0.0/0","serverAddress":"127.0.0.1:6443"}]})"
           "\n";
}

std::string api_group_list(const Kinds& kinds, const Elsewhere& elsewhere) {
    std::string out = R"({"kind":"APIGroupList","apiVersion":"v1","groups":[)";
    for (const Group& group : ordered_groups(kinds, elsewhere, false)) {
        if (group[0].spec.group.empty()) continue;
        if (out.back() != '[') out += ',';
        out += "{" + group_members(group) + "}";
    }
    return out + "]}\n";
}

std::string api_group(const Kinds& kinds, std::string_view wanted, const Elsewhere& elsewhere) {
    for (const Group& group : ordered_groups(kinds, elsewhere, false)) {
        if (group[0].spec.group != wanted || wanted.empty()) continue;
        return R"({"kind":"APIGroup","apiVersion":"v1",)" + group_members(group) + "}\n";
    }
    return {};
}

std::string api_resource_list(const Kinds& kinds, std::string_view group, std::string_view version) {
    std::string out = "{\"kind\":\"APIResourceList\",";
    if (!group.empty()) out += "\"apiVersion\":\"v1\",";
    out += "\"groupVersion\":" + quote(group_version(group, version)) + ",\"resources\":[";
    bool any = false;
    for (const KindSpec* kind : kinds) {
        if (kind->group != group || kind->version != version) continue;
        any = true;
        if (out.back() != '[') out += ',';
        const std::string namespaced = kind->namespaced ? "true" : "false";
        out += "{\"name\":" + quote(kind->plural) + ",\"singularName\":" + quote(kind->singular) + ",\"namespaced\":" + namespaced +
               ",\"kind\":" + quote(kind->kind) + ",\"verbs\":" + verbs_of(*kind) +
               scope_members(*kind);
        if (kind->can(Verb::watch)) out += ",\"storageVersionHash\":" + quote(storage_hash(kinds, *kind));
        out += '}';
        for (const SubresourceSpec& sub : kind->subresources) {
            out += ",{\"name\":" + quote(std::string(kind->plural) + "/" + std::string(sub.name)) +
                   ",\"singularName\":\"\",\"namespaced\":" + namespaced;
            if (!sub.version.empty()) out += ",\"group\":" + quote(sub.group) + ",\"version\":" + quote(sub.version);
            out += ",\"kind\":" + quote(sub.kind) + ",\"verbs\":" + verb_list(sub.verbs) + "}";
        }
    }
    return any ? out + "]}\n" : std::string();
}

std::string aggregated_discovery(const Kinds& kinds, bool core, std::string_view version, const Elsewhere& elsewhere) {
    std::string out = R"({"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/)" + std::string(version) + R"(","metadata":{},"items":[)";
    for (const Group& group : ordered_groups(kinds, elsewhere, true)) {
        const std::string_view name = group[0].spec.group;
        if (name.empty() != core) continue;
        if (out.back() != '[') out += ',';
        out += core ? "{\"metadata\":{\"creationTimestamp\":null}," : "{\"metadata\":{\"name\":" + quote(name) + ",\"creationTimestamp\":null},";
        out += "\"versions\":[";
        for (const Version& member : group) {
            if (out.back() != '[') out += ',';
            if (member.elsewhere != nullptr) {
                out += aggregated_version(*member.elsewhere);
                continue;
            }
            out += "{\"version\":" + quote(member.spec.version) + ",\"resources\":[";
            for (const KindSpec* kind : kinds) {
                if (kind->group != name || kind->version != member.spec.version) continue;
                if (out.back() != '[') out += ',';
                out += aggregated_resource(*kind, version);
            }
            out += "],\"freshness\":\"Current\"}";
        }
        out += "]}";
    }
    return out + "]}\n";
}

}  // namespace kubemu::api

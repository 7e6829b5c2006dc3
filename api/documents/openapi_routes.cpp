// The installer's table: for each verb of a kind or subresource one route, and the deprecated watch paths.
#include "api/documents/openapi_routes.h"

#include <algorithm>
#include <array>

#include "api/documents/openapi_schema.h"

namespace kubemu::api {
namespace {

constexpr std::array<std::string_view, 3> media = {"application/json", "application/yaml",
                                                   "application/vnd.kubernetes.protobuf"};
constexpr std::array<std::string_view, 5> stream_media = {
    "application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "application/json;stream=watch",
    "application/vnd.kubernetes.protobuf;stream=watch"};
constexpr std::array<std::string_view, 4> log_media = {"text/plain", "application/json", "application/yaml",
                                                       "application/vnd.kubernetes.protobuf"};
constexpr std::array<std::string_view, 2> custom_media = {"application/json", "application/yaml"};
constexpr std::array<std::string_view, 1> any_media = {"*/*"};
constexpr std::array<std::string_view, 4> patch_media = {"application/json-patch+json", "application/merge-patch+json",
                                                         "application/strategic-merge-patch+json",
                                                         "application/apply-patch+yaml"};
constexpr std::array<std::string_view, 3> custom_patch_media = {
    "application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"};

constexpr Parameter pretty{"pretty", "string",
                           "With true the answer is indented; tools like curl get that without asking."};
constexpr Parameter name_parameter{"name", "string", "Name of the object.", true};
constexpr Parameter namespace_parameter{"namespace", "string", "Namespace of the object.", true};
constexpr Parameter path_parameter{"path", "string", "The rest of the path, passed on.", true};

// The fields of an options type as query parameters: what is a list is given several times, what is a struct not at all
// (AddObjectParams).
void add_options(std::vector<Parameter>& out, std::string_view type_name, bool watching = true) {
    const TypeInfo* type = find_type(type_name);
    if (type == nullptr) return;
    for (const FieldInfo& field : type->fields) {
        if (type->has_type_meta && (&field == &type->fields[0] || &field == &type->fields[1])) continue;
        if (!watching && (field.name == "watch" || field.name == "allowWatchBookmarks")) continue;
        std::string_view kind;
        switch (field.kind) {
            case ValueKind::string: kind = "string"; break;
            case ValueKind::boolean: kind = "boolean"; break;
            case ValueKind::int32:
            case ValueKind::int64: kind = "integer"; break;
            default: continue;
        }
        out.push_back({field.name, kind, field.description});
    }
}

// ephemeralcontainers -> Ephemeralcontainers.
std::string title(std::string_view word) {
    std::string out(word);
    if (out[0] >= 'a' && out[0] <= 'z') out[0] = static_cast<char>(out[0] - 'a' + 'A');
    return out;
}

// One family of paths: a kind, or a subresource of it.
struct Family {
    std::string group_version;  // "AppsV1"
    std::string tag;
    std::string noun;    // "Deployment", "DeploymentStatus"
    std::string label;   // of descriptions: "Deployment", "status of Deployment"
    std::string scoped;  // "Namespaced" or ""
    GroupVersionKind kind;
    bool custom = false;
};

Route start(const Family& family, std::string_view method, std::string_view action, std::string_view verb,
            std::string_view text) {
    Route route;
    route.method = method;
    route.action = action;
    route.operation_id = std::string(verb) + family.group_version + family.scoped + family.noun;
    route.description = std::string(text) + " " + family.label;
    route.tag = family.tag;
    route.kind = family.kind;
    route.consumes = any_media;
    route.produces = media;
    if (family.custom) {
        route.consumes = custom_media;
        route.produces = custom_media;
    }
    route.parameters.push_back(pretty);
    return route;
}

void finish(Routes& routes, const std::string& path, Route route) {
    if (path.find("{namespace}") != std::string::npos) route.parameters.push_back(namespace_parameter);
    if (path.find("{name}") != std::string::npos) route.parameters.push_back(name_parameter);
    if (path.find("{path}") != std::string::npos) route.parameters.push_back(path_parameter);
    std::stable_sort(route.parameters.begin(), route.parameters.end(), [](const Parameter& a, const Parameter& b) {
        return a.name != b.name ? a.name < b.name : a.in_path > b.in_path;
    });
    routes[path].push_back(std::move(route));
}

void add_read(Routes& routes, const Family& family, const std::string& path, const std::string& type) {
    Route route = start(family, "get", "get", "read", "Read the");
    route.answer = type;
    finish(routes, path, std::move(route));
}

void add_put(Routes& routes, const Family& family, const std::string& path, const std::string& body,
             const std::string& answer) {
    Route route = start(family, "put", "put", "replace", "Replace the");
    add_options(route.parameters, "meta/v1.UpdateOptions");
    route.body = body;
    route.answer = answer;
    route.created = 1;
    finish(routes, path, std::move(route));
}

void add_patch(Routes& routes, const Family& family, const std::string& path, const std::string& answer) {
    Route route = start(family, "patch", "patch", "patch", "Change a part of the");
    add_options(route.parameters, "meta/v1.PatchOptions");
    route.consumes = patch_media;
    if (family.custom) route.consumes = custom_patch_media;
    route.body = meta_schema_name("Patch");
    route.answer = answer;
    route.created = family.custom ? 0 : 1;
    finish(routes, path, std::move(route));
}

void add_post(Routes& routes, const Family& family, const std::string& path, const std::string& type) {
    Route route = start(family, "post", "post", "create", "Create a");
    add_options(route.parameters, "meta/v1.CreateOptions");
    route.body = type;
    route.answer = type;
    route.created = 3;
    finish(routes, path, std::move(route));
}

void add_delete(Routes& routes, const Family& family, const std::string& path, const std::string& answer) {
    Route route = start(family, "delete", "delete", "delete", "Delete the");
    add_options(route.parameters, "meta/v1.DeleteOptions");
    route.body = meta_schema_name("DeleteOptions");
    route.answer = answer;
    route.created = 2;
    finish(routes, path, std::move(route));
}

void add_list(Routes& routes, const Family& family, const std::string& path, const std::string& type, bool everywhere) {
    Route route = start(family, "get", "list", "list", "List or watch all objects of kind");
    if (everywhere) route.operation_id = "list" + family.group_version + family.noun + "ForAllNamespaces";
    add_options(route.parameters, "meta/v1.ListOptions");
    if (!family.custom) route.produces = stream_media;
    route.answer = type;
    finish(routes, path, std::move(route));
}

void add_delete_collection(Routes& routes, const Family& family, const std::string& path) {
    Route route = start(family, "delete", "deletecollection", "delete", "Delete all selected objects of kind");
    route.operation_id = "delete" + family.group_version + "Collection" + family.scoped + family.noun;
    if (!family.custom) {
        add_options(route.parameters, "meta/v1.DeleteOptions");
        route.body = meta_schema_name("DeleteOptions");
    }
    add_options(route.parameters, "meta/v1.ListOptions", family.custom);
    route.answer = meta_schema_name("Status");
    finish(routes, path, std::move(route));
}

// Deprecated since 1.11, served for ever: a list with ?watch= does the same.
void add_watch(Routes& routes, const Family& family, const std::string& path, std::string_view action,
               std::string_view suffix) {
    const bool everywhere = suffix == "ListForAllNamespaces";
    Route route = start(family, "get", action, "watch", "Deprecated, use the watch parameter of a list: watch");
    route.operation_id =
        "watch" + family.group_version + (everywhere ? "" : family.scoped) + family.noun + std::string(suffix);
    add_options(route.parameters, "meta/v1.ListOptions");
    route.produces = stream_media;
    route.answer = meta_schema_name("WatchEvent");
    finish(routes, path, std::move(route));
}

void add_connect(Routes& routes, const Family& family, const std::string& path, const SubresourceSpec& sub,
                 std::string_view options) {
    std::vector<std::string_view> methods = {"get", "post"};
    if ((sub.verbs & static_cast<std::uint16_t>(Verb::del)) != 0)
        methods = {"delete", "get", "head", "options", "patch", "post", "put"};
    const auto add = [&](const std::string& at, std::string_view suffix) {
        for (const std::string_view method : methods) {
            Route route = start(family, method, "connect", "connect", "Connect to the");
            route.operation_id =
                "connect" + family.group_version + title(method) + family.scoped + family.noun + std::string(suffix);
            route.parameters.clear();
            add_options(route.parameters, options);
            route.consumes = any_media;
            route.produces = any_media;
            finish(routes, at, std::move(route));
        }
    };
    add(path, "");
    if (methods.size() > 2) add(path + "/{path}", "WithPath");
}

void add_log(Routes& routes, const Family& family, const std::string& path) {
    Route route = start(family, "get", "get", "read", "Read the");
    add_options(route.parameters, "core/v1.PodLogOptions");
    route.produces = log_media;
    finish(routes, path, std::move(route));
}

Family family_of(const KindSpec& kind) {
    Family family;
    family.group_version = operation_word(kind.group, true) + operation_word(kind.version, true);
    family.tag = operation_tag(kind.group, kind.version);
    family.noun = kind.kind;
    family.label = kind.kind;
    family.scoped = kind.namespaced ? "Namespaced" : "";
    family.kind = {kind.group, kind.version, kind.kind};
    return family;
}

void add_subresource(Routes& routes, Family family, const SubresourceSpec& sub, const KindSpec& parent,
                     const std::string& item) {
    if (sub.type == nullptr) return;
    const std::string path = item + "/" + std::string(sub.name);
    family.noun += title(sub.name);
    family.label = std::string(sub.name) + " of the " + std::string(parent.kind);
    if (sub.version.empty()) family.kind.kind = sub.kind;
    else family.kind = {sub.group, sub.version, sub.kind};
    const auto can = [&sub](Verb verb) { return (sub.verbs & static_cast<std::uint16_t>(verb)) != 0; };
    constexpr std::string_view options = "Options";
    if (sub.kind.size() > options.size() && sub.kind.substr(sub.kind.size() - options.size()) == options) {
        add_connect(routes, family, path, sub, sub.type->name);
        return;
    }
    if (sub.name == "log") {
        add_log(routes, family, path);
        return;
    }
    const std::string type(sub.type->openapi_name);
    if (can(Verb::get)) add_read(routes, family, path, type);
    if (can(Verb::update)) add_put(routes, family, path, type, type);
    if (can(Verb::patch)) add_patch(routes, family, path, type);
    if (can(Verb::create)) {
        add_post(routes, family, path, type);
        routes[path].back().description = "Create the " + family.label;
    }
}

struct Paths {
    std::string root, collection, item;
};

Paths paths_of(const KindSpec& kind) {
    Paths paths;
    paths.root = group_version_path(kind.group, kind.version);
    paths.collection = (kind.namespaced ? "namespaces/{namespace}/" : "") + std::string(kind.plural);
    paths.item = paths.collection + "/{name}";
    return paths;
}

}  // namespace

std::string operation_word(std::string_view text, bool capital) {
    if (text.empty()) text = "core";
    constexpr std::string_view suffix = ".k8s.io";
    if (text.size() > suffix.size() && text.substr(text.size() - suffix.size()) == suffix) {
        text.remove_suffix(suffix.size());
    }
    std::string out;
    for (const char c : text) {
        const bool small = c >= 'a' && c <= 'z';
        if (!small && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9')) {
            capital = true;
            continue;
        }
        out += capital && small ? static_cast<char>(c - 'a' + 'A') : c;
        capital = false;
    }
    return out;
}

std::string operation_tag(std::string_view group, std::string_view version) {
    return operation_word(group, false) + "_" + operation_word(version, false);
}

std::string group_version_path(std::string_view group, std::string_view version) {
    if (group.empty()) return "/api/" + std::string(version) + "/";
    return "/apis/" + std::string(group) + "/" + std::string(version) + "/";
}

void add_routes(Routes& routes, const KindSpec& kind) {
    const Family family = family_of(kind);
    const Paths paths = paths_of(kind);
    const std::string collection = paths.root + paths.collection, item = paths.root + paths.item;
    const std::string type(kind.type->openapi_name), list = type + "List";
    if (kind.can(Verb::list)) add_list(routes, family, collection, list, false);
    if (kind.can(Verb::create)) add_post(routes, family, collection, type);
    if (kind.can(Verb::delete_collection)) add_delete_collection(routes, family, collection);
    if (kind.can(Verb::get)) add_read(routes, family, item, type);
    if (kind.can(Verb::update)) add_put(routes, family, item, type, type);
    if (kind.can(Verb::patch)) add_patch(routes, family, item, type);
    if (kind.can(Verb::del)) {
        // Of the kinds whose DELETE answers with the object, Namespace alone is documented to answer with a Status.
        const bool object = kind.delete_returns_object && kind.resource != "namespaces";
        add_delete(routes, family, item, object ? type : meta_schema_name("Status"));
    }
    if (kind.namespaced && kind.can(Verb::list))
        add_list(routes, family, paths.root + std::string(kind.plural), list, true);
    if (kind.can(Verb::watch)) {
        const std::string watch = paths.root + "watch/";
        add_watch(routes, family, watch + paths.collection, "watchlist", "List");
        add_watch(routes, family, watch + paths.item, "watch", "");
        if (kind.namespaced)
            add_watch(routes, family, watch + std::string(kind.plural), "watchlist", "ListForAllNamespaces");
    }
    for (const SubresourceSpec& sub : kind.subresources) add_subresource(routes, family, sub, kind, item);
}

void add_custom_routes(Routes& routes, const KindSpec& kind, const std::string& type, const std::string& list_type) {
    Family family = family_of(kind);
    family.custom = true;
    const Paths paths = paths_of(kind);
    const std::string collection = paths.root + paths.collection, item = paths.root + paths.item;
    add_list(routes, family, collection, list_type, false);
    add_post(routes, family, collection, type);
    add_delete_collection(routes, family, collection);
    if (kind.namespaced) add_list(routes, family, paths.root + std::string(kind.plural), list_type, true);
    add_read(routes, family, item, type);
    add_put(routes, family, item, type, type);
    add_patch(routes, family, item, type);
    add_delete(routes, family, item, meta_schema_name("Status"));
    for (const SubresourceSpec& sub : kind.subresources) {
        Family part = family;
        part.noun += title(sub.name);
        part.label = std::string(sub.name) + " of the " + std::string(kind.kind);
        const std::string path = item + "/" + std::string(sub.name);
        const std::string body = sub.name == "scale" ? "io.k8s.api.autoscaling.v1.Scale" : type;
        add_read(routes, part, path, body);
        add_put(routes, part, path, sub.name == "scale" ? std::string() : body, body);
        add_patch(routes, part, path, body);
    }
}

}  // namespace kubemu::api

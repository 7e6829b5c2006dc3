// The routes of a kind are derived from its verbs; none of them is listed.
#include "api/routes.h"

#include <optional>

#include "api/values/names.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

constexpr std::string_view builtin_patches =
    "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, "
    "application/apply-patch+yaml";
constexpr std::string_view custom_patches =
    "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";

bool names_one(std::string_view list, std::string_view type) {
    for (const std::string_view item : split(list, ',')) {
        if (trim(item) == type) return true;
    }
    return false;
}

// What a path takes: the verbs of its routes.
struct Path {
    std::uint16_t verbs = 0;
    bool exists = false;
    bool can(Verb verb) const { return (verbs & static_cast<std::uint16_t>(verb)) != 0; }
};

std::uint16_t among(std::uint16_t verbs, std::initializer_list<Verb> wanted) {
    std::uint16_t kept = 0;
    for (const Verb verb : wanted) kept |= static_cast<std::uint16_t>(verbs & static_cast<std::uint16_t>(verb));
    return kept;
}

Path path_of(const KindSpec& kind, const RequestInfo& info) {
    const bool placed = !info.namespace_name.empty() || info.lacks_namespace;
    if (!kind.namespaced && placed) return {};
    const bool everywhere = kind.namespaced && !placed;
    if (!info.subresource.empty()) {
        const std::string_view name = std::string_view(info.subresource).substr(0, info.subresource.find('/'));
        const SubresourceSpec* sub = kind.subresource(name);
        // Only a proxy goes on behind its name.
        if (sub == nullptr || everywhere || (name.size() != info.subresource.size() && name != "proxy")) return {};
        return {sub->verbs, true};
    }
    if (!info.name.empty()) {
        if (everywhere) return {};
        const std::uint16_t verbs = among(kind.verbs, {Verb::get, Verb::update, Verb::patch, Verb::del, Verb::watch});
        return {verbs, (verbs & ~static_cast<std::uint16_t>(Verb::watch)) != 0};
    }
    // Across namespaces there is only reading.
    const std::uint16_t verbs = everywhere ? among(kind.verbs, {Verb::list, Verb::watch})
                                           : among(kind.verbs, {Verb::list, Verb::watch, Verb::create, Verb::delete_collection});
    return {verbs, verbs != 0};
}

// The action that a method asks for at this path, whether or not the kind has it.
std::optional<Action> wanted_action(const std::string& method, const RequestInfo& info) {
    const bool item = !info.name.empty();
    if (method == "GET") {
        if (info.watch_path) return Action::watch;
        if (item) return Action::get;
        return info.flag("watch") ? Action::watch : Action::list;
    }
    if (method == "POST") return item && info.subresource.empty() ? std::nullopt : std::optional(Action::create);
    if (method == "PUT" && item) return Action::update;
    if (method == "PATCH" && item) return Action::patch;
    if (method == "DELETE") return item ? Action::remove : Action::remove_collection;
    return std::nullopt;
}

Verb verb_of(Action action) {
    switch (action) {
        case Action::get:
        case Action::log: return Verb::get;
        case Action::list: return Verb::list;
        case Action::watch: return Verb::watch;
        case Action::create: return Verb::create;
        case Action::update: return Verb::update;
        case Action::patch: return Verb::patch;
        case Action::remove: return Verb::del;
        case Action::remove_collection: return Verb::delete_collection;
    }
    return Verb::get;
}

// As requests are called in messages about custom resources.
std::string verb_name(const std::string& method, const RequestInfo& info) {
    if (method == "GET") return info.name.empty() ? info.flag("watch") ? "watch" : "list" : "get";
    if (method == "POST") return "create";
    if (method == "PUT") return "update";
    if (method == "PATCH") return "patch";
    if (method == "DELETE") return info.name.empty() ? "deletecollection" : "delete";
    return lower(method);
}

// What has to have a name and a namespace, which may not lead elsewhere in the storage (NamespaceKeyFunc).
ApiResult<bool> check_names_of(const RequestInfo& info, Action action) {
    const bool reads_all = action == Action::list || action == Action::watch;
    if (info.lacks_namespace && !reads_all && action != Action::create) return Status::bad_request("Namespace parameter required.");
    if (info.name.empty() || action == Action::update || action == Action::create) return true;
    const auto wrong = check_path_segment(info.name, false);
    if (wrong.empty()) return true;
    return Status::bad_request("Name parameter invalid: " + go_quote(info.name) + ": " + join(wrong, ";"));
}

ApiResult<Action> custom_route(const Exchange& exchange) {
    const KindSpec& kind = *exchange.kind;
    const Path path = path_of(kind, exchange.info);
    const std::string method = exchange.request.method == "HEAD" ? "GET" : exchange.request.method;
    const auto action = wanted_action(method, exchange.info);
    if (!path.exists) {
        return exchange.info.subresource.empty() ? Status::unknown_path()
                                                 : Status::not_found(kind.group, kind.plural, exchange.info.name);
    }
    if (!action || !path.can(verb_of(*action))) {
        return Status::method_not_supported(kind.group, kind.plural, verb_name(method, exchange.info));
    }
    TRY(check_names_of(exchange.info, *action));
    return *action;
}

}  // namespace

std::string_view patch_types(const KindSpec& kind) { return is_builtin(kind) ? builtin_patches : custom_patches; }

ApiResult<Action> route(const Exchange& exchange) {
    const Request& request = exchange.request;
    const RequestInfo& info = exchange.info;
    const KindSpec& kind = *exchange.kind;
    if (!is_builtin(kind)) return custom_route(exchange);
    const Path path = path_of(kind, info);
    if (!path.exists) return Status::unknown_path();
    const auto action = wanted_action(request.method, info);
    if (action == Action::watch && path.can(Verb::list) && !path.can(Verb::watch)) {
        return Status::method_not_supported(kind.group, kind.plural, "watch");
    }
    if (!action || !path.can(verb_of(*action))) return Status::server_response(405);
    TRY(check_names_of(info, *action));
    if (*action == Action::patch) {
        const std::string_view type = request.content_type;
        if (!names_one(builtin_patches, trim(type.substr(0, type.find(';'))))) {
            return Status::server_response(415, "415: Unsupported Media Type");
        }
    }
    if (info.subresource == "log" && *action == Action::get) return Action::log;
    const bool writes = *action == Action::create || *action == Action::update || *action == Action::patch;
    const bool watchable = *action == Action::list || *action == Action::watch;
    TRY(check_accept(request.accept, watchable ? watchable_types : object_types, writes && request.body.empty()));
    return *action;
}

}  // namespace kubemu::api

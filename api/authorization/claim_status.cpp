// Permissions on resourceclaims/binding and resourceclaims/driver, which are subresources in name alone.
#include "api/authorization/claim_status.h"

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "api/authorization/authorizer.h"
#include "api/kind_registry.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

constexpr int asks_from_minor = 36;

Attributes attributes_of(const AdmissionRequest& request, std::string_view verb, std::string_view subresource) {
    Attributes attributes;
    attributes.verb = verb;
    attributes.resource_request = true;
    attributes.group = request.kind.group;
    attributes.version = request.kind.version;
    attributes.resource = request.kind.plural;
    attributes.subresource = subresource;
    return attributes;
}

// Why not; empty when it is permitted.
std::string refusal(const AdmissionRequest& request, const Attributes& attributes) {
    const auto decision = request.authorizer->authorize(request.user, attributes);
    return decision.allowed ? std::string() : forbidden(request.user, attributes, decision.reason)->message;
}

const Json& member(const Json& status, std::string_view name) {
    static const Json nothing;
    const Json* value = find(status, name);
    return value == nullptr ? nothing : *value;
}

// Drivers of devices whose entries were added, changed or removed.
std::set<std::string> changed_drivers(const Json& status, const Json& before) {
    using Key = std::tuple<std::string_view, std::string_view, std::string_view, std::string_view>;
    const auto key = [](const Json& device) {
        return Key(string_at(device, {"driver"}), string_at(device, {"pool"}), string_at(device, {"device"}),
                   string_at(device, {"shareID"}));
    };
    std::map<Key, const Json*> known;
    for (const Json& device : array_at(before, {"devices"})) known[key(device)] = &device;
    std::set<std::string> drivers;
    for (const Json& device : array_at(status, {"devices"})) {
        const auto at = known.find(key(device));
        if (at == known.end() || *at->second != device) drivers.emplace(string_at(device, {"driver"}));
        if (at != known.end()) known.erase(at);
    }
    for (const auto& [removed, device] : known) drivers.emplace(string_at(*device, {"driver"}));
    return drivers;
}

// The node that an allocation is tied to by name; empty when it may be used from several.
std::string_view node_of(const Json& allocation) {
    const Json& terms = array_at(allocation, {"nodeSelector", "nodeSelectorTerms"});
    if (terms.size() != 1 || !array_at(terms[0], {"matchExpressions"}).empty()) return {};
    const Json& fields = array_at(terms[0], {"matchFields"});
    if (fields.size() != 1 || string_at(fields[0], {"key"}) != "metadata.name" || string_at(fields[0], {"operator"}) != "In") {
        return {};
    }
    const Json& names = array_at(fields[0], {"values"});
    return names.size() == 1 && names[0].is_string() ? std::string_view(names[0].get_ref<const std::string&>()) : std::string_view();
}

// A service account whose token belongs to a pod of that node.
bool is_at_node(const User& user, std::string_view node) {
    const auto names = user.extra.find("authentication.kubernetes.io/node-name");
    return !node.empty() && user.name.starts_with("system:serviceaccount:") && names != user.extra.end() &&
           names->second.size() == 1 && names->second[0] == node;
}

void check_drivers(const AdmissionRequest& request, const std::string& verb, const Json& status, const Json& before,
                   FieldErrors& errors) {
    std::vector<std::string> verbs = {"arbitrary-node:" + verb};
    if (is_at_node(request.user, node_of(member(status, "allocation")))) verbs.insert(verbs.begin(), "associated-node:" + verb);
    for (const std::string& driver : changed_drivers(status, before)) {
        std::string first;
        bool permitted = false;
        for (std::size_t i = 0; i < verbs.size() && !permitted; ++i) {
            Attributes attributes = attributes_of(request, verbs[i], "driver");
            attributes.name = driver;
            attributes.namespace_name = request.namespace_name;
            const std::string why = refusal(request, attributes);
            permitted = why.empty();
            if (first.empty()) first = why;
        }
        if (permitted) continue;
        errors.forbidden(FieldPath("status.devices"), "changing status.devices requires resource=\"resourceclaims/driver\", verb=\"[" +
                                                          join(verbs, " ") + "]\" permission: " + first);
    }
}

}  // namespace

ApiResult<bool> refuse_claim_status(AdmissionRequest& request) {
    const bool asks = request.is("resourceclaims.resource.k8s.io") && request.subresource == "status" && request.old != nullptr &&
                      request.authorizer != nullptr && request.kinds.minor() >= asks_from_minor;
    if (!asks) return true;
    const Json& status = object_at(*request.object, {"status"});
    const Json& before = object_at(*request.old, {"status"});
    const bool patches = request.options != nullptr && request.options->find("PatchOptions") != std::string::npos;
    const std::string verb = patches ? "patch" : "update";
    FieldErrors errors;
    if (member(status, "allocation") != member(before, "allocation") ||
        member(status, "reservedFor") != member(before, "reservedFor")) {
        const std::string why = refusal(request, attributes_of(request, verb, "binding"));
        if (!why.empty()) {
            errors.forbidden(FieldPath("status.allocation"),
                             "changing status.allocation or status.reservedFor requires "
                             "resource=\"resourceclaims/binding\", verb=\"" + verb + "\" permission: " + why);
        }
    }
    // What is not allocated has no devices either.
    if (find(status, "allocation") != nullptr) check_drivers(request, verb, status, before, errors);
    if (errors.empty()) return true;
    return Status::invalid(request.kind.group, request.kind.kind, request.name, errors);
}

}  // namespace kubemu::api

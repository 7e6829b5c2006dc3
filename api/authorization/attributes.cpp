// Requests in the words of authorization.
#include "api/authorization/attributes.h"

#include "api/selector/field.h"
#include "api/values/names.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

std::string_view verb_of(std::string_view method, const RequestInfo& info) {
    if (info.watch_path) return "watch";
    if (method == "POST") return "create";
    if (method == "PUT") return "update";
    if (method == "PATCH") return "patch";
    if (method == "DELETE") return info.name.empty() ? "deletecollection" : "delete";
    if (method != "GET" && method != "HEAD") return "";
    if (!info.name.empty()) return "get";
    return info.flag("watch") ? "watch" : "list";
}

// A list or watch that selects one name is authorized as a request for that name.
std::string selected_name(const RequestInfo& info) {
    const auto fields = parse_field_selector(info.parameter("fieldSelector"));
    if (!fields) return {};
    for (const FieldRequirement& requirement : *fields) {
        if (requirement.field == "metadata.name" && !requirement.negated && check_path_segment(requirement.value, false).empty()) {
            return requirement.value;
        }
    }
    return {};
}

std::string without_html(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '&') out += "&amp;";
        else if (c == '<') out += "&lt;";
        else if (c == '>') out += "&gt;";
        else out += c;
    }
    return out;
}

}  // namespace

Attributes attributes_of(const Request& request, const RequestInfo& info) {
    Attributes attributes;
    if (!info.is_resource) {
        attributes.verb = lower(request.method);
        attributes.path = percent_decode(request.path, false);
        return attributes;
    }
    attributes.resource_request = true;
    attributes.verb = verb_of(request.method, info);
    attributes.group = info.group;
    attributes.version = info.version;
    attributes.resource = info.resource;
    attributes.subresource = info.subresource.substr(0, info.subresource.find('/'));
    attributes.name = info.name;
    // A namespace is an object within itself: who may do something in it may be allowed to do so to it.
    attributes.namespace_name = info.resource == "namespaces" ? info.name : info.namespace_name;
    const bool reads_many = attributes.verb == "list" || attributes.verb == "watch";
    if (reads_many && attributes.name.empty()) attributes.name = selected_name(info);
    return attributes;
}

Status forbidden(const User& user, const Attributes& attributes, std::string_view reason) {
    std::string message = "User " + go_quote(user.name) + " cannot " + attributes.verb;
    if (!attributes.resource_request) {
        message += " path " + go_quote(attributes.path);
    } else {
        std::string resource = attributes.resource;
        if (!attributes.subresource.empty()) resource += "/" + attributes.subresource;
        message += " resource " + go_quote(resource) + " in API group " + go_quote(attributes.group);
        if (attributes.namespace_name.empty()) {
            message += " at the cluster scope";
        } else {
            message += " in the namespace " + go_quote(attributes.namespace_name);
        }
    }
    message = without_html(message);
    if (!reason.empty()) message += ": " + std::string(reason);
    return Status::forbidden(attributes.group, attributes.resource, attributes.name, message);
}

}  // namespace kubemu::api

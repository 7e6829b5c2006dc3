// Kinds, resources, the user and the options of a request as a document.
#include "api/admission/request_words.h"

#include <nlohmann/json.hpp>

namespace kubemu::api {
namespace {

Json kind_document(const GroupVersionKind& kind) {
    return {{"group", kind.group}, {"version", kind.version}, {"kind", kind.kind}};
}

Json resource_document(const KindSpec& kind) {
    return {{"group", kind.group}, {"version", kind.version}, {"resource", kind.plural}};
}

Json user_document(const User& user) {
    Json document = Json::object();
    if (!user.name.empty()) document["username"] = user.name;
    if (!user.uid.empty()) document["uid"] = user.uid;
    if (!user.groups.empty()) document["groups"] = user.groups;
    for (const auto& [key, values] : user.extra) document["extra"][key] = values;
    return document;
}

}  // namespace

std::string_view operation_word(AdmissionRequest::Operation operation) {
    using Operation = AdmissionRequest::Operation;
    switch (operation) {
        case Operation::create: return "CREATE";
        case Operation::update: return "UPDATE";
        case Operation::remove: return "DELETE";
        case Operation::connect: return "CONNECT";
    }
    return {};
}

std::string_view admission_namespace(const AdmissionRequest& request) {
    return request.is("namespaces") ? request.name : request.namespace_name;
}

GroupVersionKind body_kind(const KindSpec& kind, std::string_view subresource) {
    const SubresourceSpec* sub = subresource.empty() ? nullptr : kind.subresource(subresource);
    if (sub == nullptr || sub->kind.empty() || sub->kind == kind.kind) return {kind.group, kind.version, kind.kind};
    if (sub->version.empty()) return {kind.group, kind.version, sub->kind};
    return {sub->group, sub->version, sub->kind};
}

bool body_is_object(const KindSpec& kind, std::string_view subresource) {
    return body_kind(kind, subresource).kind == kind.kind;
}

Json admission_request_document(const AdmissionRequest& request, const KindSpec& matched) {
    Json document = {{"kind", kind_document(body_kind(matched, request.subresource))},
                     {"resource", resource_document(matched)},
                     {"requestKind", kind_document(body_kind(request.kind, request.subresource))},
                     {"requestResource", resource_document(request.kind)},
                     {"operation", operation_word(request.operation)},
                     {"userInfo", user_document(request.user)},
                     {"dryRun", request.dry_run}};
    if (!request.subresource.empty()) {
        document["subResource"] = request.subresource;
        document["requestSubResource"] = request.subresource;
    }
    if (!request.name.empty()) document["name"] = request.name;
    if (const std::string_view space = admission_namespace(request); !space.empty()) document["namespace"] = space;
    if (request.options != nullptr && !request.options->empty()) {
        document["options"] = Json::parse(*request.options, nullptr, false);
    }
    return document;
}

}  // namespace kubemu::api

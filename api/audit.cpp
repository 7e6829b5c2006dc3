// The stages: ResponseStarted for an answer that goes on (a watch), ResponseComplete for every other.
#include "api/audit.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/request_info.h"
#include "api/request_scope.h"
#include "api/values/time.h"
#include "storage/base/random.h"

namespace kubemu::api {
namespace {

std::string verb_of(const Request& request, const RequestInfo& info, bool streams) {
    if (!info.is_resource) {
        std::string verb = request.method;
        std::transform(verb.begin(), verb.end(), verb.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        return verb;
    }
    if (request.method == "POST") return "create";
    if (request.method == "PUT") return "update";
    if (request.method == "PATCH") return "patch";
    if (request.method == "DELETE") return info.name.empty() ? "deletecollection" : "delete";
    if (info.watch_path || (streams && info.subresource.empty() && info.flag("watch"))) return "watch";
    return info.name.empty() ? "list" : "get";
}

Json user_document(const User& user) {
    Json document = {{"username", user.name}, {"groups", user.groups}};
    if (!user.uid.empty()) document["uid"] = user.uid;
    if (!user.extra.empty()) document["extra"] = user.extra;
    return document;
}

Json object_reference(const RequestInfo& info) {
    Json reference = Json::object();
    const std::pair<const char*, const std::string&> members[] = {{"resource", info.resource}, {"namespace", info.namespace_name},
                                                                  {"name", info.name},         {"apiGroup", info.group},
                                                                  {"apiVersion", info.version}, {"subresource", info.subresource}};
    for (const auto& [name, value] : members) {
        if (!value.empty()) reference[name] = value;
    }
    return reference;
}

// What a Status in the body says of a failure.
Json status_document(const Response& response) {
    Json status = {{"metadata", Json::object()}, {"code", response.code}};
    if (response.code < 400 || response.content_type.substr(0, 16) != "application/json") return status;
    std::string body;
    for (const Slice& slice : response.body) body += slice.text;
    const auto told = parse_json(body);
    if (!told || !told->is_object()) return status;
    for (const char* member : {"status", "message", "reason"}) {
        if (const Json* value = find(*told, member); value != nullptr && value->is_string()) status[member] = *value;
    }
    return status;
}

}  // namespace

void audit_note(std::string_view key, std::string_view value) {
    RequestScope* scope = RequestScope::current();
    if (scope != nullptr && scope->audit != nullptr) scope->audit->emplace(key, value);
}

AuditLog::AuditLog(const Clock& clock, Random& random, std::function<void(std::string)> sink)
    : clock_(clock), random_(random), sink_(std::move(sink)) {}

void AuditLog::write(const Request& request, Time received, const Response& response, const AuditNotes& notes) const {
    const RequestInfo info = parse_request_info(request.path, request.query);
    const bool streams = response.stream != nullptr;
    Json event = {{"kind", "Event"},
                  {"apiVersion", "audit.k8s.io/v1"},
                  {"level", "Metadata"},
                  {"auditID", random_.uuid("audit")},
                  {"stage", streams ? "ResponseStarted" : "ResponseComplete"},
                  {"requestURI", request.path + (request.query.empty() ? "" : "?" + request.query)},
                  {"verb", verb_of(request, info, streams)},
                  {"user", user_document(request.user)},
                  {"userAgent", request.user_agent},
                  {"responseStatus", status_document(response)},
                  {"requestReceivedTimestamp", format_micro_time(received)},
                  {"stageTimestamp", format_micro_time(clock_.now())}};
    if (info.is_resource) event["objectRef"] = object_reference(info);
    if (!notes.empty()) event["annotations"] = notes;
    sink_(event.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace kubemu::api

// Constructors of Status, worded as k8s.io/apimachinery/pkg/api/errors words them.
#include "api/values/status.h"

#include <nlohmann/json.hpp>
#include <set>

#include "api/values/field_errors.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

std::string qualified(std::string_view group, std::string_view resource) {
    return group.empty() ? std::string(resource) : std::string(resource) + "." + std::string(group);
}

StatusDetail about(int code, std::string_view reason, std::string_view group, std::string_view resource, std::string_view name) {
    StatusDetail detail;
    detail.code = code;
    detail.reason = reason;
    detail.group = group;
    detail.kind = resource;
    detail.name = name;
    return detail;
}

StatusDetail plain(int code, std::string_view reason, std::string message) {
    StatusDetail detail;
    detail.code = code;
    detail.reason = reason;
    detail.message = std::move(message);
    return detail;
}

void member(std::string& out, std::string_view name, std::string_view value) {
    if (value.empty()) return;
    if (out.back() != '{') out += ',';
    out += '"';
    out += name;
    out += "\":";
    append_json_string(out, value);
}

}  // namespace

std::string Status::to_json() const {
    const StatusDetail& d = *detail_;
    std::string out = R"({"kind":"Status","apiVersion":"v1","metadata":{)";
    member(out, "continue", d.continue_token);
    out += R"(},"status":"Failure")";
    member(out, "message", d.message);
    member(out, "reason", d.reason);
    if (!d.name.empty() || !d.group.empty() || !d.kind.empty() || !d.uid.empty() || !d.causes.empty() ||
        d.retry_after_seconds != 0 || d.shows_details) {
        out += R"(,"details":{)";
        member(out, "name", d.name);
        member(out, "group", d.group);
        member(out, "kind", d.kind);
        member(out, "uid", d.uid);
        if (!d.causes.empty()) {
            if (out.back() != '{') out += ',';
            out += R"("causes":[)";
            for (const StatusCause& cause : d.causes) {
                out += out.back() == '[' ? "{" : ",{";
                member(out, "reason", cause.reason);
                member(out, "message", cause.message);
                member(out, "field", cause.field);
                out += '}';
            }
            out += ']';
        }
        if (d.retry_after_seconds != 0) {
            if (out.back() != '{') out += ',';
            out += "\"retryAfterSeconds\":" + std::to_string(d.retry_after_seconds);
        }
        out += '}';
    } else if (d.reason == "Forbidden") {
        out += R"(,"details":{})";
    }
    out += ",\"code\":" + std::to_string(d.code) + "}\n";
    return out;
}

Json Status::to_document() const { return Json::parse(to_json(), nullptr, false); }

Status Status::not_found(std::string_view group, std::string_view resource, std::string_view name) {
    StatusDetail detail = about(404, "NotFound", group, resource, name);
    detail.message = qualified(group, resource) + " " + go_quote(name) + " not found";
    return Status(std::move(detail));
}

Status Status::already_exists(std::string_view group, std::string_view resource, std::string_view name) {
    StatusDetail detail = about(409, "AlreadyExists", group, resource, name);
    detail.message = qualified(group, resource) + " " + go_quote(name) + " already exists";
    return Status(std::move(detail));
}

Status Status::generate_name_conflict(std::string_view group, std::string_view resource, std::string_view name) {
    StatusDetail detail = about(409, "AlreadyExists", group, resource, name);
    detail.message = qualified(group, resource) + " " + go_quote(name) + " already exists, the server was not able to generate a unique name for the object";
    detail.retry_after_seconds = 1;
    return Status(std::move(detail));
}

Status Status::conflict(std::string_view group, std::string_view resource, std::string_view name, std::string_view why) {
    StatusDetail detail = about(409, "Conflict", group, resource, name);
    detail.message = "Operation cannot be fulfilled on " + qualified(group, resource) + " " + go_quote(name) + ": " + std::string(why);
    return Status(std::move(detail));
}

Status Status::modified(std::string_view group, std::string_view resource, std::string_view name) {
    return conflict(group, resource, name,
                    "the object has been modified; please apply your changes to the latest version and try again");
}

Status Status::forbidden(std::string_view group, std::string_view resource, std::string_view name, std::string_view why) {
    StatusDetail detail = about(403, "Forbidden", group, resource, name);
    if (resource.empty()) {
        detail.message = "forbidden: " + std::string(why);
    } else if (name.empty()) {
        detail.message = qualified(group, resource) + " is forbidden: " + std::string(why);
    } else {
        detail.message = qualified(group, resource) + " " + go_quote(name) + " is forbidden: " + std::string(why);
    }
    return Status(std::move(detail));
}

Status Status::invalid(std::string_view group, std::string_view kind, std::string_view name, const FieldErrors& errors) {
    StatusDetail detail = about(422, "Invalid", group, kind, name);
    // Equal complaints are one in the message, as utilerrors.Aggregate prints a set; all are causes.
    std::vector<std::string> sentences;
    std::set<std::string> seen;
    for (const FieldError& error : errors.all()) {
        detail.causes.push_back({error.reason, error.message, error.field});
        const std::string sentence = error.field + ": " + error.message;
        if (seen.insert(sentence).second) sentences.push_back(sentence);
    }
    detail.message = qualified(group, kind) + " " + go_quote(name) + " is invalid";
    if (sentences.size() == 1) detail.message += ": " + sentences[0];
    if (sentences.size() > 1) detail.message += ": [" + join(sentences, ", ") + "]";
    return Status(std::move(detail));
}

Status Status::bad_request(std::string message) { return Status(plain(400, "BadRequest", std::move(message))); }
Status Status::expired(std::string message) { return Status(plain(410, "Expired", std::move(message))); }
Status Status::gone(std::string message) { return Status(plain(410, "Gone", std::move(message))); }

Status Status::method_not_supported(std::string_view group, std::string_view resource, std::string_view verb) {
    StatusDetail detail = about(405, "MethodNotAllowed", group, resource, {});
    detail.message = std::string(verb) + " is not supported on resources of kind \"" + qualified(group, resource) + "\"";
    return Status(std::move(detail));
}

Status Status::not_acceptable(std::string message) { return Status(plain(406, "NotAcceptable", std::move(message))); }
Status Status::unsupported_media_type(std::string message) {
    return Status(plain(415, "UnsupportedMediaType", std::move(message)));
}

Status Status::request_entity_too_large(std::string message) {
    return Status(plain(413, "RequestEntityTooLarge", "Request entity too large: " + std::move(message)));
}

Status Status::too_many_requests(std::string message, int retry_after_seconds) {
    StatusDetail detail = plain(429, "TooManyRequests", std::move(message));
    detail.retry_after_seconds = retry_after_seconds;
    return Status(std::move(detail));
}

Status Status::timeout(std::string_view group, std::string_view resource, std::string_view verb, int retry_after_seconds) {
    StatusDetail detail = about(500, "ServerTimeout", group, resource, {});
    detail.message = "The " + std::string(verb) + " operation against " + qualified(group, resource) +
                     " could not be completed at this time, please try again.";
    detail.retry_after_seconds = retry_after_seconds;
    return Status(std::move(detail));
}

Status Status::too_large_resource_version(std::int64_t asked, std::int64_t current) {
    StatusDetail detail = plain(504, "Timeout",
                                "Timeout: Too large resource version: " + std::to_string(asked) + ", current: " +
                                    std::to_string(current));
    detail.causes.push_back({"ResourceVersionTooLarge", "Too large resource version", {}});
    detail.retry_after_seconds = 1;
    return Status(std::move(detail));
}

Status Status::unauthorized() { return Status(plain(401, "Unauthorized", "Unauthorized")); }

Status Status::internal(std::string message) {
    StatusDetail detail = plain(500, "InternalError", "Internal error occurred: " + message);
    detail.causes.push_back({{}, std::move(message), {}});
    return Status(std::move(detail));
}

Status Status::plain_500(std::string message) { return Status(plain(500, "", std::move(message))); }
Status Status::service_unavailable(std::string message) {
    return Status(plain(503, "ServiceUnavailable", std::move(message)));
}
Status Status::unknown_path() { return server_response(404); }

Status Status::server_response(int code, std::string sentence) {
    StatusDetail detail = plain(code, "Unknown", "the server responded with the status code " + std::to_string(code));
    switch (code) {
        case 404: detail = plain(404, "NotFound", "the server could not find the requested resource"); break;
        case 405:
            detail = plain(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
            break;
        case 406: detail = plain(406, "NotAcceptable", std::move(sentence)); break;
        case 415: detail = plain(415, "UnsupportedMediaType", std::move(sentence)); break;
        case 422:
            detail = plain(422, "Invalid", "the server rejected our request due to an error in our request");
            break;
        default: break;
    }
    detail.shows_details = true;
    return Status(std::move(detail));
}

}  // namespace kubemu::api

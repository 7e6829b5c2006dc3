// Status: the error answer of the Kubernetes API as a value, and the constructors of all its kinds.
//
// Codes, reasons and wording are those of k8s.io/apimachinery/pkg/api/errors. One pointer wide; never empty.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/values/object.h"
#include "storage/base/result.h"

namespace kubemu::api {

struct StatusCause {
    std::string reason;   // FieldValueInvalid...; omitted from the answer when empty
    std::string message;
    std::string field;
};

struct StatusDetail {
    int code = 500;
    std::string reason;
    std::string message;
    // details; the answer has none when all of these are empty.
    std::string name, group, kind, uid;
    std::vector<StatusCause> causes;
    int retry_after_seconds = 0;
    // Also sent as list metadata (a fresh token after 410 on a continue), normally empty.
    std::string continue_token;
    // details is sent even when it holds nothing.
    bool shows_details = false;
};

class FieldErrors;

class [[nodiscard]] Status {
  public:
    explicit Status(StatusDetail detail) : detail_(std::make_shared<const StatusDetail>(std::move(detail))) {}
    const StatusDetail& operator*() const { return *detail_; }
    const StatusDetail* operator->() const { return detail_.get(); }
    int code() const { return detail_->code; }
    // The wire form: {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",...} in the real field order.
    std::string to_json() const;
    Json to_document() const;

    // `resource` and `kind` below are what the real server puts into details.kind: the plural resource name for
    // registry errors ("pods"), the Kind for Invalid ("Pod").
    static Status not_found(std::string_view group, std::string_view resource, std::string_view name);
    static Status already_exists(std::string_view group, std::string_view resource, std::string_view name);
    static Status generate_name_conflict(std::string_view group, std::string_view resource, std::string_view name);
    static Status conflict(std::string_view group, std::string_view resource, std::string_view name, std::string_view why);
    // "the object has been modified; please apply your changes to the latest version and try again"
    static Status modified(std::string_view group, std::string_view resource, std::string_view name);
    static Status forbidden(std::string_view group, std::string_view resource, std::string_view name, std::string_view why);
    static Status invalid(std::string_view group, std::string_view kind, std::string_view name, const FieldErrors& errors);
    static Status bad_request(std::string message);
    static Status expired(std::string message);  // 410 Expired
    static Status gone(std::string message);     // 410 Gone
    static Status method_not_supported(std::string_view group, std::string_view resource, std::string_view verb);
    static Status not_acceptable(std::string message);
    static Status unsupported_media_type(std::string message);
    static Status request_entity_too_large(std::string message);
    static Status too_many_requests(std::string message, int retry_after_seconds);
    static Status timeout(std::string_view group, std::string_view resource, std::string_view verb, int retry_after_seconds);
    static Status too_large_resource_version(std::int64_t asked, std::int64_t current);  // 504 with a cause
    static Status unauthorized();
    static Status internal(std::string message);  // "Internal error occurred: ..."
    static Status plain_500(std::string message);  // an error that the real server does not translate
    static Status service_unavailable(std::string message);
    static Status unknown_path();  // the server could not find the requested resource
    // What stands before the handlers (routes, patches that cannot be carried out) answers with a code alone: 404, 405,
    // 406, 415 or 422 in errors.NewGenericServerResponse's words. `sentence` is the message of 406 and 415.
    static Status server_response(int code, std::string sentence = {});

  private:
    std::shared_ptr<const StatusDetail> detail_;
};

template <class T>
using ApiResult = Result<T, Status>;

}  // namespace kubemu::api

// Checks of a TokenRequest, in the real server's order, and the claims that follow from it.
#include "api/subresources/token_request.h"

#include <nlohmann/json.hpp>

#include "api/kinds/views.h"
#include "api/values/field_errors.h"
#include "api/values/text.h"
#include "api/values/time.h"

namespace kubemu::api {
namespace {

using Claims = ServiceAccountTokens::Claims;

constexpr std::string_view group = "authentication.k8s.io";
constexpr std::string_view kind = "TokenRequest";
constexpr std::int64_t seconds_min = 600;
constexpr std::int64_t seconds_max = std::int64_t{1} << 32;
// What kubelets ask for on behalf of pods: such tokens get a year, so that clients that never read the file again go on
// to work, and say when they should have been replaced (--service-account-extend-token-expiration).
constexpr std::int64_t projected_seconds = 60 * 60 + 7;
constexpr std::int64_t extended_seconds = 365 * 24 * 60 * 60;

ApiResult<bool> check_metadata(const Json& request, std::string_view namespace_name, std::string_view name) {
    if (const auto sent = namespace_of(request); !sent.empty() && sent != namespace_name) {
        return Status::bad_request("the namespace of the provided object does not match the namespace sent on the request");
    }
    if (const auto sent = name_of(request); !sent.empty() && sent != name) {
        FieldErrors errors;
        errors.invalid(FieldPath("metadata").child("name"), std::string(sent), "must match the service account name if specified");
        return Status::invalid(group, kind, name, errors);
    }
    return true;
}

ApiResult<bool> check_expiration(std::int64_t seconds) {
    FieldErrors errors;
    const FieldPath path("spec.expirationSeconds");
    if (seconds < seconds_min) errors.invalid(path, seconds, "may not specify a duration less than 10 minutes");
    if (seconds > seconds_max) errors.invalid(path, seconds, "may not specify a duration larger than 2^32 seconds");
    if (!errors.empty()) return Status::invalid(group, kind, {}, errors);
    return true;
}

ServiceAccountTokens::Reference reference_to(const storage::Record& record) {
    return {view_of(record).name, view_of(record).uid};
}

ApiResult<storage::RecordPtr> must_get(const Registry& registry, std::string_view resource, std::string_view namespace_name,
                                       std::string_view name) {
    auto record = registry.get(resource, namespace_name, name);
    if (record == nullptr) return Status::not_found({}, resource, name);
    return record;
}

ApiResult<bool> bind_to_pod(const Registry& registry, const storage::Record& pod, Claims& claims) {
    const Json document = registry.document(pod);
    if (string_at(document, {"spec", "serviceAccountName"}) != claims.account.name) {
        return Status::bad_request("cannot bind token for serviceaccount " + go_quote(claims.account.name) +
                                   " to pod running with different serviceaccount name.");
    }
    claims.pod = reference_to(pod);
    const std::string node_name(string_at(document, {"spec", "nodeName"}));
    if (node_name.empty()) return true;
    const auto node = registry.get("nodes", {}, node_name);
    claims.node = node != nullptr ? reference_to(*node) : ServiceAccountTokens::Reference{node_name, {}};
    return true;
}

// "/v1, Kind=Pod", as Go prints a kind in a group and version.
std::string kind_text(std::string_view api_version, std::string_view of_kind) {
    const std::string version(api_version);
    return (version.find('/') == std::string::npos ? "/" : "") + version + ", Kind=" + std::string(of_kind);
}

ApiResult<bool> bind_to(const Registry& registry, const Json& reference, Claims& claims) {
    const std::string_view of_kind = string_at(reference, {"kind"}), api_version = string_at(reference, {"apiVersion"});
    const std::string_view name = string_at(reference, {"name"});
    const bool core = api_version.find('/') == std::string_view::npos;
    storage::RecordPtr record;
    if (core && of_kind == "Pod") {
        TRY_ASSIGN(record, must_get(registry, "pods", claims.namespace_name, name));
        TRY(bind_to_pod(registry, *record, claims));
    } else if (core && of_kind == "Node") {
        TRY_ASSIGN(record, must_get(registry, "nodes", {}, name));
        claims.node = reference_to(*record);
    } else if (core && of_kind == "Secret") {
        TRY_ASSIGN(record, must_get(registry, "secrets", claims.namespace_name, name));
        claims.secret = reference_to(*record);
    } else {
        return Status::bad_request("cannot bind token to object of type " + kind_text(api_version, of_kind));
    }
    const std::string_view uid = string_at(reference, {"uid"});
    if (!uid.empty() && uid != view_of(*record).uid) {
        return Status::conflict({}, of_kind, name,
                                "the UID in the bound object reference (" + std::string(uid) +
                                    ") does not match the UID in record. The object might have been deleted and then recreated");
    }
    return true;
}

}  // namespace

ApiResult<Json> request_token(const Registry& registry, ServiceAccountTokens& tokens, std::string_view namespace_name,
                              std::string_view name, Json request, const Judge& judge) {
    TRY(check_metadata(request, namespace_name, name));
    TRY_ASSIGN(const auto account, must_get(registry, "serviceaccounts", namespace_name, name));
    Claims claims;
    claims.namespace_name = namespace_name;
    claims.account = reference_to(*account);
    if (const auto uid = uid_of(request); !uid.empty() && uid != claims.account.uid) {
        return Status::conflict(group, kind, name,
                                "the UID in the token request (" + std::string(uid) +
                                    ") does not match the UID of the service account (" + claims.account.uid + ")");
    }
    Json& spec = ensure(request, {"spec"});
    for (const Json& audience : array_at(spec, {"audiences"})) claims.audiences.push_back(audience.get<std::string>());
    if (claims.audiences.empty()) claims.audiences = {std::string(ServiceAccountTokens::issuer)};
    spec["audiences"] = claims.audiences;
    const std::int64_t seconds = int_at(spec, {"expirationSeconds"});
    const Time now = registry.clock().now();
    Json& metadata = ensure(request, {"metadata"});
    metadata["name"] = name;
    metadata["namespace"] = namespace_name;
    metadata["creationTimestamp"] = format_time(now);
    erase(request, "status");
    TRY(check_expiration(seconds));
    if (judge) TRY(judge(request));
    if (const Json* reference = find(spec, "boundObjectRef"); reference != nullptr && reference->is_object()) {
        TRY(bind_to(registry, *reference, claims));
    }
    claims.expiration_seconds = seconds;
    const bool for_server = claims.audiences == std::vector<std::string>{std::string(ServiceAccountTokens::issuer)};
    if (claims.pod && seconds == projected_seconds && for_server) {
        claims.warn_after_seconds = seconds;
        claims.expiration_seconds = extended_seconds;
    }
    const std::string token = tokens.issue(claims);
    if (token.empty()) return Status::internal("failed to generate token: there is no key");
    request["status"] = {{"token", token}, {"expirationTimestamp", format_time(now + std::chrono::seconds(seconds))}};
    return request;
}

}  // namespace kubemu::api

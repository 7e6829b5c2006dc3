// POST of what is answered instead of stored: reviews, and requests for tokens.
#include <nlohmann/json.hpp>

#include "api/access.h"
#include "api/admission/unstored.h"
#include "api/authentication/identity_reviews.h"
#include "api/authorization/access_reviews.h"
#include "api/decode.h"
#include "api/draft.h"
#include "api/metadata.h"
#include "api/schema/defaults.h"
#include "api/schema/zero.h"
#include "api/subresources/token_request.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

// Defaults, and the owners of the fields that were sent.
void prepare(Registry& registry, const KindSpec& kind, std::string_view subresource, Json& object, const WriteContext& context) {
    apply_defaults(object, *kind.type);
    drop_zero_values(object, *kind.type);
    const Json nothing = {{"kind", kind.kind}, {"apiVersion", api_version_of(kind)}};
    registry.track_fields(kind, subresource, nothing, object, context);
}

// What the server itself sets is wiped of each new object before anybody looks (rest.WipeObjectMetaSystemFields).
void wipe_system_fields(Json& object) {
    Json& metadata = ensure(object, {"metadata"});
    for (const char* member :
         {"creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "managedFields", "selfLink", "uid"}) {
        erase(metadata, member);
    }
}

void answer(Exchange& exchange, const KindSpec& kind, const Json& object) {
    Scatter parts;
    parts.push_back(Slice::of(encode_document(kind, object)));
    parts.push_back(Slice::literal("\n"));
    answer_json(exchange, 201, std::move(parts), kind.type);
}

AdmissionRequest admission_of(Exchange& exchange, Json& object, const WriteContext& context) {
    AdmissionRequest request = unstored_request(exchange, AdmissionRequest::Operation::create, object);
    request.dry_run = context.dry_run;
    request.warnings = context.warnings;
    return request;
}

KindSpec token_request_kind() {
    KindSpec kind;
    kind.group = "authentication.k8s.io";
    kind.version = "v1";
    kind.kind = "TokenRequest";
    kind.plural = "serviceaccounts";
    kind.resource = "serviceaccounts";
    kind.type = find_type("authentication/v1.TokenRequest");
    return kind;
}

}  // namespace

bool is_review(const KindSpec& kind) {
    return kind.group == "authentication.k8s.io" || kind.group == "authorization.k8s.io";
}

ApiResult<bool> handle_review(const ExchangePtr& exchange) {
    const KindSpec& kind = *exchange->kind;
    TRY_ASSIGN(const WriteContext context, write_context(*exchange, "CreateOptions"));
    TRY_ASSIGN(Json review, decode_body(*exchange, body_type(*exchange), context.field_validation));
    TRY(place_in_namespace(kind, exchange->info.namespace_name, review));
    wipe_system_fields(review);
    prepare(exchange->registry, kind, {}, review, context);
    const Access& access = *exchange->access;
    AdmissionRequest admission = admission_of(*exchange, review, context);
    TRY(admit_mutating(admission));
    Json sent = review;
    const Judge judge = [&](const Json&) -> ApiResult<bool> {
        admission.object = &sent;
        return admit_validating(admission);
    };
    // Questions are answered in the form of v1.
    const KindRules* rules = rules_of(kind);
    if (rules->to_storage != nullptr) rules->to_storage(review);
    const bool identity = kind.group == "authentication.k8s.io";
    TRY_ASSIGN(Json answered,
               identity ? answer_identity_review(access.authenticator, context.user, kind.kind,
                                                 exchange->registry.clock().now(), std::move(review), judge)
                        : answer_access_review(access.authorizer, context.user, kind.kind, exchange->info.namespace_name,
                                               std::move(review), judge));
    if (rules->from_storage != nullptr) rules->from_storage(answered);
    answer(*exchange, kind, answered);
    return true;
}

ApiResult<bool> handle_token_request(const ExchangePtr& exchange) {
    TRY_ASSIGN(const WriteContext context, write_context(*exchange, "CreateOptions"));
    TRY_ASSIGN(Json body, decode_body(*exchange, body_type(*exchange), context.field_validation));
    static const KindSpec kind = token_request_kind();
    prepare(exchange->registry, kind, "token", body, context);
    body["kind"] = std::string(kind.kind);
    body["apiVersion"] = api_version_of(kind);
    AdmissionRequest admission = admission_of(*exchange, body, context);
    TRY(admit_mutating(admission));
    const Judge judge = [&](const Json& request) -> ApiResult<bool> {
        Json judged = request;
        admission.object = &judged;
        return admit_validating(admission);
    };
    TRY_ASSIGN(const Json answered, request_token(exchange->registry, exchange->access->tokens, exchange->info.namespace_name,
                                                  exchange->info.name, std::move(body), judge));
    answer(*exchange, kind, answered);
    return true;
}

}  // namespace kubemu::api

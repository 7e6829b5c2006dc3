// How policies and webhooks are told of a request: the words of AdmissionReview (k8s.io/api/admission/v1, and
// k8s.io/apiserver/pkg/admission.Attributes).
#pragma once

#include <string>
#include <string_view>

#include "api/admission/chain.h"
#include "api/values/object.h"

namespace kubemu::api {

struct GroupVersionKind {
    std::string_view group, version, kind;
};

// CREATE, UPDATE, DELETE or CONNECT.
std::string_view operation_word(AdmissionRequest::Operation operation);
// The namespace; of a Namespace its own name.
std::string_view admission_namespace(const AdmissionRequest& request);
// The kind of the body that a (sub)resource takes: Eviction for pods/eviction, the kind itself for status.
GroupVersionKind body_kind(const KindSpec& kind, std::string_view subresource);
// Whether the subresource's body is the object, and not something else about it.
bool body_is_object(const KindSpec& kind, std::string_view subresource);

// AdmissionRequest of the review, for those who asked for the version that `matched` is; without uid, object and
// oldObject.
Json admission_request_document(const AdmissionRequest& request, const KindSpec& matched);

}  // namespace kubemu::api

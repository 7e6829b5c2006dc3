// How webhooks are reached: a URL or a service (k8s.io/apiserver/pkg/util/webhook/validation.go).
#pragma once

#include "api/values/field_errors.h"
#include "api/values/object.h"

namespace kubemu::api {

// A WebhookClientConfig: exactly one of url and service.
void validate_webhook_client(const Json& client, const FieldPath& path, FieldErrors& errors);
void validate_webhook_url(std::string_view url, const FieldPath& path, FieldErrors& errors);
void validate_webhook_service(const Json& service, const FieldPath& path, FieldErrors& errors);

}  // namespace kubemu::api

// What a client configuration of a webhook means, and what comes back from it
// (k8s.io/apiserver/pkg/util/webhook/client.go, k8s.io/client-go/rest/request.go).
#pragma once

#include <string>
#include <string_view>

#include "api/kinds/rules.h"
#include "api/remote_calls.h"
#include "api/values/object.h"
#include "storage/base/result.h"

namespace kubemu::api {

// Why a Service leads nowhere, as a sentence.
struct Unreachable {
    std::string why;
};

// HOST:PORT behind a Service's port: an endpoint that is ready. Errors: the sentence of the service resolver
// (k8s.io/apiserver/pkg/util/proxy.ResolveEndpoint).
Result<std::string, Unreachable> resolve_service(const Lookup& lookup, std::string_view namespace_name, std::string_view name,
                                                 std::int64_t port);

// A call by clientConfig: its url, or its service.
RemoteCall call_by_config(const Lookup& lookup, const Json& client_config, std::int64_t timeout_seconds, std::string body);

// The document in an answer. Errors: client-go's words for a call that failed, an answer that is none, or an HTTP status
// that is no success.
Result<Json, std::string> read_answer(const RemoteCall& call, const RemoteAnswer& answer);

}  // namespace kubemu::api

// From the exchange: what the registry takes from the write that it stores.
#include "api/admission/unstored.h"

#include <nlohmann/json.hpp>

#include "api/access.h"
#include "api/request_scope.h"

namespace kubemu::api {

AdmissionRequest unstored_request(const Exchange& exchange, AdmissionRequest::Operation operation, Json& object) {
    Registry& registry = exchange.registry;
    const RequestInfo& info = exchange.info;
    AdmissionRequest request{.operation = operation,
                             .kind = *exchange.kind,
                             .namespace_name = info.namespace_name,
                             .name = info.name,
                             .subresource = std::string_view(info.subresource).substr(0, info.subresource.find('/')),
                             .user = exchange.request.user,
                             .now = registry.clock().now(),
                             .random = registry.random(),
                             .lookup = registry,
                             .kinds = registry.kinds()};
    request.object = &object;
    request.disabled = &registry.disabled_plugins();
    if (exchange.access != nullptr) request.authorizer = &exchange.access->authorizer;
    if (const RequestScope* scope = RequestScope::current()) {
        request.options = &scope->options;
        request.calls = scope->calls;
    }
    return request;
}

ApiResult<bool> admit_connection(const Exchange& exchange, Json& options) {
    AdmissionRequest request = unstored_request(exchange, AdmissionRequest::Operation::connect, options);
    return admit_by_users(request);
}

}  // namespace kubemu::api

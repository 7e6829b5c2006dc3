// The list of filters, in the order in which a request passes them.
#include "server/filters.h"

#include "server/authentication.h"

namespace kubemu::server {
namespace {

using Filter = api::ApiResult<bool> (*)(const Filters::Options&, api::Request&, const Credentials&);

api::ApiResult<bool> authenticated(const Filters::Options& options, api::Request& request, const Credentials& credentials) {
    return authenticate(options.access.authenticator, options.anonymous, credentials, request.user);
}

api::ApiResult<bool> impersonated(const Filters::Options& options, api::Request& request, const Credentials& credentials) {
    if (credentials.impersonation.empty()) return true;
    TRY_ASSIGN(auto other, api::impersonate(options.access.authorizer, request.user, credentials.impersonation));
    if (other) request.user = std::move(*other);
    return true;
}

api::ApiResult<bool> authorized(const Filters::Options& options, api::Request& request, const Credentials&) {
    if (request.user.in_group(api::masters_group)) return true;
    const api::RequestInfo info = api::parse_request_info(request.path, request.query);
    const api::Attributes attributes = api::attributes_of(request, info);
    const auto answer = options.access.authorizer.authorize(request.user, attributes);
    if (!answer.allowed) return api::forbidden(request.user, attributes, answer.reason);
    return true;
}

constexpr Filter filters[] = {
    authenticated,  // first, because the others ask about the user
    impersonated,   // before authorization, which is about whom the request is made as
    authorized,     // last, so that what is refused has cost nothing else
};

}  // namespace

api::ApiResult<bool> Filters::apply(api::Request& request, const Credentials& credentials) const {
    for (const Filter filter : filters) TRY(filter(options_, request, credentials));
    return true;
}

}  // namespace kubemu::server

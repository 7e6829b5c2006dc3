// Credentials in the order in which kube-apiserver looks at them.
#include "server/authentication.h"

#include "api/authentication/service_account.h"
#include "api/values/text.h"
#include "storage/base/log.h"

namespace kubemu::server {
namespace {

// The token of "Bearer TOKEN"; empty for any other header.
std::string_view bearer_token(std::string_view header) {
    header = api::trim(header);
    const std::size_t space = header.find(' ');
    if (space == std::string_view::npos || api::lower(header.substr(0, space)) != "bearer") return {};
    header.remove_prefix(space + 1);
    return header.substr(0, header.find(' '));
}

}  // namespace

api::ApiResult<bool> authenticate(const api::TokenAuthenticator& tokens, std::optional<bool> anonymous,
                                  const Credentials& credentials, api::User& user) {
    if (credentials.certificate != nullptr) {
        user = *credentials.certificate;
        api::add_authenticated_group(user);
        return true;
    }
    if (!credentials.authorization.empty()) {
        if (const std::string_view token = bearer_token(credentials.authorization); !token.empty()) {
            auto holder = tokens.authenticate(token, {});
            if (!holder) {
                log_line(LogLevel::info, "a request could not be authenticated", {{"error", holder.error()}});
                return api::Status::unauthorized();
            }
            user = std::move(holder->user);
            return true;
        }
    }
    if (credentials.refused) return api::Status::unauthorized();
    if (!anonymous && credentials.trusted) {
        user = api::administrator();
        return true;
    }
    if (anonymous == false) return api::Status::unauthorized();
    user = api::User{std::string(api::anonymous_user), {}, {std::string(api::unauthenticated_group)}, {}};
    return true;
}

}  // namespace kubemu::server

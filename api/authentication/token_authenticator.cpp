// First the file, then service accounts, as kube-apiserver asks them.
#include "api/authentication/token_authenticator.h"

#include <algorithm>

#include "api/authentication/service_account.h"

namespace kubemu::api {

Result<Authenticated, std::string> TokenAuthenticator::authenticate(std::string_view token,
                                                                    const std::vector<std::string>& audiences) const {
    const std::string server(ServiceAccountTokens::issuer);
    const bool for_server = audiences.empty() || std::find(audiences.begin(), audiences.end(), server) != audiences.end();
    if (const User* user = file_.find(token); user != nullptr && for_server) {
        Authenticated holder{*user, {server}};
        add_authenticated_group(holder.user);
        return holder;
    }
    TokenVerdict verdict = accounts_.check(token, audiences);
    if (!verdict.holder) return verdict.error.empty() ? std::string("invalid bearer token") : std::move(verdict.error);
    add_authenticated_group(verdict.holder->user);
    return std::move(*verdict.holder);
}

}  // namespace kubemu::api

// TokenFile: users with fixed tokens, as kube-apiserver reads them with --token-auth-file
// (k8s.io/apiserver/pkg/authentication/token/tokenfile).
//
// Lines of comma-separated values: token, user name, uid, and maybe "group1,group2".
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "api/request.h"
#include "storage/base/result.h"

namespace kubemu::api {

class TokenFile {
  public:
    // `path` is for the error, which is a sentence for the terminal.
    static Result<TokenFile, std::string> parse(std::string_view text, std::string_view path);

    // Null when nobody has this token.
    const User* find(std::string_view token) const;

  private:
    std::map<std::string, User, std::less<>> users_;
};

}  // namespace kubemu::api

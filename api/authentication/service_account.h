// User names, groups and extra attributes of service accounts (k8s.io/apiserver/pkg/authentication/serviceaccount).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/request.h"

namespace kubemu::api {

struct ServiceAccountName {
    std::string namespace_name;
    std::string name;
};

// "system:serviceaccount:NAMESPACE:NAME".
std::string service_account_user_name(std::string_view namespace_name, std::string_view name);
// The same in reverse; nothing for any other user name.
std::optional<ServiceAccountName> service_account_of(std::string_view user_name);
bool is_service_account(std::string_view user_name, std::string_view namespace_name, std::string_view name);
// system:serviceaccounts and system:serviceaccounts:NAMESPACE.
std::vector<std::string> service_account_groups(std::string_view namespace_name);

inline constexpr std::string_view authenticated_group = "system:authenticated";
inline constexpr std::string_view unauthenticated_group = "system:unauthenticated";
inline constexpr std::string_view anonymous_user = "system:anonymous";

// Adds system:authenticated to those who are known and in neither of the two groups.
void add_authenticated_group(User& user);

}  // namespace kubemu::api

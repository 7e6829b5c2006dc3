// Names of service accounts.
#include "api/authentication/service_account.h"

#include "api/values/names.h"

namespace kubemu::api {
namespace {
constexpr std::string_view user_prefix = "system:serviceaccount:";
}

std::string service_account_user_name(std::string_view namespace_name, std::string_view name) {
    return std::string(user_prefix) + std::string(namespace_name) + ":" + std::string(name);
}

bool is_service_account(std::string_view user_name, std::string_view namespace_name, std::string_view name) {
    if (user_name.substr(0, user_prefix.size()) != user_prefix) return false;
    user_name.remove_prefix(user_prefix.size());
    return user_name.size() == namespace_name.size() + 1 + name.size() &&
           user_name.substr(0, namespace_name.size()) == namespace_name && user_name[namespace_name.size()] == ':' &&
           user_name.substr(namespace_name.size() + 1) == name;
}

std::optional<ServiceAccountName> service_account_of(std::string_view user_name) {
    if (user_name.substr(0, user_prefix.size()) != user_prefix) return std::nullopt;
    user_name.remove_prefix(user_prefix.size());
    const std::size_t colon = user_name.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const std::string_view space = user_name.substr(0, colon), name = user_name.substr(colon + 1);
    if (!check_dns1123_label(space).empty() || !check_dns1123_subdomain(name).empty()) return std::nullopt;
    return ServiceAccountName{std::string(space), std::string(name)};
}

std::vector<std::string> service_account_groups(std::string_view namespace_name) {
    return {"system:serviceaccounts", "system:serviceaccounts:" + std::string(namespace_name)};
}

void add_authenticated_group(User& user) {
    if (user.name == anonymous_user || user.in_group(authenticated_group) || user.in_group(unauthenticated_group)) return;
    user.groups.emplace_back(authenticated_group);
}

}  // namespace kubemu::api

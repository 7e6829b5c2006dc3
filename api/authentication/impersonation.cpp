// Each thing that is impersonated is authorized on its own.
#include "api/authentication/impersonation.h"

#include "api/authentication/service_account.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

constexpr std::string_view extra_prefix = "impersonate-extra-";
constexpr std::string_view authentication_group = "authentication.k8s.io";

struct Wish {
    std::string kind;  // ServiceAccount, User, Group, UserExtra or UID
    std::string namespace_name;
    std::string name;
    std::string extra_key;
};

bool of_authentication(const Wish& wish) { return wish.kind == "UserExtra" || wish.kind == "UID"; }

// As Go prints the ObjectReference that stands for it.
std::string text_of(const Wish& wish) {
    const std::string version = of_authentication(wish) ? std::string(authentication_group) + "/v1" : "";
    return "{" + wish.kind + " " + wish.namespace_name + " " + wish.name + "  " + version + "  " + wish.extra_key + "}";
}

Attributes attributes_of(const Wish& wish) {
    Attributes attributes;
    attributes.verb = "impersonate";
    attributes.resource_request = true;
    attributes.namespace_name = wish.namespace_name;
    attributes.name = wish.name;
    attributes.version = "v1";
    if (of_authentication(wish)) attributes.group = authentication_group;
    attributes.subresource = wish.extra_key;
    attributes.resource = wish.kind == "ServiceAccount" ? "serviceaccounts"
                          : wish.kind == "User"         ? "users"
                          : wish.kind == "Group"        ? "groups"
                          : wish.kind == "UID"          ? "uids"
                                                        : "userextras";
    return attributes;
}

std::vector<Wish> wishes_of(const ImpersonationHeaders& headers) {
    std::vector<Wish> wishes, groups, extras, uids;
    for (const auto& [name, value] : headers) {
        if (name == "impersonate-user" && wishes.empty() && !value.empty()) {
            const auto account = service_account_of(value);
            if (account) wishes.push_back({"ServiceAccount", account->namespace_name, account->name, {}});
            else wishes.push_back({"User", {}, value, {}});
        } else if (name == "impersonate-group") {
            groups.push_back({"Group", {}, value, {}});
        } else if (name == "impersonate-uid" && uids.empty() && !value.empty()) {
            uids.push_back({"UID", {}, value, {}});
        } else if (name.compare(0, extra_prefix.size(), extra_prefix) == 0) {
            extras.push_back({"UserExtra", {}, value, percent_decode(name.substr(extra_prefix.size()), false)});
        }
    }
    for (const auto* more : {&groups, &extras, &uids}) wishes.insert(wishes.end(), more->begin(), more->end());
    return wishes;
}

void add_group_of_everybody(User& user) {
    const bool anonymous = user.name == anonymous_user;
    if (user.in_group(unauthenticated_group) || (!anonymous && user.in_group(authenticated_group))) return;
    user.groups.emplace_back(anonymous ? unauthenticated_group : authenticated_group);
}

}  // namespace

ApiResult<std::optional<User>> impersonate(const Authorizer& authorizer, const User& user, const ImpersonationHeaders& headers) {
    if (headers.empty()) return std::optional<User>();
    const std::vector<Wish> wishes = wishes_of(headers);
    if (wishes.empty()) return std::optional<User>();
    if (wishes[0].kind != "User" && wishes[0].kind != "ServiceAccount") {
        std::vector<std::string> texts;
        for (const Wish& wish : wishes) texts.push_back(text_of(wish));
        return Status::bad_request("requested [" + join(texts, " ") + "] without impersonating a user");
    }
    User other{{}, {}, {}, {}};
    for (const Wish& wish : wishes) {
        const Attributes attributes = attributes_of(wish);
        if (const auto answer = authorizer.authorize(user, attributes); !answer.allowed) {
            return forbidden(user, attributes, answer.reason);
        }
        if (wish.kind == "ServiceAccount") other.name = service_account_user_name(wish.namespace_name, wish.name);
        if (wish.kind == "User") other.name = wish.name;
        if (wish.kind == "Group") other.groups.push_back(wish.name);
        if (wish.kind == "UID") other.uid = wish.name;
        if (wish.kind == "UserExtra") other.extra[wish.extra_key].push_back(wish.name);
    }
    if (other.groups.empty() && wishes[0].kind == "ServiceAccount") other.groups = service_account_groups(wishes[0].namespace_name);
    add_group_of_everybody(other);
    return std::optional<User>(std::move(other));
}

}  // namespace kubemu::api

// The union of the modes.
#include "api/authorization/authorizer.h"

#include "api/values/text.h"

namespace kubemu::api {

std::optional<Authorizer::Mode> Authorizer::mode_named(std::string_view name) {
    if (name == "AlwaysAllow") return Mode::always_allow;
    if (name == "AlwaysDeny") return Mode::always_deny;
    if (name == "RBAC") return Mode::rbac;
    return std::nullopt;
}

Rbac::Answer Authorizer::authorize(const User& user, const Attributes& attributes) const {
    if (user.in_group(masters_group)) return {true, {}};
    std::vector<std::string> reasons;
    for (const Mode mode : modes_) {
        if (mode == Mode::always_allow) return {true, {}};
        Rbac::Answer answer =
            mode == Mode::rbac ? rbac_.authorize(user, attributes) : Rbac::Answer{false, "Everything is forbidden."};
        if (answer.allowed) return answer;
        if (!answer.reason.empty()) reasons.push_back(std::move(answer.reason));
    }
    return {false, join(reasons, "\n")};
}

Rbac::Grants Authorizer::grants_of(const User& user, std::string_view namespace_name) const {
    Rbac::Grants grants;
    for (const Mode mode : modes_) {
        if (mode == Mode::always_allow) {
            grants.rules.push_back({{"*"}, {"*"}, {"*"}, {}, {}});
            grants.rules.push_back({{"*"}, {}, {}, {}, {"*"}});
        } else if (mode == Mode::rbac) {
            Rbac::Grants held = rbac_.grants_of(user, namespace_name);
            grants.rules.insert(grants.rules.end(), held.rules.begin(), held.rules.end());
            grants.error = std::move(held.error);
        }
    }
    return grants;
}

}  // namespace kubemu::api

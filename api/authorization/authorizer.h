// Authorizer: may this user do that? The modes of --authorization-mode, asked in order until one says yes.
//
// Members of system:masters may do everything, whatever the modes say: they are asked nothing
// (k8s.io/apiserver/pkg/authorization/authorizerfactory, union).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/authorization/rbac.h"

namespace kubemu::api {

inline constexpr std::string_view masters_group = "system:masters";

// Thread-safe.
class Authorizer {
  public:
    enum class Mode { always_allow, always_deny, rbac };
    // "AlwaysAllow", "AlwaysDeny" or "RBAC".
    static std::optional<Mode> mode_named(std::string_view name);

    Authorizer(const storage::Store& store, std::vector<Mode> modes) : rbac_(store), modes_(std::move(modes)) {}

    Rbac::Answer authorize(const User& user, const Attributes& attributes) const;
    // For SelfSubjectRulesReview.
    Rbac::Grants grants_of(const User& user, std::string_view namespace_name) const;
    const Rbac& rbac() const { return rbac_; }

  private:
    Rbac rbac_;
    std::vector<Mode> modes_;
};

}  // namespace kubemu::api

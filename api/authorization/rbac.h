// Rbac: who was granted what, read from the Views of roles and bindings in the store's index: no document is decoded
// and nothing is cached beside it, so that a grant holds from the moment it is durable.
//
// As k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac and pkg/registry/rbac/validation/rule.go.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/authorization/attributes.h"
#include "api/kinds/rbac/views.h"
#include "api/request.h"
#include "api/values/status.h"
#include "storage/store.h"

namespace kubemu::api {

// Thread-safe.
class Rbac {
  public:
    explicit Rbac(const storage::Store& store) : store_(store) {}

    struct Answer {
        bool allowed = false;
        std::string reason;  // by which binding; or, when not allowed, which roles could not be found
    };
    Answer authorize(const User& user, const Attributes& attributes) const;

    struct Grants {
        std::vector<PolicyRule> rules;
        std::string error;  // of bindings whose role is missing; empty when there are none
    };
    // What a user holds in a namespace, or cluster-wide when it is empty.
    Grants grants_of(const User& user, std::string_view namespace_name) const;

    // The rules of a role as a binding in `namespace_name` refers to it. Errors: 404.
    ApiResult<std::vector<PolicyRule>> rules_of_role(std::string_view role_kind, std::string_view role_name,
                                                     std::string_view namespace_name) const;

  private:
    // What applies to a user: a rule with its binding and the subject of it that matched. False ends the visit.
    using Visit = std::function<bool(const BindingView&, const RbacSubject&, const PolicyRule&)>;
    void visit(const User& user, std::string_view namespace_name, std::vector<std::string>& errors, const Visit& visit) const;
    bool visit_bindings(const User& user, std::string_view resource, std::string_view namespace_name,
                        std::vector<std::string>& errors, const Visit& visit) const;
    storage::RecordPtr role_of(const BindingView& binding, std::string_view namespace_name) const;

    const storage::Store& store_;
};

}  // namespace kubemu::api

// The authorizer of admission expressions: who may do what, asked step by step
// (k8s.io/apiserver/pkg/cel/library/authz.go).
#pragma once

#include <memory>
#include <string>

#include "api/cel/value.h"

namespace kubemu::api::cel {

// What an expression has asked for so far. `verb` is filled in last.
struct AuthorizationQuery {
    bool resource_request = false;
    std::string path;
    std::string group, resource, subresource, namespace_name, name;
    std::string field_selector, label_selector;
    std::string verb;
    // Another user than that of the request: a service account. Both empty: the request's own.
    std::string account_namespace, account_name;
};

struct AuthorizationDecision {
    bool allowed = false;
    std::string reason, error;
};

class AuthorizationOracle {
  public:
    virtual ~AuthorizationOracle() = default;
    virtual AuthorizationDecision decide(const AuthorizationQuery& query) const = 0;
};

// `authorizer`: `request` is what authorizer.requestResource asks about.
Value authorizer_value(std::shared_ptr<const AuthorizationOracle> oracle, AuthorizationQuery request);
// authorizer.requestResource
Value request_resource(const Value& authorizer);

}  // namespace kubemu::api::cel

// OpenAccess: what handlers need to know who asks, for tests in which everybody may do everything.
#pragma once

#include "api/access.h"
#include "tests/harness/test_cluster.h"

namespace kubemu::tests {

class OpenAccess {
  public:
    explicit OpenAccess(TestCluster& cluster)
        : authorizer_(cluster.store(), {api::Authorizer::Mode::always_allow}), tokens_(cluster.registry()) {}

    const api::Access& get() const { return access_; }

  private:
    api::Authorizer authorizer_;
    api::ServiceAccountTokens tokens_;
    api::TokenAuthenticator authenticator_{api::TokenFile{}, tokens_};
    api::Access access_{authorizer_, authenticator_, tokens_};
};

}  // namespace kubemu::tests

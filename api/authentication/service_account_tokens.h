// ServiceAccountTokens: makes and checks the tokens of service accounts.
//
// Two kinds, as in k8s.io/kubernetes/pkg/serviceaccount: bound ones (TokenRequest), which expire and are void once the
// account or the Pod, Secret or Node they are bound to is gone; and those that Secrets of type
// kubernetes.io/service-account-token keep, which hold for as long as their Secret does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/authentication/signing_key.h"
#include "api/registry.h"
#include "storage/base/mutex.h"

namespace kubemu::api {

// Labels of Secrets with tokens, both with a day as value: when the token was used last, and since when it is not good any
// more because nobody uses it. The ConfigMap in kube-system says since when uses are noted (data.since).
inline constexpr const char* token_last_used_label = "kubernetes.io/legacy-token-last-used";
inline constexpr const char* token_invalid_since_label = "kubernetes.io/legacy-token-invalid-since";
inline constexpr const char* token_tracking_config = "kube-apiserver-legacy-service-account-token-tracking";

struct Authenticated {
    User user;
    std::vector<std::string> audiences;
};

// What is known of a token: whose it is, or why it is not good. A null error: it is no token of this kind.
struct TokenVerdict {
    std::optional<Authenticated> holder;
    std::string error;
};

// Thread-safe.
class ServiceAccountTokens {
  public:
    // With a seed the key follows from it, so that a run can be repeated to the byte.
    explicit ServiceAccountTokens(Registry& registry, std::optional<std::uint64_t> key_seed = std::nullopt)
        : registry_(registry), key_seed_(key_seed) {}

    // The audience of tokens that do not ask for another, and what they name as their issuer.
    static constexpr std::string_view issuer = "https://kubernetes.default.svc.cluster.local";

    struct Reference {
        std::string name, uid;
    };
    struct Claims {
        std::string namespace_name;
        Reference account;
        std::optional<Reference> pod, secret, node;
        std::vector<std::string> audiences;
        std::int64_t expiration_seconds = 0;
        std::int64_t warn_after_seconds = 0;  // 0: it does not say
    };
    // Empty when there is no key and none can be made.
    std::string issue(const Claims& claims);
    std::string issue_for_secret(std::string_view namespace_name, const Reference& account, std::string_view secret_name);

    // `audiences`: those for whom the token must have been issued, one of them at least; none: the API server.
    TokenVerdict check(std::string_view token, const std::vector<std::string>& audiences);

    // JSON Web Key Set of the public keys; empty when there are none.
    std::string key_set();

  private:
    // The cluster's key, made when it is first needed: a cluster without tokens starts without one.
    std::optional<SigningKey> key();
    TokenVerdict check_bound(const Json& claims, std::vector<std::string> audiences) const;
    TokenVerdict check_secret(std::string_view token, const Json& claims);
    void note_use(const storage::Record& secret);

    Registry& registry_;
    const std::optional<std::uint64_t> key_seed_;
    Mutex mutex_;
    std::optional<SigningKey> key_ KUBEMU_GUARDED_BY(mutex_);
};

}  // namespace kubemu::api

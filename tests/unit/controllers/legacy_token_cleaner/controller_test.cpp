// Tokens of years ago.
#include "controllers/legacy_token_cleaner/controller.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "controllers/legacy_token_cleaner/secret_names.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using api::Json;

namespace {

constexpr auto day = std::chrono::hours(24);

struct Cluster : tests::TestCluster {
    Cluster() {
        create("configmaps", R"({"metadata":{"name":"kube-apiserver-legacy-service-account-token-tracking","namespace":"kube-system"},
            "data":{"since":"2026-01-01"}})");
        create("serviceaccounts", R"({"metadata":{"name":"bot"},"secrets":[{"name":"old"},{"name":"mounted"},{"name":"used"}]})");
        for (const char* name : {"old", "mounted", "used", "manual"}) {
            create("secrets", Json{{"type", "kubernetes.io/service-account-token"},
                                   {"metadata", {{"name", name}, {"annotations", {{"kubernetes.io/service-account.name", "bot"}}}}}});
        }
        create("pods", R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}],
            "volumes":[{"name":"v","secret":{"secretName":"mounted"}}]}})");
        add<controllers::LegacyTokenCleanerController>();
        settle();
    }
    std::string invalid_since(const char* name) {
        return std::string(api::string_at(get("secrets", name), {"metadata", "labels", "kubernetes.io/legacy-token-invalid-since"}));
    }
};

}  // namespace

TEST_CASE("a generated token that nobody has used for a year is marked, and goes a year later") {
    Cluster cluster;
    cluster.advance(364 * day);
    cluster.patch("secrets", "used", R"({"metadata":{"labels":{"kubernetes.io/legacy-token-last-used":"2026-12-31"}}})");
    cluster.advance(day);
    CHECK(cluster.invalid_since("old").empty());  // a year of tracking begins with the first midnight
    cluster.advance(2 * day);
    CHECK(cluster.invalid_since("old") == "2027-01-02");
    for (const char* name : {"mounted", "used", "manual"}) CHECK(cluster.invalid_since(name).empty());
    cluster.advance(364 * day);
    CHECK(cluster.exists("secrets", "old"));
    CHECK(cluster.invalid_since("used") == "2028-01-01");
    cluster.advance(4 * day);
    CHECK_FALSE(cluster.exists("secrets", "old"));
    for (const char* name : {"mounted", "used", "manual"}) CHECK(cluster.exists("secrets", name));
}

TEST_CASE("the Secrets that a pod names") {
    const Json pod = Json::parse(R"({"spec":{"imagePullSecrets":[{"name":"pull"}],
        "containers":[{"envFrom":[{"secretRef":{"name":"from"}}],"env":[{"valueFrom":{"secretKeyRef":{"name":"key"}}}]}],
        "volumes":[{"secret":{"secretName":"volume"}},{"projected":{"sources":[{"configMap":{"name":"no"}},{"secret":{"name":"part"}}]}},
        {"csi":{"nodePublishSecretRef":{"name":"driver"}}}]}})");
    for (const char* name : {"pull", "from", "key", "volume", "part", "driver"}) CHECK(controllers::pod_names_secret(pod, name));
    CHECK_FALSE(controllers::pod_names_secret(pod, "no"));
}

// Secrets for tokens are filled, mended, and go with their account.
#include "controllers/service_account_token/controller.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "api/values/text.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;

namespace {

struct Cluster : tests::TestCluster {
    api::ServiceAccountTokens tokens{registry()};

    Cluster() {
        add<controllers::ServiceAccountTokenController>(tokens, std::string("PEM"));
        create("serviceaccounts", R"({"metadata":{"name":"bot"}})");
        create("secrets", R"({"metadata":{"name":"t","annotations":{"kubernetes.io/service-account.name":"bot"}},
            "type":"kubernetes.io/service-account-token"})");
        settle();
    }
    std::string data(const char* member) {
        std::string text;
        api::base64_decode(api::string_at(get("secrets", "t"), {"data", member}), text);
        return text;
    }
};

}  // namespace

TEST_CASE("a Secret gets token, certificate, namespace and the account's uid") {
    Cluster cluster;
    CHECK(cluster.data("ca.crt") == "PEM");
    CHECK(cluster.data("namespace") == "default");
    const auto verdict = cluster.tokens.check(cluster.data("token"), {});
    REQUIRE(verdict.holder);
    CHECK(verdict.holder->user.name == "system:serviceaccount:default:bot");
    CHECK(api::string_at(cluster.get("secrets", "t"), {"metadata", "annotations", "kubernetes.io/service-account.uid"}) ==
          api::uid_of(cluster.get("serviceaccounts", "bot")));
}

TEST_CASE("what somebody takes out of it comes back, the token too") {
    Cluster cluster;
    const std::string before = cluster.data("token");
    cluster.patch("secrets", "t", R"({"data":{"ca.crt":null,"token":null}})");
    cluster.settle();
    CHECK(cluster.data("ca.crt") == "PEM");
    CHECK(cluster.data("token") == before);  // it says the same as before
}

TEST_CASE("it goes with its account, and when there was none") {
    Cluster cluster;
    cluster.remove("serviceaccounts", "bot");
    cluster.settle();
    CHECK_FALSE(cluster.exists("secrets", "t"));
    cluster.create("secrets", R"({"metadata":{"name":"n","annotations":{"kubernetes.io/service-account.name":"none"}},
        "type":"kubernetes.io/service-account-token"})");
    cluster.settle();
    CHECK_FALSE(cluster.exists("secrets", "n"));
}

TEST_CASE("an account forgets a Secret that is gone") {
    Cluster cluster;
    cluster.patch("serviceaccounts", "bot", R"({"secrets":[{"name":"t"},{"name":"other"}]})");
    cluster.remove("secrets", "t");
    cluster.settle();
    CHECK(cluster.get("serviceaccounts", "bot").at("secrets") == api::Json::parse(R"([{"name":"other"}])"));
}

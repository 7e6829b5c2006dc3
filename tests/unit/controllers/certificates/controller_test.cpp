// Requests for certificates: approved for nodes, signed when approved and fitting, removed when done with.
#include "controllers/certificates/controller.h"

#include <doctest/doctest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "api/values/text.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace std::chrono_literals;

namespace {

constexpr const char* resource = "certificatesigningrequests.certificates.k8s.io";

// O=system:nodes, CN=system:node:n1.
constexpr const char* node_pem = R"(-----BEGIN CERTIFICATE REQUEST-----
MIHsMIGSAgEAMDAxFTATBgNVBAoMDHN5c3RlbTpub2RlczEXMBUGA1UEAwwOc3lz
dGVtOm5vZGU6bjEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARBZ7BlYrmmMdA1
VYVsVhwCPfa7wf+tyYVqvQ9UdRDO8P5NNmYuyMkke8ea+cjPvacNpTadg4Fu4Wi7
UNlb4ciboAAwCgYIKoZIzj0EAwIDSQAwRgIhAIFTGJNtM+lt4QQE/I7XkwtSJhEb
6iwIjhTW3oH7C6T5AiEApeZkls8obted+YXHRe6lUBPNlCOFM2CVqfHWGjk8W2o=
-----END CERTIFICATE REQUEST-----
)";
// O=devs, CN=jane, with a DNS name and an address.
constexpr const char* jane_pem = R"(-----BEGIN CERTIFICATE REQUEST-----
MIIBCDCBsAIBADAeMQ0wCwYDVQQKDARkZXZzMQ0wCwYDVQQDDARqYW5lMFkwEwYH
KoZIzj0CAQYIKoZIzj0DAQcDQgAEQWewZWK5pjHQNVWFbFYcAj32u8H/rcmFar0P
VHUQzvD+TTZmLsjJJHvHmvnIz72nDaU2nYOBbuFou1DZW+HIm6AwMC4GCSqGSIb3
DQEJDjEhMB8wHQYDVR0RBBYwFIIMamFuZS5leGFtcGxlhwQKAAABMAoGCCqGSM49
BAMCA0cAMEQCIQDsDP9k4iXelkZxLx+N3C5lb4AmnIuc9zys3F5HUmHUbAIfUTSF
sN4r2/R9jMxt3VYBL/H0evgy1woJdL60Zmjapg==
-----END CERTIFICATE REQUEST-----
)";

struct Cluster : tests::TestCluster {
    api::Authorizer authorizer{store(), {api::Authorizer::Mode::rbac}};
    api::CertificateAuthority authority;

    Cluster() : authority(made()) {
        add<controllers::CsrApprovingController>(authorizer);
        add<controllers::CsrSigningController>(authority);
        add<controllers::CsrCleanerController>();
    }
    api::CertificateAuthority made() {
        auto authority = api::CertificateAuthority::of_store(store(), clock().now());
        if (!authority) FAIL(authority.error().message);
        return std::move(*authority);
    }

    void ask(const char* name, const char* pem, const char* signer, std::vector<std::string> usages, const char* user = "") {
        api::Json object;
        object["metadata"]["name"] = name;
        object["spec"] = {{"request", api::base64_encode(pem)}, {"signerName", signer}, {"usages", usages}};
        // The server says who asks.
        api::Client as(registry(), {user, {}, {"system:authenticated"}, {}}, "test");
        const auto record = as.create(kind(resource), {}, object);
        if (!record) FAIL(record.error()->message);
        store().flush();
        if (api::string_at(get(resource, name), {"spec", "username"}) != user) {
            patch(resource, name, api::Json{{"spec", {{"username", user}}}}.dump());
        }
        settle();
    }
    void approve(const char* name) {
        patch(resource, name, R"({"status":{"conditions":[{"type":"Approved","status":"True","reason":"Test","message":"",
            "lastUpdateTime":"2026-01-01T00:00:00Z"}]}})", "approval");
        settle();
    }
    std::string condition(const char* name) {
        const api::Json object = get(resource, name);
        std::string text;
        for (const api::Json& one : api::array_at(object, {"status", "conditions"})) {
            text += std::string(api::string_at(one, {"type"})) + ":" + std::string(api::string_at(one, {"message"}));
        }
        return text;
    }
    // Empty when there is none.
    std::string certificate(const char* name) {
        std::string pem;
        api::base64_decode(api::string_at(get(resource, name), {"status", "certificate"}), pem);
        return pem;
    }
};

const std::vector<std::string> client_usages = {"digital signature", "client auth"};
constexpr const char* client_signer = "kubernetes.io/kube-apiserver-client";
constexpr const char* kubelet_signer = "kubernetes.io/kube-apiserver-client-kubelet";

}  // namespace

TEST_CASE("approved requests are signed, for as long as they ask") {
    Cluster cluster;
    cluster.ask("jane", jane_pem, client_signer, client_usages);
    CHECK(cluster.certificate("jane").empty());
    cluster.approve("jane");
    const std::string pem = cluster.certificate("jane");
    REQUIRE(pem.find("-----BEGIN CERTIFICATE-----") == 0);
    CHECK(*api::certificate_expiry(pem) == cluster.clock().now() + std::chrono::hours(365 * 24) - 5min);
}

TEST_CASE("requests that do not fit their signer fail with the reason") {
    Cluster cluster;
    cluster.ask("a", jane_pem, client_signer, {"digital signature", "server auth"});
    cluster.approve("a");
    CHECK(cluster.condition("a") == "Approved:Failed:invalid usage for client certificate: server auth");
    cluster.ask("b", jane_pem, "kubernetes.io/kubelet-serving", {"digital signature", "server auth"});
    cluster.approve("b");
    CHECK(cluster.condition("b") == "Approved:Failed:subject organization is not system:nodes");
    cluster.ask("c", node_pem, "kubernetes.io/kubelet-serving", {"digital signature", "server auth"});
    cluster.approve("c");
    CHECK(cluster.condition("c") == "Approved:Failed:DNS or IP subjectAltName is required");
    CHECK(cluster.certificate("c").empty());
    cluster.ask("d", jane_pem, "example.com/own", client_usages);
    cluster.approve("d");
    CHECK(cluster.condition("d") == "Approved:");
    CHECK(cluster.certificate("d").empty());
}

TEST_CASE("nodes that may ask for themselves are approved without anybody") {
    Cluster cluster;
    cluster.ask("before", node_pem, kubelet_signer, client_usages, "system:node:n1");
    CHECK(cluster.condition("before") == "");
    cluster.create("clusterroles.rbac.authorization.k8s.io", R"({"metadata":{"name":"self"},"rules":[{"verbs":["create"],
        "apiGroups":["certificates.k8s.io"],"resources":["certificatesigningrequests/selfnodeclient"]}]})");
    cluster.create("clusterrolebindings.rbac.authorization.k8s.io", R"({"metadata":{"name":"self"},
        "roleRef":{"kind":"ClusterRole","name":"self"},"subjects":[{"kind":"Group","name":"system:authenticated"},
        {"kind":"User","name":"system:node:n1"}]})");
    cluster.ask("after", node_pem, kubelet_signer, client_usages, "system:node:n1");
    CHECK(cluster.condition("after") == "Approved:Auto approving self kubelet client certificate after SubjectAccessReview.");
    CHECK_FALSE(cluster.certificate("after").empty());
    cluster.ask("other", node_pem, kubelet_signer, client_usages, "system:node:n2");
    CHECK(cluster.condition("other") == "");
}

TEST_CASE("what is done with goes after an hour, what waits after a day") {
    Cluster cluster;
    cluster.ask("waits", jane_pem, client_signer, client_usages);
    cluster.ask("done", jane_pem, client_signer, client_usages);
    cluster.approve("done");
    cluster.advance(59min);
    CHECK(cluster.exists(resource, "done"));
    cluster.advance(2min);
    CHECK_FALSE(cluster.exists(resource, "done"));
    CHECK(cluster.exists(resource, "waits"));
    cluster.advance(24h);
    CHECK_FALSE(cluster.exists(resource, "waits"));
}

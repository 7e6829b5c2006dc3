// CertificateSigningRequest: the request itself, who asks, approval and status.
#include "api/kinds/certificates/request_text.h"
#include "api/values/text.h"
#include "tests/unit/api/kinds/check_rules.h"

using namespace kubemu::api;

namespace {

constexpr const char* group = "certificates.k8s.io";
constexpr const char* kind = "CertificateSigningRequest";

// openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -subj ...
const std::string masters_pem = R"(-----BEGIN CERTIFICATE REQUEST-----
MIHhMIGJAgEAMCcxFzAVBgNVBAoMDnN5c3RlbTptYXN0ZXJzMQwwCgYDVQQDDANl
dmUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARRMz7q97NXC2cqCcVd7KFoBMcL
G403vK6hOM1dCMRLKKLRTK5sNQOQAtkAYnP20mRS8faws7F0UFrmOAH3/plboAAw
CgYIKoZIzj0EAwIDRwAwRAIgCNtfR88SaXmmbqMCp21lwq5faX1kvdEsW0f5iVoi
8rYCIDX+2IUh1h6ZB1YC0UOam2zJ7zcnc4pgscprCbnjdzX/
-----END CERTIFICATE REQUEST-----
)";
const std::string node_pem = R"(-----BEGIN CERTIFICATE REQUEST-----
MIHrMIGSAgEAMDAxFTATBgNVBAoMDHN5c3RlbTpub2RlczEXMBUGA1UEAwwOc3lz
dGVtOm5vZGU6bjEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASRSCxUO2d8nmfG
g5SY3bVIX6Pvk5YLeodKDhd4eRjiqK2KXYoYuI4qlNT5p7+1iKdYkGeAKgIH7LhI
lM1X5QNYoAAwCgYIKoZIzj0EAwIDSAAwRQIhAIypjolq6NkoHI5x93Eb4MCD8wGk
qiTn1xdpUA/CBP+pAiB4QlI0CRIX0lzGlsI2GB+0ti4u2T1piy9Ia71tfeQMEg==
-----END CERTIFICATE REQUEST-----
)";

std::string request(const std::string& pem, const std::string& members) {
    return R"({"metadata":{"name":"r"},"spec":{"request":")" + base64_encode(pem) + "\"" + members + "}}";
}
const std::string plain = R"(,"signerName":"example.com/s","usages":["client auth"])";

std::string with_conditions(const std::string& conditions) {
    return request(node_pem, plain).substr(0, request(node_pem, plain).size() - 1) +
           R"(,"status":{"conditions":[)" + conditions + "]}}";
}

}  // namespace

TEST_CASE("certificate request: text, usages and signer") {
    RulesUnderTest under(group, "v1", kind);
    CHECK(under.creating(request(node_pem, plain)).empty());
    CHECK(under.creating(request("no", plain)) ==
          "spec.request: Invalid value: []byte{0x6e, 0x6f}: PEM block type must be CERTIFICATE REQUEST");
    CHECK(under.creating(request(node_pem, R"(,"signerName":"example.com","expirationSeconds":5)")) ==
          "spec.usages: Required value\nspec.signerName: Invalid value: \"example.com\": must be a fully "
          "qualified domain and path of the "
          "form 'example.com/signer-name'\nspec.expirationSeconds: Invalid value: 5: may not specify a "
          "duration less than 600 seconds (10 "
          "minutes)");
    CHECK(under.creating(request(
              node_pem,
              R"(,"signerName":"kubernetes.io/legacy-unknown","usages":["client auth","client auth"])")) ==
          "spec.usages[1]: Duplicate value: \"client auth\"\nspec.signerName: Invalid value: "
          "\"kubernetes.io/legacy-unknown\": the legacy "
          "signerName is not allowed via this API version");
    std::string tampered = node_pem;
    const std::size_t at = tampered.find('\n', 80) - 8;
    tampered[at] = tampered[at] == 'A' ? 'B' : 'A';
    std::string complaint;
    CHECK(!parse_certificate_request(tampered, complaint));
}

TEST_CASE("certificate request: the server says who asks") {
    RulesUnderTest under(group, "v1", kind);
    under.user = User{};
    under.user.name = "jane";
    under.user.groups = {"devs"};
    under.user.extra = {{"k", {"v"}}};
    Json object = Json::parse(request(node_pem, R"(,"username":"root","uid":"7")"));
    under.rules.prepare_for_create(object, under.context());
    CHECK(object["spec"]["username"] == "jane");
    CHECK(object["spec"]["groups"] == Json::array({"devs"}));
    CHECK(find(object, {"spec", "uid"}) == nullptr);
    CHECK(object["spec"]["extra"] == Json::parse(R"({"k":["v"]})"));
}

TEST_CASE("certificate request: approval decides once, status issues once") {
    RulesUnderTest under(group, "v1", kind);
    const std::string approved = R"({"type":"Approved","status":"True"})",
                      denied = R"({"type":"Denied","status":"True"})";
    under.subresource = "approval";
    CHECK(under.updating_status(with_conditions(""), with_conditions(approved)).empty());
    CHECK(under.updating_status(with_conditions(""), with_conditions(approved + "," + denied)) ==
          "status.conditions: Invalid value: \"Denied\": Approved and Denied conditions are mutually "
          "exclusive");
    CHECK(under.updating_status(with_conditions(approved), with_conditions("")) ==
          "status.conditions: Forbidden: updates may not remove a condition of type \"Approved\"");
    CHECK(under.updating_status(with_conditions(""),
                                with_conditions(R"({"type":"Approved","status":"False"})")) ==
          "status.conditions[0].status: Unsupported value: \"False\": supported values: \"True\"");
    under.subresource = "status";
    CHECK(under.updating_status(with_conditions(""), with_conditions(approved)) ==
          "status.conditions: Forbidden: updates may not add a condition of type \"Approved\"");

    Json object = Json::parse(with_conditions(approved));
    under.rules.prepare_for_status_update(object, Json::parse(with_conditions("")), under.context());
    CHECK(object["status"]["conditions"][0]["lastUpdateTime"] == "2023-11-14T22:13:20Z");
    CHECK(object["status"]["conditions"][0]["lastTransitionTime"] == "2023-11-14T22:13:20Z");
}

TEST_CASE("certificate request v1beta1: the signer follows from the request") {
    RulesUnderTest beta(group, "v1beta1", kind);
    const Json kubelet = beta.defaulted(
        request(node_pem, R"(,"usages":["digital signature","key encipherment","client auth"])"));
    CHECK(kubelet["spec"]["signerName"] == "kubernetes.io/kube-apiserver-client-kubelet");
    const Json other = beta.defaulted(request(masters_pem, ""));
    CHECK(other["spec"]["signerName"] == "kubernetes.io/legacy-unknown");
    CHECK(other["spec"]["usages"] == Json::array({"digital signature", "key encipherment"}));
}

TEST_CASE("certificate chain: only certificates, at least one") {
    CHECK(certificate_chain_complaint("").empty());
    CHECK(certificate_chain_complaint("x") == "must contain at least one CERTIFICATE PEM block");
    CHECK(certificate_chain_complaint(node_pem) ==
          "only CERTIFICATE PEM blocks are allowed, found \"CERTIFICATE REQUEST\"");
}

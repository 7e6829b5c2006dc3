// Who may approve and sign, and what the signer of clients never issues.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "api/admission/chain.h"
#include "api/authorization/authorizer.h"
#include "api/values/text.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace kubemu::api;

namespace {

const std::string masters_pem = R"(-----BEGIN CERTIFICATE REQUEST-----
MIHiMIGJAgEAMCcxFzAVBgNVBAoMDnN5c3RlbTptYXN0ZXJzMQwwCgYDVQQDDANl
dmUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATve59sOA9IqjuX2VOd2btG1hnd
HDdhGX0+jNM0ARxcBX9QBWMoRl2nTEBbV+Sf8oDpzjRSVdNsZ4eWRi3a4SHXoAAw
CgYIKoZIzj0EAwIDSAAwRQIhAKqIajMjjmvSwWaCgeKMRq9m/ZT63GEgOhuhppTa
uFmSAiAtB8EoMYemyREj2UUBpRVbtxWD1fMNVUoMenc9HAKlPA==
-----END CERTIFICATE REQUEST-----
)";

struct Under : tests::TestCluster {
    User user;  // in no group
    Authorizer nobody{store(), {Authorizer::Mode::always_deny}};
    Json object = {{"metadata", {{"name", "r"}}}, {"spec", {{"signerName", "example.com/s"}}}};
    Json old = object;

    // The message of the refusal; empty when there is none.
    std::string ask(ApiResult<bool> (*plugin)(AdmissionRequest&), std::string_view subresource) {
        AdmissionRequest request{.operation = subresource.empty() ? AdmissionRequest::Operation::create
                                                                  : AdmissionRequest::Operation::update,
                                 .kind = kind("certificatesigningrequests.certificates.k8s.io"),
                                 .namespace_name = {},
                                 .name = "r",
                                 .subresource = subresource,
                                 .user = user,
                                 .now = clock().now(),
                                 .random = random(),
                                 .lookup = registry(),
                                 .kinds = registry().kinds()};
        request.object = &object;
        request.old = subresource.empty() ? nullptr : &old;
        request.authorizer = &nobody;
        const auto answer = plugin(request);
        return answer ? "" : answer.error()->message;
    }
};

const std::string refused = "certificatesigningrequests.certificates.k8s.io \"r\" is forbidden: ";

}  // namespace

TEST_CASE("approving and signing need a permission on the signer") {
    Under under;
    CHECK(under.ask(certificate_approval_validate, "approval") ==
          refused + "user not permitted to approve requests with signerName \"example.com/s\"");
    CHECK(under.ask(certificate_approval_validate, "status").empty());
    CHECK(under.ask(certificate_signing_validate, "status").empty());  // nothing changes
    under.object["status"]["certificate"] = "eA==";
    CHECK(under.ask(certificate_signing_validate, "status") ==
          refused + "user not permitted to sign requests with signerName \"example.com/s\"");
    under.user.groups = {"system:masters"};
    CHECK(under.ask(certificate_approval_validate, "approval").empty());
    CHECK(under.ask(certificate_signing_validate, "status").empty());
}

TEST_CASE("the signer of clients makes no masters") {
    Under under;
    under.object["spec"]["request"] = base64_encode(masters_pem);
    CHECK(under.ask(certificate_subject_validate, "").empty());
    under.object["spec"]["signerName"] = "kubernetes.io/kube-apiserver-client";
    CHECK(under.ask(certificate_subject_validate, "") ==
          refused +
              "use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed");
}

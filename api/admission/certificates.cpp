// CertificateApproval, CertificateSigning and CertificateSubjectRestriction: who may approve and issue for a
// signer, and what the client signer never issues (kubernetes plugin/pkg/admission/certificates).
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/admission/chain.h"
#include "api/authorization/authorizer.h"
#include "api/kinds/certificates/request_text.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

constexpr std::string_view requests = "certificatesigningrequests.certificates.k8s.io";
constexpr std::string_view client_signer = "kubernetes.io/kube-apiserver-client";

// `verb` on the signer itself or on all signers of its domain ("example.com/*").
bool permitted(const AdmissionRequest& request, const char* verb, std::string_view signer) {
    if (request.authorizer == nullptr) return true;
    const std::string every = std::string(signer.substr(0, signer.find('/'))) + "/*";
    for (const std::string& name : {std::string(signer), every}) {
        Attributes attributes;
        attributes.verb = verb;
        attributes.resource_request = true;
        attributes.group = "certificates.k8s.io";
        attributes.version = "*";
        attributes.resource = "signers";
        attributes.name = name;
        if (request.authorizer->authorize(request.user, attributes).allowed) return true;
    }
    return false;
}

Status not_permitted(const AdmissionRequest& request, const char* verb, std::string_view signer) {
    return request.forbidden(std::string("user not permitted to ") + verb + " requests with signerName " +
                             go_quote(signer));
}

}  // namespace

ApiResult<bool> certificate_approval_validate(AdmissionRequest& request) {
    if (!request.is(requests) || request.subresource != "approval" || request.object == nullptr) return true;
    const std::string_view signer = string_at(*request.object, {"spec", "signerName"});
    if (!permitted(request, "approve", signer)) return not_permitted(request, "approve", signer);
    return true;
}

ApiResult<bool> certificate_signing_validate(AdmissionRequest& request) {
    if (!request.is(requests) || request.subresource != "status" || request.old == nullptr) return true;
    const Json& now = object_at(*request.object, {"status"});
    const Json& before = object_at(*request.old, {"status"});
    const bool same = string_at(now, {"certificate"}) == string_at(before, {"certificate"}) &&
                      array_at(now, {"conditions"}) == array_at(before, {"conditions"});
    const std::string_view signer = string_at(*request.old, {"spec", "signerName"});
    if (!same && !permitted(request, "sign", signer)) return not_permitted(request, "sign", signer);
    return true;
}

ApiResult<bool> certificate_subject_validate(AdmissionRequest& request) {
    if (!request.creates(requests) || string_at(*request.object, {"spec", "signerName"}) != client_signer)
        return true;
    std::string pem, complaint;
    base64_decode(string_at(*request.object, {"spec", "request"}), pem);
    const auto subject = parse_certificate_request(pem, complaint);
    if (!subject) return true;
    const auto& groups = subject->organizations;
    if (std::find(groups.begin(), groups.end(), masters_group) == groups.end()) return true;
    return request.forbidden(
        "use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed");
}

}  // namespace kubemu::api

// What the three controllers of CertificateSigningRequests ask of one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/authentication/certificate_authority.h"
#include "api/values/object.h"
#include "storage/base/result.h"

namespace kubemu::controllers {

inline constexpr const char* csr_resource = "certificatesigningrequests.certificates.k8s.io";
inline constexpr const char* kubelet_client_signer = "kubernetes.io/kube-apiserver-client-kubelet";

// A condition of this type whose status is True; null when there is none.
const api::Json* true_condition(const api::Json& request, std::string_view type);
bool is_issued(const api::Json& request);
// The decoded spec.request; empty when it is no base64.
std::string request_pem(const api::Json& request);
std::vector<std::string> usages_of(const api::Json& request);

// Why a request does not fit its signer; empty when it does (k8s.io/kubernetes/pkg/apis/certificates/helpers.go).
std::string kubelet_client_error(const api::CertificateRequest& request, const std::vector<std::string>& usages);
std::string kubelet_serving_error(const api::CertificateRequest& request, const std::vector<std::string>& usages);
std::string api_client_error(const std::vector<std::string>& usages);

}  // namespace kubemu::controllers

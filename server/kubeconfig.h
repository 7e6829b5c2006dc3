// The kubeconfig that points kubectl and client libraries at a cluster.
#pragma once

#include <string>
#include <string_view>

#include "api/authentication/certificate_authority.h"

namespace kubemu::server {

// YAML with one cluster, one user and one context, all named "kubemu". `server` is the URL of the API.
std::string kubeconfig_text(std::string_view server);

// The same for HTTPS: with the authority's certificate, and a new client certificate of the administrator (user
// kubernetes-admin, group system:masters).
Result<std::string, api::CertificateError> secure_kubeconfig_text(std::string_view server, const api::CertificateAuthority& authority,
                                                        Time now);

}  // namespace kubemu::server

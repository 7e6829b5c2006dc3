// The kubeconfig text; see the header.
#include "server/kubeconfig.h"

#include "api/values/text.h"

namespace kubemu::server {
namespace {

// `cluster` and `user` are lines of YAML, indented by four blanks.
std::string text_of(std::string_view server, const std::string& cluster, const std::string& user) {
    return "apiVersion: v1\nkind: Config\nclusters:\n- name: kubemu\n  cluster:\n    server: " + std::string(server) + "\n" + cluster +
           "users:\n- name: kubemu\n  user:" + user +
           "contexts:\n- name: kubemu\n  context:\n    cluster: kubemu\n    user: kubemu\ncurrent-context: kubemu\n";
}

}  // namespace

// Clients that are careful (the JavaScript one) take a server without TLS only where nothing is to be verified.
std::string kubeconfig_text(std::string_view server) {
    return text_of(server, server.starts_with("http://") ? "    insecure-skip-tls-verify: true\n" : "", " {}\n");
}

Result<std::string, api::CertificateError> secure_kubeconfig_text(std::string_view server, const api::CertificateAuthority& authority,
                                                        Time now) {
    TRY_ASSIGN(const api::KeyPair pair, authority.issue({.common_name = "kubernetes-admin",
                                                         .organizations = {"system:masters"},
                                                         .alternative_names = {},
                                                         .purpose = "client auth",
                                                         .now = now}));
    const auto line = [](const char* name, const std::string& pem) {
        return "    " + std::string(name) + ": " + api::base64_encode(pem) + "\n";
    };
    return text_of(server, line("certificate-authority-data", authority.certificate()),
                   "\n" + line("client-certificate-data", pair.certificate) + line("client-key-data", pair.key));
}

}  // namespace kubemu::server

// Rules of the signers.
#include "controllers/certificates/requests.h"

#include <nlohmann/json.hpp>
#include <set>

#include "api/values/text.h"

namespace kubemu::controllers {
namespace {

// Requests of RSA keys name key encipherment too, others need not.
std::string usages_error(const std::vector<std::string>& usages, const std::string& purpose) {
    const std::set<std::string> asked(usages.begin(), usages.end());
    const std::set<std::string> least = {"digital signature", purpose};
    std::set<std::string> most = least;
    most.insert("key encipherment");
    if (asked == least || asked == most) return {};
    return "usages did not match [" + api::join(std::vector<std::string>(most.begin(), most.end()), " ") + "]";
}

std::string subject_error(const api::CertificateRequest& request) {
    constexpr std::string_view prefix = "system:node:";
    if (request.common_name.compare(0, prefix.size(), prefix) == 0) return {};
    return "subject common name does not begin with system:node:";
}

const std::vector<std::string> nodes = {"system:nodes"};
constexpr const char* not_of_nodes = "subject organization is not system:nodes";

}  // namespace

const api::Json* true_condition(const api::Json& request, std::string_view type) {
    for (const api::Json& condition : api::array_at(request, {"status", "conditions"})) {
        // Those of certificates.k8s.io/v1beta1 had no status and meant True.
        if (api::string_at(condition, {"type"}) == type && api::string_at(condition, {"status"}, "True") == "True") return &condition;
    }
    return nullptr;
}

bool is_issued(const api::Json& request) { return !api::string_at(request, {"status", "certificate"}).empty(); }

std::string request_pem(const api::Json& request) {
    std::string pem;
    api::base64_decode(api::string_at(request, {"spec", "request"}), pem);
    return pem;
}

std::vector<std::string> usages_of(const api::Json& request) {
    std::vector<std::string> usages;
    for (const api::Json& usage : api::array_at(request, {"spec", "usages"})) usages.push_back(usage.get<std::string>());
    return usages;
}

std::string kubelet_client_error(const api::CertificateRequest& request, const std::vector<std::string>& usages) {
    if (request.organizations != nodes) return not_of_nodes;
    if (request.dns_names > 0) return "DNS subjectAltNames are not allowed";
    if (request.email_addresses > 0) return "Email subjectAltNames are not allowed";
    if (request.ip_addresses > 0) return "IP subjectAltNames are not allowed";
    if (request.uris > 0) return "URI subjectAltNames are not allowed";
    if (std::string wrong = subject_error(request); !wrong.empty()) return wrong;
    return usages_error(usages, "client auth");
}

std::string kubelet_serving_error(const api::CertificateRequest& request, const std::vector<std::string>& usages) {
    if (request.organizations != nodes) return not_of_nodes;
    if (request.dns_names == 0 && request.ip_addresses == 0) return "DNS or IP subjectAltName is required";
    if (request.email_addresses > 0) return "Email subjectAltNames are not allowed";
    if (request.uris > 0) return "URI subjectAltNames are not allowed";
    if (std::string wrong = usages_error(usages, "server auth"); !wrong.empty()) return wrong;
    return subject_error(request);
}

std::string api_client_error(const std::vector<std::string>& usages) {
    bool client = false;
    for (const std::string& usage : usages) {
        if (usage == "client auth") client = true;
        else if (usage != "digital signature" && usage != "key encipherment") return "invalid usage for client certificate: " + usage;
    }
    return client ? "" : "missing required usage for client certificate: client auth";
}

}  // namespace kubemu::controllers

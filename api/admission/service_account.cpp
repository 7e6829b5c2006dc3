// ServiceAccount: every pod runs as an account, with its token and its credentials for images
// (kubernetes plugin/pkg/admission/serviceaccount).
#include <nlohmann/json.hpp>
#include <set>

#include "api/admission/chain.h"
#include "api/admission/lookup_name.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

constexpr const char* token_path = "/var/run/secrets/kubernetes.io/serviceaccount";
constexpr std::string_view token_volume_prefix = "kube-api-access-";
// An hour and a bit: clients that do not refresh tokens are noticed before these end
// (WarnOnlyBoundTokenExpirationSeconds).
constexpr int token_seconds = 3607;

bool is_mirror(const Json& pod) {
    return find(object_at(pod, {"metadata", "annotations"}), "kubernetes.io/config.mirror") != nullptr;
}

ApiResult<Json> account_of(const AdmissionRequest& request, const std::string& name) {
    if (const std::string wrong = unusable_name(name); !wrong.empty()) {
        return request.forbidden("error looking up service account " + std::string(request.namespace_name) + "/" + name +
                                 ": " + wrong);
    }
    const storage::RecordPtr record = request.lookup.get("serviceaccounts", request.namespace_name, name);
    if (record != nullptr) return request.lookup.document(*record);
    return request.forbidden("error looking up service account " + std::string(request.namespace_name) + "/" + name +
                             ": serviceaccount " + go_quote(name) + " not found");
}

// Mounts the volume where nothing is mounted yet; true when a container has got it.
bool mount(Json& spec, const char* list, const std::string& volume) {
    Json* containers = find(spec, list);
    if (containers == nullptr || !containers->is_array()) return false;
    bool used = false;
    for (Json& container : *containers) {
        Json& mounts = container["volumeMounts"];
        if (!mounts.is_array()) mounts = Json::array();
        bool taken = false;
        for (const Json& each : mounts) taken = taken || string_at(each, {"mountPath"}) == token_path;
        if (taken) continue;
        mounts.push_back({{"name", volume}, {"readOnly", true}, {"mountPath", token_path}});
        used = true;
    }
    return used;
}

Json token_volume(const std::string& name) {
    Json sources = Json::array();
    sources.push_back({{"serviceAccountToken", {{"expirationSeconds", token_seconds}, {"path", "token"}}}});
    sources.push_back(
        {{"configMap",
          {{"name", "kube-root-ca.crt"}, {"items", Json::array({{{"key", "ca.crt"}, {"path", "ca.crt"}}})}}}});
    const Json field = {{"path", "namespace"},
                        {"fieldRef", {{"apiVersion", "v1"}, {"fieldPath", "metadata.namespace"}}}};
    sources.push_back({{"downwardAPI", {{"items", Json::array({field})}}}});
    return {{"name", name}, {"projected", {{"sources", std::move(sources)}, {"defaultMode", 420}}}};
}

void mount_token(Json& spec, Random& random) {
    std::string volume;
    for (const Json& each : array_at(spec, {"volumes"})) {
        const std::string_view name = string_at(each, {"name"});
        if (name.starts_with(token_volume_prefix) && volume.empty()) volume = name;
    }
    const bool present = !volume.empty();
    if (!present) volume = std::string(token_volume_prefix) + random.suffix("token-volume");
    const bool in_init = mount(spec, "initContainers", volume);
    const bool in_containers = mount(spec, "containers", volume);
    if (present || (!in_init && !in_containers)) return;
    Json& volumes = spec["volumes"];
    if (!volumes.is_array()) volumes = Json::array();
    volumes.push_back(token_volume(volume));
}

// An account may bind its pods to the Secrets that it lists.
bool enforces_mountable_secrets(const Json& account) {
    const std::string_view value =
        string_at(account, {"metadata", "annotations", "kubernetes.io/enforce-mountable-secrets"});
    return value == "true" || value == "True" || value == "TRUE" || value == "1" || value == "t" || value == "T";
}

class SecretLimits {
  public:
    explicit SecretLimits(const Json& account) : name_(name_of(account)) {
        for (const Json& secret : array_at(account, {"secrets"})) secrets_.emplace(string_at(secret, {"name"}));
        for (const Json& secret : array_at(account, {"imagePullSecrets"}))
            pull_secrets_.emplace(string_at(secret, {"name"}));
    }

    // What is not allowed; empty when all is.
    std::string of_pod(const Json& spec) const {
        for (const Json& volume : array_at(spec, {"volumes"})) {
            const std::string secret(string_at(volume, {"secret", "secretName"}));
            if (find(volume, "secret") == nullptr || secrets_.contains(secret)) continue;
            return "volume with secret.secretName=\"" + secret + "\" is not allowed because service account " + name_ +
                   " does not reference that secret";
        }
        for (const auto& [list, what] :
             {std::pair("initContainers", "init container "), std::pair("containers", "container ")}) {
            if (std::string why = of_containers(array_at(spec, {list}), what); !why.empty()) return why;
        }
        std::size_t i = 0;
        for (const Json& secret : array_at(spec, {"imagePullSecrets"})) {
            const std::string name(string_at(secret, {"name"}));
            const std::string at = "imagePullSecrets[" + std::to_string(i++) + "].name=\"" + name + "\"";
            if (pull_secrets_.contains(name)) continue;
            return at + " is not allowed because service account " + name_ + " does not reference that imagePullSecret";
        }
        return {};
    }

    std::string of_containers(const Json& containers, const std::string& what) const {
        for (const Json& container : containers) {
            const std::string who = what + std::string(string_at(container, {"name"}));
            for (const Json& variable : array_at(container, {"env"})) {
                if (find(variable, {"valueFrom", "secretKeyRef"}) == nullptr) continue;
                const std::string secret(string_at(variable, {"valueFrom", "secretKeyRef", "name"}));
                if (!secrets_.contains(secret)) {
                    return refused(who + " with envVar " + std::string(string_at(variable, {"name"})) + " referencing",
                                   secret);
                }
            }
            for (const Json& source : array_at(container, {"envFrom"})) {
                if (find(source, "secretRef") == nullptr) continue;
                const std::string secret(string_at(source, {"secretRef", "name"}));
                if (!secrets_.contains(secret)) return refused(who + " with envFrom referencing", secret);
            }
        }
        return {};
    }

  private:
    std::string refused(const std::string& who, const std::string& secret) const {
        return who + " secret.secretName=\"" + secret + "\" is not allowed because service account " + name_ +
               " does not reference that secret";
    }

    std::string name_;
    std::set<std::string> secrets_, pull_secrets_;
};

ApiResult<bool> check_mirror(const AdmissionRequest& request, const Json& spec) {
    if (!string_at(spec, {"serviceAccountName"}).empty()) {
        return request.forbidden("a mirror pod may not reference service accounts");
    }
    for (const Json& volume : array_at(spec, {"volumes"})) {
        if (find(volume, "secret") != nullptr) return request.forbidden("a mirror pod may not reference secrets");
        for (const Json& source : array_at(volume, {"projected", "sources"})) {
            if (find(source, "serviceAccountToken") != nullptr) {
                return request.forbidden("a mirror pod may not use ServiceAccountToken volume projections");
            }
        }
    }
    return true;
}

}  // namespace

ApiResult<bool> service_account_mutate(AdmissionRequest& request) {
    if (!request.creates("pods") || is_mirror(*request.object)) return true;
    Json& spec = ensure(*request.object, {"spec"});
    std::string name(string_at(spec, {"serviceAccountName"}));
    if (name.empty()) name = string_at(spec, {"serviceAccount"}, "default");
    spec["serviceAccountName"] = name;
    spec["serviceAccount"] = name;
    TRY_ASSIGN(const Json account, account_of(request, name));
    const bool by_account = bool_at(account, {"automountServiceAccountToken"}, true);
    if (bool_at(spec, {"automountServiceAccountToken"}, by_account)) mount_token(spec, request.random);
    const Json& pull_secrets = array_at(account, {"imagePullSecrets"});
    if (array_at(spec, {"imagePullSecrets"}).empty() && !pull_secrets.empty()) {
        Json names = Json::array();
        for (const Json& secret : pull_secrets) names.push_back({{"name", string_at(secret, {"name"})}});
        spec["imagePullSecrets"] = std::move(names);
    }
    return true;
}

ApiResult<bool> service_account_validate(AdmissionRequest& request) {
    const bool debugs = request.is("pods") && request.subresource == "ephemeralcontainers";
    if (!request.creates("pods") && !debugs) return true;
    const Json& spec = object_at(*request.object, {"spec"});
    if (is_mirror(*request.object) && !debugs) return check_mirror(request, spec);
    const std::string name(string_at(spec, {"serviceAccountName"}));
    if (name.empty()) {
        return request.forbidden("no service account specified for pod " + std::string(request.namespace_name) + "/" +
                                 std::string(name_of(*request.object)));
    }
    TRY_ASSIGN(const Json account, account_of(request, name));
    if (!enforces_mountable_secrets(account)) return true;
    const SecretLimits limits(account);
    const std::string why = debugs
                                ? limits.of_containers(array_at(spec, {"ephemeralContainers"}), "ephemeral container ")
                                : limits.of_pod(spec);
    if (!why.empty()) return request.forbidden(why);
    return true;
}

}  // namespace kubemu::api

// NamespaceLifecycle, ServiceAccount, DefaultTolerationSeconds, Priority, DefaultStorageClass, storage object protection.
#include "api/admission/chain.h"

#include <nlohmann/json.hpp>

#include "api/kinds/views.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

ApiResult<bool> namespace_lifecycle(const Json& object, const HookContext& context) {
    if (!context.kind.namespaced) return true;
    const auto space = context.lookup.get("namespaces", {}, context.namespace_name);
    if (!space) return Status::not_found({}, "namespaces", context.namespace_name);
    if (!view_of(*space).deleting) return true;
    const std::string name(context.namespace_name);
    StatusDetail detail = *Status::forbidden(context.kind.group, context.kind.plural, name_of(object),
                                             "unable to create new content in namespace " + name + " because it is being terminated");
    detail.causes.push_back({"NamespaceTerminating", "namespace " + name + " is being terminated", "metadata.namespace"});
    return Status(std::move(detail));
}

void mount_token(Json& containers, const std::string& volume) {
    for (Json& container : containers) {
        Json& mounts = container["volumeMounts"];
        if (!mounts.is_array()) mounts = Json::array();
        bool mounted = false;
        for (const Json& mount : mounts) {
            if (string_at(mount, {"mountPath"}) == "/var/run/secrets/kubernetes.io/serviceaccount") mounted = true;
        }
        if (mounted) continue;
        mounts.push_back({{"name", volume}, {"readOnly", true}, {"mountPath", "/var/run/secrets/kubernetes.io/serviceaccount"}});
    }
}

ApiResult<bool> service_account(Json& object, const HookContext& context) {
    Json& spec = object["spec"];
    std::string account(string_at(spec, {"serviceAccountName"}));
    if (account.empty()) account = "default";
    spec["serviceAccountName"] = account;
    spec["serviceAccount"] = account;
    const auto record = context.lookup.get("serviceaccounts", context.namespace_name, account);
    if (!record) {
        return Status::forbidden({}, "pods", name_of(object),
                                 "error looking up service account " + std::string(context.namespace_name) + "/" + account +
                                     ": serviceaccount " + go_quote(account) + " not found");
    }
    bool mount = true;
    const Json document = context.lookup.document(*record);
    mount = bool_at(document, {"automountServiceAccountToken"}, true);
    mount = bool_at(spec, {"automountServiceAccountToken"}, mount);
    if (!mount) return true;
    for (const Json& volume : array_at(spec, {"volumes"})) {
        if (string_at(volume, {"name"}).substr(0, 16) == "kube-api-access-") return true;
    }
    const std::string volume = "kube-api-access-" + context.random.suffix("token-volume");
    Json sources = Json::array();
    sources.push_back({{"serviceAccountToken", {{"expirationSeconds", 3607}, {"path", "token"}}}});
    sources.push_back({{"configMap", {{"name", "kube-root-ca.crt"}, {"items", Json::array({{{"key", "ca.crt"}, {"path", "ca.crt"}}})}}}});
    sources.push_back({{"downwardAPI",
                        {{"items", Json::array({{{"path", "namespace"},
                                                 {"fieldRef", {{"apiVersion", "v1"}, {"fieldPath", "metadata.namespace"}}}}})}}}});
    Json& volumes = spec["volumes"];
    if (!volumes.is_array()) volumes = Json::array();
    volumes.push_back({{"name", volume}, {"projected", {{"sources", std::move(sources)}, {"defaultMode", 420}}}});
    mount_token(spec["containers"], volume);
    if (find(spec, "initContainers") != nullptr) mount_token(spec["initContainers"], volume);
    return true;
}

void default_toleration_seconds(Json& object) {
    Json& tolerations = object["spec"]["tolerations"];
    if (!tolerations.is_array()) tolerations = Json::array();
    for (const char* key : {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}) {
        bool tolerated = false;
        for (const Json& toleration : tolerations) {
            const std::string_view have = string_at(toleration, {"key"}), effect = string_at(toleration, {"effect"});
            if ((have == key || have.empty()) && (effect == "NoExecute" || effect.empty())) tolerated = true;
        }
        if (!tolerated) {
            tolerations.push_back({{"key", key}, {"operator", "Exists"}, {"effect", "NoExecute"}, {"tolerationSeconds", 300}});
        }
    }
}

ApiResult<bool> priority(Json& object, const HookContext& context) {
    Json& spec = object["spec"];
    const std::string name(string_at(spec, {"priorityClassName"}));
    std::int64_t value = 0;
    std::string policy = "PreemptLowerPriority";
    if (!name.empty()) {
        const auto record = context.lookup.get("priorityclasses.scheduling.k8s.io", {}, name);
        if (!record) {
            return Status::forbidden({}, "pods", name_of(object), "no PriorityClass with name " + name + " was found");
        }
        const Json document = context.lookup.document(*record);
        value = int_at(document, {"value"});
        policy = string_at(document, {"preemptionPolicy"}, policy);
    } else {
        for (const auto& record : context.lookup.list("priorityclasses.scheduling.k8s.io", {})) {
            const Json document = context.lookup.document(*record);
            if (!bool_at(document, {"globalDefault"})) continue;
            value = int_at(document, {"value"});
            policy = string_at(document, {"preemptionPolicy"}, policy);
            spec["priorityClassName"] = name_of(document);
        }
    }
    spec["priority"] = value;
    if (string_at(spec, {"preemptionPolicy"}).empty()) spec["preemptionPolicy"] = policy;
    return true;
}

void default_storage_class(Json& object, const HookContext& context) {
    Json& spec = object["spec"];
    if (find(spec, "storageClassName") != nullptr) return;
    if (find(object_at(object, {"metadata", "annotations"}), "volume.beta.kubernetes.io/storage-class") != nullptr) return;
    for (const auto& record : context.lookup.list("storageclasses.storage.k8s.io", {})) {
        const Json document = context.lookup.document(*record);
        if (string_at(document, {"metadata", "annotations", "storageclass.kubernetes.io/is-default-class"}) == "true") {
            spec["storageClassName"] = name_of(document);
        }
    }
}

void protect(Json& object, const char* finalizer) {
    Json& finalizers = object["metadata"]["finalizers"];
    if (!finalizers.is_array()) finalizers = Json::array();
    for (const Json& have : finalizers) {
        if (have == finalizer) return;
    }
    finalizers.push_back(finalizer);
}

}  // namespace

ApiResult<bool> admit_create(Json& object, const HookContext& context) {
    TRY(namespace_lifecycle(object, context));
    if (context.kind.resource == "pods") {
        TRY(service_account(object, context));
        default_toleration_seconds(object);
        TRY(priority(object, context));
    } else if (context.kind.resource == "persistentvolumeclaims") {
        default_storage_class(object, context);
        protect(object, "kubernetes.io/pvc-protection");
    } else if (context.kind.resource == "persistentvolumes") {
        protect(object, "kubernetes.io/pv-protection");
    }
    return true;
}

}  // namespace kubemu::api

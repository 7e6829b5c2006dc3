// Each place of a pod in which the name of a Secret may stand.
#include "controllers/legacy_token_cleaner/secret_names.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace kubemu::controllers {
namespace {

using api::Json;

bool container_names(const Json& container, std::string_view secret) {
    for (const Json& source : api::array_at(container, {"envFrom"})) {
        if (api::string_at(source, {"secretRef", "name"}) == secret) return true;
    }
    const Json& variables = api::array_at(container, {"env"});
    return std::any_of(variables.begin(), variables.end(), [secret](const Json& variable) {
        return api::string_at(variable, {"valueFrom", "secretKeyRef", "name"}) == secret;
    });
}

bool volume_names(const Json& volume, std::string_view secret) {
    if (api::string_at(volume, {"secret", "secretName"}) == secret) return true;
    if (api::string_at(volume, {"azureFile", "secretName"}) == secret) return true;
    if (api::string_at(volume, {"csi", "nodePublishSecretRef", "name"}) == secret) return true;
    for (const char* kind : {"cephfs", "cinder", "flexVolume", "rbd", "scaleIO", "iscsi", "storageos"}) {
        if (api::string_at(volume, {kind, "secretRef", "name"}) == secret) return true;
    }
    const Json& sources = api::array_at(volume, {"projected", "sources"});
    return std::any_of(sources.begin(), sources.end(),
                       [secret](const Json& source) { return api::string_at(source, {"secret", "name"}) == secret; });
}

}  // namespace

bool pod_names_secret(const Json& pod, std::string_view secret_name) {
    for (const Json& reference : api::array_at(pod, {"spec", "imagePullSecrets"})) {
        if (api::string_at(reference, {"name"}) == secret_name) return true;
    }
    for (const char* list : {"containers", "initContainers", "ephemeralContainers"}) {
        for (const Json& container : api::array_at(pod, {"spec", list})) {
            if (container_names(container, secret_name)) return true;
        }
    }
    const Json& volumes = api::array_at(pod, {"spec", "volumes"});
    return std::any_of(volumes.begin(), volumes.end(),
                       [secret_name](const Json& volume) { return volume_names(volume, secret_name); });
}

}  // namespace kubemu::controllers

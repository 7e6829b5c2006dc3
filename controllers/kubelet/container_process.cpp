// What a container gets from its pod: environment, files of volumes, and names on the cluster's network.
#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "api/kinds/networking/service_networks.h"
#include "api/values/quantity.h"
#include "api/values/text.h"
#include "controllers/kubelet/image_catalog.h"
#include "controllers/kubelet/pod_worker.h"

namespace kubemu::controllers::kubelet {

using api::array_at;
using api::Json;
using api::object_at;
using api::string_at;

namespace {

// What stands behind a fieldRef; nothing when the path names no field.
std::optional<std::string> field_value(const Json& pod, std::string_view path, const std::string& pod_ip, const std::string& host_ip) {
    const auto subscript = [&](std::string_view prefix) -> std::optional<std::string> {
        if (path.substr(0, prefix.size()) != prefix || path.size() < prefix.size() + 4) return std::nullopt;
        return std::string(path.substr(prefix.size() + 2, path.size() - prefix.size() - 4));  // ['key']
    };
    if (const auto key = subscript("metadata.annotations")) return std::string(string_at(pod, {"metadata", "annotations", *key}));
    if (const auto key = subscript("metadata.labels")) return std::string(string_at(pod, {"metadata", "labels", *key}));
    if (path == "metadata.labels" || path == "metadata.annotations") {
        std::string text;
        for (const auto& [key, value] : object_at(pod, {"metadata", path.substr(9)}).items())
            if (value.is_string()) text += key + "=" + api::go_quote(value.get_ref<const std::string&>()) + "\n";
        return text;
    }
    if (path == "metadata.name") return std::string(api::name_of(pod));
    if (path == "metadata.namespace") return std::string(api::namespace_of(pod));
    if (path == "metadata.uid") return std::string(api::uid_of(pod));
    if (path == "spec.nodeName") return std::string(string_at(pod, {"spec", "nodeName"}));
    if (path == "spec.serviceAccountName") return std::string(string_at(pod, {"spec", "serviceAccountName"}));
    if (path == "status.hostIP" || path == "status.hostIPs") return host_ip;
    if (path == "status.podIP" || path == "status.podIPs") return pod_ip;
    return std::nullopt;
}

// A container's limit or request in units of the divisor; the node's capacity where no limit is set.
std::string resource_value(const Json& pod, const Json& own, const Json& reference) {
    const Json* container = &own;
    const auto name = string_at(reference, {"containerName"});
    for (const Json& other : array_at(pod, {"spec", "containers"}))
        if (!name.empty() && string_at(other, {"name"}) == name) container = &other;
    const std::string_view resource = string_at(reference, {"resource"});
    const auto dot = resource.find('.');
    const std::string_view list = resource.substr(0, dot), member = dot == resource.npos ? "" : resource.substr(dot + 1);
    const bool cpu = member == "cpu";
    const Json* amount = api::find(*container, {"resources", list, member});
    auto quantity = api::Quantity::parse(amount != nullptr && amount->is_string() ? amount->get<std::string>()
                                         : list == "requests"                     ? "0"
                                         : cpu                                    ? "8"
                                                                                  : "32Gi");
    const auto divisor = api::Quantity::parse(string_at(reference, {"divisor"}, "1"));
    if (!quantity) return "0";
    const std::int64_t unit = divisor && !divisor->is_zero() ? (cpu ? divisor->milli_value() : divisor->value()) : cpu ? 1000 : 1;
    const std::int64_t value = cpu ? quantity->milli_value() : quantity->value();
    return std::to_string((value + unit - 1) / unit);
}

// The keys of a ConfigMap or Secret as text; null when it does not exist.
std::optional<std::map<std::string, std::string>> config_data(const api::Registry& registry, std::string_view resource,
                                                              std::string_view namespace_name, std::string_view name) {
    const auto record = registry.get(resource, namespace_name, name);
    if (record == nullptr) return std::nullopt;
    const Json document = registry.document(*record);
    std::map<std::string, std::string> data;
    const bool secret = resource == "secrets";
    for (const auto& [key, value] : object_at(document, {"data"}).items()) {
        if (!value.is_string()) continue;
        std::string text = value.get<std::string>(), decoded;
        if (secret && api::base64_decode(text, decoded)) text = decoded;
        data[key] = std::move(text);
    }
    for (const auto& [key, value] : object_at(document, {"binaryData"}).items()) {
        std::string decoded;
        if (value.is_string() && api::base64_decode(value.get_ref<const std::string&>(), decoded)) data[key] = decoded;
    }
    return data;
}

struct ConfigSource {
    std::string_view resource, word, name;
    bool optional = false;
};

// A volume's or projection's ConfigMap or Secret; an empty name when it has neither.
ConfigSource config_source(const Json& owner, bool projection) {
    if (const Json* map = api::find(owner, "configMap"))
        return {"configmaps", "configmap", string_at(*map, {"name"}), api::bool_at(*map, {"optional"})};
    if (const Json* secret = api::find(owner, "secret"))
        return {"secrets", "secret", string_at(*secret, {projection ? "name" : "secretName"}), api::bool_at(*secret, {"optional"})};
    return {};
}

void fill_config(const Json& owner, bool projection, const std::string& namespace_name, const api::Registry& registry, Files& files) {
    const ConfigSource source = config_source(owner, projection);
    if (source.name.empty()) return;
    const auto data = config_data(registry, source.resource, namespace_name, source.name);
    if (!data) return;
    const Json& items = array_at(owner, {source.resource == "secrets" ? "secret" : "configMap", "items"});
    if (items.empty()) {
        for (const auto& [key, value] : *data) files["/" + key] = value;
        return;
    }
    for (const Json& item : items) {
        const auto found = data->find(std::string(string_at(item, {"key"})));
        if (found != data->end()) files["/" + std::string(string_at(item, {"path"}))] = found->second;
    }
}

void fill_downward(const Json& source, const Json& pod, const std::string& pod_ip, const std::string& host_ip, Files& files) {
    static const Json nothing = Json::object();
    for (const Json& item : array_at(source, {"items"})) {
        std::string value;
        if (const Json* field = api::find(item, "fieldRef"))
            value = field_value(pod, string_at(*field, {"fieldPath"}), pod_ip, host_ip).value_or("");
        else if (const Json* reference = api::find(item, "resourceFieldRef"))
            value = resource_value(pod, nothing, *reference);
        files["/" + std::string(string_at(item, {"path"}))] = value;
    }
}

std::string env_name(std::string_view service) {
    std::string name(service);
    for (char& c : name) c = c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    return name;
}

void add_service(const Json& service, std::string_view name, std::map<std::string, std::string>& env) {
    const std::string ip(string_at(service, {"spec", "clusterIP"}));
    if (ip.empty() || ip == "None") return;
    const std::string prefix = env_name(name);
    bool first = true;
    for (const Json& port : array_at(service, {"spec", "ports"})) {
        const std::string number = std::to_string(api::int_at(port, {"port"}));
        const std::string protocol(string_at(port, {"protocol"}, "TCP"));
        const std::string url = api::lower(protocol) + "://" + ip + ":" + number;
        if (first) {
            env[prefix + "_SERVICE_HOST"] = ip;
            env[prefix + "_SERVICE_PORT"] = number;
            env[prefix + "_PORT"] = url;
        }
        if (const auto port_name = string_at(port, {"name"}); !port_name.empty())
            env[prefix + "_SERVICE_PORT_" + env_name(port_name)] = number;
        const std::string long_name = prefix + "_PORT_" + number + "_" + protocol;
        env[long_name] = url;
        env[long_name + "_PROTO"] = api::lower(protocol);
        env[long_name + "_PORT"] = number;
        env[long_name + "_ADDR"] = ip;
        first = false;
    }
}

// NAME='value' lines; the value may go over several of them.
std::map<std::string, std::string> read_env_file(std::string_view text) {
    std::map<std::string, std::string> values;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        const auto equals = line.find('=');
        if (equals == line.npos || line[0] == '#') {
            text.remove_prefix(std::min(line.size() + 1, text.size()));
            continue;
        }
        const std::string name(api::trim(line.substr(0, equals)));
        text.remove_prefix(equals + 1);
        const char quote = !text.empty() && (text[0] == '\'' || text[0] == '"') ? text[0] : '\n';
        if (quote != '\n') text.remove_prefix(1);
        const auto end = std::min(text.find(quote), text.size());
        values[name] = std::string(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return values;
}

// A variable from a file that a container before has left in a volume; without it, the container cannot be made.
bool add_from_file(const Json& reference, const std::string& name, const Volumes* volumes, ContainerSetup& setup) {
    if (volumes == nullptr) return true;
    const std::string path(string_at(reference, {"path"})), key(string_at(reference, {"key"}));
    const auto volume = volumes->find(std::string(string_at(reference, {"volumeName"})));
    if (volume != volumes->end() && volume->second != nullptr) {
        const auto file = volume->second->find(FileSystem::normalized(path));
        if (file != volume->second->end()) {
            const auto values = read_env_file(file->second);
            if (const auto found = values.find(key); found != values.end()) {
                setup.env[name] = found->second;
                return true;
            }
        }
    }
    if (api::bool_at(reference, {"optional"})) return true;
    setup.error = "environment variable key \"" + key + "\" not found in file \"" + path + "\"";
    return false;
}

}  // namespace

std::string expand_references(std::string_view text, const std::map<std::string, std::string>& env) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '$' || i + 1 >= text.size()) {
            result += text[i];
        } else if (text[i + 1] == '$') {
            result += '$';
            ++i;
        } else if (const auto end = text.find(')', i); text[i + 1] == '(' && end != text.npos) {
            const auto found = env.find(std::string(text.substr(i + 2, end - i - 2)));
            if (found != env.end()) result += found->second;
            else result += text.substr(i, end - i + 1);
            i = end;
        } else {
            result += text[i];
        }
    }
    return result;
}

ContainerSetup resolve_environment(const Json& pod, const Json& container, const std::string& pod_ip, const std::string& host_ip,
                                   const api::Registry& registry, bool with_services, const Volumes* volumes) {
    ContainerSetup setup;
    const std::string namespace_name(api::namespace_of(pod));
    if (with_services) {
        setup.env["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        setup.env["HOSTNAME"] = string_at(pod, {"spec", "hostname"}, api::name_of(pod));
        setup.env["HOME"] = "/root";
        if (const auto record = registry.get("services", "default", "kubernetes"))
            add_service(registry.document(*record), "kubernetes", setup.env);
        if (api::bool_at(pod, {"spec", "enableServiceLinks"}, true)) {
            for (const auto& record : registry.list("services", namespace_name))
                add_service(registry.document(*record), api::view_of(*record).name, setup.env);
        }
    }
    for (const Json& source : array_at(container, {"envFrom"})) {
        const bool secret = api::find(source, "secretRef") != nullptr;
        const Json& reference = object_at(source, {secret ? "secretRef" : "configMapRef"});
        const std::string name(string_at(reference, {"name"}));
        const auto data = config_data(registry, secret ? "secrets" : "configmaps", namespace_name, name);
        if (!data && !api::bool_at(reference, {"optional"})) {
            setup.error = (secret ? "secret \"" : "configmap \"") + name + "\" not found";
            return setup;
        }
        if (!data) continue;
        for (const auto& [key, value] : *data) setup.env[std::string(string_at(source, {"prefix"})) + key] = value;
    }
    for (const Json& variable : array_at(container, {"env"})) {
        const std::string name(string_at(variable, {"name"}));
        const Json& from = object_at(variable, {"valueFrom"});
        if (from.empty()) {
            setup.env[name] = expand_references(string_at(variable, {"value"}), setup.env);
        } else if (const Json* field = api::find(from, "fieldRef")) {
            setup.env[name] = field_value(pod, string_at(*field, {"fieldPath"}), pod_ip, host_ip).value_or("");
        } else if (const Json* resource = api::find(from, "resourceFieldRef")) {
            setup.env[name] = resource_value(pod, container, *resource);
        } else if (const Json* file = api::find(from, "fileKeyRef")) {
            if (!add_from_file(*file, name, volumes, setup)) return setup;
        } else {
            const bool secret = api::find(from, "secretKeyRef") != nullptr;
            const Json& reference = object_at(from, {secret ? "secretKeyRef" : "configMapKeyRef"});
            const std::string source(string_at(reference, {"name"})), key(string_at(reference, {"key"}));
            const auto data = config_data(registry, secret ? "secrets" : "configmaps", namespace_name, source);
            const bool optional = api::bool_at(reference, {"optional"});
            if (!data) {
                if (optional) continue;
                setup.error = (secret ? "secret \"" : "configmap \"") + source + "\" not found";
                return setup;
            }
            const auto found = data->find(key);
            if (found != data->end()) setup.env[name] = found->second;
            else if (!optional) {
                setup.error = "couldn't find key " + key + " in " + (secret ? "Secret " : "ConfigMap ") + namespace_name + "/" + source;
                return setup;
            }
        }
    }
    for (const Json& mount : array_at(container, {"volumeMounts"})) {
        const auto expression = string_at(mount, {"subPathExpr"});
        if (expression.empty()) continue;
        const std::string path = expand_references(expression, setup.env);
        if (path.find("$(") != std::string::npos) {
            setup.error = "failed to expand subPath: missing value for \"" + path + "\"";
        } else if (!path.empty() && path[0] == '/') {
            setup.error = "subPath should not be an absolute path: must be a relative path: " + path;
        } else if (("/" + path + "/").find("/../") != std::string::npos) {
            setup.error = "subPath must not contain '..': must not contain '..'";
        }
        if (!setup.error.empty()) return setup;
    }
    return setup;
}

std::string missing_volume(const Json& pod, const api::Registry& registry) {
    const std::string_view namespace_name = api::namespace_of(pod);
    const auto check = [&](const Json& owner, bool projection, std::string_view volume) -> std::string {
        const ConfigSource source = config_source(owner, projection);
        if (source.name.empty() || source.optional) return {};
        const std::string prefix = "MountVolume.SetUp failed for volume \"" + std::string(volume) + "\" : ";
        const auto record = registry.get(source.resource, namespace_name, source.name);
        if (record == nullptr) return prefix + std::string(source.word) + " \"" + std::string(source.name) + "\" not found";
        const Json& items = array_at(owner, {source.resource == "secrets" ? "secret" : "configMap", "items"});
        if (items.empty()) return {};
        const auto data = config_data(registry, source.resource, namespace_name, source.name);
        for (const Json& item : items)
            if (data && data->count(std::string(string_at(item, {"key"}))) == 0)
                return prefix + std::string(source.word) + " references non-existent config key: " + std::string(string_at(item, {"key"}));
        return {};
    };
    for (const Json& volume : array_at(pod, {"spec", "volumes"})) {
        const auto name = string_at(volume, {"name"});
        if (std::string problem = check(volume, false, name); !problem.empty()) return problem;
        // kube-root-ca.crt of the token volume comes with its namespace a moment later; nothing reads it.
        if (name.substr(0, 16) == "kube-api-access-") continue;
        for (const Json& source : array_at(volume, {"projected", "sources"}))
            if (std::string problem = check(source, true, name); !problem.empty()) return problem;
    }
    return {};
}

namespace {

// A folder of the node or of a server, which volumes of pods and of the cluster name alike; empty for other volumes.
std::string folder_key(const Json& pod, const Json& volume) {
    if (const Json* folder = api::find(volume, "hostPath"))
        return "node/" + std::string(string_at(pod, {"spec", "nodeName"})) +
               FileSystem::normalized(string_at(*folder, {"path"}));
    if (const Json* share = api::find(volume, "nfs"))
        return "nfs/" + std::string(string_at(*share, {"server"})) +
               FileSystem::normalized(string_at(*share, {"path"}));
    return {};
}

// What outlives the pod: the volume behind a claim, a folder; empty for what does not.
std::string lasting_key(const Json& pod, const Json& volume, const api::Registry& registry) {
    if (std::string folder = folder_key(pod, volume); !folder.empty()) return folder;
    std::string claim(string_at(volume, {"persistentVolumeClaim", "claimName"}));
    if (api::find(volume, "ephemeral") != nullptr)
        claim = std::string(api::name_of(pod)) + "-" + std::string(string_at(volume, {"name"}));
    const auto record = claim.empty() ? nullptr : registry.get("persistentvolumeclaims", api::namespace_of(pod), claim);
    if (record == nullptr) return {};
    const std::string bound(string_at(registry.document(*record), {"spec", "volumeName"}));
    const auto behind = bound.empty() ? nullptr : registry.get("persistentvolumes", "", bound);
    if (behind == nullptr) return {};
    const Json document = registry.document(*behind);
    // What was provisioned is wherever its pod is.
    const bool anywhere =
        api::find(document, {"metadata", "annotations", "pv.kubernetes.io/provisioned-by"}) != nullptr;
    std::string folder = anywhere ? std::string() : folder_key(pod, api::object_at(document, {"spec"}));
    return folder.empty() ? "volume/" + bound + "/" + api::view_of(*behind).uid : folder;
}

// Where the kubelet has written the files of a volume that comes from the API; nothing for other volumes.
std::shared_ptr<Files> projected_files(const Json& volume, const Json& pod, const std::string& pod_ip,
                                       const std::string& host_ip, const api::Registry& registry) {
    const std::string namespace_name(api::namespace_of(pod));
    auto files = std::make_shared<Files>();
    if (api::find(volume, "configMap") != nullptr || api::find(volume, "secret") != nullptr) {
        fill_config(volume, false, namespace_name, registry, *files);
    } else if (const Json* downward = api::find(volume, "downwardAPI")) {
        fill_downward(*downward, pod, pod_ip, host_ip, *files);
    } else if (const Json* projected = api::find(volume, "projected")) {
        for (const Json& source : array_at(*projected, {"sources"})) {
            fill_config(source, true, namespace_name, registry, *files);
            if (const Json* items = api::find(source, "downwardAPI"))
                fill_downward(*items, pod, pod_ip, host_ip, *files);
            if (const Json* token = api::find(source, "serviceAccountToken"))
                (*files)["/" + std::string(string_at(*token, {"path"}, "token"))] = "simulated-token";
        }
    } else {
        return nullptr;
    }
    return files;
}

}  // namespace

std::shared_ptr<FileSystem> mount_files(const Json& pod, const Json& container, const std::string& pod_ip, const std::string& host_ip,
                                        const api::Registry& registry, LogStore& logs) {
    auto result = std::make_shared<FileSystem>();
    const std::shared_ptr<Volumes> scratch = logs.volumes(std::string(api::uid_of(pod)));
    std::map<std::string, std::string> env;  // made when a path asks for it
    for (const Json& mount : array_at(container, {"volumeMounts"})) {
        const std::string name(string_at(mount, {"name"})), path(string_at(mount, {"mountPath"}));
        const Json* volume = nullptr;
        for (const Json& candidate : array_at(pod, {"spec", "volumes"}))
            if (string_at(candidate, {"name"}) == name) volume = &candidate;
        if (volume == nullptr) continue;
        std::string part(string_at(mount, {"subPath"}));
        if (const auto expression = string_at(mount, {"subPathExpr"}); !expression.empty()) {
            if (env.empty()) env = resolve_environment(pod, container, pod_ip, host_ip, registry, true).env;
            part = expand_references(expression, env);
        }
        const std::string folder = part.empty() ? std::string() : FileSystem::normalized(part);
        if (std::shared_ptr<Files> files = projected_files(*volume, pod, pod_ip, host_ip, registry)) {
            result->mount({path, std::move(files), true, folder.empty(), folder});
            continue;
        }
        std::shared_ptr<Files> files;
        if (const std::string key = lasting_key(pod, *volume, registry); !key.empty()) files = logs.lasting(key);
        else if (auto& shared = (*scratch)[name]; shared != nullptr) files = shared;
        else files = shared = std::make_shared<Files>();
        // A node has an id of its own from the day it was set up.
        if (string_at(*volume, {"hostPath", "path"}) == "/etc/machine-id" && files->empty())
            (*files)["/"] = hex_digits("machine " + std::string(string_at(pod, {"spec", "nodeName"})), 32) + "\n";
        result->mount({path, std::move(files), api::bool_at(mount, {"readOnly"}), false, folder});
    }
    return result;
}

void fill_context(ProcessContext& context, const Json& pod, const Json& container,
                  const api::Registry& registry, LogStore& logs) {
    const std::string pod_ip(string_at(pod, {"status", "podIP"})), host_ip(string_at(pod, {"status", "hostIP"}));
    auto fresh = mount_files(pod, container, pod_ip, host_ip, registry, logs);
    context.files->remount(std::move(*fresh));
    if (context.env.empty()) {
        const std::shared_ptr<Volumes> volumes = logs.volumes(std::string(api::uid_of(pod)));
        context.env = resolve_environment(pod, container, pod_ip, host_ip, registry, true, volumes.get()).env;
    }
    if (context.stop == nullptr) context.stop = std::make_shared<StopRequest>();
    if (context.identity != nullptr && context.identity->pod_ip == pod_ip) return;
    context.identity = std::make_shared<const Identity>(
        identity_of(pod, container, pod_ip, context.host_name, api::kinds::dns_service_address(registry)));
    context.files->belong_to(context.identity);
}

}  // namespace kubemu::controllers::kubelet

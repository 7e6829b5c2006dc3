// What a container gets from its pod: environment, files of volumes, and names on the cluster's network.
#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "api/values/quantity.h"
#include "api/values/text.h"
#include "controllers/kubelet/pod_worker.h"

namespace kubemu::controllers::kubelet {

using api::array_at;
using api::Json;
using api::object_at;
using api::string_at;

namespace {

constexpr std::string_view cluster_domain = "cluster.local";

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

class ClusterNetwork final : public Network {
  public:
    explicit ClusterNetwork(const api::Registry& registry) : registry_(registry) {}

    // `host` is a name as a pod would write it, its namespace already appended where it had none: "web.default",
    // "web.default.svc.cluster.local", or an address.
    Answer resolve(std::string_view host, int port) const override {
        Answer answer;
        if (!host.empty() && host.find_first_not_of("0123456789.") == host.npos) {
            answer.addresses.emplace_back(host);
            by_address(host, port, answer);
            return answer;
        }
        for (const std::string& suffix : {"." + std::string(cluster_domain), std::string(".svc")})
            if (host.size() > suffix.size() && host.substr(host.size() - suffix.size()) == suffix) host.remove_suffix(suffix.size());
        const std::vector<std::string_view> labels = api::split(host, '.');
        if (labels.size() < 2) return answer;
        const std::string_view namespace_name = labels.back(), service_name = labels[labels.size() - 2];
        const auto record = registry_.get("services", namespace_name, service_name);
        if (record == nullptr) return answer;
        const Json service = registry_.document(*record);
        const std::string_view ip = string_at(service, {"spec", "clusterIP"});
        const auto backends = endpoints(namespace_name, service_name, labels.size() > 2 ? labels[0] : std::string_view());
        if (ip == "None" || labels.size() > 2) {
            for (const auto& [address, pod] : backends) answer.addresses.push_back(address);
        } else if (!ip.empty()) {
            answer.addresses.emplace_back(ip);
        } else if (const auto external = string_at(service, {"spec", "externalName"}); !external.empty()) {
            answer.addresses.emplace_back(external);
        }
        const Json& ports = array_at(service, {"spec", "ports"});
        const bool served = ip == "None" || std::any_of(ports.begin(), ports.end(), [&](const Json& entry) {
            return api::int_at(entry, {"port"}) == port;
        });
        answer.reachable = served && !backends.empty();
        if (answer.reachable) answer.server_image = image_of(namespace_name, backends.front().second);
        return answer;
    }

  private:
    // Addresses and names of the pods that are ready behind a service.
    std::vector<std::pair<std::string, std::string>> endpoints(std::string_view namespace_name, std::string_view name, std::string_view host) const {
        std::vector<std::pair<std::string, std::string>> result;
        const auto record = registry_.get("endpoints", namespace_name, name);
        if (record == nullptr) return result;
        const Json document = registry_.document(*record);
        for (const Json& subset : array_at(document, {"subsets"})) {
            for (const Json& address : array_at(subset, {"addresses"})) {
                if (!host.empty() && string_at(address, {"hostname"}) != host) continue;
                result.emplace_back(string_at(address, {"ip"}), string_at(address, {"targetRef", "name"}));
            }
        }
        return result;
    }

    void by_address(std::string_view ip, int port, Answer& answer) const {
        for (const auto& record : registry_.list("services", {})) {
            const Json service = registry_.document(*record);
            if (string_at(service, {"spec", "clusterIP"}) != ip) continue;
            const std::string name = std::string(api::name_of(service)) + "." + std::string(api::namespace_of(service));
            const Answer named = resolve(name, port);
            answer.reachable = named.reachable;
            answer.server_image = named.server_image;
            return;
        }
        for (const auto& record : registry_.list("pods", {})) {
            const api::PodView& pod = api::pod_view_of(*record);
            if (pod.pod_ip != ip || pod.phase != api::PodPhase::running) continue;
            answer.reachable = true;
            answer.server_image = image_of(pod.namespace_name, pod.name);
        }
    }

    std::string image_of(std::string_view namespace_name, std::string_view pod) const {
        const auto record = registry_.get("pods", namespace_name, pod);
        if (record == nullptr) return {};
        const Json document = registry_.document(*record);
        const Json& containers = array_at(document, {"spec", "containers"});
        return containers.empty() ? std::string() : std::string(string_at(containers.front(), {"image"}));
    }

    const api::Registry& registry_;
};

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
                                   const api::Registry& registry, bool with_services) {
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

std::shared_ptr<FileSystem> mount_files(const Json& pod, const Json& container, const std::string& pod_ip, const std::string& host_ip,
                                        const api::Registry& registry, std::map<std::string, std::shared_ptr<Files>>& scratch) {
    auto result = std::make_shared<FileSystem>();
    const std::string namespace_name(api::namespace_of(pod));
    for (const Json& mount : array_at(container, {"volumeMounts"})) {
        const std::string name(string_at(mount, {"name"})), path(string_at(mount, {"mountPath"}));
        const Json* volume = nullptr;
        for (const Json& candidate : array_at(pod, {"spec", "volumes"}))
            if (string_at(candidate, {"name"}) == name) volume = &candidate;
        if (volume == nullptr) continue;
        auto files = std::make_shared<Files>();
        bool read_only = true;
        if (api::find(*volume, "configMap") != nullptr || api::find(*volume, "secret") != nullptr) {
            fill_config(*volume, false, namespace_name, registry, *files);
        } else if (const Json* downward = api::find(*volume, "downwardAPI")) {
            fill_downward(*downward, pod, pod_ip, host_ip, *files);
        } else if (const Json* projected = api::find(*volume, "projected")) {
            for (const Json& source : array_at(*projected, {"sources"})) {
                fill_config(source, true, namespace_name, registry, *files);
                if (const Json* items = api::find(source, "downwardAPI")) fill_downward(*items, pod, pod_ip, host_ip, *files);
                if (const Json* token = api::find(source, "serviceAccountToken"))
                    (*files)["/" + std::string(string_at(*token, {"path"}, "token"))] = "simulated-token";
            }
        } else {
            read_only = api::bool_at(mount, {"readOnly"});
            auto& shared = scratch[name];
            if (shared == nullptr) shared = files;
            files = shared;
        }
        const auto sub_path = string_at(mount, {"subPath"});
        if (!sub_path.empty() && read_only) {
            auto part = std::make_shared<Files>();
            const std::string prefix = "/" + std::string(sub_path);
            for (const auto& [file, content] : *files) {
                if (file == prefix) (*part)["/"] = content;
                else if (file.compare(0, prefix.size() + 1, prefix + "/") == 0) (*part)[file.substr(prefix.size())] = content;
            }
            files = part;
        }
        result->mount(path, files, read_only);
    }
    return result;
}

std::shared_ptr<const Network> make_network(const api::Registry& registry) { return std::make_shared<ClusterNetwork>(registry); }

}  // namespace kubemu::controllers::kubelet

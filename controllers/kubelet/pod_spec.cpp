// Reads a pod's document into the small PodSpec that its worker keeps.
#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "api/kinds/metrics/usage.h"
#include "api/values/quantity.h"
#include "controllers/kubelet/image_catalog.h"
#include "controllers/kubelet/pod_worker.h"

namespace kubemu::controllers::kubelet {

using api::array_at;
using api::int_at;
using api::Json;
using api::object_at;
using api::string_at;

namespace {

std::string port_text(const Json& owner) {
    const Json* port = api::find(owner, "port");
    if (port == nullptr) return {};
    return port->is_string() ? port->get<std::string>() : port->is_number_integer() ? std::to_string(port->get<int>()) : "";
}

std::vector<std::string> strings(const Json& list) {
    std::vector<std::string> result;
    for (const Json& item : list)
        if (item.is_string()) result.push_back(item.get<std::string>());
    return result;
}

std::vector<std::string> command_of(const Json& container) {
    std::vector<std::string> words = strings(array_at(container, {"command"}));
    for (std::string& word : strings(array_at(container, {"args"}))) words.push_back(std::move(word));
    return words;
}

// Of the container, else of the pod as a whole; 0: none.
std::int64_t memory_limit(const Json& container, const Json& pod) {
    std::string_view text = string_at(container, {"resources", "limits", "memory"});
    if (text.empty()) text = string_at(pod, {"spec", "resources", "limits", "memory"});
    const auto quantity = text.empty() ? std::nullopt : api::Quantity::parse(text);
    return quantity ? quantity->value() : 0;
}

Probe read_probe(const Json& container, std::string_view member) {
    Probe probe;
    const Json* found = api::find(container, member);
    if (found == nullptr || !found->is_object()) return probe;
    if (const Json* exec = api::find(*found, "exec")) {
        probe.kind = Probe::Kind::exec;
        probe.command = strings(array_at(*exec, {"command"}));
    } else if (const Json* http = api::find(*found, "httpGet")) {
        probe.kind = Probe::Kind::http;
        probe.port = port_text(*http);
        probe.path = string_at(*http, {"path"}, "/");
        probe.scheme = string_at(*http, {"scheme"}) == "HTTPS" ? "https" : "http";
    } else if (const Json* tcp = api::find(*found, "tcpSocket")) {
        probe.kind = Probe::Kind::tcp;
        probe.port = port_text(*tcp);
    } else if (const Json* grpc = api::find(*found, "grpc")) {
        probe.kind = Probe::Kind::grpc;
        probe.port = port_text(*grpc);
    }
    probe.initial_delay = std::chrono::seconds(int_at(*found, {"initialDelaySeconds"}));
    probe.period = std::chrono::seconds(std::max<std::int64_t>(1, int_at(*found, {"periodSeconds"}, 10)));
    probe.success_threshold = static_cast<int>(int_at(*found, {"successThreshold"}, 1));
    probe.failure_threshold = static_cast<int>(int_at(*found, {"failureThreshold"}, 3));
    if (api::find(*found, "terminationGracePeriodSeconds") != nullptr)
        probe.grace = std::chrono::seconds(int_at(*found, {"terminationGracePeriodSeconds"}));
    return probe;
}

// Empty when the server has a command, a configuration or a page (kubemu.io/http) of its own: then any path may answer.
std::string_view web_root_of(const Json& container, const Json& pod, const std::optional<ImageReference>& image) {
    struct Server {
        std::string_view repository, root, configuration;
    };
    constexpr Server servers[] = {{"docker.io/library/nginx", nginx_root, "/etc/nginx/"},
                                  {"docker.io/library/httpd", httpd_root, "/usr/local/apache2/conf/"}};
    if (!image || !array_at(container, {"command"}).empty() || !array_at(container, {"args"}).empty()) return {};
    const auto found = std::find_if(std::begin(servers), std::end(servers), [&](const Server& one) { return one.repository == image->repository; });
    if (found == std::end(servers)) return {};
    for (const Json& mount : array_at(container, {"volumeMounts"})) {
        const std::string path = std::string(string_at(mount, {"mountPath"})) + "/";
        if (path.starts_with(found->configuration) || found->configuration.starts_with(path)) return {};
    }
    const Json& annotations = object_at(pod, {"metadata", "annotations"});
    for (const std::string& name : {std::string("kubemu.io/http"), "kubemu.io/http." + std::string(string_at(container, {"name"}))})
        if (annotations.contains(name)) return {};
    return found->root;
}

ContainerSpec read_container(const Json& container, const Json& pod) {
    ContainerSpec spec;
    spec.name = string_at(container, {"name"});
    spec.image = string_at(container, {"image"});
    const std::vector<std::string> words = command_of(container);
    const auto image = parse_image(spec.image);
    spec.falls_ill = image && (image->base_name() == "liveness" ||
                               (image->base_name() == "agnhost" && !words.empty() && words[0] == "liveness"));
    const std::int64_t limit = memory_limit(container, pod), wanted = api::stress_demand(words).memory_bytes;
    spec.out_of_memory = limit > 0 && wanted > limit;
    spec.pull_policy = string_at(container, {"imagePullPolicy"}, "IfNotPresent");
    spec.sidecar = string_at(container, {"restartPolicy"}) == "Always";
    for (const Json& port : array_at(container, {"ports"})) {
        const int number = static_cast<int>(int_at(port, {"containerPort"}));
        const auto name = string_at(port, {"name"});
        spec.ports.emplace(name.empty() ? "#" + std::to_string(number) : std::string(name), number);
    }
    spec.startup = read_probe(container, "startupProbe");
    spec.liveness = read_probe(container, "livenessProbe");
    spec.readiness = read_probe(container, "readinessProbe");
    const Probe* const probes[] = {&spec.startup, &spec.liveness, &spec.readiness};
    const bool asks_over_http = std::any_of(std::begin(probes), std::end(probes), [](const Probe* probe) { return probe->kind == Probe::Kind::http; });
    if (asks_over_http) spec.web_root = web_root_of(container, pod, image);
    spec.pre_stop = strings(array_at(container, {"lifecycle", "preStop", "exec", "command"}));
    spec.pre_stop_sleep = std::chrono::seconds(int_at(container, {"lifecycle", "preStop", "sleep", "seconds"}));
    spec.post_start = strings(array_at(container, {"lifecycle", "postStart", "exec", "command"}));
    spec.post_start_sleep = std::chrono::seconds(int_at(container, {"lifecycle", "postStart", "sleep", "seconds"}));
    spec.restart_policy = string_at(container, {"restartPolicy"});
    for (const Json& rule : array_at(container, {"restartPolicyRules"})) {
        RestartRule read{string_at(rule, {"exitCodes", "operator"}, "In") == "In", {}};
        for (const Json& code : array_at(rule, {"exitCodes", "values"}))
            if (code.is_number_integer()) read.exit_codes.push_back(code.get<int>());
        spec.restart_rules.push_back(std::move(read));
    }
    spec.termination_path = string_at(container, {"terminationMessagePath"}, spec.termination_path);
    spec.log_as_message = string_at(container, {"terminationMessagePolicy"}) == "FallbackToLogsOnError";
    if (const Json& resources = object_at(container, {"resources"}); !resources.empty()) spec.resources = resources.dump();
    for (const Json& policy : array_at(container, {"resizePolicy"}))
        if (string_at(policy, {"restartPolicy"}) == "RestartContainer") spec.restart_on_resize.emplace(string_at(policy, {"resourceName"}));
    return spec;
}

}  // namespace

PodSpec read_pod_spec(const Json& pod) {
    PodSpec result;
    const Json& spec = object_at(pod, {"spec"});
    result.name = api::name_of(pod);
    result.namespace_name = api::namespace_of(pod);
    result.uid = api::uid_of(pod);
    result.generation = int_at(pod, {"metadata", "generation"});
    result.node = string_at(spec, {"nodeName"});
    result.restart_policy = string_at(spec, {"restartPolicy"}, "Always");
    if (const auto seconds = int_at(spec, {"activeDeadlineSeconds"}); seconds > 0)
        result.active_deadline = std::chrono::seconds(seconds);
    result.grace = std::chrono::seconds(int_at(spec, {"terminationGracePeriodSeconds"}, 30));
    result.host_network = api::bool_at(spec, {"hostNetwork"});
    for (const Json& container : array_at(spec, {"initContainers"}))
        result.init.push_back(read_container(container, pod));
    for (const Json& container : array_at(spec, {"containers"}))
        result.containers.push_back(read_container(container, pod));
    for (const Json& container : array_at(spec, {"ephemeralContainers"})) {
        result.ephemeral.push_back(read_container(container, pod));
        result.ephemeral.back().ephemeral = true;
    }
    for (const Json& secret : array_at(spec, {"imagePullSecrets"})) result.pull_secrets.emplace_back(string_at(secret, {"name"}));
    for (const Json& gate : array_at(spec, {"readinessGates"}))
        result.readiness_gates.emplace_back(string_at(gate, {"conditionType"}));
    for (const Json& sysctl : array_at(spec, {"securityContext", "sysctls"}))
        result.sysctls.emplace_back(string_at(sysctl, {"name"}));
    constexpr std::string_view prefix = "kubemu.io/";
    for (const auto& [key, value] : object_at(pod, {"metadata", "annotations"}).items()) {
        if (key.compare(0, prefix.size(), prefix) == 0 && value.is_string())
            result.overrides[key.substr(prefix.size())] = value.get<std::string>();
    }
    return result;
}

}  // namespace kubemu::controllers::kubelet

// Cells of all kinds but pods (cells_pod.cpp).
#include "api/documents/cells.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "api/values/quantity.h"
#include "api/values/text.h"
#include "api/values/time.h"

namespace kubemu::api::cells {
namespace {

const std::string none = "<none>", unknown = "<unknown>", unset = "<unset>";

std::string text_or(const Json& object, std::initializer_list<std::string_view> path, const std::string& fallback) {
    const std::string_view text = string_at(object, path);
    return text.empty() ? fallback : std::string(text);
}

const Json& pod_spec_of(const Json& object) {
    const Json* spec = find(object, {"spec", "jobTemplate", "spec", "template", "spec"});
    if (spec == nullptr) spec = find(object, {"spec", "template", "spec"});
    if (spec == nullptr) spec = find(object, {"template", "spec"});
    return spec != nullptr ? *spec : object_at(object, {"spec"});
}

std::string joined(const Json& list, std::string_view member, std::string_view separator = ",") {
    std::string out;
    for (const Json& item : list) {
        if (!out.empty()) out += separator;
        out += string_at(item, {member});
    }
    return out;
}

// metav1.FormatLabelSelector / labels.FormatLabels
std::string selector_text(const Json* selector, bool plain) {
    if (selector == nullptr) return none;
    std::string out;
    const Json& labels = plain ? *selector : object_at(*selector, {"matchLabels"});
    std::vector<std::string> terms;
    for (const auto& [key, value] : labels.items()) terms.push_back(key + "=" + (value.is_string() ? value.get<std::string>() : ""));
    if (!plain) {
        for (const Json& expression : array_at(*selector, {"matchExpressions"})) {
            const std::string key(string_at(expression, {"key"}));
            const std::string_view op = string_at(expression, {"operator"});
            std::vector<std::string> values;
            for (const Json& value : array_at(expression, {"values"})) values.push_back(value.get<std::string>());
            std::sort(values.begin(), values.end());
            if (op == "Exists") terms.push_back(key);
            else if (op == "DoesNotExist") terms.push_back("!" + key);
            else terms.push_back(key + (op == "In" ? " in (" : " notin (") + join(values, ",") + ")");
        }
        std::sort(terms.begin(), terms.end());
    }
    out = join(terms, ",");
    return out.empty() ? none : out;
}

std::string access_modes(const Json& list) {
    std::string out;
    for (const char* mode : {"ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"}) {
        if (std::find(list.begin(), list.end(), Json(mode)) == list.end()) continue;
        if (!out.empty()) out += ',';
        const std::string text = mode;
        out += text == "ReadWriteOnce" ? "RWO" : text == "ReadOnlyMany" ? "ROX" : text == "ReadWriteMany" ? "RWX" : "RWOP";
    }
    return out;
}

std::string address_of(const Json& node, std::string_view type) {
    for (const Json& address : array_at(node, {"status", "addresses"})) {
        if (string_at(address, {"type"}) == type) return std::string(string_at(address, {"address"}));
    }
    return none;
}

std::string shortened(const std::vector<std::string>& parts, std::size_t shown) {
    if (parts.empty()) return none;
    std::string out = join(std::vector<std::string>(parts.begin(), parts.begin() + static_cast<long>(std::min(shown, parts.size()))), ",");
    if (parts.size() > shown) out += " + " + std::to_string(parts.size() - shown) + " more...";
    return out;
}

std::string load_balancer_addresses(const Json& object) {
    std::vector<std::string> addresses;
    for (const Json& ingress : array_at(object, {"status", "loadBalancer", "ingress"})) {
        const std::string_view ip = string_at(ingress, {"ip"});
        addresses.emplace_back(ip.empty() ? string_at(ingress, {"hostname"}) : ip);
    }
    return join(addresses, ",");
}

std::string subjects(const Json& object, std::string_view kind) {
    std::vector<std::string> names;
    for (const Json& subject : array_at(object, {"subjects"})) {
        if (string_at(subject, {"kind"}) != kind) continue;
        std::string name(string_at(subject, {"name"}));
        if (kind == "ServiceAccount") name = std::string(string_at(subject, {"namespace"})) + "/" + name;
        names.push_back(std::move(name));
    }
    return join(names, ", ");
}

std::string role_text(const Json& object) {
    return std::string(string_at(object, {"roleRef", "kind"})) + "/" + std::string(string_at(object, {"roleRef", "name"}));
}

std::string plain_value(const Json* value, const std::string& fallback) {
    if (value == nullptr) return fallback;
    return value->is_string() ? value->get<std::string>() : value->dump();
}

}  // namespace

Json age(const Json& o, const CellContext& c) { return age_of(string_at(o, {"metadata", "creationTimestamp"}), c.now); }
Json containers(const Json& o, const CellContext&) { return joined(array_at(pod_spec_of(o), {"containers"}), "name"); }
Json images(const Json& o, const CellContext&) { return joined(array_at(pod_spec_of(o), {"containers"}), "image"); }

Json selector(const Json& o, const CellContext&) {
    const std::string_view kind = string_at(o, {"kind"});
    if (kind == "CronJob") return selector_text(find(o, {"spec", "jobTemplate", "spec", "selector"}), false);
    const bool plain = kind == "Service" || kind == "ReplicationController";
    return selector_text(find(o, {"spec", "selector"}), plain);
}

Json deployment_ready(const Json& o, const CellContext&) {
    return std::to_string(int_at(o, {"status", "readyReplicas"})) + "/" + std::to_string(int_at(o, {"spec", "replicas"}));
}
Json stateful_set_ready(const Json& o, const CellContext& c) { return deployment_ready(o, c); }
Json daemon_set_node_selector(const Json& o, const CellContext&) {
    return selector_text(find(o, {"spec", "template", "spec", "nodeSelector"}), true);
}
Json controller_revision_controller(const Json& o, const CellContext&) {
    for (const Json& owner : array_at(o, {"metadata", "ownerReferences"})) {
        if (!bool_at(owner, {"controller"})) continue;
        const std::string version(string_at(owner, {"apiVersion"}));
        const std::size_t slash = version.find('/');
        const std::string kind = lower(string_at(owner, {"kind"}));
        return kind + (slash == std::string::npos ? "" : "." + version.substr(0, slash)) + "/" + std::string(string_at(owner, {"name"}));
    }
    return none;
}

Json job_completions(const Json& o, const CellContext&) {
    const std::string done = std::to_string(int_at(o, {"status", "succeeded"}));
    if (const Json* wanted = find(o, {"spec", "completions"})) return done + "/" + wanted->dump();
    const std::int64_t parallelism = int_at(o, {"spec", "parallelism"});
    return parallelism > 1 ? done + "/1 of " + std::to_string(parallelism) : done + "/1";
}
Json job_duration(const Json& o, const CellContext& c) {
    const auto begin = parse_time(string_at(o, {"status", "startTime"}));
    if (!begin) return "";
    const auto end = parse_time(string_at(o, {"status", "completionTime"}));
    return human_duration(end.value_or(c.now) - *begin);
}
Json cron_job_suspend(const Json& o, const CellContext&) {
    const Json* suspend = find(o, {"spec", "suspend"});
    return suspend == nullptr ? unset : suspend->get<bool>() ? "True" : "False";
}
Json cron_job_active(const Json& o, const CellContext&) { return array_at(o, {"status", "active"}).size(); }
Json cron_job_last_schedule(const Json& o, const CellContext& c) {
    const std::string_view time = string_at(o, {"status", "lastScheduleTime"});
    return time.empty() ? Json(none) : Json(age_of(time, c.now));
}

Json config_map_data(const Json& o, const CellContext&) {
    return object_at(o, {"data"}).size() + object_at(o, {"binaryData"}).size();
}
Json secret_data(const Json& o, const CellContext&) { return object_at(o, {"data"}).size(); }
Json service_account_secrets(const Json& o, const CellContext&) { return array_at(o, {"secrets"}).size(); }

Json service_cluster_ip(const Json& o, const CellContext&) { return text_or(o, {"spec", "clusterIP"}, none); }
Json service_external_ip(const Json& o, const CellContext&) {
    const std::string_view type = string_at(o, {"spec", "type"});
    std::vector<std::string> external;
    for (const Json& ip : array_at(o, {"spec", "externalIPs"})) external.push_back(ip.get<std::string>());
    if (type == "ExternalName") return text_or(o, {"spec", "externalName"}, none);
    if (type == "LoadBalancer") {
        const std::string balanced = load_balancer_addresses(o);
        if (!balanced.empty()) external.insert(external.begin(), balanced);
        return external.empty() ? "<pending>" : join(external, ",");
    }
    return external.empty() ? none : join(external, ",");
}
Json service_port_s(const Json& o, const CellContext&) {
    std::vector<std::string> parts;
    for (const Json& port : array_at(o, {"spec", "ports"})) {
        std::string text = std::to_string(int_at(port, {"port"}));
        if (const std::int64_t node_port = int_at(port, {"nodePort"})) text += ":" + std::to_string(node_port);
        parts.push_back(text + "/" + std::string(string_at(port, {"protocol"}, "TCP")));
    }
    return parts.empty() ? none : join(parts, ",");
}

Json endpoints_endpoints(const Json& o, const CellContext&) {
    const Json& subsets = array_at(o, {"subsets"});
    if (subsets.empty()) return none;
    std::vector<std::string> parts;
    for (const Json& subset : subsets) {
        const Json& addresses = array_at(subset, {"addresses"});
        const Json& ports = array_at(subset, {"ports"});
        if (ports.empty()) {
            for (const Json& address : addresses) parts.emplace_back(string_at(address, {"ip"}));
        }
        for (const Json& port : ports) {
            for (const Json& address : addresses) {
                const std::string ip(string_at(address, {"ip"}));
                const bool v6 = ip.find(':') != std::string::npos;
                parts.push_back((v6 ? "[" + ip + "]" : ip) + ":" + std::to_string(int_at(port, {"port"})));
            }
        }
    }
    return Json(parts.empty() ? std::string() : shortened(parts, 3));
}

const Json& health_of(const Json& o) {
    static const Json nothing = Json::object();
    for (const Json& condition : array_at(o, {"conditions"})) {
        if (string_at(condition, {"type"}) == "Healthy") return condition;
    }
    return nothing;
}
Json component_status_status(const Json& o, const CellContext&) {
    const std::string_view status = string_at(health_of(o), {"status"});
    return status.empty() ? "Unknown" : status == "True" ? "Healthy" : "Unhealthy";
}
Json component_status_message(const Json& o, const CellContext&) { return std::string(string_at(health_of(o), {"message"})); }
Json component_status_error(const Json& o, const CellContext&) { return std::string(string_at(health_of(o), {"error"})); }

Json usage_of_containers(const Json& o, std::string_view resource) {
    std::optional<Quantity> sum;
    for (const Json& container : array_at(o, {"containers"})) {
        const auto used = Quantity::parse(string_at(container, {"usage", resource}));
        if (!used) continue;
        if (sum) *sum += *used;
        else sum = used;
    }
    return sum ? sum->text() : "0";
}
Json pod_metrics_cpu(const Json& o, const CellContext&) { return usage_of_containers(o, "cpu"); }
Json pod_metrics_memory(const Json& o, const CellContext&) { return usage_of_containers(o, "memory"); }

Json endpoint_slice_ports(const Json& o, const CellContext&) {
    std::vector<std::string> parts;
    for (const Json& port : array_at(o, {"ports"})) {
        const Json* number = find(port, "port");
        parts.push_back(number != nullptr ? number->dump() : string_at(port, {"name"}).empty() ? "*" : std::string(string_at(port, {"name"})));
    }
    return parts.empty() ? Json(unset) : Json(shortened(parts, 3));
}
Json endpoint_slice_endpoints(const Json& o, const CellContext&) {
    std::vector<std::string> parts;
    for (const Json& endpoint : array_at(o, {"endpoints"})) {
        for (const Json& address : array_at(endpoint, {"addresses"})) parts.push_back(address.get<std::string>());
    }
    return parts.empty() ? Json(unset) : Json(shortened(parts, 3));
}

Json node_status(const Json& o, const CellContext&) {
    std::string status = "Unknown";
    for (const Json& condition : array_at(o, {"status", "conditions"})) {
        if (string_at(condition, {"type"}) == "Ready") status = string_at(condition, {"status"}) == "True" ? "Ready" : "NotReady";
    }
    return bool_at(o, {"spec", "unschedulable"}) ? status + ",SchedulingDisabled" : status;
}
Json node_roles(const Json& o, const CellContext&) {
    std::set<std::string> roles;
    for (const auto& [key, value] : object_at(o, {"metadata", "labels"}).items()) {
        constexpr std::string_view prefix = "node-role.kubernetes.io/";
        if (key.substr(0, prefix.size()) == prefix && key.size() > prefix.size()) roles.insert(key.substr(prefix.size()));
        if (key == "kubernetes.io/role" && value.is_string() && !value.get<std::string>().empty()) roles.insert(value.get<std::string>());
    }
    return roles.empty() ? none : join(std::vector<std::string>(roles.begin(), roles.end()), ",");
}
Json node_version(const Json& o, const CellContext&) { return std::string(string_at(o, {"status", "nodeInfo", "kubeletVersion"})); }
Json node_internal_ip(const Json& o, const CellContext&) { return address_of(o, "InternalIP"); }
Json node_external_ip(const Json& o, const CellContext&) { return address_of(o, "ExternalIP"); }
Json node_os_image(const Json& o, const CellContext&) { return text_or(o, {"status", "nodeInfo", "osImage"}, unknown); }
Json node_kernel_version(const Json& o, const CellContext&) { return text_or(o, {"status", "nodeInfo", "kernelVersion"}, unknown); }
Json node_container_runtime(const Json& o, const CellContext&) {
    return text_or(o, {"status", "nodeInfo", "containerRuntimeVersion"}, unknown);
}

Json persistent_volume_capacity(const Json& o, const CellContext&) { return std::string(string_at(o, {"spec", "capacity", "storage"})); }
Json persistent_volume_access_modes(const Json& o, const CellContext&) { return access_modes(array_at(o, {"spec", "accessModes"})); }
Json persistent_volume_status(const Json& o, const CellContext&) {
    return find(o, {"metadata", "deletionTimestamp"}) != nullptr ? "Terminating" : std::string(string_at(o, {"status", "phase"}));
}
Json persistent_volume_claim(const Json& o, const CellContext&) {
    const std::string name(string_at(o, {"spec", "claimRef", "name"}));
    return name.empty() ? "" : std::string(string_at(o, {"spec", "claimRef", "namespace"})) + "/" + name;
}
Json persistent_volume_storageclass(const Json& o, const CellContext&) {
    const std::string_view old = string_at(o, {"metadata", "annotations", "volume.beta.kubernetes.io/storage-class"});
    return std::string(old.empty() ? string_at(o, {"spec", "storageClassName"}) : old);
}
Json persistent_volume_claim_status(const Json& o, const CellContext& c) { return persistent_volume_status(o, c); }
Json persistent_volume_claim_capacity(const Json& o, const CellContext&) {
    return string_at(o, {"spec", "volumeName"}).empty() ? "" : std::string(string_at(o, {"status", "capacity", "storage"}));
}
Json persistent_volume_claim_access_modes(const Json& o, const CellContext&) {
    return string_at(o, {"spec", "volumeName"}).empty() ? "" : access_modes(array_at(o, {"status", "accessModes"}));
}
Json persistent_volume_claim_storageclass(const Json& o, const CellContext& c) { return persistent_volume_storageclass(o, c); }

Json storage_class_name(const Json& o, const CellContext&) {
    const bool is_default = string_at(o, {"metadata", "annotations", "storageclass.kubernetes.io/is-default-class"}) == "true";
    return std::string(name_of(o)) + (is_default ? " (default)" : "");
}
Json storage_class_allowvolumeexpansion(const Json& o, const CellContext&) { return bool_at(o, {"allowVolumeExpansion"}); }
Json csi_driver_modes(const Json& o, const CellContext&) {
    std::vector<std::string> modes;
    for (const Json& mode : array_at(o, {"spec", "volumeLifecycleModes"})) modes.push_back(mode.get<std::string>());
    return modes.empty() ? none : join(modes, ",");
}
Json csi_driver_tokenrequests(const Json& o, const CellContext&) {
    const Json& requests = array_at(o, {"spec", "tokenRequests"});
    return requests.empty() ? unset : joined(requests, "audience");
}
Json csi_node_drivers(const Json& o, const CellContext&) { return array_at(o, {"spec", "drivers"}).size(); }

Json pod_disruption_budget_min_available(const Json& o, const CellContext&) {
    return plain_value(find(o, {"spec", "minAvailable"}), "N/A");
}
Json pod_disruption_budget_max_unavailable(const Json& o, const CellContext&) {
    return plain_value(find(o, {"spec", "maxUnavailable"}), "N/A");
}
Json priority_class_global_default(const Json& o, const CellContext&) { return bool_at(o, {"globalDefault"}); }
Json pod_template_pod_labels(const Json& o, const CellContext&) { return selector_text(find(o, {"template", "metadata", "labels"}), true); }
Json network_policy_pod_selector(const Json& o, const CellContext&) { return selector_text(find(o, {"spec", "podSelector"}), false); }

Json role_binding_role(const Json& o, const CellContext&) { return role_text(o); }
Json role_binding_users(const Json& o, const CellContext&) { return subjects(o, "User"); }
Json role_binding_groups(const Json& o, const CellContext&) { return subjects(o, "Group"); }
Json role_binding_serviceaccounts(const Json& o, const CellContext&) { return subjects(o, "ServiceAccount"); }
Json cluster_role_binding_role(const Json& o, const CellContext&) { return role_text(o); }
Json cluster_role_binding_users(const Json& o, const CellContext&) { return subjects(o, "User"); }
Json cluster_role_binding_groups(const Json& o, const CellContext&) { return subjects(o, "Group"); }
Json cluster_role_binding_serviceaccounts(const Json& o, const CellContext&) { return subjects(o, "ServiceAccount"); }

Json ingress_class(const Json& o, const CellContext&) {
    const std::string old = text_or(o, {"metadata", "annotations", "kubernetes.io/ingress.class"}, none);
    return text_or(o, {"spec", "ingressClassName"}, old);
}
Json ingress_hosts(const Json& o, const CellContext&) {
    std::vector<std::string> hosts;
    for (const Json& rule : array_at(o, {"spec", "rules"})) {
        if (!string_at(rule, {"host"}).empty()) hosts.emplace_back(string_at(rule, {"host"}));
    }
    return hosts.empty() ? "*" : shortened(hosts, 3);
}
Json ingress_address(const Json& o, const CellContext&) { return load_balancer_addresses(o); }
Json ingress_ports(const Json& o, const CellContext&) { return array_at(o, {"spec", "tls"}).empty() ? "80" : "80, 443"; }
Json ingress_class_parameters(const Json& o, const CellContext&) {
    const Json* parameters = find(o, {"spec", "parameters"});
    if (parameters == nullptr) return none;
    const std::string group(string_at(*parameters, {"apiGroup"}));
    return std::string(string_at(*parameters, {"kind"})) + (group.empty() ? "" : "." + group) + "/" +
           std::string(string_at(*parameters, {"name"}));
}

Json horizontal_pod_autoscaler_reference(const Json& o, const CellContext&) {
    return std::string(string_at(o, {"spec", "scaleTargetRef", "kind"})) + "/" + std::string(string_at(o, {"spec", "scaleTargetRef", "name"}));
}
Json horizontal_pod_autoscaler_minpods(const Json& o, const CellContext&) {
    const Json* least = find(o, {"spec", "minReplicas"});
    return least == nullptr ? unset : least->dump();
}
Json horizontal_pod_autoscaler_targets(const Json& o, const CellContext&) {
    std::vector<std::string> parts;
    const Json& current = array_at(o, {"status", "currentMetrics"});
    std::size_t i = 0;
    for (const Json& metric : array_at(o, {"spec", "metrics"})) {
        const std::string type(string_at(metric, {"type"}));
        const std::string member = type.empty() ? "" : static_cast<char>(type[0] - 'A' + 'a') + type.substr(1);
        const Json& target = object_at(metric, {member, "target"});
        std::string now = unknown;
        if (i < current.size()) {
            const Json& have = object_at(current[i], {member, "current"});
            if (const Json* percent = find(have, "averageUtilization")) now = percent->dump() + "%";
            else if (!string_at(have, {"averageValue"}).empty()) now = string_at(have, {"averageValue"});
            else if (!string_at(have, {"value"}).empty()) now = string_at(have, {"value"});
        }
        ++i;
        std::string wanted = "<auto>";
        if (const Json* percent = find(target, "averageUtilization")) wanted = percent->dump() + "%";
        else if (!string_at(target, {"averageValue"}).empty()) wanted = string_at(target, {"averageValue"});
        else if (!string_at(target, {"value"}).empty()) wanted = string_at(target, {"value"});
        parts.push_back(now + "/" + wanted);
    }
    if (parts.empty()) return none;
    std::string out = parts[0];
    if (parts.size() > 1) out += ", " + parts[1];
    if (parts.size() > 2) out += " + " + std::to_string(parts.size() - 2) + " more...";
    return out;
}

namespace {

std::string resources_text(const Json& o, bool limits) {
    std::vector<std::string> parts;
    for (const auto& [name, hard] : object_at(o, {"status", "hard"}).items()) {
        if ((name.substr(0, 7) == "limits.") != limits) continue;
        parts.push_back(name + ": " + std::string(string_at(o, {"status", "used", name}, "0")) + "/" + hard.get<std::string>());
    }
    return join(parts, ", ");
}

std::string event_time(const Json& o, std::string_view primary) {
    std::string time(string_at(o, {primary}));
    if (time.empty() && primary == "lastTimestamp") time = string_at(o, {"series", "lastObservedTime"});
    if (time.empty()) time = string_at(o, {"eventTime"});
    return time;
}

}  // namespace

Json resource_quota_request(const Json& o, const CellContext&) { return resources_text(o, false); }
Json resource_quota_limit(const Json& o, const CellContext&) { return resources_text(o, true); }

Json event_last_seen(const Json& o, const CellContext& c) { return age_of(event_time(o, "lastTimestamp"), c.now); }
Json event_first_seen(const Json& o, const CellContext& c) { return age_of(event_time(o, "firstTimestamp"), c.now); }
Json event_object(const Json& o, const CellContext&) {
    return lower(string_at(o, {"involvedObject", "kind"})) + "/" + std::string(string_at(o, {"involvedObject", "name"}));
}
Json event_subobject(const Json& o, const CellContext&) { return std::string(string_at(o, {"involvedObject", "fieldPath"})); }
Json event_source(const Json& o, const CellContext&) {
    std::string out(string_at(o, {"source", "component"}));
    if (out.empty()) out = string_at(o, {"reportingComponent"});
    std::string host(string_at(o, {"source", "host"}));
    if (host.empty()) host = string_at(o, {"reportingInstance"});
    return host.empty() ? out : out + ", " + host;
}
Json event_message(const Json& o, const CellContext&) { return std::string(trim(string_at(o, {"message"}))); }
Json event_count(const Json& o, const CellContext&) {
    const std::int64_t count = std::max(int_at(o, {"count"}), int_at(o, {"series", "count"}));
    return count == 0 ? 1 : count;
}

}  // namespace kubemu::api::cells

// Defaults and validation of pod specs.
#include "api/kinds/core/pod_spec.h"

#include <nlohmann/json.hpp>
#include <set>

#include "api/selector/label.h"
#include "api/values/names.h"
#include "api/values/quantity.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

// "nginx", "nginx:latest" and "repo:5000/nginx" are pulled always; anything with another tag or a digest is not.
bool has_moving_tag(std::string_view image) {
    if (image.find('@') != std::string_view::npos) return false;
    const std::size_t slash = image.rfind('/');
    const std::string_view last = slash == std::string_view::npos ? image : image.substr(slash + 1);
    const std::size_t colon = last.find(':');
    return colon == std::string_view::npos || last.substr(colon + 1) == "latest";
}

void default_container(Json& container, bool host_network) {
    if (string_at(container, {"imagePullPolicy"}).empty()) {
        container["imagePullPolicy"] = has_moving_tag(string_at(container, {"image"})) ? "Always" : "IfNotPresent";
    }
    if (const Json* limits = find(container, {"resources", "limits"})) {
        for (const auto& [name, value] : limits->items()) {
            Json& requests = container["resources"]["requests"];
            if (!requests.is_object()) requests = Json::object();
            if (!requests.contains(name)) requests[name] = value;
        }
    }
    if (host_network) {
        if (Json* ports = find(container, "ports"); ports != nullptr && ports->is_array()) {
            for (Json& port : *ports) {
                if (int_at(port, {"hostPort"}) == 0) port["hostPort"] = int_at(port, {"containerPort"});
            }
        }
    }
}

void check_names(const Messages& messages, const FieldPath& path, const std::string& value, FieldErrors& errors) {
    for (const std::string& message : messages) errors.invalid(path, value, message);
}

void check_port_number(std::int64_t port, const FieldPath& path, FieldErrors& errors) {
    if (port < 1 || port > 65535) errors.invalid(path, port, "must be between 1 and 65535, inclusive");
}

void validate_env(const Json& container, const FieldPath& path, FieldErrors& errors) {
    std::size_t i = 0;
    for (const Json& variable : array_at(container, {"env"})) {
        const FieldPath at = path.child("env").index(i++);
        const std::string name(string_at(variable, {"name"}));
        if (name.empty()) errors.required(at.child("name"), "");
        else check_names(check_env_var_name(name), at.child("name"), name, errors);
        if (const Json* from = find(variable, "valueFrom")) {
            if (!string_at(variable, {"value"}).empty()) {
                errors.invalid(at.child("valueFrom"), "", "may not be specified when `value` is not empty");
            } else if (from->size() != 1) {
                errors.invalid(at.child("valueFrom"), "", from->empty() ? "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`" : "may not have more than one field specified at a time");
            }
            for (const char* source : {"configMapKeyRef", "secretKeyRef"}) {
                const Json* reference = find(*from, source);
                if (reference == nullptr) continue;
                if (string_at(*reference, {"name"}).empty()) errors.required(at.child("valueFrom").child(source).child("name"), "");
                if (string_at(*reference, {"key"}).empty()) errors.required(at.child("valueFrom").child(source).child("key"), "");
            }
        }
    }
}

void validate_probe(const Json* probe, const FieldPath& path, FieldErrors& errors) {
    if (probe == nullptr) return;
    int handlers = 0;
    for (const char* handler : {"exec", "httpGet", "tcpSocket", "grpc"}) handlers += find(*probe, handler) != nullptr ? 1 : 0;
    if (handlers == 0) errors.required(path, "must specify a handler type");
    for (const char* member : {"initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"}) {
        const std::int64_t value = int_at(*probe, {member});
        if (value < 0) errors.invalid(path.child(member), value, "must be greater than or equal to 0");
    }
}

void validate_resources(const Json& container, const FieldPath& path, FieldErrors& errors) {
    const Json& limits = object_at(container, {"resources", "limits"});
    const Json& requests = object_at(container, {"resources", "requests"});
    const FieldPath at = path.child("resources");
    for (const auto& [name, value] : requests.items()) {
        const auto request = Quantity::parse(value.is_string() ? value.get<std::string>() : "");
        if (!request) continue;
        if (request->is_negative()) errors.invalid(at.child("requests").key(name), value, "must be greater than or equal to 0");
        const auto limit = Quantity::parse(string_at(limits, {name}));
        if (limit && *limit < *request) {
            errors.invalid(at.child("requests"), value, "must be less than or equal to " + name + " limit of " + limit->text());
        }
    }
}

void validate_container(const Json& container, const FieldPath& path, const std::set<std::string>& volumes, FieldErrors& errors) {
    if (string_at(container, {"image"}).empty()) {
        errors.required(path.child("image"), "");
    } else if (string_at(container, {"image"}) != trim(string_at(container, {"image"}))) {
        errors.invalid(path.child("image"), std::string(string_at(container, {"image"})), "must not have leading or trailing whitespace");
    }
    std::size_t i = 0;
    std::set<std::string> port_names;
    for (const Json& port : array_at(container, {"ports"})) {
        const FieldPath at = path.child("ports").index(i++);
        const std::string name(string_at(port, {"name"}));
        if (!name.empty()) {
            check_names(check_port_name(name), at.child("name"), name, errors);
            if (!port_names.insert(name).second) errors.duplicate(at.child("name"), name);
        }
        if (find(port, "containerPort") == nullptr || int_at(port, {"containerPort"}) == 0) {
            errors.required(at.child("containerPort"), "");
        } else {
            check_port_number(int_at(port, {"containerPort"}), at.child("containerPort"), errors);
        }
        if (const std::int64_t host = int_at(port, {"hostPort"})) check_port_number(host, at.child("hostPort"), errors);
    }
    validate_env(container, path, errors);
    i = 0;
    std::set<std::string> mount_paths;
    for (const Json& mount : array_at(container, {"volumeMounts"})) {
        const FieldPath at = path.child("volumeMounts").index(i++);
        const std::string name(string_at(mount, {"name"})), where(string_at(mount, {"mountPath"}));
        if (name.empty()) errors.required(at.child("name"), "");
        else if (!volumes.contains(name)) errors.not_found(at.child("name"), name);
        if (where.empty()) errors.required(at.child("mountPath"), "");
        else if (!mount_paths.insert(where).second) errors.invalid(at.child("mountPath"), where, "must be unique");
    }
    validate_probe(find(container, "livenessProbe"), path.child("livenessProbe"), errors);
    validate_probe(find(container, "readinessProbe"), path.child("readinessProbe"), errors);
    validate_probe(find(container, "startupProbe"), path.child("startupProbe"), errors);
    validate_resources(container, path, errors);
}

std::set<std::string> validate_volumes(const Json& spec, const FieldPath& path, FieldErrors& errors) {
    std::set<std::string> names;
    std::size_t i = 0;
    for (const Json& volume : array_at(spec, {"volumes"})) {
        const FieldPath at = path.child("volumes").index(i++);
        const std::string name(string_at(volume, {"name"}));
        if (name.empty()) {
            errors.required(at.child("name"), "");
        } else {
            check_names(check_dns1123_label(name), at.child("name"), name, errors);
            if (!names.insert(name).second) errors.duplicate(at.child("name"), name);
        }
        const std::size_t sources = volume.size() - (volume.contains("name") ? 1 : 0);
        if (sources == 0) errors.required(at, "must specify a volume type");
        if (sources > 1) {
            bool first = true;
            for (const auto& [member, value] : volume.items()) {
                if (member == "name") continue;
                if (!first) errors.forbidden(at.child(member), "may not specify more than 1 volume type");
                first = false;
            }
        }
    }
    return names;
}

}  // namespace

void default_pod_spec(Json& spec) {
    if (!spec.is_object()) return;
    const bool host_network = bool_at(spec, {"hostNetwork"});
    for (const char* list : {"containers", "initContainers", "ephemeralContainers"}) {
        Json* containers = find(spec, list);
        if (containers == nullptr || !containers->is_array()) continue;
        for (Json& container : *containers) default_container(container, host_network);
    }
    if (Json* volumes = find(spec, "volumes"); volumes != nullptr && volumes->is_array()) {
        for (Json& volume : *volumes) {
            if (volume.is_object() && volume.size() == 1 && volume.contains("name")) volume["emptyDir"] = Json::object();
        }
    }
    // serviceAccount is the old name of serviceAccountName; both are kept alike.
    const std::string account(string_at(spec, {"serviceAccountName"}, string_at(spec, {"serviceAccount"})));
    if (!account.empty()) {
        spec["serviceAccountName"] = account;
        spec["serviceAccount"] = account;
    }
}

void validate_pod_spec(const Json& spec, const FieldPath& path, FieldErrors& errors) {
    const std::set<std::string> volumes = validate_volumes(spec, path, errors);
    std::set<std::string> names;
    if (array_at(spec, {"containers"}).empty()) errors.required(path.child("containers"), "");
    for (const char* list : {"containers", "initContainers"}) {
        std::size_t i = 0;
        for (const Json& container : array_at(spec, {list})) {
            const FieldPath at = path.child(list).index(i++);
            const std::string name(string_at(container, {"name"}));
            if (name.empty()) {
                errors.required(at.child("name"), "");
            } else {
                check_names(check_dns1123_label(name), at.child("name"), name, errors);
                if (!names.insert(name).second) errors.duplicate(at.child("name"), name);
            }
            validate_container(container, at, volumes, errors);
        }
    }
    if (const Json* seconds = find(spec, "activeDeadlineSeconds")) {
        if (int_at(spec, {"activeDeadlineSeconds"}) < 1) {
            errors.invalid(path.child("activeDeadlineSeconds"), *seconds, "must be between 1 and 2147483647, inclusive");
        }
    }
    const std::string account(string_at(spec, {"serviceAccountName"}));
    if (!account.empty()) check_names(check_name_as_subdomain(account, false), path.child("serviceAccountName"), account, errors);
    validate_labels(object_at(spec, {"nodeSelector"}), path.child("nodeSelector"), errors);
    std::size_t i = 0;
    for (const Json& toleration : array_at(spec, {"tolerations"})) {
        const FieldPath at = path.child("tolerations").index(i++);
        const std::string key(string_at(toleration, {"key"})), op(string_at(toleration, {"operator"}));
        if (!key.empty()) check_names(check_qualified_name(key), at.child("key"), key, errors);
        if (key.empty() && op != "Exists") errors.invalid(at.child("operator"), op, "operator must be Exists when `key` is empty, which means \"match all values and all keys\"");
        if (op == "Exists" && !string_at(toleration, {"value"}).empty()) {
            errors.invalid(at.child("operator"), std::string(string_at(toleration, {"value"})), "value must be empty when `operator` is 'Exists'");
        }
    }
    const std::string host(string_at(spec, {"hostname"}));
    if (!host.empty()) check_names(check_dns1123_label(host), path.child("hostname"), host, errors);
}

void validate_template(const Json& object, const FieldPath& path, bool plain_selector, FieldErrors& errors) {
    const Json& spec = object_at(object, {"spec"});
    const Json* selector = find(spec, "selector");
    const FieldPath at = path.child("template");
    if (selector == nullptr || selector->empty()) {
        if (selector == nullptr || plain_selector) {
            errors.required(path.child("selector"), "");
        } else {
            errors.invalid(path.child("selector"), Json::object(), "empty selector is invalid for deployment");
        }
    } else if (!plain_selector) {
        validate_label_selector(*selector, path.child("selector"), errors);
    }
    const Json& labels = object_at(spec, {"template", "metadata", "labels"});
    if (selector != nullptr && !selector->empty()) {
        const LabelSelector parsed = plain_selector ? LabelSelector::from_map(*selector) : LabelSelector::from_object(*selector);
        if (!parsed.matches(labels_of(labels))) {
            errors.invalid(at.child("metadata").child("labels"), labels, "`selector` does not match template `labels`");
        }
    }
    validate_labels(labels, at.child("labels"), errors);
    validate_annotations(object_at(spec, {"template", "metadata", "annotations"}), at.child("annotations"), errors);
    validate_pod_spec(object_at(spec, {"template", "spec"}), at.child("spec"), errors);
    const std::string policy(string_at(spec, {"template", "spec", "restartPolicy"}));
    if (policy == "OnFailure" || policy == "Never") errors.not_supported(at.child("spec").child("restartPolicy"), policy, {"Always"});
}

}  // namespace kubemu::api

// Containers and init containers of a pod: names, ports, what each must have and what only some may have.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/kinds/core/pod_checks.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/validation.h"
#include "api/values/text.h"

namespace kubemu::api::pods {
namespace {

constexpr std::size_t restart_rules_max = 20, exit_codes_max = 255;

std::string_view text(const Json& object, std::string_view member) { return string_at(object, {member}); }

void validate_ports(const Json& ports, const FieldPath& path, FieldErrors& errors) {
    std::set<std::string_view> names;
    std::size_t i = 0;
    for (const Json& port : ports) {
        const FieldPath at = path.index(i++);
        if (const std::string_view name = text(port, "name"); !name.empty()) {
            const Messages messages = check_port_name(name);
            add_invalid(messages, at.child("name"), name, errors);
            if (messages.empty() && !names.insert(name).second) errors.duplicate(at.child("name"), std::string(name));
        }
        const std::int64_t number = int_at(port, {"containerPort"}), host = int_at(port, {"hostPort"});
        if (number == 0) errors.required(at.child("containerPort"), "");
        else if (number < 1 || number > 65535) validate_port_number(number, at.child("containerPort"), errors);
        if (host != 0) validate_port_number(host, at.child("hostPort"), errors);
        const std::string_view protocol = text(port, "protocol");
        if (protocol != "TCP") validate_enum(protocol, {"SCTP", "TCP", "UDP"}, at.child("protocol"), errors);
    }
}

// No two containers take the same port of the node. `first` numbers the first container in paths.
void validate_host_ports(std::span<const Json> containers, const FieldPath& path, FieldErrors& errors) {
    std::set<std::string> taken;
    for (std::size_t c = 0; c < containers.size(); ++c) {
        std::size_t p = 0;
        for (const Json& port : array_at(containers[c], {"ports"})) {
            const std::size_t index = p++;
            const std::int64_t number = int_at(port, {"hostPort"});
            if (number == 0) continue;
            std::string key(text(port, "protocol"));
            key += "/";
            key += text(port, "hostIP");
            key += "/" + std::to_string(number);
            if (taken.contains(key)) {
                errors.duplicate(path.index(c).child("ports").index(index).child("hostPort"), key);
            } else {
                taken.insert(std::move(key));
            }
        }
    }
}

void validate_restart_rules(const Json& container, const FieldPath& path, FieldErrors& errors) {
    const Json& rules = array_at(container, {"restartPolicyRules"});
    const FieldPath list = path.child("restartPolicyRules");
    if (rules.size() > restart_rules_max) errors.too_long(list, restart_rules_max);
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const FieldPath at = list.index(i);
        const std::string_view action = text(rules[i], "action");
        if (action != "Restart" && action != "RestartAllContainers") {
            errors.not_supported(at.child("action"), action, {"Restart", "RestartAllContainers"});
        }
        const Json* codes = find(rules[i], "exitCodes");
        if (codes == nullptr) {
            errors.required(at.child("exitCodes"), "must be specified");
            continue;
        }
        const std::string_view op = text(*codes, "operator");
        if (op != "In" && op != "NotIn") errors.not_supported(at.child("exitCodes").child("operator"), op, {"In", "NotIn"});
        if (array_at(*codes, {"values"}).size() > exit_codes_max) {
            errors.too_long(at.child("exitCodes").child("values"), exit_codes_max);
        }
    }
}

void validate_restart_policy(const Json& container, bool init, const FieldPath& path, FieldErrors& errors) {
    const Json* rules = find(container, "restartPolicyRules");
    if (find(container, "restartPolicy") == nullptr) {
        if (rules == nullptr || rules->empty()) return;
        errors.required(path.child("restartPolicy"), "must specify restartPolicy when restart rules are used");
        if (init) return;
    } else {
        validate_given_enum(container, "restartPolicy", {"Always", "Never", "OnFailure"}, path, errors);
    }
    validate_restart_rules(container, path, errors);
}

void validate_common_parts(const Json& container, const PodContext& context, const FieldPath& path, FieldErrors& errors) {
    if (const Json* ports = find(container, "ports")) validate_ports(*ports, path.child("ports"), errors);
    validate_env(container, path, errors);
    validate_mounts(container, context, path, errors);
    validate_enum(text(container, "imagePullPolicy"), {"Always", "IfNotPresent", "Never"}, path.child("imagePullPolicy"), errors);
    if (const Json* resources = find(container, "resources")) {
        validate_resources(*resources, context.claims, ResourceLevel::container, path.child("resources"), errors);
    }
    validate_resize_policy(container, context, path, errors);
    validate_security_context(container, context, path, errors);
}

}  // namespace

void validate_container_common(const Json& container, const PodContext& context, const FieldPath& path, FieldErrors& errors) {
    const std::string_view name = text(container, "name");
    if (name.empty()) errors.required(path.child("name"), "");
    else if (const Messages messages = check_dns1123_label(name); !messages.empty()) add_invalid(messages, path.child("name"), name, errors);
    if (text(container, "image").empty()) errors.required(path.child("image"), "");
    const std::string_view policy = text(container, "terminationMessagePolicy");
    if (policy != "File") {
        validate_enum(policy, {"File", "FallbackToLogsOnError"}, path.child("terminationMessagePolicy"), errors);
    }
    validate_common_parts(container, context, path, errors);
}

void validate_image_whitespace(const Json& container, const FieldPath& path, FieldErrors& errors) {
    const std::string_view image = text(container, "image");
    if (trim(image).size() != image.size()) {
        errors.invalid(path.child("image"), std::string(image), "must not have leading or trailing whitespace");
    }
}

void validate_containers(const PodContext& context, const FieldPath& path, FieldErrors& errors) {
    const Json& containers = array_at(context.spec, {"containers"});
    if (containers.empty()) return errors.required(path, "");
    std::set<std::string_view> names;
    std::size_t i = 0;
    for (const Json& container : containers) {
        const FieldPath at = path.index(i++);
        validate_container_common(container, context, at, errors);
        const std::string_view name = text(container, "name");
        if (!names.insert(name).second) errors.duplicate(at.child("name"), std::string(name));
        if (const Json* lifecycle = find(container, "lifecycle")) {
            validate_lifecycle(*lifecycle, context, at.child("lifecycle"), errors);
        }
        validate_probes(container, at, errors);
        validate_restart_policy(container, false, at, errors);
    }
    validate_host_ports(std::span(&containers[0], containers.size()), path, errors);
}

void validate_init_containers(const PodContext& context, const FieldPath& path, FieldErrors& errors) {
    const Json& containers = array_at(context.spec, {"initContainers"});
    if (containers.empty()) return;
    std::set<std::string_view> names;
    for (const Json& container : array_at(context.spec, {"containers"})) names.insert(text(container, "name"));
    std::size_t i = 0;
    for (const Json& container : containers) {
        const FieldPath at = path.index(i++);
        validate_container_common(container, context, at, errors);
        validate_restart_policy(container, true, at, errors);
        const std::string_view name = text(container, "name");
        if (names.contains(name)) errors.duplicate(at.child("name"), std::string(name));
        else if (!name.empty()) names.insert(name);
        // One at a time: the real server numbers each of them 0 here.
        validate_host_ports(std::span(&container, 1), path, errors);
        if (restarts_always(container)) {
            if (const Json* lifecycle = find(container, "lifecycle")) {
                validate_lifecycle(*lifecycle, context, at.child("lifecycle"), errors);
            }
            validate_probes(container, at, errors);
        } else {
            for (const char* member : {"lifecycle", "livenessProbe", "readinessProbe", "startupProbe"}) {
                if (find(container, member) != nullptr) {
                    errors.forbidden(at.child(member), "may not be set for init containers without restartPolicy=Always");
                }
            }
        }
    }
}

}  // namespace kubemu::api::pods

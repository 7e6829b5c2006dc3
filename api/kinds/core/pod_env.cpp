// Environment of containers: names, sources of values, and the fields and resources that they may refer to.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "api/kinds/core/pod_checks.h"
#include "api/kinds/validation.h"
#include "api/values/text.h"

namespace kubemu::api::pods {
namespace {

constexpr std::string_view environment_fields[] = {"metadata.name",  "metadata.namespace",      "metadata.uid",
                                                   "spec.nodeName",  "spec.serviceAccountName", "status.hostIP",
                                                   "status.hostIPs", "status.podIP",            "status.podIPs"};
// podshelper.ConvertDownwardAPIFieldLabel: what has a name in v1 at all.
constexpr std::string_view known_fields[] = {
    "metadata.annotations", "metadata.labels", "metadata.name",   "metadata.namespace",      "metadata.uid",
    "spec.nodeName",        "spec.restartPolicy", "spec.serviceAccountName", "spec.schedulerName", "status.phase",
    "status.hostIP",        "status.hostIPs",  "status.podIP",    "status.podIPs"};
constexpr std::string_view resource_fields[] = {"limits.cpu",   "limits.ephemeral-storage",   "limits.memory",
                                                "requests.cpu", "requests.ephemeral-storage", "requests.memory"};
constexpr std::string_view byte_divisors[] = {"1",  "1k",  "1M",  "1G",  "1T",  "1P",  "1E",
                                              "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"};

std::string_view text(const Json& object, std::string_view member) { return string_at(object, {member}); }

template <class List>
bool contains(const List& list, std::string_view item) {
    return std::find(std::begin(list), std::end(list), item) != std::end(list);
}

std::vector<std::string> strings(std::span<const std::string_view> list) { return {list.begin(), list.end()}; }

bool huge_pages_field(std::string_view resource) {
    return resource.starts_with("limits.hugepages-") || resource.starts_with("requests.hugepages-");
}

void validate_divisor(std::string_view resource, const Json& reference, const FieldPath& path, FieldErrors& errors) {
    const Quantity divisor = quantity_of(find(reference, "divisor"));
    if (divisor.is_zero()) return;
    const std::string given = divisor.text();
    const auto refuse = [&](std::string_view message) { errors.invalid(path.child("divisor"), std::string(resource), message); };
    constexpr std::string_view bytes =
        "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the ";
    if (resource.ends_with(".cpu")) {
        if (given != "1m" && given != "1") refuse("only divisor's values 1m and 1 are supported with the cpu resource");
    } else if (contains(byte_divisors, given)) {
        return;
    } else if (resource.ends_with(".memory")) {
        refuse(std::string(bytes) + "memory resource");
    } else if (resource.ends_with(".ephemeral-storage")) {
        refuse(std::string(bytes) + "local ephemeral storage resource");
    } else if (huge_pages_field(resource)) {
        refuse(std::string(bytes) + "hugepages resource");
    }
}

// A key of a ConfigMap or Secret.
void validate_key_ref(const Json& reference, const FieldPath& path, FieldErrors& errors) {
    const std::string_view name = text(reference, "name"), key = text(reference, "key");
    validate_dns1123_subdomain(name, path.child("name"), errors);
    if (validate_required(key, path.child("key"), errors)) {
        add_invalid(check_config_map_key(key), path.child("key"), key, errors);
    }
}

void validate_file_key_ref(const Json& reference, const FieldPath& path, FieldErrors& errors) {
    const std::string_view key = text(reference, "key"), volume = text(reference, "volumeName");
    if (validate_required(key, path.child("key"), errors)) {
        // Printable ASCII but '=' (IsRelaxedEnvVarName).
        const bool printable = std::all_of(key.begin(), key.end(), [](char c) { return c >= ' ' && c <= '~' && c != '='; });
        if (!printable) {
            errors.invalid(path.child("key"), std::string(key),
                           "a valid environment variable name must consist only of printable ASCII characters other than '='");
        }
    }
    if (validate_required(volume, path.child("volumeName"), errors)) {
        validate_dns1123_label(volume, path.child("volumeName"), errors);
    }
    if (validate_required(text(reference, "path"), path.child("path"), errors)) {
        validate_path_no_backsteps(text(reference, "path"), path.child("path"), errors);
    }
}

void validate_value_from(const Json& variable, const Json& from, const FieldPath& path, FieldErrors& errors) {
    int count = 0;
    if (const Json* field = find(from, "fieldRef")) {
        ++count;
        validate_field_ref(*field, environment_fields, path.child("fieldRef"), errors);
    }
    if (const Json* resource = find(from, "resourceFieldRef")) {
        ++count;
        validate_resource_field_ref(*resource, false, path.child("resourceFieldRef"), errors);
    }
    for (const char* member : {"configMapKeyRef", "secretKeyRef"}) {
        const Json* key = find(from, member);
        if (key == nullptr) continue;
        ++count;
        validate_key_ref(*key, path.child(member), errors);
    }
    if (const Json* file = find(from, "fileKeyRef")) {
        ++count;
        validate_file_key_ref(*file, path.child("fileKeyRef"), errors);
    }
    if (count == 0) {
        errors.invalid(path, "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`");
    } else if (!text(variable, "value").empty()) {
        errors.invalid(path, "", "may not be specified when `value` is not empty");
    } else if (count > 1) {
        errors.invalid(path, "", "may not have more than one field specified at a time");
    }
}

void validate_env_from(const Json& sources, const FieldPath& path, FieldErrors& errors) {
    std::size_t i = 0;
    for (const Json& source : sources) {
        const FieldPath at = path.index(i++);
        const std::string_view prefix = text(source, "prefix");
        if (!prefix.empty()) add_invalid(check_env_var_name(prefix), at.child("prefix"), prefix, errors);
        int count = 0;
        for (const char* member : {"configMapRef", "secretRef"}) {
            const Json* reference = find(source, member);
            if (reference == nullptr) continue;
            ++count;
            const std::string_view name = text(*reference, "name");
            const FieldPath name_path = at.child(member).child("name");
            if (name.empty()) errors.required(name_path, "");
            else add_invalid(check_name_as_subdomain(name, true), name_path, name, errors);
        }
        // The list, not the item, is named here.
        if (count == 0) errors.invalid(path, "", "must specify one of: `configMapRef` or `secretRef`");
        if (count > 1) errors.invalid(path, "", "may not have more than one field specified at a time");
    }
}

}  // namespace

void validate_field_ref(const Json& reference, std::span<const std::string_view> allowed, const FieldPath& path,
                        FieldErrors& errors) {
    const std::string_view version = text(reference, "apiVersion"), field = text(reference, "fieldPath");
    if (!validate_required(version, path.child("apiVersion"), errors)) return;
    if (!validate_required(field, path.child("fieldPath"), errors)) return;
    const FieldPath at = path.child("fieldPath");
    // metadata.labels['key']
    const std::size_t bracket = field.find("['");
    const bool subscripted = bracket != std::string_view::npos && field.ends_with("']") && field.size() >= bracket + 4;
    const std::string_view base = subscripted ? field.substr(0, bracket) : field;
    if (version != "v1") {
        return errors.invalid(at, std::string(field), "error converting fieldPath: unsupported pod version: " + std::string(version));
    }
    if (subscripted && base != "metadata.annotations" && base != "metadata.labels") {
        return errors.invalid(at, std::string(field),
                              "error converting fieldPath: field label does not support subscript: " + std::string(field));
    }
    if (base != "spec.host" && !contains(known_fields, base)) {
        return errors.invalid(at, std::string(field),
                              "error converting fieldPath: field label not supported: " + std::string(field));
    }
    const std::string_view internal = base == "spec.host" ? std::string_view("spec.nodeName") : base;
    if (subscripted) {
        const std::string_view key = field.substr(bracket + 2, field.size() - bracket - 4);
        const std::string shown = base == "metadata.annotations" ? lower(key) : std::string(key);
        add_invalid(check_qualified_name(shown), path, shown, errors);
    } else if (!contains(allowed, internal)) {
        errors.not_supported(at, internal, strings(allowed));
    }
}

void validate_resource_field_ref(const Json& reference, bool in_volume, const FieldPath& path, FieldErrors& errors) {
    const std::string_view resource = text(reference, "resource");
    if (in_volume && text(reference, "containerName").empty()) {
        errors.required(path.child("containerName"), "");
    } else if (resource.empty()) {
        errors.required(path.child("resource"), "");
    } else if (!contains(resource_fields, resource) && !huge_pages_field(resource)) {
        errors.not_supported(path.child("resource"), resource, strings(resource_fields));
    }
    validate_divisor(resource, reference, path, errors);
}

void validate_env(const Json& container, const FieldPath& path, FieldErrors& errors) {
    std::size_t i = 0;
    const Json& variables = array_at(container, {"env"});
    for (const Json& variable : variables) {
        const std::size_t index = i++;
        const std::string_view name = text(variable, "name");
        if (name.empty()) {
            errors.required(path.child("env").index(index).child("name"), "");
        } else if (const Messages messages = check_env_var_name(name); !messages.empty()) {
            add_invalid(messages, path.child("env").index(index).child("name"), name, errors);
        }
        if (const Json* from = find(variable, "valueFrom")) {
            validate_value_from(variable, *from, path.child("env").index(index).child("valueFrom"), errors);
        }
    }
    if (const Json* sources = find(container, "envFrom")) validate_env_from(*sources, path.child("envFrom"), errors);
}

void validate_file_key_volumes(const PodContext& context, const FieldPath& path, FieldErrors& errors) {
    visit_containers(context.spec, path, [&](const Json& container, const FieldPath& at) {
        std::size_t i = 0;
        for (const Json& variable : array_at(container, {"env"})) {
            const std::size_t index = i++;
            const Json* reference = find(variable, {"valueFrom", "fileKeyRef"});
            if (reference == nullptr) continue;
            const std::string_view wanted = text(*reference, "volumeName");
            const FieldPath where = at.child("env").index(index).child("valueFrom").child("fileKeyRef").child("volumeName");
            const Json& volumes = array_at(context.spec, {"volumes"});
            const auto found = std::find_if(volumes.begin(), volumes.end(),
                                            [&](const Json& volume) { return text(volume, "name") == wanted; });
            if (found == volumes.end()) {
                errors.not_found(where, std::string(wanted));
            } else if (find(*found, "emptyDir") == nullptr) {
                errors.invalid(where, std::string(wanted), "referenced volume must be of type emptyDir");
            }
        }
    });
}

}  // namespace kubemu::api::pods

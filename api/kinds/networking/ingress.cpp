// Rules of Ingress (kubernetes pkg/apis/networking/validation and pkg/registry/networking/ingress; for the beta versions
// those of release 1.21, the last that served them).
#include "api/kinds/networking/ingress.h"

#include <nlohmann/json.hpp>

#include "api/kinds/define.h"
#include "api/kinds/domains.h"
#include "api/kinds/validation.h"
#include "api/values/names.h"

namespace kubemu::api::kinds {
namespace {

constexpr std::string_view class_annotation = "kubernetes.io/ingress.class";

// A host of a rule or a certificate; '*' may stand for its first label.
void validate_host(const std::string& host, const FieldPath& path, FieldErrors& errors) {
    const bool wildcard = host.find('*') != std::string::npos;
    add_invalid(wildcard ? check_wildcard_subdomain(host) : check_dns1123_subdomain(host), path, host,
                errors);
}

// `beta`: complaints name the fields as the beta versions do.
void validate_service(const Json& service, const FieldPath& backend, bool beta, FieldErrors& errors) {
    const FieldPath path = backend.child("service"), beta_port = backend.child("servicePort");
    const FieldPath name_path = beta ? backend.child("serviceName") : path.child("name");
    const std::string name(string_at(service, {"name"}));
    if (validate_required(name, name_path, errors)) add_invalid(check_dns1035_label(name), name_path, name, errors);
    const std::string port(string_at(service, {"port", "name"}));
    const std::int64_t number = int_at(service, {"port", "number"});
    if (!port.empty() && number != 0) {
        errors.invalid(backend, "", "cannot set both port name & port number");
    } else if (!port.empty()) {
        add_invalid(check_port_name(port), beta ? beta_port : path.child("port").child("name"), port, errors);
    } else if (number != 0) {
        validate_port_number(number, beta ? beta_port : path.child("port").child("number"), errors);
    } else {
        errors.required(backend, "port name or number is required");
    }
}

void validate_backend(const Json& backend, const FieldPath& path, bool beta, FieldErrors& errors) {
    const Json* resource = find(backend, "resource");
    const Json* service = find(backend, "service");
    if (resource != nullptr && service != nullptr) {
        errors.invalid(path, "", "cannot set both resource and service backends");
    } else if (resource != nullptr) {
        validate_typed_reference(*resource, path.child("resource"), errors);
    } else if (service != nullptr) {
        validate_service(*service, path, beta, errors);
    } else {
        errors.invalid(path, "", "resource or service backend is required");
    }
}

void validate_path(const Json& entry, const FieldPath& at, bool beta, FieldErrors& errors) {
    const Json* type = find(entry, "pathType");
    if (type == nullptr || !type->is_string()) {
        errors.required(at.child("pathType"), "pathType must be specified");
        return;
    }
    const std::string kind = type->get<std::string>(), path(string_at(entry, {"path"}));
    const FieldPath where = at.child("path");
    if (kind == "Exact" || kind == "Prefix") {
        if (path.empty() || path[0] != '/') errors.invalid(where, path, "must be an absolute path");
        for (const std::string sequence : {"//", "/./", "/../", "%2f", "%2F"}) {
            if (path.find(sequence) != std::string::npos)
                errors.invalid(where, path, "must not contain '" + sequence + "'");
        }
        for (const std::string suffix : {"/..", "/."}) {
            if (path.ends_with(suffix)) errors.invalid(where, path, "cannot end with '" + suffix + "'");
        }
    } else if (kind == "ImplementationSpecific") {
        if (!path.empty() && path[0] != '/') errors.invalid(where, path, "must be an absolute path");
    } else {
        errors.not_supported(at.child("pathType"), kind, {"Exact", "ImplementationSpecific", "Prefix"});
    }
    validate_backend(object_at(entry, {"backend"}), at.child("backend"), beta, errors);
}

// The beta versions have never looked at what a rule for a wildcard says, nor at names of secrets.
void validate_rule(const Json& rule, const FieldPath& path, bool beta, FieldErrors& errors) {
    if (const std::string host(string_at(rule, {"host"})); !host.empty()) {
        if (is_ip(host)) errors.invalid(path.child("host"), host, "must be a DNS name, not an IP address");
        validate_host(host, path.child("host"), errors);
        if (beta && host.find('*') != std::string::npos) return;
    }
    const Json* http = find(rule, "http");
    if (http == nullptr) return;
    const FieldPath paths = path.child("http").child("paths");
    const Json& entries = array_at(*http, {"paths"});
    if (entries.empty()) errors.required(paths, "");
    for (std::size_t i = 0; i < entries.size(); ++i) validate_path(entries[i], paths.index(i), beta, errors);
}

void validate_tls(const Json& tls, const FieldPath& path, bool beta, FieldErrors& errors) {
    const Json& hosts = array_at(tls, {"hosts"});
    for (std::size_t i = 0; i < hosts.size(); ++i) {
        if (hosts[i].is_string())
            validate_host(hosts[i].get<std::string>(), path.child("hosts").index(i), errors);
    }
    const std::string_view secret = string_at(tls, {"secretName"});
    if (!secret.empty() && !beta)
        add_invalid(check_dns1123_subdomain(secret), path.child("secretName"), secret, errors);
}

void validate_status_update(const Json& ingress, const Json&, const HookContext&, FieldErrors& errors) {
    const FieldPath path = FieldPath("status").child("loadBalancer").child("ingress");
    const Json& points = array_at(ingress, {"status", "loadBalancer", "ingress"});
    for (std::size_t i = 0; i < points.size(); ++i) {
        const std::string ip(string_at(points[i], {"ip"})), host(string_at(points[i], {"hostname"}));
        if (!ip.empty()) validate_ip(ip, path.index(i).child("ip"), errors);
        if (host.empty()) continue;
        add_invalid(check_dns1123_subdomain(host), path.index(i).child("hostname"), host, errors);
        if (is_ip(host)) {
            errors.invalid(path.index(i).child("hostname"), host, "must be a DNS name, not an IP address");
        }
    }
}

}  // namespace

void validate_typed_reference(const Json& reference, const FieldPath& path, FieldErrors& errors) {
    if (const Json* group = find(reference, "apiGroup"); group != nullptr && group->is_string()) {
        const auto& text = group->get_ref<const std::string&>();
        add_invalid(check_dns1123_subdomain(text), path.child("apiGroup"), text, errors);
    }
    for (const char* member : {"kind", "name"}) {
        const std::string_view text = string_at(reference, {member});
        if (!validate_required(text, path.child(member), errors)) continue;
        add_invalid(check_path_segment(text, false), path.child(member), text, errors);
    }
}

void validate_ingress(const Json& ingress, const HookContext& context, FieldErrors& errors) {
    const bool beta = context.kind.version == "v1beta1";
    const FieldPath path("spec");
    const Json& spec = object_at(ingress, {"spec"});
    const Json& rules = array_at(spec, {"rules"});
    const Json* backend = find(spec, "defaultBackend");
    const std::string backend_name = beta ? "backend" : "defaultBackend";
    if (rules.empty() && backend == nullptr) {
        errors.invalid(path, GoText{"[]networking.IngressRule(nil)"},
                       "either `" + backend_name + "` or `rules` must be specified");
    }
    if (backend != nullptr) validate_backend(*backend, path.child(backend_name), beta, errors);
    for (std::size_t i = 0; i < rules.size(); ++i)
        validate_rule(rules[i], path.child("rules").index(i), beta, errors);
    const Json& tls = array_at(spec, {"tls"});
    for (std::size_t i = 0; i < tls.size(); ++i) validate_tls(tls[i], path.child("tls").index(i), beta, errors);
    if (const Json* name = find(spec, "ingressClassName"); name != nullptr && name->is_string()) {
        const auto& text = name->get_ref<const std::string&>();
        add_invalid(check_dns1123_subdomain(text), path.child("ingressClassName"), text, errors);
    }
}

void validate_ingress_create(const Json& ingress, const HookContext&, FieldErrors& errors) {
    const Json* annotation = find(ingress, {"metadata", "annotations", class_annotation});
    const Json* name = find(ingress, {"spec", "ingressClassName"});
    if (annotation != nullptr && name != nullptr && *annotation != *name) {
        errors.invalid(FieldPath("annotations").child(class_annotation), *annotation,
                       "must match `ingressClassName` when both are specified");
    }
}

void warn_of_ingress(const Json& ingress, const Json* old, const HookContext&,
                     std::vector<std::string>& warnings) {
    if (old != nullptr || find(ingress, {"spec", "ingressClassName"}) != nullptr) return;
    if (find(ingress, {"metadata", "annotations", class_annotation}) == nullptr) return;
    warnings.push_back("annotation \"" + std::string(class_annotation) +
                       "\" is deprecated, please use 'spec.ingressClassName' instead");
}

KUBEMU_RULES(ingress_rules){.validate = validate_ingress,
                            .validate_create = validate_ingress_create,
                            .validate_status_update = validate_status_update,
                            .warnings = warn_of_ingress};

}  // namespace kubemu::api::kinds

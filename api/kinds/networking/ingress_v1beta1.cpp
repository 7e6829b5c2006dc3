// networking.k8s.io/v1beta1 and extensions/v1beta1 Ingress: the stored Ingress with other names for its
// backends (kubernetes pkg/apis/networking/v1beta1/conversion.go).
#include <nlohmann/json.hpp>

#include "api/kinds/define.h"
#include "api/kinds/networking/ingress.h"

namespace kubemu::api::kinds {
namespace {

void backend_to_storage(Json& backend) {
    if (!backend.is_object()) return;
    const std::string name(string_at(backend, {"serviceName"}));
    const Json* port = find(backend, "servicePort");
    if (!name.empty() || port != nullptr) {
        Json service = Json::object();
        if (!name.empty()) service["name"] = name;
        Json& target = service["port"] = Json::object();
        if (port != nullptr && port->is_string() && !port->get_ref<const std::string&>().empty())
            target["name"] = *port;
        if (port != nullptr && port->is_number() && port->get<std::int64_t>() != 0) target["number"] = *port;
        backend["service"] = std::move(service);
    }
    erase(backend, "serviceName");
    erase(backend, "servicePort");
}

void backend_from_storage(Json& backend) {
    if (!backend.is_object()) return;
    if (const Json* service = find(backend, "service")) {
        const Json moved = *service;
        erase(backend, "service");
        if (const Json* name = find(moved, "name")) backend["serviceName"] = *name;
        const std::string_view port = string_at(moved, {"port", "name"});
        backend["servicePort"] =
            port.empty() ? Json(int_at(moved, {"port", "number"})) : Json(std::string(port));
    } else {
        backend["servicePort"] = 0;  // written always: the field knows no absence
    }
}

void each_path_backend(Json& spec, void (*convert)(Json&)) {
    Json* rules = find(spec, "rules");
    if (rules == nullptr || !rules->is_array()) return;
    for (Json& rule : *rules) {
        Json* paths = find(rule, {"http", "paths"});
        if (paths == nullptr || !paths->is_array()) continue;
        for (Json& path : *paths) {
            if (Json* backend = find(path, "backend")) convert(*backend);
        }
    }
}

void to_storage(Json& ingress) {
    Json* spec = find(ingress, "spec");
    if (spec == nullptr) return;
    if (Json* backend = find(*spec, "backend")) {
        Json moved = std::move(*backend);
        erase(*spec, "backend");
        backend_to_storage(moved);
        (*spec)["defaultBackend"] = std::move(moved);
    }
    each_path_backend(*spec, backend_to_storage);
}

void from_storage(Json& ingress) {
    Json* spec = find(ingress, "spec");
    if (spec == nullptr) return;
    if (Json* backend = find(*spec, "defaultBackend")) {
        Json moved = std::move(*backend);
        erase(*spec, "defaultBackend");
        backend_from_storage(moved);
        (*spec)["backend"] = std::move(moved);
    }
    each_path_backend(*spec, backend_from_storage);
}

// v1 has no default for it; the beta versions do.
void set_defaults(Json& ingress, const HookContext&) {
    Json* rules = find(ingress, {"spec", "rules"});
    if (rules == nullptr || !rules->is_array()) return;
    for (Json& rule : *rules) {
        Json* paths = find(rule, {"http", "paths"});
        if (paths == nullptr || !paths->is_array()) continue;
        for (Json& path : *paths) {
            if (path.is_object() && find(path, "pathType") == nullptr)
                path["pathType"] = "ImplementationSpecific";
        }
    }
}

void validate(const Json& ingress, const HookContext& context, FieldErrors& errors) {
    Json stored = ingress;
    to_storage(stored);
    validate_ingress(stored, context, errors);
}

}  // namespace

KUBEMU_RULES(ingress_v1beta1_rules){.set_defaults = set_defaults,
                                    .validate = validate,
                                    .validate_create = validate_ingress_create,
                                    .warnings = warn_of_ingress,
                                    .to_storage = to_storage,
                                    .from_storage = from_storage};

}  // namespace kubemu::api::kinds

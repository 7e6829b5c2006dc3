// Rules of the small core kinds: Namespace, Secret, ConfigMap, ServiceAccount, Node, PodTemplate, volumes, Event.
#include <nlohmann/json.hpp>

#include "api/kinds/rules.h"
#include "api/values/names.h"
#include "api/values/text.h"
#include "api/values/time.h"

namespace kubemu::api::kinds {
namespace {

// ---------------------------------------------------------------- Namespace

void namespace_defaults(Json& object, const HookContext&) {
    const std::string name(name_of(object));
    if (!name.empty()) ensure(object, {"metadata", "labels"})["kubernetes.io/metadata.name"] = name;
}

void namespace_create(Json& object, const HookContext&) {
    ensure(object, {"spec"})["finalizers"] = Json::array({"kubernetes"});
    object["status"] = {{"phase", "Active"}};
}

void namespace_update(Json& object, const Json& old, const HookContext& context) {
    if (context.subresource == "finalize") return;
    if (const Json* finalizers = find(old, {"spec", "finalizers"})) ensure(object, {"spec"})["finalizers"] = *finalizers;
    else erase(ensure(object, {"spec"}), "finalizers");
}

ApiResult<bool> namespace_delete(const Json& object, const HookContext&) {
    const std::string_view name = name_of(object);
    if (name == "default" || name == "kube-system" || name == "kube-public") {
        return Status::forbidden({}, "namespaces", name, "this namespace may not be deleted");
    }
    return true;
}

bool namespace_pending(const Json& object) { return !array_at(object, {"spec", "finalizers"}).empty(); }

// ---------------------------------------------------------------- ConfigMap and Secret

constexpr std::size_t data_bytes_max = 1024 * 1024;

void check_keys(const Json& data, const FieldPath& path, FieldErrors& errors) {
    for (const auto& [key, value] : data.items()) {
        for (const std::string& message : check_config_map_key(key)) errors.invalid(path.key(key), key, message);
    }
}

std::size_t bytes_of(const Json& data) {
    std::size_t bytes = 0;
    for (const auto& [key, value] : data.items()) bytes += value.is_string() ? value.get_ref<const std::string&>().size() : 0;
    return bytes;
}

void config_map_validate(const Json& object, const HookContext&, FieldErrors& errors) {
    const Json& data = object_at(object, {"data"});
    const Json& binary = object_at(object, {"binaryData"});
    check_keys(data, FieldPath("data"), errors);
    for (const auto& [key, value] : data.items()) {
        if (binary.contains(key)) errors.invalid(FieldPath("data").key(key), key, "duplicate of key present in binaryData");
    }
    check_keys(binary, FieldPath("binaryData"), errors);
    if (bytes_of(data) + bytes_of(binary) * 3 / 4 > data_bytes_max) errors.too_long(FieldPath("[]"), data_bytes_max);
}

void immutable_data(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    if (!bool_at(old, {"immutable"})) return;
    if (!bool_at(object, {"immutable"})) errors.forbidden(FieldPath("immutable"), "field is immutable when `immutable` is set");
    for (const char* member : {"data", "binaryData"}) {
        if (object_at(object, {member}) != object_at(old, {member})) {
            errors.forbidden(FieldPath(member), "field is immutable when `immutable` is set");
        }
    }
}

void secret_defaults(Json& object, const HookContext&) {
    if (const Json* plain = find(object, "stringData")) {
        for (const auto& [key, value] : plain->items()) {
            if (value.is_string()) object["data"][key] = base64_encode(value.get_ref<const std::string&>());
        }
        erase(object, "stringData");
    }
}

void secret_validate(const Json& object, const HookContext&, FieldErrors& errors) {
    const Json& data = object_at(object, {"data"});
    check_keys(data, FieldPath("data"), errors);
    if (bytes_of(data) * 3 / 4 > data_bytes_max) errors.too_long(FieldPath("data"), data_bytes_max);
    const std::string_view type = string_at(object, {"type"});
    const auto need = [&](const char* key) {
        if (!data.contains(key)) errors.required(FieldPath("data").key(key), "");
    };
    if (type == "kubernetes.io/tls") {
        need("tls.crt");
        need("tls.key");
    } else if (type == "kubernetes.io/ssh-auth") {
        need("ssh-privatekey");
    } else if (type == "kubernetes.io/basic-auth") {
        if (!data.contains("username") && !data.contains("password")) {
            need("username");
            need("password");
        }
    } else if (type == "kubernetes.io/dockerconfigjson" || type == "kubernetes.io/dockercfg") {
        const char* key = type == "kubernetes.io/dockercfg" ? ".dockercfg" : ".dockerconfigjson";
        need(key);
        std::string text;
        if (data.contains(key) && base64_decode(string_at(data, {key}), text) && !Json::accept(text)) {
            errors.invalid(FieldPath("data").key(key), "<secret contents redacted>",
                           text.empty() ? "unexpected end of JSON input" : "invalid character in JSON input");
        }
    } else if (type == "kubernetes.io/service-account-token") {
        if (string_at(object, {"metadata", "annotations", "kubernetes.io/service-account.name"}).empty()) {
            errors.required(FieldPath("metadata").child("annotations").key("kubernetes.io/service-account.name"), "");
        }
    }
}

void secret_validate_update(const Json& object, const Json& old, const HookContext& context, FieldErrors& errors) {
    if (string_at(object, {"type"}) != string_at(old, {"type"})) {
        errors.invalid(FieldPath("type"), object.value("type", Json("")), "field is immutable");
    }
    immutable_data(object, old, context, errors);
}

// ---------------------------------------------------------------- Node, volumes, templates

void node_create(Json& object, const HookContext&) {
    // A node's own status comes with its registration, as the kubelet sends it.
    (void)object;
}

void claim_create(Json& object, const HookContext&) { object["status"] = {{"phase", "Pending"}}; }

void claim_validate(const Json& object, const HookContext&, FieldErrors& errors) {
    const FieldPath spec("spec");
    if (array_at(object, {"spec", "accessModes"}).empty()) errors.required(spec.child("accessModes"), "at least 1 access mode is required");
    if (find(object, {"spec", "resources", "requests", "storage"}) == nullptr) {
        errors.required(spec.child("resources").key("storage"), "");
    }
}

void claim_validate_update(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    Json before = object_at(old, {"spec"}), after = object_at(object, {"spec"});
    for (Json* spec : {&before, &after}) {
        spec->erase("resources");
        if (before.value("volumeName", "").empty()) spec->erase("volumeName");
    }
    if (before != after) {
        errors.forbidden(FieldPath("spec"),
                         "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims");
    }
}

void volume_create(Json& object, const HookContext&) { object["status"] = {{"phase", "Pending"}}; }

void volume_validate(const Json& object, const HookContext&, FieldErrors& errors) {
    const FieldPath spec("spec");
    if (array_at(object, {"spec", "accessModes"}).empty()) errors.required(spec.child("accessModes"), "");
    if (object_at(object, {"spec", "capacity"}).empty()) errors.required(spec.child("capacity"), "");
}

// ---------------------------------------------------------------- Event

void event_to_core(Json& object) {
    const auto move = [&object](const char* from, std::initializer_list<std::string_view> to) {
        if (const Json* value = find(object, from)) {
            Json moved = *value;
            erase(object, from);
            if (to.size() == 1) object[std::string(*to.begin())] = std::move(moved);
        }
    };
    move("regarding", {"involvedObject"});
    move("note", {"message"});
    move("reportingController", {"reportingComponent"});
    move("deprecatedSource", {"source"});
    move("deprecatedFirstTimestamp", {"firstTimestamp"});
    move("deprecatedLastTimestamp", {"lastTimestamp"});
    move("deprecatedCount", {"count"});
}

void event_from_core(Json& object) {
    const auto move = [&object](const char* from, const char* to) {
        if (const Json* value = find(object, from)) {
            object[to] = *value;
            erase(object, from);
        }
    };
    move("involvedObject", "regarding");
    move("message", "note");
    move("reportingComponent", "reportingController");
    move("source", "deprecatedSource");
    move("firstTimestamp", "deprecatedFirstTimestamp");
    move("lastTimestamp", "deprecatedLastTimestamp");
    move("count", "deprecatedCount");
}

void event_validate(const Json& object, const HookContext& context, FieldErrors& errors) {
    const std::string space(string_at(object, {"involvedObject", "namespace"}));
    if (!space.empty() && space != context.namespace_name) {
        errors.invalid(FieldPath("involvedObject.namespace"), space, "does not match event.namespace");
    }
    if (space.empty() && context.namespace_name != "default" && find(object, "involvedObject") != nullptr) {
        errors.invalid(FieldPath("involvedObject.namespace"), space, "does not match event.namespace");
    }
}

}  // namespace

#define KUBEMU_RULES(name) extern const KindRules name; const KindRules name
KUBEMU_RULES(namespace_rules){.set_defaults = namespace_defaults,
                              .prepare_for_create = namespace_create,
                              .prepare_for_update = namespace_update,
                              .validate_name = check_name_as_label,
                              .before_delete = namespace_delete,
                              .has_pending_finalizers = namespace_pending};
KUBEMU_RULES(config_map_rules){.validate = config_map_validate, .validate_update = immutable_data};
KUBEMU_RULES(secret_rules){.set_defaults = secret_defaults, .validate = secret_validate, .validate_update = secret_validate_update};
KUBEMU_RULES(service_account_rules){};
KUBEMU_RULES(node_rules){.prepare_for_create = node_create};
KUBEMU_RULES(persistent_volume_claim_rules){
    .prepare_for_create = claim_create, .validate = claim_validate, .validate_update = claim_validate_update};
KUBEMU_RULES(persistent_volume_rules){.prepare_for_create = volume_create, .validate = volume_validate};
KUBEMU_RULES(event_rules){.validate = event_validate};
KUBEMU_RULES(event_v1_rules){.to_storage = event_to_core, .from_storage = event_from_core};

}  // namespace kubemu::api::kinds

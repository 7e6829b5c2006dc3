// Rules of Secrets: what each type must hold (kubernetes pkg/apis/core/validation, ValidateSecret).
#include <nlohmann/json.hpp>

#include "api/codec/json_syntax.h"
#include "api/kinds/core/config_map.h"
#include "api/kinds/rules.h"
#include "api/kinds/validation.h"
#include "api/values/text.h"

namespace kubemu::api::kinds {
namespace {

void set_defaults(Json& object, const HookContext&) {
    if (const Json* plain = find(object, "stringData")) {
        for (const auto& [key, value] : plain->items()) {
            if (value.is_string()) object["data"][key] = base64_encode(value.get_ref<const std::string&>());
        }
        erase(object, "stringData");
    }
}

void prepare_for_update(Json& object, const Json& old, const HookContext&) {
    // A client that does not know the type does not mean to change it.
    if (string_at(object, {"type"}).empty()) object["type"] = std::string(string_at(old, {"type"}));
}

// A registry's credentials are JSON text; what is wrong with it is told in encoding/json's words.
void validate_docker_config(const Json& data, const char* key, FieldErrors& errors) {
    const FieldPath path = FieldPath("data").key(key);
    if (!data.contains(key)) return errors.required(path, "");
    std::string text;
    base64_decode(string_at(data, {key}), text);
    const Json parsed = Json::parse(text, nullptr, false);
    if (parsed.is_object() || parsed.is_null()) return;
    constexpr const char* redacted = "<secret contents redacted>";
    if (!parsed.is_discarded()) {
        const char* type = parsed.is_array()     ? "array"
                           : parsed.is_string()  ? "string"
                           : parsed.is_boolean() ? "bool"
                                                 : "number";
        return errors.invalid(
            path, redacted,
            std::string("json: cannot unmarshal ") + type + " into Go value of type map[string]interface {}");
    }
    errors.invalid(path, redacted, json_syntax_error(text).value_or("invalid JSON"));
}

void validate_type(const Json& object, const Json& data, FieldErrors& errors) {
    const FieldPath path("data");
    const std::string_view type = string_at(object, {"type"});
    const auto need = [&](const char* key) {
        if (!data.contains(key)) errors.required(path.key(key), "");
    };
    if (type == "kubernetes.io/service-account-token") {
        constexpr const char* owner = "kubernetes.io/service-account.name";
        validate_required(string_at(object, {"metadata", "annotations", owner}),
                          FieldPath("metadata").child("annotations").key(owner), errors);
    } else if (type == "kubernetes.io/dockercfg") {
        validate_docker_config(data, ".dockercfg", errors);
    } else if (type == "kubernetes.io/dockerconfigjson") {
        validate_docker_config(data, ".dockerconfigjson", errors);
    } else if (type == "kubernetes.io/basic-auth") {
        if (data.contains("username") || data.contains("password")) return;
        need("username");
        need("password");
    } else if (type == "kubernetes.io/ssh-auth") {
        validate_required(string_at(data, {"ssh-privatekey"}), path.key("ssh-privatekey"), errors);
    } else if (type == "kubernetes.io/tls") {
        need("tls.crt");
        need("tls.key");
    }
}

void validate(const Json& object, const HookContext&, FieldErrors& errors) {
    const Json& data = object_at(object, {"data"});
    const FieldPath path("data");
    validate_data_keys(data, path, errors);
    if (base64_bytes(data) > data_bytes_max) errors.too_long(path, data_bytes_max);
    validate_type(object, data, errors);
}

void validate_update(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    validate_immutable(find(object, "type"), find(old, "type"), FieldPath("type"), errors);
    validate_immutable_data(object, old, {"data"}, errors);
}

void warnings(const Json& object, const Json*, const HookContext&, std::vector<std::string>& out) {
    if (string_at(object, {"type"}) != "kubernetes.io/tls") return;
    const Json& data = object_at(object, {"data"});
    std::string certificate, key;
    base64_decode(string_at(data, {"tls.crt"}), certificate);
    base64_decode(string_at(data, {"tls.key"}), key);
    const auto has_block = [](const std::string& text) { return text.find("-----BEGIN ") != std::string::npos; };
    if (!has_block(certificate)) {
        out.emplace_back("tls: failed to find any PEM data in certificate input");
    } else if (!has_block(key)) {
        out.emplace_back("tls: failed to find any PEM data in key input");
    }
}

}  // namespace

extern const KindRules secret_rules;
const KindRules secret_rules{.set_defaults = set_defaults,
                             .prepare_for_update = prepare_for_update,
                             .validate = validate,
                             .validate_update = validate_update,
                             .warnings = warnings};

}  // namespace kubemu::api::kinds

// Validation of embedded resources.
#include "api/kinds/apiextensions/custom_metadata.h"

#include <nlohmann/json.hpp>

#include "api/kinds/object_meta.h"
#include "api/values/go_print.h"
#include "api/values/names.h"
#include "api/values/text.h"

namespace kubemu::api::kinds {
namespace {

void check_resource(const Json& value, const FieldPath& path, FieldErrors& errors) {
    for (const char* name : {"apiVersion", "kind"}) {
        if (!value.contains(name)) errors.required(path.child(name), "");
    }
    if (const auto version = value.find("apiVersion"); version != value.end()) {
        const FieldPath at = path.child("apiVersion");
        if (!version->is_string()) {
            errors.invalid(at, GoText{go_bad_value(*version)}, "must be a string");
        } else if (*version == "") {
            errors.invalid(at, "", "must not be empty");
        } else if (split(version->get_ref<const std::string&>(), '/').size() > 2) {
            errors.invalid(at, *version, "unexpected GroupVersion string: " + version->get<std::string>());
        }
    }
    if (const auto kind = value.find("kind"); kind != value.end()) {
        const FieldPath at = path.child("kind");
        if (!kind->is_string()) {
            errors.invalid(at, GoText{go_bad_value(*kind)}, "must be a string");
        } else if (*kind == "") {
            errors.invalid(at, "", "must not be empty");
        } else if (const Messages messages = check_dns1035_label(lower(kind->get_ref<const std::string&>())); !messages.empty()) {
            errors.invalid(at, *kind, "may have mixed case, but should otherwise match: " + join(messages, ","));
        }
    }
    if (const auto metadata = value.find("metadata"); metadata != value.end() && metadata->is_object()) {
        validate_embedded_metadata(*metadata, path.child("metadata"), errors);
    }
}

}  // namespace

void validate_embedded_resources(const Json& value, const structural::Schema& schema, const FieldPath& path, FieldErrors& errors,
                                 bool root) {
    if (value.is_array()) {
        for (std::size_t i = 0; schema.items && i < value.size(); ++i) {
            validate_embedded_resources(value[i], *schema.items, path.index(i), errors);
        }
        return;
    }
    if (!value.is_object()) return;
    if (root || schema.embedded_resource) check_resource(value, path, errors);
    for (const auto& [name, member] : value.items()) {
        if (const structural::Schema* own = schema.property(name)) {
            validate_embedded_resources(member, *own, path.child(name), errors);
        } else if (schema.additional_properties) {
            validate_embedded_resources(member, *schema.additional_properties, path.key(name), errors);
        }
    }
}

}  // namespace kubemu::api::kinds

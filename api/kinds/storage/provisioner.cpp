// Drivers and their parameters.
#include "api/kinds/storage/provisioner.h"

#include <nlohmann/json.hpp>

#include "api/kinds/validation.h"
#include "api/values/names.h"
#include "api/values/text.h"

namespace kubemu::api::kinds {

void validate_provisioner(std::string_view name, const FieldPath& path, FieldErrors& errors) {
    if (name.empty()) return errors.required(path, "");
    const std::string lowered = lower(name);
    validate_qualified_name(lowered, path, errors);
}

void validate_parameters(const Json& parameters, bool may_be_empty, const FieldPath& path, FieldErrors& errors) {
    constexpr std::size_t parameters_max = 512;
    constexpr std::size_t parameter_bytes_max = 256 * 1024;
    if (parameters.size() > parameters_max) return errors.too_long(path, parameters_max);
    std::size_t bytes = 0;
    for (const auto& [key, value] : parameters.items()) {
        if (key.empty()) errors.invalid(path, key, "field can not be empty.");
        bytes += key.size() + (value.is_string() ? value.get_ref<const std::string&>().size() : 0);
    }
    if (bytes > parameter_bytes_max) errors.too_long(path, parameter_bytes_max);
    if (!may_be_empty && parameters.empty()) errors.required(path, "must contain at least one key/value pair");
}

}  // namespace kubemu::api::kinds

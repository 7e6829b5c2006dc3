// Taints, tolerations, binding conditions, shared amounts.
#include "api/kinds/resource/devices.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <set>

#include "api/kinds/go_syntax.h"
#include "api/kinds/resource/claims.h"
#include "api/kinds/validation.h"
#include "api/values/names.h"
#include "api/values/text.h"

namespace kubemu::api::kinds {
namespace {

constexpr std::size_t id_bytes_max = 32, taints_max = 16, binding_conditions_max = 4, options_max = 10;

std::string_view text(const Json& object, std::string_view member) { return string_at(object, {member}); }
std::string_view text(const Json& value) {
    return value.is_string() ? std::string_view(value.get_ref<const std::string&>()) : std::string_view();
}

void validate_c_identifier(std::string_view id, const FieldPath& path, FieldErrors& errors) {
    if (id.size() > id_bytes_max) errors.too_long(path, id_bytes_max);
    const auto plain = [](char c) { return c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0; };
    const bool good =
        !id.empty() && std::isdigit(static_cast<unsigned char>(id[0])) == 0 && std::all_of(id.begin(), id.end(), plain);
    if (good) return;
    errors.invalid(
        path, std::string(id),
        "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric "
        "characters "
        "or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')");
}

void validate_label_value(std::string_view value, const FieldPath& path, FieldErrors& errors) {
    add_invalid(check_label_value(value), path, value, errors);
}

void validate_effect(std::string_view effect, const FieldPath& path, FieldErrors& errors) {
    if (effect == "NoExecute" || effect == "NoSchedule" || effect == "None") return;
    errors.not_supported(path, effect, {"NoExecute", "NoSchedule", "None"});
}

void validate_step(const Quantity& value, const Quantity& least, const Quantity& step, const FieldPath& path,
                   FieldErrors& errors) {
    if (step.value() == 0 || (value.value() - least.value()) % step.value() == 0) return;
    errors.invalid(path, value.text(),
                   "value is not a multiple of a given step (" + step.text() + ") from (" + least.text() + ")");
}

void validate_range(const Json& range, const Quantity& chosen, const Quantity& whole, const FieldPath& path,
                    FieldErrors& errors) {
    if (find(range, "min") == nullptr) return errors.required(path.child("min"), "required when validRange is defined");
    const Quantity least = quantity_of(find(range, "min"));
    if (whole < least)
        errors.invalid(path.child("min"), least.text(), "min is larger than capacity value: " + whole.text());
    if (chosen < least) errors.invalid(path.child("min"), chosen.text(), "default is less than min: " + least.text());
    const Json* highest = find(range, "max");
    const Quantity most = quantity_of(highest);
    if (highest != nullptr) {
        const FieldPath at = path.child("max");
        if (most < least) errors.invalid(at, least.text(), "min is larger than max: " + most.text());
        if (whole < most) errors.invalid(at, most.text(), "max is larger than capacity value: " + whole.text());
        if (most < chosen) errors.invalid(at, chosen.text(), "default is more than max: " + most.text());
    }
    if (find(range, "step") == nullptr) return;
    const FieldPath at = path.child("step");
    const Quantity step = quantity_of(find(range, "step"));
    Quantity one = least;
    one += step;
    if (whole < one)
        errors.invalid(at, step.text(), "one step " + one.text() + " is larger than capacity value: " + whole.text());
    validate_step(chosen, least, step, at, errors);
    if (highest != nullptr) validate_step(most, least, step, at, errors);
}

void validate_options(const Json& options, const Quantity& chosen, const Quantity& whole, const FieldPath& path,
                      FieldErrors& errors) {
    bool found = false;
    for (std::size_t i = 1; i < options.size(); ++i) {
        const Quantity option = quantity_of(&options[i]);
        if (option < quantity_of(&options[i - 1])) {
            errors.invalid(path.index(i), option.text(), "values must be sorted in ascending order");
        }
    }
    if (options.size() > options_max) {
        errors.too_many(path, options.size(), options_max);
    } else {
        std::set<std::int64_t> seen;
        for (std::size_t i = 0; i < options.size(); ++i) {
            const Quantity option = quantity_of(&options[i]);
            if (whole < option) {
                errors.invalid(path.index(i), option.text(), "option is larger than capacity value: " + whole.text());
            }
            found = found || option == chosen;
            if (!seen.insert(option.value()).second) errors.duplicate(path.index(i), std::to_string(option.value()));
        }
    }
    if (!found) errors.invalid(path, chosen.text(), "default value is not valid according to the requestPolicy");
}

}  // namespace

void validate_device_property_name(std::string_view name, bool fully, const FieldPath& path, FieldErrors& errors) {
    const auto parts = split(name, '/');
    if (parts.size() == 1) {
        validate_c_identifier(name, path, errors);
    } else if (parts.size() == 2) {
        if (parts[0].empty()) errors.invalid(path, "", "the domain must not be empty");
        else validate_resource_driver_name(parts[0], path, errors);
        if (parts[1].empty()) errors.invalid(path, "", "the name must not be empty");
        else validate_c_identifier(parts[1], path, errors);
    }
    if (fully && name.find('/') == std::string_view::npos) {
        errors.invalid(path, std::string(name),
                       "a fully qualified name must be a domain and a name separated by a slash");
    }
}

void validate_device_taints(const Json& device, const FieldPath& path, FieldErrors& errors) {
    const Json& taints = array_at(device, {"taints"});
    if (taints.size() > taints_max) return errors.too_many(path.child("taints"), taints.size(), taints_max);
    for (std::size_t i = 0; i < taints.size(); ++i) {
        const FieldPath at = path.child("taints").index(i);
        validate_qualified_name(text(taints[i], "key"), at.child("key"), errors);
        if (const std::string_view value = text(taints[i], "value"); !value.empty()) {
            validate_label_value(value, at.child("value"), errors);
        }
        const std::string_view effect = text(taints[i], "effect");
        if (validate_required(effect, at.child("effect"), errors)) validate_effect(effect, at.child("effect"), errors);
    }
}

void validate_device_tolerations(const Json& wish, const FieldPath& path, FieldErrors& errors) {
    const Json& tolerations = array_at(wish, {"tolerations"});
    for (std::size_t i = 0; i < tolerations.size(); ++i) {
        const FieldPath at = path.child("tolerations").index(i);
        const std::string_view key = text(tolerations[i], "key"), op = text(tolerations[i], "operator");
        const std::string_view value = text(tolerations[i], "value"), effect = text(tolerations[i], "effect");
        if (!key.empty()) validate_qualified_name(key, at.child("key"), errors);
        if (op == "Exists") {
            if (!value.empty())
                errors.invalid(at.child("value"), std::string(value), "must be empty for operator `Exists`");
        } else if (op == "Equal") {
            validate_label_value(value, at.child("value"), errors);
        } else if (validate_required(op, at.child("operator"), errors)) {
            errors.not_supported(at.child("operator"), op, {"Equal", "Exists"});
        }
        if (!effect.empty()) validate_effect(effect, at.child("effect"), errors);
    }
}

void validate_binding_conditions(const Json& device, const FieldPath& path, FieldErrors& errors) {
    constexpr const char* members[] = {"bindingConditions", "bindingFailureConditions"};
    for (const char* member : members) {
        const Json& list = array_at(device, {member});
        const FieldPath at = path.child(member);
        if (list.size() > binding_conditions_max) {
            errors.too_many(at, list.size(), binding_conditions_max);
            continue;
        }
        for (std::size_t i = 0; i < list.size(); ++i) validate_qualified_name(text(list[i]), at.index(i), errors);
    }
    const Json &conditions = array_at(device, {members[0]}), &failures = array_at(device, {members[1]});
    std::set<std::string_view> seen, failed;
    for (std::size_t i = 0; i < conditions.size(); ++i) {
        if (!seen.insert(text(conditions[i])).second) errors.duplicate(path.child(members[0]).index(i), conditions[i]);
    }
    for (std::size_t i = 0; i < failures.size(); ++i) {
        const FieldPath at = path.child(members[1]).index(i);
        if (!failed.insert(text(failures[i])).second) errors.duplicate(at, failures[i]);
        if (seen.contains(text(failures[i]))) {
            errors.invalid(at, failures[i], "bindingFailureConditions must not overlap with bindingConditions");
        }
    }
    if (conditions.empty() != failures.empty()) {
        const std::size_t missing = conditions.empty() ? 0 : 1;
        errors.invalid(path.child(members[missing]), go_strings("[]string", find(device, members[missing])),
                       std::string(members[missing]) + " are required to use " + members[1 - missing]);
    }
}

void validate_request_policy(const Json& amount, const FieldPath& path, FieldErrors& errors) {
    const Json* policy = find(amount, "requestPolicy");
    if (policy == nullptr) return;
    const FieldPath at = path.child("requestPolicy");
    const Quantity whole = quantity_of(find(amount, "value"));
    const Json& options = array_at(*policy, {"validValues"});
    const Json* range = find(*policy, "validRange");
    if (!options.empty() && range != nullptr) {
        return errors.forbidden(
            at,
            R"(exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time)");
    }
    if (options.empty() && range == nullptr) return;
    const char* chosen_by = options.empty() ? "validRange" : "validValues";
    if (find(*policy, "default") == nullptr) {
        return errors.required(at.child("default"), std::string("required when ") + chosen_by + " is defined");
    }
    const Quantity chosen = quantity_of(find(*policy, "default"));
    if (options.empty()) validate_range(*range, chosen, whole, at.child(chosen_by), errors);
    else validate_options(options, chosen, whole, at.child(chosen_by), errors);
}

void validate_share_id(const Json& device, const FieldPath& path, FieldErrors& errors) {
    const Json* given = find(device, "shareID");
    if (given == nullptr) return;
    const std::string_view id = text(*given);
    bool uuid = id.size() == 36, lower_case = true;
    for (std::size_t i = 0; i < id.size() && uuid; ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        uuid = dash ? id[i] == '-' : std::isxdigit(static_cast<unsigned char>(id[i])) != 0;
        lower_case = lower_case && std::isupper(static_cast<unsigned char>(id[i])) == 0;
    }
    const FieldPath at = path.child("shareID");
    if (!uuid) {
        const std::string why =
            id.size() == 36 ? "invalid UUID format" : "invalid UUID length: " + std::to_string(id.size());
        errors.invalid(at, *given, "error validating uid: " + why);
    } else if (!lower_case) {
        errors.invalid(at, *given,
                       "uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase "
                       "hexadecimal "
                       "characters");
    }
}

void validate_opaque(const Json* data, std::size_t bytes_max, const FieldPath& path, FieldErrors& errors) {
    if (data == nullptr) return errors.required(path, "");
    if (data->dump().size() > bytes_max) return errors.too_long(path, bytes_max);
    if (!data->is_object()) errors.invalid(path, "<value omitted>", "must be a valid JSON object");
}

}  // namespace kubemu::api::kinds

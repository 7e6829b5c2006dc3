// Checks that the rules of many kinds share.
#include "api/kinds/validation.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "api/kinds/go_syntax.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

constexpr std::int64_t id_max = 2147483647;

std::int64_t number_of(const Json* value) { return value->get<std::int64_t>(); }

bool decimal(std::string_view text, int most, int& value) {
    if (text.empty() || text.size() > 9 || text.find_first_not_of("0123456789") != std::string_view::npos) return false;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value <= most;
}

template <std::size_t N>
bool one_of(std::string_view text, const std::array<std::string_view, N>& all) {
    return std::find(all.begin(), all.end(), text) != all.end();
}

// Nothing when the text is no percentage ("[0-9]+%").
std::optional<std::int64_t> percent_of(const Json& value) {
    if (!value.is_string()) return std::nullopt;
    std::string_view text = value.get_ref<const std::string&>();
    if (!text.ends_with('%')) return std::nullopt;
    text.remove_suffix(1);
    if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
    std::int64_t percent = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent);
    return error == std::errc() ? percent : INT32_MAX;
}

}  // namespace

void add_invalid(const Messages& messages, const FieldPath& path, std::string_view value, FieldErrors& errors) {
    for (const std::string& message : messages) errors.invalid(path, std::string(value), message);
}

void validate_non_negative(const Json& object, std::string_view member, const FieldPath& parent, FieldErrors& errors) {
    const Json* value = find(object, member);
    if (value != nullptr && value->is_number() && number_of(value) < 0) {
        errors.invalid(parent.child(member), *value, "must be greater than or equal to 0");
    }
}

void validate_positive(const Json& object, std::string_view member, const FieldPath& parent, FieldErrors& errors) {
    const Json* value = find(object, member);
    if (value != nullptr && value->is_number() && number_of(value) <= 0) {
        errors.invalid(parent.child(member), *value, "must be greater than zero");
    }
}

void validate_range(std::int64_t value, std::int64_t least, std::int64_t most, const FieldPath& path, FieldErrors& errors) {
    if (value >= least && value <= most) return;
    errors.invalid(path, value, "must be between " + std::to_string(least) + " and " + std::to_string(most) + ", inclusive");
}

void validate_port_number(std::int64_t port, const FieldPath& path, FieldErrors& errors) {
    validate_range(port, 1, 65535, path, errors);
}

void validate_id(const Json& object, std::string_view member, const FieldPath& parent, FieldErrors& errors) {
    const Json* value = find(object, member);
    if (value == nullptr || !value->is_number()) return;
    if (number_of(value) < 0 || number_of(value) > id_max) {
        validate_range(number_of(value), 0, id_max, parent.child(member), errors);
    }
}

void validate_port_number_or_name(const Json* port, const FieldPath& path, FieldErrors& errors) {
    if (port != nullptr && port->is_string()) {
        const auto& name = port->get_ref<const std::string&>();
        add_invalid(check_port_name(name), path, name, errors);
    } else {
        validate_port_number(port != nullptr && port->is_number() ? number_of(port) : 0, path, errors);
    }
}

void validate_int_or_percent(const Json* value, const FieldPath& path, FieldErrors& errors) {
    if (value == nullptr) return;
    if (value->is_string() && !percent_of(*value)) {
        errors.invalid(path, go_int_or_string(value),
                       "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', "
                       "regex used for validation is '[0-9]+%')");
    } else if (value->is_number() && number_of(value) < 0) {
        errors.invalid(path, number_of(value), "must be greater than or equal to 0");
    }
}

void validate_at_most_100_percent(const Json* value, const FieldPath& path, FieldErrors& errors) {
    if (value == nullptr) return;
    if (const auto percent = percent_of(*value); percent && *percent > 100) {
        errors.invalid(path, go_int_or_string(value), "must not be greater than 100%");
    }
}

bool is_zero_int_or_percent(const Json* value) {
    if (value == nullptr) return true;
    // A text that is no percentage counts as 0, as it does for the real server.
    return value->is_number() ? number_of(value) == 0 : percent_of(*value).value_or(0) == 0;
}

bool validate_required(std::string_view value, const FieldPath& path, FieldErrors& errors) {
    if (value.empty()) errors.required(path, "");
    return !value.empty();
}

void validate_enum(std::string_view value, std::initializer_list<std::string_view> supported, const FieldPath& path,
                   FieldErrors& errors) {
    if (validate_required(value, path, errors)) validate_optional_enum(value, supported, path, errors);
}

void validate_optional_enum(std::string_view value, std::initializer_list<std::string_view> supported,
                            const FieldPath& path, FieldErrors& errors) {
    if (value.empty() || std::find(supported.begin(), supported.end(), value) != supported.end()) return;
    errors.not_supported(path, value, std::vector<std::string>(supported.begin(), supported.end()));
}

void validate_given_enum(const Json& object, std::string_view member, std::initializer_list<std::string_view> supported,
                         const FieldPath& parent, FieldErrors& errors) {
    const Json* given = find(object, member);
    if (given == nullptr || !given->is_string()) return;
    const std::string_view value = given->get_ref<const std::string&>();
    if (std::find(supported.begin(), supported.end(), value) != supported.end()) return;
    errors.not_supported(parent.child(member), value, std::vector<std::string>(supported.begin(), supported.end()));
}

void validate_dns1123_label(std::string_view value, const FieldPath& path, FieldErrors& errors) {
    add_invalid(check_dns1123_label(value), path, value, errors);
}

void validate_dns1123_subdomain(std::string_view value, const FieldPath& path, FieldErrors& errors) {
    add_invalid(check_dns1123_subdomain(value), path, value, errors);
}

void validate_qualified_name(std::string_view value, const FieldPath& path, FieldErrors& errors) {
    add_invalid(check_qualified_name(value), path, value, errors);
}

bool is_ipv6(std::string_view text) {
    in6_addr parsed{};
    return text.size() < INET6_ADDRSTRLEN && inet_pton(AF_INET6, std::string(text).c_str(), &parsed) == 1;
}

bool is_ip(std::string_view text) {
    if (text.find(':') != std::string_view::npos) return is_ipv6(text);
    const auto parts = split(text, '.');
    if (parts.size() != 4) return false;
    return std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
        int octet = 0;
        return decimal(part, 255, octet);
    });
}

bool is_cidr(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) return false;
    const std::string_view address = text.substr(0, slash);
    int length = 0;
    return is_ip(address) &&
           decimal(text.substr(slash + 1), address.find(':') == std::string_view::npos ? 32 : 128, length);
}

void validate_ip(std::string_view value, const FieldPath& path, FieldErrors& errors) {
    if (!is_ip(value)) {
        errors.invalid(path, std::string(value), "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
    }
}

void validate_cidr(std::string_view value, const FieldPath& path, FieldErrors& errors) {
    if (!is_cidr(value)) {
        errors.invalid(path, std::string(value), "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
    }
}

void validate_path_no_backsteps(std::string_view target, const FieldPath& path, FieldErrors& errors) {
    const auto steps = split(target, '/');
    if (std::find(steps.begin(), steps.end(), "..") != steps.end()) {
        errors.invalid(path, std::string(target), "must not contain '..'");
    }
}

void validate_local_descending_path(std::string_view target, const FieldPath& path, FieldErrors& errors) {
    if (target.starts_with('/')) errors.invalid(path, std::string(target), "must be a relative path");
    validate_path_no_backsteps(target, path, errors);
}

void validate_local_non_reserved_path(std::string_view target, const FieldPath& path, FieldErrors& errors) {
    validate_local_descending_path(target, path, errors);
    if (target.starts_with("..") && !target.starts_with("../")) {
        errors.invalid(path, std::string(target), "must not start with '..'");
    }
}

void validate_immutable_text(std::string_view value, std::string_view old, const FieldPath& path, FieldErrors& errors) {
    if (value != old) errors.invalid(path, std::string(value), "field is immutable");
}

void validate_immutable(const Json* value, const Json* old, const GoText& echo, const FieldPath& path, FieldErrors& errors) {
    if (value == old || (value != nullptr && old != nullptr && *value == *old)) return;
    errors.invalid(path, echo, "field is immutable");
}

void validate_immutable(const Json* value, const Json* old, const FieldPath& path, FieldErrors& errors) {
    if (value == old || (value != nullptr && old != nullptr && *value == *old)) return;
    errors.invalid(path, value == nullptr ? Json(nullptr) : *value, "field is immutable");
}

bool is_standard_finalizer(std::string_view name) {
    return name == "kubernetes" || name == "orphan" || name == "foregroundDeletion";
}

// ---------------------------------------------------------------- Resources

bool is_huge_page_resource(std::string_view name) { return name.starts_with("hugepages-"); }

bool is_native_resource(std::string_view name) {
    return name.find('/') == std::string_view::npos || name.find("kubernetes.io/") != std::string_view::npos;
}

bool is_extended_resource(std::string_view name) {
    if (is_native_resource(name) || name.starts_with("requests.")) return false;
    return check_qualified_name("requests." + std::string(name)).empty();
}

bool is_integer_resource(std::string_view name) {
    static constexpr std::array<std::string_view, 9> counted = {
        "pods",       "resourcequotas",         "services",           "replicationcontrollers", "secrets",
        "configmaps", "persistentvolumeclaims", "services.nodeports", "services.loadbalancers"};
    return one_of(name, counted) || is_extended_resource(name);
}

bool is_overcommit_allowed(std::string_view name) { return is_native_resource(name) && !is_huge_page_resource(name); }

bool is_standard_container_resource(std::string_view name) {
    return name == "cpu" || name == "memory" || name == "ephemeral-storage" || is_huge_page_resource(name);
}

bool is_standard_quota_resource(std::string_view name) {
    static constexpr std::array<std::string_view, 19> standard = {"cpu",
                                                                  "memory",
                                                                  "ephemeral-storage",
                                                                  "requests.cpu",
                                                                  "requests.memory",
                                                                  "requests.storage",
                                                                  "requests.ephemeral-storage",
                                                                  "limits.cpu",
                                                                  "limits.memory",
                                                                  "limits.ephemeral-storage",
                                                                  "pods",
                                                                  "resourcequotas",
                                                                  "services",
                                                                  "replicationcontrollers",
                                                                  "secrets",
                                                                  "persistentvolumeclaims",
                                                                  "configmaps",
                                                                  "services.nodeports",
                                                                  "services.loadbalancers"};
    return one_of(name, standard) || is_huge_page_resource(name) || name.starts_with("requests.hugepages-");
}

bool is_standard_resource(std::string_view name) { return name == "storage" || is_standard_quota_resource(name); }

Quantity quantity_of(const Json* value) {
    if (value == nullptr) return {};
    if (value->is_number()) return Quantity::parse(value->dump()).value_or(Quantity());
    return value->is_string() ? Quantity::parse(value->get_ref<const std::string&>()).value_or(Quantity()) : Quantity();
}

void validate_non_negative_quantity(const Quantity& value, const FieldPath& path, FieldErrors& errors) {
    if (value.is_negative()) errors.invalid(path, value.text(), "must be greater than or equal to 0");
}

void validate_positive_quantity(const Quantity& value, const FieldPath& path, FieldErrors& errors) {
    if (value.is_negative() || value.is_zero()) errors.invalid(path, value.text(), "must be greater than zero");
}

void validate_resource_name(std::string_view name, const FieldPath& path, FieldErrors& errors) {
    const Messages messages = check_qualified_name(name);
    add_invalid(messages, path, name, errors);
    if (messages.empty() && name.find('/') == std::string_view::npos && !is_standard_resource(name)) {
        errors.invalid(path, std::string(name), "must be a standard resource type or fully qualified");
    }
}

void validate_container_resource_name(std::string_view name, const FieldPath& path, FieldErrors& errors) {
    if (is_standard_container_resource(name) && check_qualified_name(name).empty()) return;
    validate_resource_name(name, path, errors);
    if (name.find('/') == std::string_view::npos) {
        if (!is_standard_container_resource(name)) {
            errors.invalid(path, std::string(name), "must be a standard resource for containers");
        }
    } else if (!is_native_resource(name) && !is_extended_resource(name)) {
        errors.invalid(path, std::string(name), "doesn't follow extended resource name standard");
    }
}

namespace {

// Quantities are decoded to their canonical form: a fraction in milli is taken to have been written with a point.
std::string as_written(const Quantity& value) {
    std::string text = value.text();
    if (!text.ends_with('m') || text.size() < 3 || text[text.size() - 2] != '0') return text;
    text.pop_back();
    const bool negative = text.starts_with('-');
    if (negative) text.erase(0, 1);
    while (text.size() < 4) text.insert(0, 1, '0');
    text.insert(text.size() - 3, 1, '.');
    text.erase(text.find_last_not_of('0') + 1);
    return (negative ? "-" : "") + text;
}

}  // namespace

void validate_resource_quantity(std::string_view name, const Quantity& value, const FieldPath& path, FieldErrors& errors) {
    validate_non_negative_quantity(value, path, errors);
    if (is_integer_resource(name) && value.milli_value() % 1000 != 0) {
        errors.invalid(path, go_quantity(as_written(value), value.is_negative()), "must be an integer");
    }
}

}  // namespace kubemu::api

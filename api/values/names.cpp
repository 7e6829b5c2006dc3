// The grammar of names. Patterns are printed in messages, so they stand here as the real server prints them.
#include "api/values/names.h"

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/values/text.h"

namespace kubemu::api {
namespace {

constexpr const char* label_pattern = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
constexpr const char* subdomain_pattern = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
constexpr const char* dns1035_pattern = "[a-z]([-a-z0-9]*[a-z0-9])?";
constexpr const char* qualified_pattern = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
constexpr const char* label_value_pattern = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?";
constexpr const char* config_key_pattern = "[-._a-zA-Z0-9]+";
constexpr const char* env_name_pattern = "[-._a-zA-Z][-._a-zA-Z0-9]*";

constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }
constexpr bool is_lower_or_digit(char c) { return is_lower(c) || is_digit(c); }
constexpr bool is_alphanumeric(char c) { return is_letter(c) || is_digit(c); }
constexpr bool is_punctuation(char c) { return c == '-' || c == '_' || c == '.'; }

template <class Allowed>
bool consists_of(std::string_view text, Allowed allowed) {
    return !text.empty() && std::all_of(text.begin(), text.end(), allowed);
}

bool is_label(std::string_view text) {
    return consists_of(text, [](char c) { return is_lower_or_digit(c) || c == '-'; }) && text.front() != '-' && text.back() != '-';
}

bool is_qualified(std::string_view text) {
    return consists_of(text, [](char c) { return is_alphanumeric(c) || is_punctuation(c); }) && is_alphanumeric(text.front()) &&
           is_alphanumeric(text.back());
}

bool is_subdomain(std::string_view text) {
    for (;;) {
        const std::size_t dot = text.find('.');
        if (!is_label(text.substr(0, dot))) return false;
        if (dot == std::string_view::npos) return true;
        text.remove_prefix(dot + 1);
    }
}

// Every write of an object asks this of its labels and annotations, so the few patterns are read by hand.
bool full_match(std::string_view text, const char* pattern) {
    if (pattern == label_pattern) return is_label(text);
    if (pattern == subdomain_pattern) return is_subdomain(text);
    if (pattern == dns1035_pattern) return is_label(text) && is_lower(text.front());
    if (pattern == qualified_pattern) return is_qualified(text);
    if (pattern == label_value_pattern) return text.empty() || is_qualified(text);
    const auto in_key = [](char c) { return is_alphanumeric(c) || is_punctuation(c); };
    if (pattern == config_key_pattern) return consists_of(text, in_key);
    return pattern == env_name_pattern && consists_of(text, in_key) && !is_digit(text.front());
}

std::string too_long(std::size_t characters_max) {
    return "must be no more than " + std::to_string(characters_max) + " characters";
}

// validation.RegexError
std::string regex_message(std::string_view message, const char* pattern, std::initializer_list<std::string_view> examples) {
    std::string text(message);
    text += " (e.g. ";
    bool first = true;
    for (const std::string_view example : examples) {
        if (!std::exchange(first, false)) text += " or ";
        (text += "'").append(example) += "', ";
    }
    return text + "regex used for validation is '" + pattern + "')";
}

Messages check(std::string_view text, std::size_t characters_max, const char* pattern, std::string_view message,
               std::initializer_list<std::string_view> examples) {
    Messages messages;
    if (text.size() > characters_max) messages.push_back(too_long(characters_max));
    if (!full_match(text, pattern)) messages.push_back(regex_message(message, pattern, examples));
    return messages;
}

std::string_view without_dash(std::string_view name, bool prefix) {
    // A generated name ends in '-' plus a suffix; the real server checks the name with the dash masked by a letter.
    if (prefix && name.size() > 1 && name.back() == '-') name.remove_suffix(1);
    return name;
}

}  // namespace

Messages check_dns1123_label(std::string_view text) {
    if (text.find('.') != std::string_view::npos && full_match(text, subdomain_pattern)) {
        Messages messages;
        if (text.size() > 63) messages.push_back(too_long(63));
        messages.emplace_back("must not contain dots");
        return messages;
    }
    return check(text, 63, label_pattern,
                 "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and "
                 "end with an alphanumeric character",
                 {"my-name", "123-abc"});
}

Messages check_dns1123_subdomain(std::string_view text) {
    return check(text, 253, subdomain_pattern,
                 "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
                 "start and end with an alphanumeric character",
                 {"example.com"});
}

Messages check_dns1035_label(std::string_view text) {
    return check(text, 63, dns1035_pattern,
                 "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
                 "character, and end with an alphanumeric character",
                 {"my-name", "abc-123"});
}

Messages check_qualified_name(std::string_view text) {
    const std::size_t slash = text.find('/');
    const std::string_view prefix = slash == std::string_view::npos ? std::string_view() : text.substr(0, slash);
    const std::string_view rest = slash == std::string_view::npos ? text : text.substr(slash + 1);
    const bool prefixed_well = slash == std::string_view::npos || (prefix.size() <= 253 && is_subdomain(prefix));
    if (prefixed_well && rest.size() <= 63 && is_qualified(rest)) return {};
    Messages messages;
    const std::vector<std::string_view> parts = split(text, '/');
    std::string_view name = parts.back();
    if (parts.size() > 2) {
        messages.push_back(
            "a qualified name " +
            regex_message("must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
                          "alphanumeric character",
                          qualified_pattern, {"MyName", "my.name", "123-abc"}) +
            " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')");
        return messages;
    }
    if (parts.size() == 2) {
        if (parts[0].empty()) {
            messages.push_back("prefix part must be non-empty");
        } else {
            for (const std::string& message : check_dns1123_subdomain(parts[0])) messages.push_back("prefix part " + message);
        }
    }
    if (name.empty()) {
        messages.push_back("name part must be non-empty");
    } else if (name.size() > 63) {
        messages.push_back("name part " + too_long(63));
    }
    if (!full_match(name, qualified_pattern)) {
        messages.push_back("name part " + regex_message("must consist of alphanumeric characters, '-', '_' or '.', and must "
                                                        "start and end with an alphanumeric character",
                                                        qualified_pattern, {"MyName", "my.name", "123-abc"}));
    }
    return messages;
}

Messages check_label_value(std::string_view text) {
    return check(text, 63, label_value_pattern,
                 "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
                 "start and end with an alphanumeric character",
                 {"MyValue", "my_value", "12345"});
}

Messages check_config_map_key(std::string_view text) {
    Messages messages = check(text, 253, config_key_pattern,
                              "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
                              {"key.name", "KEY_NAME", "key-name"});
    if (text == ".") messages.push_back("must not be '.'");
    if (text == "..") {
        messages.push_back("must not be '..'");
    } else if (text.substr(0, 2) == "..") {
        messages.push_back("must not start with '..'");
    }
    return messages;
}

Messages check_env_var_name(std::string_view text) {
    Messages messages;
    if (!full_match(text, env_name_pattern)) {
        messages.push_back(regex_message("a valid environment variable name must consist of alphabetic characters, digits, "
                                         "'_', '-', or '.', and must not start with a digit",
                                         env_name_pattern, {"my.env-name", "MY_ENV.NAME", "MyEnvName1"}));
    }
    if (text == ".") messages.push_back("must not be '.'");
    if (text == "..") {
        messages.push_back("must not be '..'");
    } else if (text.substr(0, 2) == "..") {
        messages.push_back("must not start with '..'");
    }
    return messages;
}

Messages check_port_name(std::string_view text) {
    Messages messages;
    if (text.size() > 15) messages.push_back("must be no more than 15 characters");
    bool valid = !text.empty(), letter = false;
    for (const char c : text) {
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) valid = false;
        if (c >= 'a' && c <= 'z') letter = true;
    }
    if (!valid) messages.push_back("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
    if (!letter) messages.push_back("must contain at least one letter (a-z)");
    if (text.find("--") != std::string_view::npos) messages.push_back("must not contain consecutive hyphens");
    if (!text.empty() && (text.front() == '-' || text.back() == '-')) {
        messages.push_back("must not begin or end with a hyphen");
    }
    return messages;
}

Messages check_path_segment(std::string_view text, bool prefix) {
    Messages messages;
    if (!prefix && (text == "." || text == "..")) messages.push_back("may not be '" + std::string(text) + "'");
    for (const char c : {'/', '%'}) {
        if (text.find(c) != std::string_view::npos) messages.push_back(std::string("may not contain '") + c + "'");
    }
    return messages;
}

bool is_ipv4(std::string_view text) {
    const auto parts = split(text, '.');
    if (parts.size() != 4) return false;
    for (const std::string_view part : parts) {
        if (part.empty() || part.size() > 3 || (part.size() > 1 && part[0] == '0')) return false;
        int value = 0;
        for (const char c : part) {
            if (c < '0' || c > '9') return false;
            value = value * 10 + (c - '0');
        }
        if (value > 255) return false;
    }
    return true;
}

Messages check_ip(std::string_view text) {
    const bool may_be_v6 = text.find(':') != std::string_view::npos &&
                           text.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
    if (is_ipv4(text) || may_be_v6) return {};
    return {"must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"};
}

Messages check_name_as_subdomain(std::string_view name, bool prefix) {
    return check_dns1123_subdomain(without_dash(name, prefix));
}
Messages check_name_as_label(std::string_view name, bool prefix) { return check_dns1123_label(without_dash(name, prefix)); }
Messages check_name_as_dns1035(std::string_view name, bool prefix) { return check_dns1035_label(without_dash(name, prefix)); }

void validate_labels(const Json& labels, const FieldPath& path, FieldErrors& errors) {
    if (!labels.is_object()) return;
    for (const auto& [key, value] : labels.items()) {
        for (const std::string& message : check_qualified_name(key)) errors.invalid(path, key, message);
        if (!value.is_string()) continue;
        for (const std::string& message : check_label_value(value.get_ref<const std::string&>())) {
            errors.invalid(path, value, message);
        }
    }
}

void validate_annotations(const Json& annotations, const FieldPath& path, FieldErrors& errors) {
    if (!annotations.is_object()) return;
    std::size_t bytes = 0;
    for (const auto& [key, value] : annotations.items()) {
        for (const std::string& message : check_qualified_name(lower(key))) errors.invalid(path, key, message);
        bytes += key.size() + (value.is_string() ? value.get_ref<const std::string&>().size() : 0);
    }
    if (bytes > 256 * 1024) errors.too_long(path, 256 * 1024);
}

void validate_label_selector(const Json& selector, const FieldPath& path, FieldErrors& errors) {
    if (const Json* labels = find(selector, "matchLabels")) validate_labels(*labels, path.child("matchLabels"), errors);
    std::size_t i = 0;
    for (const Json& expression : array_at(selector, {"matchExpressions"})) {
        const FieldPath at = path.child("matchExpressions").index(i++);
        const std::string_view op = string_at(expression, {"operator"});
        const std::size_t values = array_at(expression, {"values"}).size();
        if (op == "In" || op == "NotIn") {
            if (values == 0) errors.required(at.child("values"), "must be specified when `operator` is 'In' or 'NotIn'");
        } else if (op == "Exists" || op == "DoesNotExist") {
            if (values > 0) {
                errors.forbidden(at.child("values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
            }
        } else {
            errors.invalid(at.child("operator"), std::string(op), "not a valid selector operator");
        }
        const std::string key(string_at(expression, {"key"}));
        for (const std::string& message : check_qualified_name(key)) errors.invalid(at.child("key"), key, message);
        std::size_t value_index = 0;
        for (const Json& value : array_at(expression, {"values"})) {
            const FieldPath where = at.child("values").index(value_index++);
            if (!value.is_string()) continue;
            for (const std::string& message : check_label_value(value.get_ref<const std::string&>())) {
                errors.invalid(where, value, message);
            }
        }
    }
}

}  // namespace kubemu::api

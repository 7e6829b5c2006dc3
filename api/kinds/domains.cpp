// Names with a domain in them, and addresses.
#include "api/kinds/domains.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/kinds/validation.h"
#include "api/values/ip_address.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

constexpr std::string_view subdomain_pattern =
    "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
constexpr std::string_view http_path_pattern = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
constexpr std::size_t subdomain_bytes_max = 253, label_bytes_max = 63;

bool has_leading_zero(std::string_view address) {
    if (address.find(':') != std::string_view::npos) return false;
    const auto parts = split(address, '.');
    return std::any_of(parts.begin(), parts.end(),
                       [](std::string_view part) { return part.size() > 1 && part[0] == '0'; });
}

}  // namespace

Messages check_wildcard_subdomain(std::string_view text) {
    Messages messages;
    if (text.size() > subdomain_bytes_max) messages.emplace_back("must be no more than 253 characters");
    bool fits = text.starts_with("*.");
    if (fits) {
        for (const std::string& message : check_dns1123_subdomain(text.substr(2))) {
            fits = fits && message.find("regex used") == std::string::npos;
        }
    }
    if (!fits) {
        messages.push_back(
            "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which "
            "must "
            "consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric "
            "character "
            "(e.g. '*.example.com', regex used for validation is '\\*\\." +
            std::string(subdomain_pattern) + "')");
    }
    return messages;
}

void validate_fully_qualified_name(std::string_view name, const FieldPath& path, FieldErrors& errors) {
    if (!validate_required(name, path, errors)) return;
    if (const Messages wrong = check_dns1123_subdomain(name); !wrong.empty()) {
        errors.invalid(path, std::string(name), join(wrong, ","));
    } else if (split(name, '.').size() < 3) {
        errors.invalid(path, std::string(name),
                       "should be a domain with at least three segments separated by dots");
    }
}

void validate_fully_qualified_domain(std::string_view name, const FieldPath& path, FieldErrors& errors) {
    if (!validate_required(name, path, errors)) return;
    if (name.ends_with('.')) name.remove_suffix(1);
    if (const Messages wrong = check_dns1123_subdomain(name); !wrong.empty()) {
        return errors.invalid(path, std::string(name), join(wrong, ","));
    }
    const auto labels = split(name, '.');
    if (labels.size() < 2) {
        return errors.invalid(path, std::string(name),
                              "should be a domain with at least two segments separated by dots");
    }
    for (const std::string_view label : labels) {
        const Messages wrong = check_dns1123_label(label);
        if (!wrong.empty()) return errors.invalid(path, std::string(label), join(wrong, ","));
    }
}

void validate_domain_prefixed_path(std::string_view text, const FieldPath& path, FieldErrors& errors) {
    if (!validate_required(text, path, errors)) return;
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos || slash == 0 || slash + 1 == text.size()) {
        return errors.invalid(path, std::string(text),
                              "must be a domain-prefixed path (such as \"acme.io/foo\")");
    }
    const std::string_view host = text.substr(0, slash), rest = text.substr(slash + 1);
    add_invalid(check_dns1123_subdomain(host), path, host, errors);
    const bool fits = std::all_of(rest.begin(), rest.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 ||
               std::string_view("/-._~%!$&'()*+,;=:").find(static_cast<char>(c)) != std::string_view::npos;
    });
    if (!fits) {
        errors.invalid(
            path, std::string(rest),
            "Invalid path (regex used for validation is '" + std::string(http_path_pattern) + "')");
    }
}

void validate_signer_name(std::string_view name, const FieldPath& path, FieldErrors& errors) {
    if (!validate_required(name, path, errors)) return;
    const auto segments = split(name, '/');
    if (segments.size() != 2) {
        return errors.invalid(
            path, std::string(name),
            "must be a fully qualified domain and path of the form 'example.com/signer-name'");
    }
    // The first label that is wrong speaks for all.
    const auto check_labels = [&](std::string_view segment, Messages (*check)(std::string_view)) {
        for (const std::string_view label : split(segment, '.')) {
            const Messages wrong = check(label);
            for (const std::string& message : wrong) {
                errors.invalid(path, std::string(segment),
                               "validating label " + go_quote(label) + ": " + message);
            }
            if (!wrong.empty()) break;
        }
    };
    if (segments[0].size() > subdomain_bytes_max) errors.too_long(path, subdomain_bytes_max);
    check_labels(segments[0], check_dns1123_label);
    if (split(segments[0], '.').size() < 2) {
        errors.invalid(path, std::string(segments[0]),
                       "should be a domain with at least two segments separated by dots");
    }
    check_labels(segments[1], check_dns1123_subdomain);
    constexpr std::size_t name_bytes_max = 2 * subdomain_bytes_max + label_bytes_max + 2;
    if (name.size() > name_bytes_max) errors.too_long(path, name_bytes_max);
}

Messages check_canonical_ip(std::string_view text) {
    const auto address = IpAddress::parse(text);
    if (!address) return {"must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"};
    if (has_leading_zero(text)) return {"must not have leading 0s"};
    if (address->v4 && text.find(':') != std::string_view::npos)
        return {"must not be an IPv4-mapped IPv6 address"};
    if (address->text() != text) return {"must be in canonical form (" + go_quote(address->text()) + ")"};
    return {};
}

Messages check_canonical_cidr(std::string_view text) {
    const auto network = IpNetwork::parse(text);
    if (!network) return {"must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"};
    const std::size_t slash = text.find('/');
    const std::string_view bits = text.substr(slash + 1);
    if (has_leading_zero(text.substr(0, slash)) || (bits.size() > 1 && bits[0] == '0')) {
        return {"must not have leading 0s in IP or prefix length"};
    }
    if (network->address.v4 && !network->v4) return {"must not have an IPv4-mapped IPv6 address"};
    if (const auto address = IpAddress::parse(text.substr(0, slash)); !(*address == network->address)) {
        return {"must not have bits set beyond the prefix length"};
    }
    if (network->text() != text) return {"must be in canonical form (" + go_quote(network->text()) + ")"};
    return {};
}

}  // namespace kubemu::api

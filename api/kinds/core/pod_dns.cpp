// Name resolution of a pod: dnsConfig, host aliases, host names.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/kinds/core/pod_checks.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/validation.h"
#include "api/values/text.h"

namespace kubemu::api::pods {
namespace {

constexpr std::size_t nameservers_max = 3, searches_max = 32, search_characters_max = 2048;

std::string_view text(const Json& object, std::string_view member) { return string_at(object, {member}); }
std::string_view text(const Json& value) {
    return value.is_string() ? std::string_view(value.get_ref<const std::string&>()) : std::string_view();
}

// [_]label: letters, digits, and '-' and '_' within.
bool valid_search_label(std::string_view label) {
    const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    if (label.starts_with('_')) label.remove_prefix(1);
    if (label.empty() || !plain(label.front()) || !plain(label.back())) return false;
    return std::all_of(label.begin(), label.end(), [&](char c) { return plain(c) || c == '-' || c == '_'; });
}

// Names of services in DNS have underscores.
void validate_search(std::string_view search, const FieldPath& path, FieldErrors& errors) {
    constexpr std::size_t length_max = 253;
    if (search.size() > length_max) errors.invalid(path, std::string(search), "must be no more than 253 characters");
    const auto labels = split(search, '.');
    if (std::all_of(labels.begin(), labels.end(), valid_search_label)) return;
    errors.invalid(path, std::string(search),
                   "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and "
                   "must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
                   "'_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')");
}

void validate_searches(const Json& searches, const FieldPath& path, FieldErrors& errors) {
    std::size_t characters = searches.empty() ? 0 : searches.size() - 1;
    for (const Json& search : searches) characters += text(search).size();
    if (searches.size() > searches_max) {
        errors.invalid(path, go_strings("[]string", &searches), "must not have more than 32 search paths");
    }
    if (characters > search_characters_max) {
        errors.invalid(path, go_strings("[]string", &searches),
                       "must not have more than 2048 characters (including spaces) in the search list");
    }
    for (std::size_t i = 0; i < searches.size(); ++i) {
        std::string_view search = text(searches[i]);
        if (search == ".") continue;
        if (search.ends_with('.')) search.remove_suffix(1);
        validate_search(search, path.index(i), errors);
    }
}

}  // namespace

void validate_dns_config(const Json& spec, const FieldPath& path, FieldErrors& errors) {
    const Json* config = find(spec, "dnsConfig");
    const Json& servers = config == nullptr ? array_at(spec, {"dnsConfig", "nameservers"}) : array_at(*config, {"nameservers"});
    if (text(spec, "dnsPolicy") == "None") {
        if (config == nullptr) return errors.required(path.child("dnsConfig"), "must provide `dnsConfig` when `dnsPolicy` is None");
        if (servers.empty()) {
            return errors.required(path.child("dnsConfig").child("nameservers"),
                                   "must provide at least one DNS nameserver when `dnsPolicy` is None");
        }
    }
    if (config == nullptr) return;
    const FieldPath at = path.child("dnsConfig");
    if (servers.size() > nameservers_max) {
        errors.invalid(at.child("nameservers"), go_strings("[]string", &servers), "must not have more than 3 nameservers");
    }
    for (std::size_t i = 0; i < servers.size(); ++i) validate_ip(text(servers[i]), at.child("nameservers").index(i), errors);
    if (const Json* searches = find(*config, "searches")) validate_searches(*searches, at.child("searches"), errors);
    std::size_t i = 0;
    for (const Json& option : array_at(*config, {"options"})) {
        const std::size_t index = i++;
        if (text(option, "name").empty()) errors.required(at.child("options").index(index), "must not be empty");
    }
}

void validate_host_aliases(const Json& aliases, const FieldPath& path, FieldErrors& errors) {
    for (std::size_t i = 0; i < aliases.size(); ++i) {
        validate_ip(text(aliases[i], "ip"), path.index(i).child("ip"), errors);
        std::size_t j = 0;
        for (const Json& name : array_at(aliases[i], {"hostnames"})) {
            validate_dns1123_subdomain(text(name), path.index(i).child("hostnames").index(j++), errors);
        }
    }
}

void validate_hostname_override(const PodContext& context, const FieldPath& path, FieldErrors& errors) {
    if (find(context.spec, "hostnameOverride") == nullptr) return;
    const FieldPath at = path.child("hostnameOverride");
    const std::string_view name = text(context.spec, "hostnameOverride");
    if (bool_at(context.spec, {"setHostnameAsFQDN"})) {
        errors.forbidden(at, "may not be specified when setHostnameAsFQDN is true");
    }
    if (context.host_network) errors.forbidden(at, "may not be specified when hostNetwork is true");
    if (name.size() > 64) errors.too_long(at, 64);
    validate_dns1123_subdomain(name, at, errors);
}

}  // namespace kubemu::api::pods

// Checks of a webhook's URL or service.
#include "api/kinds/webhook_client.h"

#include <nlohmann/json.hpp>

#include "api/kinds/validation.h"
#include "api/values/names.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

// The parts of a URL that a webhook's may have or not have (net/url.Parse).
struct UrlParts {
    std::string scheme, user, host, query, fragment;
};

UrlParts url_parts(std::string_view url) {
    UrlParts parts;
    if (const std::size_t at = url.find('#'); at != std::string_view::npos) {
        parts.fragment = url.substr(at + 1);
        url = url.substr(0, at);
    }
    if (const std::size_t at = url.find('?'); at != std::string_view::npos) {
        parts.query = url.substr(at + 1);
        url = url.substr(0, at);
    }
    const std::size_t colon = url.find(':');
    const std::string_view before = url.substr(0, colon == std::string_view::npos ? 0 : colon);
    if (!before.empty() &&
        before.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.") ==
            std::string_view::npos) {
        parts.scheme = lower(before);
        url.remove_prefix(colon + 1);
    }
    if (!url.starts_with("//")) return parts;
    url.remove_prefix(2);
    std::string_view authority = url.substr(0, url.find('/'));
    if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
        parts.user = authority.substr(0, at);
        authority.remove_prefix(at + 1);
    }
    parts.host = authority;
    return parts;
}

void validate_path(const std::string& path, const FieldPath& at, FieldErrors& errors) {
    if (path.empty() || path == "/") return;
    if (path == "//") return errors.invalid(at, path, "segment[0] may not be empty");
    if (path[0] != '/') errors.invalid(at, path, "must start with a '/'");
    std::string_view rest = std::string_view(path).substr(1);
    if (rest.ends_with('/')) rest.remove_suffix(1);
    std::size_t i = 0;
    for (const std::string_view step : split(rest, '/')) {
        const std::string segment = "segment[" + std::to_string(i++) + "]";
        if (step.empty()) {
            errors.invalid(at, path, segment + " may not be empty");
            continue;
        }
        for (const std::string& message : check_dns1123_subdomain(step))
            errors.invalid(at, path, segment + ": " + message);
    }
}

}  // namespace

void validate_webhook_url(std::string_view url, const FieldPath& path, FieldErrors& errors) {
    constexpr const char* form = "; desired format: https://host[/path]";
    const UrlParts parts = url_parts(url);
    if (parts.scheme != "https")
        errors.invalid(path, parts.scheme, std::string("'https' is the only allowed URL scheme") + form);
    if (parts.host.empty()) errors.invalid(path, parts.host, std::string("host must be specified") + form);
    if (!parts.user.empty()) errors.invalid(path, parts.user, "user information is not permitted in the URL");
    if (!parts.fragment.empty())
        errors.invalid(path, parts.fragment, "fragments are not permitted in the URL");
    if (!parts.query.empty())
        errors.invalid(path, parts.query, "query parameters are not permitted in the URL");
}

void validate_webhook_service(const Json& service, const FieldPath& path, FieldErrors& errors) {
    // The real server mixes the two up: each complaint is about the other member.
    validate_required(string_at(service, {"namespace"}), path.child("name"), errors);
    validate_required(string_at(service, {"name"}), path.child("namespace"), errors);
    const std::int64_t port = int_at(service, {"port"});
    if (port < 1 || port > 65535) {
        errors.invalid(path.child("port"), port, "port is not valid: must be between 1 and 65535, inclusive");
    }
    if (const Json* target = find(service, "path"); target != nullptr && target->is_string()) {
        validate_path(target->get<std::string>(), path.child("path"), errors);
    }
}

void validate_webhook_client(const Json& client, const FieldPath& path, FieldErrors& errors) {
    const Json* url = find(client, "url");
    const Json* service = find(client, "service");
    if ((url == nullptr) == (service == nullptr)) {
        errors.required(path, "exactly one of url or service is required");
    } else if (url != nullptr) {
        validate_webhook_url(string_at(client, {"url"}), path.child("url"), errors);
    } else {
        validate_webhook_service(*service, path.child("service"), errors);
    }
}

}  // namespace kubemu::api

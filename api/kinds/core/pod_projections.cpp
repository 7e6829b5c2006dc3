// Volumes made of several sources: the downward API, and projected volumes.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/kinds/core/pod_checks.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/validation.h"
#include "api/values/text.h"

namespace kubemu::api::pods {
namespace {

constexpr std::string_view volume_fields[] = {"metadata.annotations", "metadata.labels", "metadata.name",
                                              "metadata.namespace", "metadata.uid"};

std::string_view text(const Json& object, std::string_view member) { return string_at(object, {member}); }

void validate_file(const Json& file, const FieldPath& path, FieldErrors& errors) {
    const std::string_view where = text(file, "path");
    if (where.empty()) errors.required(path.child("path"), "");
    validate_local_non_reserved_path(where, path.child("path"), errors);
    const Json* field = find(file, "fieldRef");
    const Json* resource = find(file, "resourceFieldRef");
    if (field != nullptr) {
        validate_field_ref(*field, volume_fields, path.child("fieldRef"), errors);
        if (resource != nullptr) {
            errors.invalid(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously");
        }
    } else if (resource != nullptr) {
        validate_resource_field_ref(*resource, true, path.child("resourceFieldRef"), errors);
    } else {
        errors.required(path, "one of fieldRef and resourceFieldRef is required");
    }
    validate_file_mode(file, "mode", path, errors);
}

// Sources write into one directory: no path twice.
class Paths {
  public:
    Paths(const FieldPath& volume, FieldErrors& errors) : volume_(volume), errors_(errors) {}
    void add(std::string_view path, std::string_view echo) {
        if (!seen_.insert(std::string(path)).second) {
            errors_.invalid(volume_, std::string(echo), "conflicting duplicate paths");
        }
    }

  private:
    const FieldPath& volume_;
    FieldErrors& errors_;
    std::set<std::string> seen_;
};

void validate_keys(const Json& source, const FieldPath& path, Paths& paths, FieldErrors& errors) {
    const std::string_view name = text(source, "name");
    if (name.empty()) errors.required(path.child("name"), "");
    std::size_t i = 0;
    for (const Json& item : array_at(source, {"items"})) {
        validate_key_to_path(item, path.child("items").index(i++), errors);
        if (!text(item, "path").empty()) paths.add(text(item, "path"), name);
    }
}

void validate_token(const Json& source, const FieldPath& path, const FieldPath& volume, FieldErrors& errors) {
    const std::int64_t seconds = int_at(source, {"expirationSeconds"});
    const FieldPath at = path.child("expirationSeconds");
    if (seconds < 600) errors.invalid(at, seconds, "may not specify a duration less than 10 minutes");
    if (seconds > std::int64_t{1} << 32) errors.invalid(at, seconds, "may not specify a duration larger than 2^32 seconds");
    const std::string_view where = text(source, "path");
    // The real server names the member of the volume here, not of the source.
    if (where.empty()) errors.required(volume.child("path"), "");
    else validate_local_non_reserved_path(where, volume.child("path"), errors);
}

// example.com/name: a domain of two labels or more, and a path of subdomains (ValidateSignerName).
void validate_signer_name(std::string_view name, const FieldPath& path, FieldErrors& errors) {
    constexpr std::size_t length_max = 253 + 1 + 253 + 63 + 1;
    if (!validate_required(name, path, errors)) return;
    const auto parts = split(name, '/');
    if (parts.size() != 2) {
        return errors.invalid(path, std::string(name),
                              "must be a fully qualified domain and path of the form 'example.com/signer-name'");
    }
    const auto check = [&](std::string_view part, Messages (*rule)(std::string_view)) {
        for (const std::string_view label : split(part, '.')) {
            const Messages messages = rule(label);
            for (const std::string& message : messages) {
                errors.invalid(path, std::string(part), "validating label " + go_quote(label) + ": " + message);
            }
            if (!messages.empty()) return;
        }
    };
    if (parts[0].size() > 253) errors.too_long(path, 253);
    check(parts[0], check_dns1123_label);
    if (parts[0].find('.') == std::string_view::npos) {
        errors.invalid(path, std::string(parts[0]), "should be a domain with at least two segments separated by dots");
    }
    check(parts[1], check_dns1123_subdomain);
    if (name.size() > length_max) errors.too_long(path, length_max);
}

void validate_bundle_name(std::string_view name, const FieldPath& path, FieldErrors& errors) {
    if (name.empty()) errors.required(path, "must be a valid object name");
    // "example.com:signer:name" belongs to signer "example.com/signer".
    const std::size_t colon = name.rfind(':');
    const std::string_view own = colon == std::string_view::npos ? name : name.substr(colon + 1);
    for (const std::string& message : check_dns1123_subdomain(own)) {
        errors.invalid(path, std::string(name), "not a valid clustertrustbundlename: " + message);
    }
}

void validate_trust_bundle(const Json& source, const FieldPath& path, Paths& paths, FieldErrors& errors) {
    constexpr GoField fields[] = {{"Name", "name", "*string"},
                                  {"SignerName", "signerName", "*string"},
                                  {"LabelSelector", "labelSelector", "*v1.LabelSelector"},
                                  {"Optional", "optional", "*bool"},
                                  {"Path", "path", "string"}};
    const bool named = find(source, "name") != nullptr, signed_by = find(source, "signerName") != nullptr;
    const Json* selector = find(source, "labelSelector");
    if (named && signed_by) {
        errors.invalid(path, go_struct("core.ClusterTrustBundleProjection", fields, source),
                       "only one of name and signerName may be used");
    } else if (named) {
        validate_bundle_name(text(source, "name"), path.child("name"), errors);
        if (selector != nullptr) {
            errors.invalid(path.child("labelSelector"), go_label_selector(selector),
                           "labelSelector must be unset if name is specified");
        }
    } else if (signed_by) {
        if (text(source, "signerName").empty()) errors.required(path.child("signerName"), "must be a valid signer name");
        validate_signer_name(text(source, "signerName"), path.child("signerName"), errors);
        if (selector != nullptr) validate_label_selector(*selector, path.child("labelSelector"), errors);
    } else {
        errors.required(path, "either name or signerName must be specified");
    }
    const std::string_view where = text(source, "path");
    if (where.empty()) errors.required(path.child("path"), "");
    validate_local_non_reserved_path(where, path.child("path"), errors);
    paths.add(where, where);
}

bool kubernetes_signer(std::string_view name) {
    const std::string_view host = name.substr(0, name.find('/'));
    return host == "kubernetes.io" || host.ends_with(".kubernetes.io");
}

void validate_certificate(const Json& source, const FieldPath& path, Paths& paths, FieldErrors& errors) {
    const std::string_view signer = text(source, "signerName"), key_type = text(source, "keyType");
    validate_signer_name(signer, path.child("signerName"), errors);
    static const std::vector<std::string> key_types = {"RSA3072",   "RSA4096",   "ECDSAP256",
                                                       "ECDSAP384", "ECDSAP521", "ED25519"};
    if (std::find(key_types.begin(), key_types.end(), key_type) == key_types.end()) {
        errors.not_supported(path.child("keyType"), key_type, key_types);
    }
    if (const Json* seconds = find(source, "maxExpirationSeconds")) {
        const std::int64_t given = int_at(source, {"maxExpirationSeconds"});
        const std::int64_t most = kubernetes_signer(signer) ? 86400 : 91 * 86400;
        const FieldPath at = path.child("maxExpirationSeconds");
        if (given < 3600) errors.invalid(at, *seconds, "if provided, maxExpirationSeconds must be >= 3600");
        if (given > most) {
            errors.invalid(at, *seconds, "if provided, maxExpirationSeconds must be <= " + std::to_string(most));
        }
    }
    bool any = false;
    for (const char* member : {"credentialBundlePath", "keyPath", "certificateChainPath"}) {
        const std::string_view where = text(source, member);
        if (where.empty()) continue;
        any = true;
        validate_local_non_reserved_path(where, path.child(member), errors);
        paths.add(where, where);
    }
    if (!any) errors.required(path, "specify at least one of credentialBundlePath, keyPath, and certificateChainPath");
}

void validate_projection(const Json& source, const FieldPath& path, const FieldPath& volume, Paths& paths,
                         FieldErrors& errors) {
    int count = 0;
    for (const char* member : {"secret", "configMap"}) {
        const Json* keys = find(source, member);
        if (keys == nullptr) continue;
        ++count;
        validate_keys(*keys, path.child(member), paths, errors);
    }
    if (const Json* files = find(source, "downwardAPI")) {
        ++count;
        for (const Json& file : array_at(*files, {"items"})) {
            validate_file(file, path.child("downwardAPI"), errors);
            if (!text(file, "path").empty()) paths.add(text(file, "path"), text(file, "path"));
        }
    }
    if (const Json* token = find(source, "serviceAccountToken")) {
        ++count;
        validate_token(*token, path.child("serviceAccountToken"), volume, errors);
    }
    if (const Json* bundle = find(source, "clusterTrustBundle")) {
        ++count;
        validate_trust_bundle(*bundle, path.child("clusterTrustBundle"), paths, errors);
    }
    if (const Json* certificate = find(source, "podCertificate")) {
        ++count;
        validate_certificate(*certificate, path.child("podCertificate"), paths, errors);
    }
    if (count > 1) errors.forbidden(path, "may not specify more than 1 volume type per source");
}

}  // namespace

void validate_downward_api_volume(const Json& source, const FieldPath& path, FieldErrors& errors) {
    validate_file_mode(source, "defaultMode", path, errors);
    // Files are named by their volume alone, as the real server does.
    for (const Json& file : array_at(source, {"items"})) validate_file(file, path, errors);
}

void validate_projected_volume(const Json& source, const FieldPath& path, FieldErrors& errors) {
    validate_file_mode(source, "defaultMode", path, errors);
    Paths paths(path, errors);
    std::size_t i = 0;
    for (const Json& projection : array_at(source, {"sources"})) {
        validate_projection(projection, path.child("sources").index(i++), path, paths, errors);
    }
}

}  // namespace kubemu::api::pods

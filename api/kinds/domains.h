// Checks of names that contain a domain: hosts, webhooks, signers, controllers; and of addresses in lists.
// Wording of k8s.io/apimachinery/pkg/util/validation and kubernetes pkg/apis/core/validation.
#pragma once

#include <string_view>

#include "api/values/field_errors.h"
#include "api/values/names.h"

namespace kubemu::api {

// IsWildcardDNS1123Subdomain: "*.example.com".
Messages check_wildcard_subdomain(std::string_view text);

// IsFullyQualifiedName: at least three segments; IsFullyQualifiedDomainName: at least two, maybe a dot at the
// end.
void validate_fully_qualified_name(std::string_view name, const FieldPath& path, FieldErrors& errors);
void validate_fully_qualified_domain(std::string_view name, const FieldPath& path, FieldErrors& errors);
// IsDomainPrefixedPath: "acme.io/foo".
void validate_domain_prefixed_path(std::string_view text, const FieldPath& path, FieldErrors& errors);
// ValidateSignerName: "example.com/signer".
void validate_signer_name(std::string_view name, const FieldPath& path, FieldErrors& errors);

// IsValidIP and IsValidCIDR: only the canonical form will do. Returns what is wrong, one sentence a rule.
Messages check_canonical_ip(std::string_view text);
Messages check_canonical_cidr(std::string_view text);

}  // namespace kubemu::api

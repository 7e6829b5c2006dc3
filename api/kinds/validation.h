// Checks that the rules of many kinds share, with the wording of kubernetes pkg/apis/core/validation and
// k8s.io/apimachinery/pkg/api/validation. Each adds to `errors` what it finds, at `path` or at a member of it.
//
// Names, labels and label selectors are in api/values/names.h; the texts of composite values in go_syntax.h.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "api/values/field_errors.h"
#include "api/values/names.h"
#include "api/values/object.h"
#include "api/values/quantity.h"

namespace kubemu::api {

// One Invalid for each message.
void add_invalid(const Messages& messages, const FieldPath& path, std::string_view value, FieldErrors& errors);

// ---------------------------------------------------------------- Numbers. An absent member is fine.

// object[member] must be >= 0 ("must be greater than or equal to 0").
void validate_non_negative(const Json& object, std::string_view member, const FieldPath& parent, FieldErrors& errors);
// object[member] must be > 0 ("must be greater than zero").
void validate_positive(const Json& object, std::string_view member, const FieldPath& parent, FieldErrors& errors);
// validation.IsInRange: "must be between 1 and 65535, inclusive".
void validate_range(std::int64_t value, std::int64_t least, std::int64_t most, const FieldPath& path, FieldErrors& errors);
void validate_port_number(std::int64_t port, const FieldPath& path, FieldErrors& errors);
// Users and groups: 0 to 2147483647.
void validate_id(const Json& object, std::string_view member, const FieldPath& parent, FieldErrors& errors);
// A number or the name of a port (IntOrString).
void validate_port_number_or_name(const Json* port, const FieldPath& path, FieldErrors& errors);

// IntOrString: a non-negative number or a percentage; null is fine.
void validate_int_or_percent(const Json* value, const FieldPath& path, FieldErrors& errors);
// A percentage above 100% ("must not be greater than 100%"); anything else is fine.
void validate_at_most_100_percent(const Json* value, const FieldPath& path, FieldErrors& errors);
// True for 0 and "0%" and null.
bool is_zero_int_or_percent(const Json* value);

// ---------------------------------------------------------------- Strings

// An empty value is Required, another than the supported ones Unsupported (in the order given).
void validate_enum(std::string_view value, std::initializer_list<std::string_view> supported, const FieldPath& path,
                   FieldErrors& errors);
// The same, where an absent (empty) value is fine.
void validate_optional_enum(std::string_view value, std::initializer_list<std::string_view> supported,
                            const FieldPath& path, FieldErrors& errors);
// The member of `object`, a pointer in Go: absent is fine, an empty string is not.
void validate_given_enum(const Json& object, std::string_view member, std::initializer_list<std::string_view> supported,
                         const FieldPath& parent, FieldErrors& errors);
// An empty value is Required without detail.
bool validate_required(std::string_view value, const FieldPath& path, FieldErrors& errors);
void validate_dns1123_label(std::string_view value, const FieldPath& path, FieldErrors& errors);
void validate_dns1123_subdomain(std::string_view value, const FieldPath& path, FieldErrors& errors);
void validate_qualified_name(std::string_view value, const FieldPath& path, FieldErrors& errors);

// IPv4 or IPv6 as netutils.ParseIPSloppy takes it (leading zeros in IPv4 octets are allowed).
bool is_ip(std::string_view text);
bool is_ipv6(std::string_view text);
bool is_cidr(std::string_view text);
// "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)".
void validate_ip(std::string_view value, const FieldPath& path, FieldErrors& errors);
void validate_cidr(std::string_view value, const FieldPath& path, FieldErrors& errors);

// No ".." step ("must not contain '..'").
void validate_path_no_backsteps(std::string_view target, const FieldPath& path, FieldErrors& errors);
// Relative and without "..".
void validate_local_descending_path(std::string_view target, const FieldPath& path, FieldErrors& errors);
// The same and not starting with "..".
void validate_local_non_reserved_path(std::string_view target, const FieldPath& path, FieldErrors& errors);

// ---------------------------------------------------------------- Objects

// "field is immutable" unless both (null for absent) are the same. The new value is echoed as `echo`.
void validate_immutable(const Json* value, const Json* old, const GoText& echo, const FieldPath& path, FieldErrors& errors);
// The same for strings that are no pointers in Go: absent is empty.
void validate_immutable_text(std::string_view value, std::string_view old, const FieldPath& path, FieldErrors& errors);
// The same for strings, numbers and booleans, which echo as themselves, null as "null".
void validate_immutable(const Json* value, const Json* old, const FieldPath& path, FieldErrors& errors);

// Finalizers of metadata or spec: a qualified name; one without a domain must be known to the server.
bool is_standard_finalizer(std::string_view name);

// ---------------------------------------------------------------- Resources (pkg/apis/core/helper)

bool is_huge_page_resource(std::string_view name);
bool is_native_resource(std::string_view name);
bool is_extended_resource(std::string_view name);
bool is_integer_resource(std::string_view name);
// Requests may be lower than limits.
bool is_overcommit_allowed(std::string_view name);
bool is_standard_container_resource(std::string_view name);
bool is_standard_resource(std::string_view name);
bool is_standard_quota_resource(std::string_view name);

// Absent or malformed quantities (the decoder refused those already) count as zero.
Quantity quantity_of(const Json* value);

void validate_non_negative_quantity(const Quantity& value, const FieldPath& path, FieldErrors& errors);
void validate_positive_quantity(const Quantity& value, const FieldPath& path, FieldErrors& errors);
// Qualified, and standard when it has no domain.
void validate_resource_name(std::string_view name, const FieldPath& path, FieldErrors& errors);
void validate_container_resource_name(std::string_view name, const FieldPath& path, FieldErrors& errors);
// Not negative; whole for resources that are counted.
void validate_resource_quantity(std::string_view name, const Quantity& value, const FieldPath& path, FieldErrors& errors);

}  // namespace kubemu::api

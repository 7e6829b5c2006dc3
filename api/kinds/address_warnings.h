// Warnings of addresses and networks that are accepted although other software may read them otherwise
// (k8s.io/apimachinery/pkg/util/validation: GetWarningsForIP, GetWarningsForCIDR).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/values/field_errors.h"

namespace kubemu::api {

// Octets with leading zeros, IPv4 within IPv6, and IPv6 that is not in the form of RFC 5952. What is no address at all
// is the business of validation.
void warn_of_ip(std::string_view address, const FieldPath& path, std::vector<std::string>& warnings);
// The same, and bits beyond the prefix.
void warn_of_cidr(std::string_view network, const FieldPath& path, std::vector<std::string>& warnings);

}  // namespace kubemu::api

// Formats of strings in schemas (k8s.io/kube-openapi/pkg/validation/strfmt).
#pragma once

#include <string_view>

namespace kubemu::api {

// Whether `text` is of this format ("date-time", "ipv4"...); dashes in the name do not matter. A format that is not
// known matches everything.
bool matches_format(std::string_view format, std::string_view text);

}  // namespace kubemu::api

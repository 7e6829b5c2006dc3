// Field selectors: "status.phase!=Running,metadata.name=web".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"

namespace kubemu::api {

struct FieldRequirement {
    std::string field;
    std::string value;
    bool negated = false;
};

// The error is the message of k8s.io/apimachinery/pkg/fields.
Result<std::vector<FieldRequirement>, std::string> parse_field_selector(std::string_view text);

}  // namespace kubemu::api

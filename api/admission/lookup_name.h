// Names that a plugin cannot ask for: k8s.io/client-go refuses them before it sends anything.
#pragma once

#include <string>
#include <string_view>

#include "api/values/names.h"
#include "api/values/text.h"

namespace kubemu::api {

// In client-go's words; empty when the name can be asked for.
inline std::string unusable_name(std::string_view name) {
    if (name.empty()) return "resource name may not be empty";
    const Messages messages = check_path_segment(name, false);
    if (messages.empty()) return {};
    return "invalid resource name " + go_quote(name) + ": [" + join(messages, " ") + "]";
}

}  // namespace kubemu::api

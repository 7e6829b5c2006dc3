// Labels of nodes that went out of use (kubernetes pkg/api/node.GetNodeLabelDeprecatedMessage).
#pragma once

#include <string_view>

namespace kubemu::api {

// What to use instead, for people; empty for any other label.
std::string_view deprecated_node_label(std::string_view key);

}  // namespace kubemu::api

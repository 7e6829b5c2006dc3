// Writes that may be refused, for tests that read what the server says.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/harness/test_cluster.h"

namespace kubemu::tests {

// TestCluster::create for text that was put together.
api::Json created(TestCluster& cluster, std::string_view resource, const std::string& json);

// The message of the Status that refused the write; empty when it was accepted. JSON is an object, or a merge patch.
std::string create_refused(TestCluster& cluster, std::string_view resource, std::string_view json,
                           std::vector<std::string>* warnings = nullptr, std::string_view namespace_name = "default");
std::string patch_refused(TestCluster& cluster, std::string_view resource, std::string_view name,
                          std::string_view merge_patch, std::string_view subresource = {},
                          std::vector<std::string>* warnings = nullptr, std::string_view namespace_name = "default");

}  // namespace kubemu::tests

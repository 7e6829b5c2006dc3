// The order of versions.
#include "api/crd/versions.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

TEST_CASE("stable versions come first, then beta, then alpha, then the rest by name") {
    std::vector<std::string> names = {"foo10", "v1alpha1", "v10", "v2beta1", "v1beta2", "v1", "foo1", "v11alpha2", "v2", "v12alpha1"};
    std::sort(names.begin(), names.end(), [](const auto& a, const auto& b) { return kubemu::api::compare_kube_versions(a, b) > 0; });
    CHECK(names == std::vector<std::string>{"v10", "v2", "v1", "v2beta1", "v1beta2", "v12alpha1", "v11alpha2", "v1alpha1", "foo1", "foo10"});
}

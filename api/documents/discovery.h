// Discovery documents: which groups, versions and resources are served, as compact JSON in the real field order.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/aggregation.h"
#include "api/schema/kind.h"

namespace kubemu::api {

using Kinds = std::vector<const KindSpec*>;

// The group versions that these kinds are of, in the order in which /apis lists them: built-in ones by their
// priorities, then those of custom resources.
std::vector<GroupVersionSpec> served_versions(const Kinds& kinds);

std::string api_versions();                       // /api
// What other servers answer for stands where the priorities of its APIServices put it
// (k8s.io/kube-aggregator/pkg/apis/apiregistration/helpers.go, SortedByGroupAndVersion).
using Elsewhere = std::vector<AggregatedServicePtr>;
std::string api_group_list(const Kinds& kinds, const Elsewhere& elsewhere = {});   // /apis
// /apis/GROUP; empty when there is no such group.
std::string api_group(const Kinds& kinds, std::string_view group, const Elsewhere& elsewhere = {});
// /api/v1 and /apis/GROUP/VERSION; empty when there is no such version.
std::string api_resource_list(const Kinds& kinds, std::string_view group, std::string_view version);
// /api (core) or /apis as APIGroupDiscoveryList of apidiscovery.k8s.io/`version` ("v2", "v2beta1").
std::string aggregated_discovery(const Kinds& kinds, bool core, std::string_view version, const Elsewhere& elsewhere = {});
// A version that another server answers for, as an entry of APIGroupDiscovery.
std::string aggregated_version(const AggregatedService& service);

}  // namespace kubemu::api

// What of the service network and of the node ports is in use, and the records that say so.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "api/kinds/networking/service_networks.h"
#include "api/kinds/rules.h"

namespace kubemu::api::kinds {

// Why this address cannot be had (pkg/registry/core/service/ipallocator); empty when it can.
std::string service_ip_problem(std::string_view ip, const HookContext& context);
// A free address of the family, from a network's upper part, which is left to those who do not ask for one.
std::optional<std::string> free_service_ip(IpFamily family, const HookContext& context);

// The same for node ports (pkg/registry/core/service/portallocator).
std::string node_port_problem(int port, const HookContext& context);
std::optional<int> free_node_port(const std::set<int>& avoid, const HookContext& context);

// Adds the writes to HookContext::companions that make the records of what `before` had those of what `after` has.
// Null for a Service that is not there yet, or no longer.
void record_allocations(const Json* after, const Json* before, const HookContext& context);

}  // namespace kubemu::api::kinds

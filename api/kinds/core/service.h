// What the parts of Service's rules share: what its type asks for, its addresses and ports, its checks.
//
// Sources: kubernetes pkg/api/service/util.go, pkg/registry/core/service/strategy.go and .../storage/alloc.go.
#pragma once

#include "api/kinds/rules.h"

namespace kubemu::api::kinds {

// ClusterIP, NodePort or LoadBalancer.
bool needs_cluster_ip(const Json& service);
// NodePort, or a LoadBalancer that does not do without.
bool needs_node_ports(const Json& service);
// NodePort or LoadBalancer.
bool needs_external_traffic_policy(const Json& service);
// A LoadBalancer whose outside traffic stays on the node.
bool needs_health_check_port(const Json& service);
// clusterIPs is ["None"].
bool is_headless(const Json& service);

// Settles ipFamilies, ipFamilyPolicy, clusterIPs, nodePorts and healthCheckNodePort; `old` is null on create. Takes
// nothing that another Service has: the write carries a draft that fails when another allocation came first.
ApiResult<bool> allocate_service(Json& service, const Json* old, const HookContext& context);

// What clusterIP, clusterIPs, ipFamilies and ipFamilyPolicy may hold together.
void validate_service_addresses(const Json& service, FieldErrors& errors);
void validate_service(const Json& service, FieldErrors& errors);
void validate_service_update(const Json& service, const Json& old, FieldErrors& errors);
void validate_service_status(const Json& service, FieldErrors& errors);

}  // namespace kubemu::api::kinds

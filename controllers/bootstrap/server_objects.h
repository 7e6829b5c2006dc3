// Objects about the API server itself: an APIService for each group version, the objects of API Priority and
// Fairness, the network of its services.
#pragma once

#include <string>

#include "api/registry.h"

namespace kubemu::controllers {

// One local APIService for each group version that is served (kubernetes
// pkg/controlplane/apiserver/aggregator.go); those of versions that this release does not serve go.
void bootstrap_api_services(api::Registry& registry);

// The APIService of metrics.k8s.io and the ClusterRole that lets viewers read it, as metrics-server's manifests have them
// (https://github.com/kubernetes-sigs/metrics-server); what exists is left as it is.
void bootstrap_metrics(api::Registry& registry);

// Mandatory and suggested flow schemas and priority levels (k8s.io/apiserver/pkg/apis/flowcontrol/bootstrap).
// What exists is left as it is.
void bootstrap_flow_control(api::Registry& registry);

// The ServiceCIDR "kubernetes", which names the network of the services (kubernetes
// pkg/controlplane/controller/defaultservicecidr). Releases that do not serve the kind have it all the same, for themselves.
void bootstrap_service_network(api::Registry& registry, const std::string& network);
// The address of the Service "kubernetes" in the network that the cluster has.
std::string first_service_address(const api::Registry& registry);

// What other servers of the cluster check their callers by: the ConfigMap kube-system/extension-apiserver-authentication
// (kubernetes pkg/controlplane/controller/clusterauthenticationtrust), which controller managers, schedulers and
// aggregated servers wait for. `authority` is the certificate, as PEM, of clients and of the front proxy. Beside it the
// ConfigMap that says since when the use of service account tokens is tracked (controller/legacytokentracking).
void bootstrap_authentication(api::Registry& registry, const std::string& authority);

}  // namespace kubemu::controllers

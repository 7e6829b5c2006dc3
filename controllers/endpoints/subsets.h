// EndpointSubsets: addresses and ports packed as Endpoints show them (k8s.io/kubernetes/pkg/api/v1/endpoints).
#pragma once

#include "api/values/object.h"

namespace kubemu::controllers {

// `served` has an object for each address: its EndpointAddress as "address", whether it is "ready", and the "ports"
// (EndpointPort) that it serves. Ports with the same addresses in the same state share a subset. Addresses are ordered
// by IP and uid; ports, and the subsets themselves, by the FNV-128a hash of their Go form. An address without ports is
// in a subset without ports.
api::Json repack_subsets(const api::Json& served);

}  // namespace kubemu::controllers

// The networks that Services have their addresses from: those of the ServiceCIDRs
// (kubernetes pkg/registry/core/service/ipallocator, pkg/api/servicecidr).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/kinds/rules.h"
#include "api/values/ip_address.h"

namespace kubemu::api::kinds {

// What a cluster has that was told nothing else, and what there is as long as there is no ServiceCIDR.
inline constexpr std::string_view default_service_network = "10.96.0.0/12";
// The ServiceCIDR that an API server makes of its own setting.
inline constexpr std::string_view default_service_cidr = "kubernetes";
inline constexpr std::string_view service_cidr_resource = "servicecidrs.networking.k8s.io";
inline constexpr std::string_view ip_address_resource = "ipaddresses.networking.k8s.io";
// Values of the label ipaddress.kubernetes.io/managed-by.
inline constexpr std::string_view managed_by_label = "ipaddress.kubernetes.io/managed-by";
inline constexpr std::string_view ip_family_label = "ipaddress.kubernetes.io/ip-family";
inline constexpr std::string_view allocator_name = "ipallocator.k8s.io";

enum class IpFamily { v4, v6 };
std::string_view family_name(IpFamily family);  // "IPv4", "IPv6"
IpFamily family_of(const IpAddress& address);

// A network as its first address and so many that follow.
struct ServiceNetwork {
    IpNetwork network;
    IpAddress first;          // the network's own address is nobody's
    std::uint64_t count = 0;  // of addresses; IPv4 has none that means all hosts
    std::uint32_t band = 0;   // so many from `first` on are given to those who ask before others get them

    IpAddress at(std::uint64_t index) const;
};

// Nothing for what is no network, and for an IPv6 network of less than 64 bits, which gives out nothing.
std::optional<ServiceNetwork> service_network(std::string_view text);
// A setting of one network or, with a comma, of two families: "10.96.0.0/16,fd00:10:96::/112".
std::vector<std::string> split_service_networks(std::string_view text);

// The families that Services of this cluster can have, the one that they have by themselves first.
std::vector<IpFamily> service_families(const Lookup& lookup);
// Those of the family that give out addresses now: of ServiceCIDRs that are ready and not being deleted, the cluster's own
// first.
std::vector<ServiceNetwork> open_service_networks(const Lookup& lookup, IpFamily family);
// Where the cluster's own network, of the first family, has its DNS server: the tenth address.
std::string dns_service_address(const Lookup& lookup);

// Whether a Service with this address can belong to the network.
bool gives_out(const IpNetwork& network, const IpAddress& address);

// The object that says whose an address is, without what makes it one of the cluster (uid, time).
Json ip_address_object(const std::string& address, std::string_view service_namespace, std::string_view service_name);

// The write of an IPAddress or a ServiceCIDR, whether this release serves the kinds or not. The object has all that makes it
// one of the cluster.
storage::Draft network_draft(std::string_view resource, const Json& object, storage::Precondition precondition);

}  // namespace kubemu::api::kinds

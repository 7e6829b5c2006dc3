// Sizes as in ipallocator.go (calculateRangeOffset).
#include "api/kinds/networking/service_networks.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/kinds/views.h"
#include "api/values/object.h"
#include "api/values/text.h"

namespace kubemu::api::kinds {
namespace {

// A sixteenth of a network, but neither less than 16 addresses nor more than 256; small networks have no band.
std::uint32_t band_of(std::uint64_t size) {
    constexpr std::uint64_t least = 16, most = 256, share = 16;
    if (size <= least) return 0;
    return static_cast<std::uint32_t>(std::clamp(size / share, least, most));
}

IpAddress plus(IpAddress address, std::uint64_t more) {
    for (std::size_t i = address.bytes.size(); i-- > 0 && more > 0; more >>= 8) {
        more += address.bytes[i];
        address.bytes[i] = static_cast<std::uint8_t>(more & 0xff);
    }
    return address;
}

bool is_ready(const Json& cidr) {
    for (const Json& condition : array_at(cidr, {"status", "conditions"})) {
        if (string_at(condition, {"type"}) == "Ready") return string_at(condition, {"status"}) == "True";
    }
    return false;
}

IpAddress last_of(const IpNetwork& network) {
    constexpr int all_bits = 128, v4_bits = 32, byte_bits = 8;
    IpAddress last = network.address;
    const int prefix = network.v4 ? all_bits - v4_bits + network.prefix_bits : network.prefix_bits;
    for (int bit = prefix; bit < all_bits; ++bit) {
        last.bytes[static_cast<std::size_t>(bit / byte_bits)] |= static_cast<std::uint8_t>(0x80 >> bit % byte_bits);
    }
    return last;
}

}  // namespace

std::string_view family_name(IpFamily family) {
    return family == IpFamily::v4 ? "IPv4" : "IPv6";
}

IpFamily family_of(const IpAddress& address) {
    return address.v4 ? IpFamily::v4 : IpFamily::v6;
}

IpAddress ServiceNetwork::at(std::uint64_t index) const {
    return plus(first, index);
}

std::optional<ServiceNetwork> service_network(std::string_view text) {
    constexpr int v4_bits = 32, v6_bits = 128, host_bits_max = 64;
    auto network = IpNetwork::parse(text);
    if (!network) return std::nullopt;
    const int host_bits = (network->v4 ? v4_bits : v6_bits) - network->prefix_bits;
    if (host_bits > host_bits_max) return std::nullopt;
    const std::uint64_t size = host_bits == host_bits_max ? std::numeric_limits<std::uint64_t>::max() : std::uint64_t{1} << host_bits;
    ServiceNetwork result{.network = *network, .first = plus(network->address, 1), .count = 0, .band = band_of(size)};
    const std::uint64_t nobodys = network->v4 ? 2 : 1;
    if (size > nobodys) result.count = size - nobodys;
    return result;
}

std::vector<std::string> split_service_networks(std::string_view text) {
    std::vector<std::string> networks;
    for (const std::string_view each : split(text, ',')) networks.emplace_back(each);
    return networks;
}

std::vector<IpFamily> service_families(const Lookup& lookup) {
    const storage::RecordPtr own = lookup.get(service_cidr_resource, {}, default_service_cidr);
    std::vector<IpFamily> families;
    const Json cidr = own == nullptr ? Json() : lookup.document(*own);
    for (const Json& text : array_at(cidr, {"spec", "cidrs"})) {
        const auto network = IpNetwork::parse(text.is_string() ? text.get_ref<const std::string&>() : std::string());
        if (network) families.push_back(network->v4 ? IpFamily::v4 : IpFamily::v6);
    }
    if (families.empty()) families.push_back(IpFamily::v4);
    return families;
}

std::vector<ServiceNetwork> open_service_networks(const Lookup& lookup, IpFamily family) {
    std::vector<ServiceNetwork> networks;
    const auto records = lookup.list(service_cidr_resource, {});
    if (records.empty() && family == IpFamily::v4) return {*service_network(default_service_network)};
    for (const storage::RecordPtr& record : records) {
        const ObjectView& view = view_of(*record);
        const Json cidr = lookup.document(*record);
        if (view.deleting || !is_ready(cidr)) continue;
        for (const Json& text : array_at(cidr, {"spec", "cidrs"})) {
            auto network = service_network(text.is_string() ? text.get_ref<const std::string&>() : std::string());
            if (!network || network->network.v4 != (family == IpFamily::v4)) continue;
            networks.insert(view.name == default_service_cidr ? networks.begin() : networks.end(), std::move(*network));
        }
    }
    return networks;
}

std::string dns_service_address(const Lookup& lookup) {
    constexpr std::uint64_t tenth = 9;  // from the first on
    const auto networks = open_service_networks(lookup, service_families(lookup).front());
    return networks.empty() ? std::string() : networks.front().at(tenth).text();
}

bool gives_out(const IpNetwork& network, const IpAddress& address) {
    if (!network.contains(address) || address == network.address) return false;
    return !network.v4 || !(address == last_of(network));
}

Json ip_address_object(const std::string& address, std::string_view service_namespace, std::string_view service_name) {
    const char* family = address.find(':') == std::string::npos ? "IPv4" : "IPv6";
    return {{"metadata",
             {{"name", address},
              {"labels", {{std::string(ip_family_label), family}, {std::string(managed_by_label), std::string(allocator_name)}}}}},
            {"spec",
             {{"parentRef",
               {{"group", ""}, {"resource", "services"}, {"namespace", std::string(service_namespace)}, {"name", std::string(service_name)}}}}}};
}

storage::Draft network_draft(std::string_view resource, const Json& object, storage::Precondition precondition) {
    const auto kinds = builtin_kinds();
    const KindSpec& kind = *std::find_if(kinds.begin(), kinds.end(), [resource](const KindSpec& each) {
        return each.resource == resource && each.storage_version;
    });
    Encoded encoded =
        encode_object(object, *kind.type, std::string(kind.group) + "/" + std::string(kind.version), kind.kind);
    storage::Draft draft;
    draft.resource = resource;
    draft.key = name_of(object);
    draft.precondition = precondition;
    draft.text = std::move(encoded.text);
    draft.revision_at = encoded.revision_at;
    draft.view = make_view(kind, object);
    return draft;
}

}  // namespace kubemu::api::kinds

// Sizes as in ipallocator.go (calculateRangeOffset).
#include "api/kinds/networking/service_networks.h"

#include <algorithm>
#include <charconv>
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

std::optional<ServiceNetwork> service_network(std::string_view text) {
    constexpr int v4_bits = 32;
    const auto network = IpNetwork::parse(text);
    if (!network || !network->v4) return std::nullopt;
    const std::uint32_t base = ipv4_number(network->address.text()).value_or(0);
    const std::uint64_t size = std::uint64_t{1} << (v4_bits - network->prefix_bits);
    ServiceNetwork result{.first = 1, .last = 0, .band = band_of(size), .text = network->text()};
    if (size > 2) {
        result.first = base + 1;
        result.last = static_cast<std::uint32_t>(base + size - 2);
    }
    return result;
}

std::vector<ServiceNetwork> open_service_networks(const Lookup& lookup) {
    std::vector<ServiceNetwork> networks;
    const auto records = lookup.list(service_cidr_resource, {});
    if (records.empty()) return {*service_network(default_service_network)};
    for (const storage::RecordPtr& record : records) {
        const ObjectView& view = view_of(*record);
        const Json cidr = lookup.document(*record);
        if (view.deleting || !is_ready(cidr)) continue;
        for (const Json& text : array_at(cidr, {"spec", "cidrs"})) {
            auto network = service_network(text.is_string() ? text.get_ref<const std::string&>() : std::string());
            if (!network) continue;
            networks.insert(view.name == default_service_cidr ? networks.begin() : networks.end(), std::move(*network));
        }
    }
    return networks;
}

bool gives_out(const IpNetwork& network, const IpAddress& address) {
    if (!network.contains(address) || address == network.address) return false;
    return !network.v4 || !(address == last_of(network));
}

std::string ipv4_text(std::uint32_t address) {
    return std::to_string(address >> 24) + "." + std::to_string(address >> 16 & 255) + "." + std::to_string(address >> 8 & 255) +
           "." + std::to_string(address & 255);
}

std::optional<std::uint32_t> ipv4_number(std::string_view text) {
    const auto parts = split(text, '.');
    if (parts.size() != 4) return std::nullopt;
    std::uint32_t address = 0;
    for (const std::string_view part : parts) {
        std::uint32_t octet = 0;
        const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), octet);
        if (error != std::errc() || end != part.data() + part.size() || octet > 255) return std::nullopt;
        address = address << 8 | octet;
    }
    return address;
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

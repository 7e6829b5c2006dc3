// Ports are told apart by value, then brought together by the set of addresses behind them.
#include "controllers/endpoints/subsets.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "api/codec/go_dump.h"

namespace kubemu::controllers {

namespace {

__extension__ using Hash = unsigned __int128;

Hash fnv128a(std::string_view text) {
    constexpr Hash prime = (Hash{1} << 88U) | 0x13bU;
    Hash hash = (Hash{0x6c62272e07bb0142ULL} << 64U) | 0x62b821756295c58dULL;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * prime;
    return hash;
}

void sort_by_hash(api::Json& items, const api::TypeInfo& type) {
    if (items.size() < 2) return;
    std::vector<std::pair<Hash, api::Json>> hashed;
    for (api::Json& item : items) {
        const Hash hash = fnv128a(api::go_dump(type, item));
        hashed.emplace_back(hash, std::move(item));
    }
    std::stable_sort(hashed.begin(), hashed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (std::size_t i = 0; i < hashed.size(); ++i) items[i] = std::move(hashed[i].second);
}

bool address_before(const api::Json* a, const api::Json* b) {
    const std::string_view left = api::string_at(*a, {"address", "ip"});
    const std::string_view right = api::string_at(*b, {"address", "ip"});
    if (left != right) return left < right;
    return api::string_at(*a, {"address", "targetRef", "uid"}) < api::string_at(*b, {"address", "targetRef", "uid"});
}

}  // namespace

api::Json repack_subsets(const api::Json& served) {
    static const api::TypeInfo& subset_type = *api::find_type("core/v1.EndpointSubset");
    static const api::TypeInfo& port_type = *api::find_type("core/v1.EndpointPort");
    std::vector<const api::Json*> sorted;
    for (const api::Json& one : served) sorted.push_back(&one);
    std::stable_sort(sorted.begin(), sorted.end(), address_before);
    std::map<api::Json, std::vector<std::size_t>> behind;  // addresses by port; null stands for none
    for (std::size_t i = 0; i < sorted.size(); ++i) {
        const api::Json& ports = api::array_at(*sorted[i], {"ports"});
        for (const api::Json& port : ports) behind[port].push_back(i);
        if (ports.empty()) behind[nullptr].push_back(i);
    }
    std::map<std::vector<std::size_t>, api::Json> ports_of;
    for (const auto& [port, addresses] : behind) {
        api::Json& ports = ports_of.try_emplace(addresses, api::Json::array()).first->second;
        if (!port.is_null()) ports.push_back(port);
    }
    api::Json subsets = api::Json::array();
    for (auto& [addresses, ports] : ports_of) {
        api::Json subset = api::Json::object();
        for (const std::size_t i : addresses) {
            subset[api::bool_at(*sorted[i], {"ready"}) ? "addresses" : "notReadyAddresses"].push_back((*sorted[i])["address"]);
        }
        sort_by_hash(ports, port_type);
        if (!ports.empty()) subset["ports"] = std::move(ports);
        subsets.push_back(std::move(subset));
    }
    sort_by_hash(subsets, subset_type);
    return subsets;
}

}  // namespace kubemu::controllers

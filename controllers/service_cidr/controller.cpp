// A network is looked at when it changes, when another that overlaps it comes, and when an address in it comes or goes.
#include "controllers/service_cidr/controller.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/kinds/networking/service_networks.h"
#include "api/values/time.h"

namespace kubemu::controllers {
namespace {

constexpr const char* protection = "networking.k8s.io/service-cidr-finalizer";
// So long other API servers may still give out addresses of a network that is being deleted.
constexpr Duration deletion_grace = std::chrono::seconds(10);

std::vector<api::IpNetwork> networks_of(const api::Json& cidr) {
    std::vector<api::IpNetwork> networks;
    for (const api::Json& text : api::array_at(cidr, {"spec", "cidrs"})) {
        if (!text.is_string()) continue;
        if (auto network = api::IpNetwork::parse(text.get_ref<const std::string&>())) networks.push_back(std::move(*network));
    }
    return networks;
}

bool contains(const api::IpNetwork& outer, const api::IpNetwork& inner) {
    return outer.v4 == inner.v4 && outer.prefix_bits <= inner.prefix_bits && outer.contains(inner.address);
}

bool is_allocated(const storage::Record& address) {
    const std::string* by = api::view_of(address).label(api::kinds::managed_by_label);
    return by != nullptr && *by == api::kinds::allocator_name;
}

}  // namespace

ServiceCidrController::ServiceCidrController(Manager& manager)
    : Controller(manager, "service-cidr-controller", "service-cidrs-controller", "service-cidr-controller"),
      cidrs_(manager.informer(api::kinds::service_cidr_resource)),
      addresses_(manager.informer(api::kinds::ip_address_resource)) {
    enqueue_on_change(cidrs_);
    cidrs_.subscribe([this](const api::Informer::Change& change) {
        if (change.before == nullptr) enqueue_overlapping(*change.after);
    });
    addresses_.subscribe([this](const api::Informer::Change& change) {
        if (change.before == nullptr || change.after == nullptr) {
            enqueue_containing(change.after != nullptr ? *change.after : *change.before);
        }
    });
}

void ServiceCidrController::each_network(const std::function<void(const api::IpNetwork&, const std::string&)>& visit) {
    for (const storage::RecordPtr& record : cidrs_.list()) {
        for (const api::IpNetwork& network : networks_of(client().document(*record))) visit(network, api::view_of(*record).name);
    }
}

void ServiceCidrController::enqueue_overlapping(const storage::Record& cidr) {
    for (const api::IpNetwork& added : networks_of(client().document(cidr))) {
        each_network([&](const api::IpNetwork& network, const std::string& name) {
            if (contains(network, added) || contains(added, network)) enqueue(name);
        });
    }
}

// An address matters to networks that wait for their end alone.
void ServiceCidrController::enqueue_containing(const storage::Record& address) {
    if (!is_allocated(address)) return;
    const auto parsed = api::IpAddress::parse(api::view_of(address).name);
    if (!parsed) return;
    for (const storage::RecordPtr& record : cidrs_.list()) {
        if (!api::view_of(*record).deleting) continue;
        for (const api::IpNetwork& network : networks_of(client().document(*record))) {
            if (api::kinds::gives_out(network, *parsed)) enqueue(api::view_of(*record).name);
        }
    }
}

bool ServiceCidrController::can_go(const std::string& key, const api::Json& cidr) {
    const std::vector<api::IpNetwork> networks = networks_of(cidr);
    const auto held_by_another = [&](const api::IpNetwork& own) {
        bool held = false;
        each_network([&](const api::IpNetwork& network, const std::string& name) { held |= name != key && contains(network, own); });
        return held;
    };
    if (std::all_of(networks.begin(), networks.end(), held_by_another)) return true;
    const auto addresses = addresses_.list();
    return std::none_of(addresses.begin(), addresses.end(), [&](const storage::RecordPtr& record) {
        const auto address = is_allocated(*record) ? api::IpAddress::parse(api::view_of(*record).name) : std::nullopt;
        if (!address) return false;
        bool here = false, elsewhere = false;
        each_network([&](const api::IpNetwork& network, const std::string& name) {
            if (api::kinds::gives_out(network, *address)) (name == key ? here : elsewhere) = true;
        });
        return here && !elsewhere;
    });
}

api::ApiResult<Requeue> ServiceCidrController::finish(const std::string& key, const api::Json& cidr) {
    if (!can_go(key, cidr)) return set_ready(key, cidr, false);
    const Time due = api::parse_time_or_zero(api::string_at(cidr, {"metadata", "deletionTimestamp"})) + deletion_grace;
    if (now() < due) return Requeue{due - now()};
    const auto written = client().modify(kind(api::kinds::service_cidr_resource), {}, key, {}, [&](api::Json& object) {
        api::Json& finalizers = api::ensure(object, {"metadata"})["finalizers"];
        const auto found = std::find(finalizers.begin(), finalizers.end(), protection);
        if (found == finalizers.end()) return false;
        finalizers.erase(found);
        return true;
    });
    if (!written && written.error().code() != 404) return written.error();
    return Requeue{};
}

api::ApiResult<Requeue> ServiceCidrController::set_ready(const std::string& key, const api::Json& cidr, bool ready) {
    const api::Json wanted = {
        {"type", "Ready"},
        {"status", ready ? "True" : "False"},
        {"reason", ready ? "" : "Terminating"},
        {"message", ready ? "Kubernetes Service CIDR is ready"
                          : "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR"},
        {"lastTransitionTime", api::format_time(now())}};
    for (const api::Json& condition : api::array_at(cidr, {"status", "conditions"})) {
        const auto same = [&](const char* member) { return api::string_at(condition, {member}) == api::string_at(wanted, {member}); };
        if (same("type") && same("status") && same("reason") && same("message")) return Requeue{};
    }
    api::Json configuration = {{"kind", "ServiceCIDR"},
                               {"apiVersion", "networking.k8s.io/v1"},
                               {"metadata", {{"name", key}}},
                               {"status", {{"conditions", api::Json::array({wanted})}}}};
    const auto applied =
        client().apply(kind(api::kinds::service_cidr_resource), {}, std::move(configuration), "service-cidr-controller", "status");
    if (!applied && applied.error().code() != 404) {
        if (ready) events().warning(cidr, "KubernetesServiceCIDRError", "The ServiceCIDR Status can not be set to Ready=True");
        return applied.error();
    }
    return Requeue{};
}

api::ApiResult<Requeue> ServiceCidrController::reconcile(const std::string& key) {
    const auto record = cidrs_.get("", key);
    if (!record) return Requeue{};
    const api::Json cidr = client().document(*record);
    if (api::view_of(*record).deleting) return finish(key, cidr);
    const api::Json& finalizers = api::array_at(cidr, {"metadata", "finalizers"});
    if (std::find(finalizers.begin(), finalizers.end(), protection) == finalizers.end()) {
        const auto written = client().modify(kind(api::kinds::service_cidr_resource), {}, key, {}, [&](api::Json& object) {
            api::Json& list = api::ensure(object, {"metadata"})["finalizers"];
            if (!list.is_array()) list = api::Json::array();
            list.push_back(protection);
            return true;
        });
        if (!written && written.error().code() != 404) return written.error();
    }
    return set_ready(key, cidr, true);
}

}  // namespace kubemu::controllers

// Services get an address each, Ingresses share the one of the ingress controller.
#include "controllers/load_balancer/controller.h"

#include <nlohmann/json.hpp>

#include "controllers/runtime/owner_refs.h"

namespace kubemu::controllers {
namespace {

using api::Json;

constexpr const char* switch_annotation = "kubemu.io/load-balancer";
constexpr const char* ingress_address = "192.0.2.1";

bool switched_off(const Json& object) { return api::string_at(object, {"metadata", "annotations", switch_annotation}) == "off"; }

const Json& addresses_of(const Json& object) { return api::array_at(object, {"status", "loadBalancer", "ingress"}); }

}  // namespace

ServiceLoadBalancerController::ServiceLoadBalancerController(Manager& manager)
    : Controller(manager, "service-lb-controller", "service-controller"), services_(manager.informer("services")) {
    services_.subscribe([this](const api::Informer::Change& change) {
        if (!change.after) {
            given_.erase(change.before->key);
            return;
        }
        const Json service = client().document(*change.after);
        const Json& addresses = addresses_of(service);
        if (!addresses.empty()) given_[change.after->key] = std::string(api::string_at(addresses.front(), {"ip"}));
        else given_.erase(change.after->key);
        if (!addresses.empty() || api::string_at(service, {"spec", "type"}) == "LoadBalancer") enqueue(change.after->key);
    });
}

std::string ServiceLoadBalancerController::free_address() const {
    std::set<std::string_view> taken;
    for (const auto& [key, address] : given_) taken.insert(address);
    for (const char* network : {"203.0.113.", "198.51.100."}) {
        for (int host = 1; host < 255; ++host) {
            std::string address = network + std::to_string(host);
            if (!taken.contains(address)) return address;
        }
    }
    return {};
}

api::ApiResult<Requeue> ServiceLoadBalancerController::reconcile(const std::string& key) {
    const storage::RecordPtr record = services_.get(key);
    if (!record || api::view_of(*record).deleting) return Requeue{};
    const api::ObjectView& view = api::view_of(*record);
    const Json service = client().document(*record), reference = object_reference(kind("services"), *record);
    if (switched_off(service)) return Requeue{};
    const bool wanted = api::string_at(service, {"spec", "type"}) == "LoadBalancer" &&
                        api::find(service, {"spec", "loadBalancerClass"}) == nullptr;
    if (wanted == !addresses_of(service).empty()) return Requeue{};
    if (!wanted && api::string_at(service, {"spec", "type"}) == "LoadBalancer") return Requeue{};  // another class's
    std::string address;
    if (wanted) {
        events().normal(reference, "EnsuringLoadBalancer", "Ensuring load balancer");
        address = api::string_at(service, {"spec", "loadBalancerIP"});
        if (address.empty()) address = free_address();
        if (address.empty()) {
            events().warning(reference, "SyncLoadBalancerFailed",
                             "Error syncing load balancer: failed to ensure load balancer: no address is left");
            return Requeue{};
        }
        given_[key] = address;
    } else {
        events().normal(reference, "DeletingLoadBalancer", "Deleting load balancer");
    }
    const auto written = client().modify(kind("services"), view.namespace_name, view.name, "status", [&](Json& fresh) {
        if (api::uid_of(fresh) != view.uid) return false;
        if (wanted && !addresses_of(fresh).empty()) return false;
        Json& status = api::ensure(fresh, {"status"});
        status["loadBalancer"] = wanted ? Json{{"ingress", Json::array({{{"ip", address}, {"ipMode", "VIP"}}})}} : Json::object();
        return true;
    });
    if (!written && written.error().code() != 404) return written.error();
    if (wanted) events().normal(reference, "EnsuredLoadBalancer", "Ensured load balancer");
    else events().normal(reference, "DeletedLoadBalancer", "Deleted load balancer");
    return Requeue{};
}

IngressAddressController::IngressAddressController(Manager& manager)
    : Controller(manager, "ingress-address", "ingress-controller"), ingresses_(manager.informer("ingresses.networking.k8s.io")) {
    enqueue_on_change(ingresses_);
}

api::ApiResult<Requeue> IngressAddressController::reconcile(const std::string& key) {
    const storage::RecordPtr record = ingresses_.get(key);
    if (!record || api::view_of(*record).deleting) return Requeue{};
    const api::ObjectView& view = api::view_of(*record);
    const Json ingress = client().document(*record);
    if (switched_off(ingress) || !addresses_of(ingress).empty()) return Requeue{};
    const auto written =
        client().modify(kind("ingresses.networking.k8s.io"), view.namespace_name, view.name, "status", [&](Json& fresh) {
            if (api::uid_of(fresh) != view.uid || !addresses_of(fresh).empty()) return false;
            api::ensure(fresh, {"status", "loadBalancer"})["ingress"] = Json::array({{{"ip", ingress_address}}});
            return true;
        });
    if (!written && written.error().code() != 404) return written.error();
    return Requeue{};
}

}  // namespace kubemu::controllers

// A Service is looked at when it changes and when its record goes; a record when it changes.
#include "controllers/ip_address_repair/controller.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/kinds/networking/service_networks.h"
#include "api/registry.h"
#include "api/values/time.h"

namespace kubemu::controllers {
namespace {

using api::Json;
using namespace api::kinds;

// As long as a request may take: until then the Service of a new record may still come.
constexpr Duration request_time = std::chrono::seconds(60);

std::string service_of(const Json& address) {
    return api::object_key(api::string_at(address, {"spec", "parentRef", "namespace"}),
                           api::string_at(address, {"spec", "parentRef", "name"}));
}

bool names_a_service(const Json& address) {
    return api::string_at(address, {"spec", "parentRef", "group"}).empty() &&
           api::string_at(address, {"spec", "parentRef", "resource"}) == "services";
}

bool has_cluster_ip(const Json& service) {
    const std::string_view ip = api::string_at(service, {"spec", "clusterIP"});
    return !ip.empty() && ip != "None";
}

bool has_cluster_ip(const Json& service, const std::string& ip) {
    const Json& ips = api::array_at(service, {"spec", "clusterIPs"});
    return std::find(ips.begin(), ips.end(), ip) != ips.end();
}

const char* family_of(const std::string& ip) { return ip.find(':') == std::string::npos ? "IPv4" : "IPv6"; }

bool is_labelled(const storage::Record& address) {
    const std::string* by = api::view_of(address).label(managed_by_label);
    const std::string* family = api::view_of(address).label(ip_family_label);
    return by != nullptr && *by == allocator_name && family != nullptr && *family == family_of(api::view_of(address).name);
}

// As Go prints a *networking.ParentReference.
std::string parent_text(const Json& address) {
    const auto part = [&](const char* member) { return std::string(api::string_at(address, {"spec", "parentRef", member})); };
    return "&ParentReference{Group:" + part("group") + ",Resource:" + part("resource") + ",Namespace:" + part("namespace") +
           ",Name:" + part("name") + ",}";
}

}  // namespace

IpAddressRepairController::IpAddressRepairController(Manager& manager)
    : Controller(manager, "ipallocator-repair-controller", "system:apiserver"),
      services_(manager.informer("services")),
      cidrs_(manager.informer(service_cidr_resource)),
      addresses_(manager.informer(ip_address_resource)),
      recorder_(manager, client(), "ipallocator-repair-controller", {}) {
    enqueue_on_change(services_);
    enqueue_on_change(addresses_);
    addresses_.subscribe([this](const api::Informer::Change& change) {
        if (change.before == nullptr) return;
        const Json before = client().document(*change.before);
        if (names_a_service(before)) enqueue(service_of(before));
    });
}

bool IpAddressRepairController::out_of_range(const std::string& ip) {
    const auto address = api::IpAddress::parse(ip);
    for (const storage::RecordPtr& record : cidrs_.list()) {
        const Json cidr = client().document(*record);
        for (const Json& text : api::array_at(cidr, {"spec", "cidrs"})) {
            const auto network = text.is_string() ? api::IpNetwork::parse(text.get_ref<const std::string&>()) : std::nullopt;
            if (network && address && gives_out(*network, *address)) return false;
        }
    }
    return true;
}

api::ApiResult<bool> IpAddressRepairController::remove(const std::string& address) {
    const auto removed = client().remove(kind(ip_address_resource), {}, address);
    if (!removed && removed.error().code() != 404) return removed.error();
    return true;
}

api::ApiResult<bool> IpAddressRepairController::record_again(const Json& service, const std::string& ip, bool exists) {
    if (exists) TRY(remove(ip));
    const auto made = client().create(kind(ip_address_resource), {},
                                      ip_address_object(ip, api::namespace_of(service), api::name_of(service)));
    if (!made) return made.error();
    return true;
}

api::ApiResult<bool> IpAddressRepairController::check_cluster_ip(const Json& service, const std::string& ip) {
    constexpr const char* action = "ClusterIPAllocation";
    const std::string cluster_ip = "[" + std::string(family_of(ip)) + "]: " + ip;
    if (out_of_range(ip)) {
        recorder_.warning(service, "ClusterIPOutOfRange", action,
                          "Cluster IP " + cluster_ip + " is not within any configured Service CIDR; please recreate service");
        return true;
    }
    const storage::RecordPtr record = addresses_.get("", ip);
    if (record == nullptr) {
        // It may be that the Service has gone too and nobody has told yet.
        const auto now = manager().registry().get("services", api::namespace_of(service), api::name_of(service));
        if (now == nullptr || !has_cluster_ip(client().document(*now), ip)) return true;
        recorder_.warning(service, "ClusterIPNotAllocated", action, "Cluster IP " + cluster_ip + " is not allocated; repairing");
        return record_again(service, ip, false);
    }
    const Json address = client().document(*record);
    const std::string own = api::object_key(api::namespace_of(service), api::name_of(service));
    const bool mine = names_a_service(address) && service_of(address) == own;
    const storage::RecordPtr other = mine || !names_a_service(address) ? nullptr : services_.get(service_of(address));
    if (!mine && other == nullptr) {
        recorder_.warning(service, "ClusterIPNotAllocated", action,
                          "the ClusterIP " + cluster_ip + " for Service " + own + " has a wrong reference; repairing");
        return record_again(service, ip, true);
    }
    if (!mine && has_cluster_ip(client().document(*other), ip)) {
        recorder_.warning(service, "ClusterIPAlreadyAllocated", action,
                          "Cluster IP [" + std::string(family_of(ip)) + "]:" + ip +
                              " was assigned to multiple services; please recreate service");
    }
    if (!is_labelled(*record)) return record_again(service, ip, true);
    return true;
}

api::ApiResult<Requeue> IpAddressRepairController::check_service(const storage::Record& record) {
    const Json service = client().document(record);
    if (!has_cluster_ip(service)) return Requeue{};
    for (const Json& ip : api::array_at(service, {"spec", "clusterIPs"})) {
        if (ip.is_string()) TRY(check_cluster_ip(service, ip.get_ref<const std::string&>()));
    }
    return Requeue{};
}

api::ApiResult<Requeue> IpAddressRepairController::check_address(const storage::Record& record) {
    constexpr const char* action = "IPAddressAllocation";
    const std::string* by = api::view_of(record).label(managed_by_label);
    if (by == nullptr || *by != allocator_name) return Requeue{};
    const Json address = client().document(record);
    const std::string& ip = api::view_of(record).name;
    const auto clean_up = [&](const char* reason, const std::string& why) -> api::ApiResult<Requeue> {
        recorder_.warning(address, reason, action, why);
        TRY(remove(ip));
        return Requeue{};
    };
    if (!names_a_service(address)) {
        return clean_up("IPAddressNotAllocated", "IPAddress " + ip + " appears to have been modified, not referencing a Service " +
                                                     parent_text(address) + ": cleaning up");
    }
    const Time due = api::parse_time_or_zero(api::string_at(address, {"metadata", "creationTimestamp"})) + request_time;
    const std::string about = "IPAddress: " + ip + " for Service " + service_of(address);
    const storage::RecordPtr service = services_.get(service_of(address));
    if (service == nullptr) {
        if (now() <= due) return Requeue{due - now() + std::chrono::milliseconds(1)};
        return clean_up("IPAddressNotAllocated", about + " appears to have leaked: cleaning up");
    }
    const Json owner = client().document(*service);
    if (has_cluster_ip(owner, ip)) return Requeue{};
    if (api::string_at(owner, {"spec", "type"}) == "ExternalName" && now() < due) return Requeue{due - now()};
    return clean_up("IPAddressWrongReference", about + " has a wrong reference; cleaning up");
}

api::ApiResult<Requeue> IpAddressRepairController::reconcile(const std::string& key) {
    const bool of_service = key.find('/') != std::string::npos;
    const storage::RecordPtr record = of_service ? services_.get(key) : addresses_.get("", key);
    if (record == nullptr) return Requeue{};
    return of_service ? check_service(*record) : check_address(*record);
}

}  // namespace kubemu::controllers

// Extended resources that a DeviceClass stands for: a pod that asks for them gets devices, by a claim of its own that
// the scheduler makes (KEP-5004, pkg/scheduler/framework/plugins/dynamicresources/extendeddynamicresources.go).
//
// Containers that run beside each other have requests of their own. Init containers that end before the others start
// use what those will have, and what is lacking beyond that is asked for once, for the one that lacks the most.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/values/quantity.h"
#include "controllers/scheduler/dynamic_resources.h"

namespace kubemu::controllers::scheduler {

using api::Json;

namespace {

constexpr const char* class_prefix = "deviceclass.resource.kubernetes.io/";

struct DeviceWish {
    std::string name;
    std::string device_class;
    std::int64_t count = 0;
};

struct Container {
    const Json* document;
    std::size_t index;
    bool ends = false;  // an init container that is no sidecar

    std::string name() const { return std::string(api::string_at(*document, {"name"})); }
};

std::int64_t requested(const Container& container, const std::string& resource) {
    const Json* amount = api::find(api::object_at(*container.document, {"resources", "requests"}), resource);
    if (amount == nullptr) return 0;
    if (amount->is_number_integer()) return amount->get<std::int64_t>();
    const auto quantity = api::Quantity::parse(amount->is_string() ? amount->get<std::string>() : "");
    return quantity ? quantity->value() : 0;
}

// By the places of the container in the pod and of the resource among its requests, which are sorted by name.
std::string request_name(const Container& container, const std::string& resource) {
    std::size_t place = 0;
    for (const auto& [name, amount] : api::object_at(*container.document, {"resources", "requests"}).items())
        if (name < resource) ++place;
    return "container-" + std::to_string(container.index) + "-request-" + std::to_string(place);
}

Json mapping(const Container& container, const std::string& resource, const std::string& request) {
    return {{"containerName", container.name()}, {"resourceName", resource}, {"requestName", request}};
}

// What the containers want of one resource.
class OneResource {
  public:
    OneResource(const std::vector<Container>& containers, const std::string& resource, const std::string& device_class)
        : containers_(containers), resource_(resource), class_(device_class), own_(containers.size()) {}

    void write(std::vector<DeviceWish>& wishes, Json& mappings) {
        for (const Container& container : containers_) {
            const std::int64_t wanted = container.ends ? 0 : requested(container, resource_);
            if (wanted == 0) continue;
            DeviceWish& wish = own_[container.index];
            wish = {request_name(container, resource_), class_, wanted};
            mappings.push_back(mapping(container, resource_, wish.name));
        }
        Json of_short_ones = Json::array();
        for (const Container& container : containers_)
            if (container.ends) add_short_one(container, of_short_ones);
        for (Json& entry : of_short_ones)
            if (lacking_names_.count(std::string(api::string_at(entry, {"requestName"}))) > 0)
                entry["requestName"] = most_.name;
        mappings.insert(mappings.end(), of_short_ones.begin(), of_short_ones.end());
        if (most_.count > 0) wishes.push_back(most_);
        std::copy_if(own_.begin(), own_.end(), std::back_inserter(wishes),
                     [](const DeviceWish& wish) { return wish.count > 0; });
    }

  private:
    void add_short_one(const Container& container, Json& mappings) {
        const std::int64_t wanted = requested(container, resource_);
        std::int64_t had = 0;
        for (std::size_t later = container.index; later < own_.size() && had < wanted; ++later) {
            if (own_[later].count == 0) continue;
            had += own_[later].count;
            mappings.push_back(mapping(container, resource_, own_[later].name));
        }
        if (had >= wanted) return;
        const DeviceWish lacking{request_name(container, resource_), class_, wanted - had};
        mappings.push_back(mapping(container, resource_, lacking.name));
        lacking_names_.insert(lacking.name);
        if (most_.count < lacking.count) most_ = lacking;
    }

    const std::vector<Container>& containers_;
    const std::string& resource_;
    const std::string& class_;
    std::vector<DeviceWish> own_;  // by the place of the container
    std::set<std::string> lacking_names_;
    DeviceWish most_;
};

}  // namespace

ExtendedRequests extended_requests(const Json& pod, const std::map<std::string, std::string>& classes) {
    std::vector<Container> containers;
    for (const Json& container : api::array_at(pod, {"spec", "initContainers"}))
        containers.push_back({&container, containers.size(), api::string_at(container, {"restartPolicy"}) != "Always"});
    for (const Json& container : api::array_at(pod, {"spec", "containers"}))
        containers.push_back({&container, containers.size()});
    std::vector<DeviceWish> wishes;
    Json mappings = Json::array();
    for (const auto& [resource, device_class] : classes)
        OneResource(containers, resource, device_class).write(wishes, mappings);
    std::sort(wishes.begin(), wishes.end(), [](const DeviceWish& a, const DeviceWish& b) { return a.name < b.name; });
    Json requests = Json::array();
    for (const DeviceWish& wish : wishes) {
        requests.push_back(
            {{"name", wish.name},
             {"exactly",
              {{"deviceClassName", wish.device_class}, {"allocationMode", "ExactCount"}, {"count", wish.count}}}});
    }
    return {std::make_shared<const Json>(std::move(requests)), std::make_shared<const Json>(std::move(mappings))};
}

// Of classes that stand for the same resource the newest counts, of equally old ones the first by name.
std::map<std::string, std::string> DynamicResources::resource_classes() {
    std::map<std::string, devices::ClassPtr> found;
    for (const storage::RecordPtr& record : classes_.list()) {
        const devices::ClassPtr device_class = class_of(api::view_of(*record).name);
        found[class_prefix + device_class->name] = device_class;
        if (device_class->extended_resource.empty()) continue;
        devices::ClassPtr& known = found[device_class->extended_resource];
        if (known == nullptr || known->created < device_class->created) known = device_class;
    }
    std::map<std::string, std::string> names;
    for (const auto& [resource, device_class] : found) names.emplace(resource, device_class->name);
    return names;
}

std::string DynamicResources::make_extended_claim(const PodInfo& pod, PodClaim& claim) {
    Json object = *claim.document;
    object["metadata"] = {
        {"generateName", pod.name + "-extended-resources-"},
        {"annotations", {{"resource.kubernetes.io/extended-resource-claim", "true"}}},
        {"ownerReferences",
         Json::array(
             {{{"apiVersion", "v1"}, {"kind", "Pod"}, {"name", pod.name}, {"uid", pod.uid}, {"controller", true}}})}};
    const auto made = client_.create(claim_kind(), pod.namespace_name, std::move(object));
    if (!made) return "create claim for extended resources " + pod.namespace_name + "/: " + made.error()->message;
    const auto pending = pending_.extract(claim.key);
    const api::ObjectView& view = api::view_of(**made);
    claim.key = (*made)->key;
    claim.name = view.name;
    claim.uid = view.uid;
    claim.document = client_.read(**made);
    if (!pending.empty()) pending_[claim.key] = pending.mapped();
    return {};
}

std::string DynamicResources::record_extended(const PodInfo& pod, const PodClaim& claim, const Json& mappings) {
    const auto written =
        client_.modify(manager_.kind("pods"), pod.namespace_name, pod.name, "status", [&](Json& document) {
            if (api::uid_of(document) != pod.uid) return false;
            api::ensure(document, {"status"})["extendedResourceClaimStatus"] = {{"requestMappings", mappings},
                                                                                {"resourceClaimName", claim.name}};
            return true;
        });
    return written ? std::string()
                   : "update pod " + pod.key + " ExtendedResourceClaimStatus: " + written.error()->message;
}

}  // namespace kubemu::controllers::scheduler

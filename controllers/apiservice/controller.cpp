// One round of checks for a key: the Service, its endpoints, and then the server itself, whose answer brings the key back.
#include "controllers/apiservice/controller.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/remote_client.h"
#include "api/values/text.h"
#include "api/values/time.h"

namespace kubemu::controllers {
namespace {

using api::Json;

constexpr std::string_view api_services = "apiservices.apiregistration.k8s.io";
// Servers that answered are asked again after this time, as the real controller's resync does; others sooner.
constexpr Duration recheck_interval = std::chrono::seconds(30), retry_interval = std::chrono::seconds(2);

api::AggregatedService service_of(const Json& document) {
    api::AggregatedService service;
    const Json& spec = api::object_at(document, {"spec"});
    service.group = api::string_at(spec, {"group"});
    service.version = api::string_at(spec, {"version"});
    service.group_priority = api::int_at(spec, {"groupPriorityMinimum"});
    service.version_priority = api::int_at(spec, {"versionPriority"});
    service.namespace_name = api::string_at(spec, {"service", "namespace"});
    service.name = api::string_at(spec, {"service", "name"});
    service.port = api::int_at(spec, {"service", "port"}, 443);
    service.insecure = api::bool_at(spec, {"insecureSkipTLSVerify"});
    if (!api::base64_decode(api::string_at(spec, {"caBundle"}), service.ca_bundle)) service.ca_bundle.clear();
    return service;
}

bool has_endpoint(const Json& slice, std::string_view port_name) {
    const Json& endpoints = api::array_at(slice, {"endpoints"});
    const Json& ports = api::array_at(slice, {"ports"});
    return std::any_of(endpoints.begin(), endpoints.end(), [](const Json& endpoint) { return api::bool_at(endpoint, {"conditions", "ready"}, true); }) &&
           std::any_of(ports.begin(), ports.end(), [&](const Json& port) { return api::string_at(port, {"name"}) == port_name && api::find(port, "port") != nullptr; });
}

}  // namespace

ApiServiceController::ApiServiceController(Manager& manager, Options options)
    : Controller(manager, "apiservice-status", "system:apiserver"),
      options_(std::move(options)),
      api_services_(manager.informer(api_services)),
      cluster_services_(manager.informer("services")),
      slices_(manager.informer("endpointslices.discovery.k8s.io")) {
    enqueue_on_change(api_services_);
    const auto aggregated = [this](const api::Informer::Change&) {
        for (const auto& service : options_.services.all()) enqueue(service->version + "." + service->group);
    };
    cluster_services_.subscribe(aggregated);
    slices_.subscribe(aggregated);
}

std::optional<ApiServiceController::Verdict> ApiServiceController::check_service(const api::AggregatedService& service) {
    const std::string which = "service/" + service.name + " in " + api::go_quote(service.namespace_name);
    const auto record = cluster_services_.get(service.namespace_name, service.name);
    if (record == nullptr) return Verdict{false, "ServiceNotFound", which + " is not present"};
    const Json document = client().document(*record);
    if (api::string_at(document, {"spec", "type"}, "ClusterIP") != "ClusterIP") return std::nullopt;
    const Json* wanted = nullptr;
    for (const Json& port : api::array_at(document, {"spec", "ports"})) {
        if (api::int_at(port, {"port"}) == service.port) wanted = &port;
    }
    if (wanted == nullptr) return Verdict{false, "ServicePortError", which + " is not listening on port " + std::to_string(service.port)};
    if (options_.reachable.contains(service.namespace_name + "/" + service.name)) return std::nullopt;
    const std::string port_name(api::string_at(*wanted, {"name"}));
    bool any = false;
    for (const auto& slice_record : slices_.list(service.namespace_name)) {
        const std::string* owner = api::view_of(*slice_record).label("kubernetes.io/service-name");
        if (owner == nullptr || *owner != service.name) continue;
        any = true;
        if (has_endpoint(client().document(*slice_record), port_name)) return std::nullopt;
    }
    if (!any) return Verdict{false, "EndpointsNotFound", "cannot find endpointslices for " + which};
    return Verdict{false, "MissingEndpoints", "endpointslices for " + which + " have no addresses with port name " + api::go_quote(port_name)};
}

void ApiServiceController::ask(const std::string& key, const api::AggregatedService& service) {
    if (!asked_.insert(key).second) return;
    api::RemoteCall call = api::call_service(service, "GET", "/apis/" + service.group + "/" + service.version);
    call.timeout = std::chrono::seconds(5);
    call.headers = {{"X-Remote-User", "system:kube-aggregator"}, {"X-Remote-Group", "system:masters"}, {"Accept", "application/json"}};
    options_.remote.call(std::move(call), [this, key](api::RemoteAnswer answer) {
        manager().post([this, key, answer = std::move(answer)] {
            asked_.erase(key);
            answers_[key] = answer;
            enqueue(key);
        });
    });
}

api::ApiResult<bool> ApiServiceController::set_condition(const std::string& key, const Verdict& verdict) {
    const std::string now = api::format_time(clock().now());
    const auto written = client().modify(kind(api_services), "", key, "status", [&](Json& document) {
        Json wanted = {{"type", "Available"}, {"status", verdict.available ? "True" : "False"}, {"reason", verdict.reason}, {"message", verdict.message}, {"lastTransitionTime", now}};
        Json& conditions = api::ensure(document, {"status"})["conditions"];
        if (!conditions.is_array()) conditions = Json::array();
        for (Json& condition : conditions) {
            if (api::string_at(condition, {"type"}) != "Available") continue;
            if (condition["status"] == wanted["status"]) wanted["lastTransitionTime"] = condition["lastTransitionTime"];
            if (condition == wanted) return false;
            condition = std::move(wanted);
            return true;
        }
        conditions.push_back(std::move(wanted));
        return true;
    });
    if (!written && written.error().code() != 404) return written.error();
    return true;
}

api::ApiResult<Requeue> ApiServiceController::reconcile(const std::string& key) {
    const auto record = api_services_.get("", key);
    const Json document = record == nullptr ? Json::object() : client().document(*record);
    if (api::find(document, {"spec", "service"}) == nullptr) {
        const std::string version = key.substr(0, key.find('.')), group = key.substr(std::min(key.size(), version.size() + 1));
        const api::AggregatedServicePtr there = options_.services.find(group, version);
        if (there == nullptr || !there->local) options_.services.set(key, nullptr);
        if (record != nullptr) TRY(set_condition(key, {true, "Local", "Local APIServices are always available"}));
        return Requeue{};
    }
    api::AggregatedService service = service_of(document);
    const api::AggregatedServicePtr before = options_.services.find(service.group, service.version);
    if (before != nullptr) {
        service.resources = before->resources;
        service.openapi = before->openapi;
    }
    auto address = api::resolve_service(manager().registry(), service.namespace_name, service.name, service.port);
    if (address) service.address = std::move(*address);
    else service.unreachable = std::move(address).error().why;

    std::optional<Verdict> verdict = check_service(service);
    const auto answer = answers_.find(key);
    if (!verdict && answer == answers_.end()) {
        service.available = before != nullptr && before->available;
        if (before == nullptr) options_.services.set(key, std::make_shared<const api::AggregatedService>(service));
        ask(key, service);
        return Requeue{};
    }
    if (!verdict) {
        const std::string url = "https://" + (service.address.empty() ? service.name + "." + service.namespace_name + ".svc" : service.address) + "/apis/" +
                                service.group + "/" + service.version;
        const api::RemoteAnswer given = std::move(answer->second);
        answers_.erase(answer);
        if (!given.error.empty()) {
            verdict = Verdict{false, "FailedDiscoveryCheck", "failing or missing response from " + url + ": Get " + api::go_quote(url) + ": " + given.error};
        } else if (given.code < 200 || given.code >= 300) {
            verdict = Verdict{false, "FailedDiscoveryCheck",
                              "failing or missing response from " + url + ": bad status from " + url + ": " + std::to_string(given.code)};
        } else {
            verdict = Verdict{true, "Passed", "all checks passed"};
            if (auto list = api::parse_json(given.body); list && list->is_object()) service.resources = std::make_shared<const Json>(std::move(*list));
        }
    }
    service.available = verdict->available;
    const auto now_known = std::make_shared<const api::AggregatedService>(std::move(service));
    options_.services.set(key, now_known);
    if (now_known->available) ask_openapi(key, *now_known);
    TRY(set_condition(key, *verdict));
    return Requeue{verdict->available ? recheck_interval : retry_interval};
}

}  // namespace kubemu::controllers

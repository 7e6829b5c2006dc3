// The table, the calls, and the texts of discovery.
#include "api/aggregation.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/values/text.h"

namespace kubemu::api {
namespace {

// A header's value may hold no line ends.
std::string header_text(const std::string& text) {
    std::string out;
    for (const char c : text) out += c == '\r' || c == '\n' ? ' ' : c;
    return out;
}

}  // namespace

AggregatedServicePtr AggregatedServices::find(std::string_view group, std::string_view version) const {
    if (empty()) return nullptr;
    Lock lock(mutex_);
    const auto at = services_.find(std::string(version) + "." + std::string(group));
    return at == services_.end() ? nullptr : at->second;
}

std::vector<AggregatedServicePtr> AggregatedServices::all() const {
    std::vector<AggregatedServicePtr> out;
    if (empty()) return out;
    Lock lock(mutex_);
    for (const auto& [name, service] : services_) out.push_back(service);
    return out;
}

void AggregatedServices::set(const std::string& name, AggregatedServicePtr service) {
    Lock lock(mutex_);
    const auto at = services_.find(name);
    const auto before = at == services_.end() ? nullptr : at->second->openapi;
    if ((service == nullptr ? nullptr : service->openapi) != before) openapi_epoch_.fetch_add(1, std::memory_order_release);
    if (service == nullptr) {
        if (at == services_.end()) return;
        services_.erase(at);
    } else {
        services_[name] = std::move(service);
    }
    count_.store(services_.size(), std::memory_order_relaxed);
    epoch_.fetch_add(1, std::memory_order_release);
}

RemoteCall call_service(const AggregatedService& service, std::string method, const std::string& path) {
    RemoteCall call;
    call.method = std::move(method);
    call.url = "https://" + service.name + "." + service.namespace_name + ".svc:" + std::to_string(service.port) + path;
    call.service = service.namespace_name + "/" + service.name;
    call.address = service.address;
    call.unreachable = service.unreachable;
    call.ca_bundle = service.ca_bundle;
    call.insecure = service.insecure;
    call.as_front_proxy = true;
    return call;
}

namespace {

// Those that the request came with, or that it has fields for.
Headers headers_to_pass(const Request& request, const Headers* headers) {
    if (headers != nullptr) return passed_on(*headers);
    Headers passed;
    for (const auto& [name, value] : {std::pair<const char*, const std::string&>{"Content-Type", request.content_type},
                                      {"Accept", request.accept}, {"User-Agent", request.user_agent}}) {
        if (!value.empty()) passed.emplace_back(name, value);
    }
    return passed;
}

}  // namespace

RemoteCall forwarded(const AggregatedService& service, const Request& request, const Headers* headers) {
    RemoteCall call = call_service(service, request.method, request.path + (request.query.empty() ? "" : "?" + request.query));
    call.timeout = std::chrono::seconds(60);
    call.body = request.body;
    for (const auto& [name, value] : headers_to_pass(request, headers)) call.headers.emplace_back(name, header_text(value));
    const User& user = request.user;
    call.headers.emplace_back("X-Remote-User", header_text(user.name));
    if (!user.uid.empty()) call.headers.emplace_back("X-Remote-Uid", header_text(user.uid));
    for (const std::string& group : user.groups) call.headers.emplace_back("X-Remote-Group", header_text(group));
    for (const auto& [key, values] : user.extra) {
        for (const std::string& value : values) call.headers.emplace_back("X-Remote-Extra-" + header_text(key), header_text(value));
    }
    return call;
}

}  // namespace kubemu::api

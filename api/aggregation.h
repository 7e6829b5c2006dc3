// AggregatedServices: which groups other API servers answer for (APIService with a service), where these are, and what
// they say they serve. The controller of APIServices keeps it; requests read it
// (k8s.io/kube-aggregator/pkg/apiserver/apiserver.go, handler_proxy.go, handler_discovery.go).
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/headers.h"
#include "api/remote_calls.h"
#include "api/request.h"
#include "api/values/object.h"
#include "storage/base/mutex.h"

namespace kubemu::api {

// What another server says of itself in OpenAPI.
struct AggregatedOpenApi {
    std::string v3_url;              // serverRelativeURL of its group version's document; empty when it has none
    std::shared_ptr<const Json> v2;  // its /openapi/v2; null when it has none
};

// One group version that is answered elsewhere.
struct AggregatedService {
    std::string group, version;
    std::int64_t group_priority = 0, version_priority = 0;
    bool available = false;
    std::string namespace_name, name;  // of the Service
    std::int64_t port = 443;
    std::string ca_bundle;
    bool insecure = false;
    std::string address, unreachable;      // see RemoteCall
    std::shared_ptr<const Json> resources;  // its APIResourceList; null before it has been read
    std::shared_ptr<const AggregatedOpenApi> openapi;  // null before it has been read
    std::function<Response(const Request&)> local;  // answers in this process, there is no Service; any thread
};
using AggregatedServicePtr = std::shared_ptr<const AggregatedService>;

// Thread-safe.
class AggregatedServices {
  public:
    // Null when the group version is not answered elsewhere.
    AggregatedServicePtr find(std::string_view group, std::string_view version) const;
    std::vector<AggregatedServicePtr> all() const;
    void set(const std::string& name, AggregatedServicePtr service);  // null takes it away
    bool empty() const { return count_.load(std::memory_order_relaxed) == 0; }
    // Rises with each change: documents made before are out of date.
    std::uint64_t epoch() const { return epoch_.load(std::memory_order_acquire); }
    // Rises when what is said in OpenAPI changes.
    std::uint64_t openapi_epoch() const { return openapi_epoch_.load(std::memory_order_acquire); }

  private:
    mutable Mutex mutex_;
    std::map<std::string, AggregatedServicePtr> services_ KUBEMU_GUARDED_BY(mutex_);  // by name: version.group
    std::atomic<std::size_t> count_{0};
    std::atomic<std::uint64_t> epoch_{0}, openapi_epoch_{0};
};

// A call of the service behind a group version; `path` begins with a slash and may have a query.
RemoteCall call_service(const AggregatedService& service, std::string method, const std::string& path);
// The request, as it is passed on: with its headers (null: those that it has fields for), and with its user in headers, as
// the server's front proxy.
RemoteCall forwarded(const AggregatedService& service, const Request& request, const Headers* headers = nullptr);

}  // namespace kubemu::api

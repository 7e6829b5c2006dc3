// EndpointSlices: the addresses of a Service's pods in pieces of at most 100 (k8s.io/endpointslice).
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "controllers/endpoints/service_pods.h"
#include "controllers/endpointslice/topology_cache.h"
#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

class EndpointSliceController final : public Controller {
  public:
    explicit EndpointSliceController(Manager& manager);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    struct Wanted;   // the endpoints that share one list of ports
    struct Slice;    // one that there is
    struct Planned;  // one that there will be
    void slice_changed(const api::Informer::Change& change);
    void node_changed(const api::Informer::Change& change);
    // `family` is the addressType: "IPv4", "IPv6".
    std::vector<Wanted> wanted_of(const api::Json& service, std::string_view family,
                                  const std::vector<storage::RecordPtr>& pods, std::vector<std::string>& problems);
    std::vector<Slice> slices_of(std::string_view namespace_name, std::string_view name);
    static std::vector<Planned> plan(std::vector<Wanted> wanted, std::vector<Slice>& unused);
    std::vector<TopologyCache::Event> add_hints(const std::string& key, const api::Json& service,
                                                const std::string& family, std::vector<Planned>& planned);
    api::ApiResult<bool> apply(const api::Json& service, const std::string& family, std::vector<Planned>& planned,
                               const std::vector<Slice>& unused, std::optional<Time> trigger);
    api::ApiResult<bool> remove(const api::Json& service, const std::vector<Slice>& slices);
    api::ApiResult<bool> write(const api::Json& service, const std::string& family, const Planned& plan,
                               std::optional<Time> trigger);
    api::ApiResult<Requeue> tell(const storage::Record& service, const std::vector<TopologyCache::Event>& told,
                                 const std::vector<std::string>& problems);

    api::Informer& services_;
    api::Informer& pods_;
    api::Informer& nodes_;
    api::Informer& slices_;
    ServicePods service_pods_;
    TriggerTimes triggers_;
    TopologyCache topology_;
    std::set<std::string> incomplete_;                  // services that leave out pods whose node is not known
    std::map<std::string, storage::Revision> written_;  // by slice: its last revision, where it is this controller's
};

}  // namespace kubemu::controllers

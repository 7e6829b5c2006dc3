// EndpointSlice mirroring: Endpoints that a user keeps for a Service without a selector, as slices
// (pkg/controller/endpointslicemirroring).
#pragma once

#include <string>
#include <vector>

#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

class EndpointSliceMirroringController final : public Controller {
  public:
    explicit EndpointSliceMirroringController(Manager& manager);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    struct Wanted;  // the endpoints of one list of ports and one address family
    std::vector<Wanted> wanted_of(const storage::Record& endpoints, const api::Json& document);
    std::vector<storage::RecordPtr> slices_of(std::string_view namespace_name, std::string_view name) const;
    api::ApiResult<bool> remove(const std::vector<storage::RecordPtr>& slices);
    api::ApiResult<bool> write(const storage::Record& endpoints, const api::Json& document,
                               const storage::RecordPtr& slice, const Wanted& wanted);

    api::Informer& endpoints_;
    api::Informer& services_;
    api::Informer& slices_;
};

}  // namespace kubemu::controllers

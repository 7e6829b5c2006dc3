// Whether the servers behind APIServices answer: their condition Available, and what requests are told of them
// (k8s.io/kube-aggregator/pkg/controllers/status). The API server does this itself, so --controllers has no say in it.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "api/aggregation.h"
#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

class ApiServiceController final : public Controller {
  public:
    struct Options {
        api::AggregatedServices& services;
        api::RemoteCaller& remote;
        // "NAMESPACE/NAME" of Services that are reached without endpoints of their own.
        std::set<std::string> reachable;
    };
    ApiServiceController(Manager& manager, Options options);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    struct Verdict {
        bool available = false;
        std::string reason, message;
    };
    // Without asking the server: what is wrong with the Service or its endpoints; nothing when the server is to be asked.
    std::optional<Verdict> check_service(const api::AggregatedService& service);
    void ask(const std::string& key, const api::AggregatedService& service);
    // Asks what the server says of itself in OpenAPI, once it is known to be available.
    void ask_openapi(const std::string& key, const api::AggregatedService& service);
    void take_openapi(const std::string& key, std::shared_ptr<const api::AggregatedOpenApi> openapi);
    api::ApiResult<bool> set_condition(const std::string& key, const Verdict& verdict);

    const Options options_;
    api::Informer& api_services_;
    api::Informer& cluster_services_;
    api::Informer& slices_;
    std::set<std::string> asked_;                       // calls that have no answer yet
    std::map<std::string, api::RemoteAnswer> answers_;  // and those that have
};

}  // namespace kubemu::controllers

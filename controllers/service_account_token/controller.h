// Secrets of type kubernetes.io/service-account-token: filled with a token, the cluster's certificate and their
// namespace, and removed with their account (k8s.io/kubernetes/pkg/controller/serviceaccount/tokens_controller.go).
#pragma once

#include "api/authentication/service_account_tokens.h"
#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

class ServiceAccountTokenController final : public Controller {
  public:
    // `certificate` is PEM text.
    ServiceAccountTokenController(Manager& manager, api::ServiceAccountTokens& tokens, std::string certificate);
    // Keys are those of secrets.
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    bool complete(const api::Json& secret) const;
    void enqueue_secrets_of(const api::ObjectView& account);
    api::ApiResult<Requeue> drop_reference(std::string_view namespace_name, std::string_view secret_name);

    api::Informer& secrets_;
    api::Informer& accounts_;
    api::ServiceAccountTokens& tokens_;
    std::string certificate_;  // base64
};

}  // namespace kubemu::controllers

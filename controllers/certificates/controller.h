// CertificateSigningRequests of the signers that belong to Kubernetes: approved where nodes ask for themselves, signed
// once they are approved, and removed when nobody needs them any more
// (k8s.io/kubernetes/pkg/controller/certificates: approver, signer, cleaner).
#pragma once

#include "api/authentication/certificate_authority.h"
#include "api/authorization/authorizer.h"
#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

// Approves requests for client certificates of kubelets by those who may create
// certificatesigningrequests/nodeclient or /selfnodeclient.
class CsrApprovingController final : public Controller {
  public:
    CsrApprovingController(Manager& manager, const api::Authorizer& authorizer);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    api::Informer& requests_;
    const api::Authorizer& authorizer_;
};

// Signs for kubernetes.io/kube-apiserver-client, /kube-apiserver-client-kubelet, /kubelet-serving and /legacy-unknown.
class CsrSigningController final : public Controller {
  public:
    CsrSigningController(Manager& manager, api::CertificateAuthority authority);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    api::ApiResult<Requeue> fail(const std::string& key, const std::string& why);

    api::Informer& requests_;
    api::CertificateAuthority authority_;
};

// Issued, denied and failed ones go after an hour, others after a day, expired certificates at once.
class CsrCleanerController final : public Controller {
  public:
    explicit CsrCleanerController(Manager& manager);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    api::Informer& requests_;
};

}  // namespace kubemu::controllers

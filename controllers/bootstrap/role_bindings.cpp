// Default bindings, and the Roles in kube-system and kube-public
// (k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy: policy.go, namespace_policy.go).
#include "controllers/bootstrap/rbac_policy.h"

namespace kubemu::controllers {
namespace {

constexpr BootstrapRole roles[] = {
    {.name = "extension-apiserver-authentication-reader",
     .namespace_name = "kube-system",
     .rules = "get list watch | core | configmaps | extension-apiserver-authentication"},
    {.name = "system:controller:bootstrap-signer",
     .namespace_name = "kube-system",
     .rules = "get list watch | core | secrets"},
    {.name = "system:controller:cloud-provider",
     .namespace_name = "kube-system",
     .rules = "create get list watch | core | configmaps"},
    {.name = "system:controller:token-cleaner",
     .namespace_name = "kube-system",
     .rules = "delete get list watch | core | secrets\n"
              "create patch update | core events.k8s.io | events"},
    {.name = "system::leader-locking-kube-controller-manager",
     .namespace_name = "kube-system",
     .rules = "create get list update watch | coordination.k8s.io | leases\n"
              "create get list update watch | coordination.k8s.io | leasecandidates"},
    {.name = "system::leader-locking-kube-scheduler",
     .namespace_name = "kube-system",
     .rules = "create get list update watch | coordination.k8s.io | leases\n"
              "create get list update watch | coordination.k8s.io | leasecandidates"},
    {.name = "system:controller:bootstrap-signer",
     .namespace_name = "kube-public",
     .rules = "get list watch | core | configmaps\n"
              "update | core | configmaps | cluster-info\n"
              "create patch update | core events.k8s.io | events"},
};

constexpr BootstrapBinding bindings[] = {
    {.name = "cluster-admin", .role = "cluster-admin", .subjects = "Group system:masters"},
    {.name = "system:monitoring", .role = "system:monitoring", .subjects = "Group system:monitoring"},
    {.name = "system:discovery", .role = "system:discovery", .subjects = "Group system:authenticated"},
    {.name = "system:basic-user", .role = "system:basic-user", .subjects = "Group system:authenticated"},
    {.name = "system:public-info-viewer",
     .role = "system:public-info-viewer",
     .subjects = "Group system:authenticated, Group system:unauthenticated"},
    {.name = "system:node-proxier", .role = "system:node-proxier", .subjects = "User system:kube-proxy"},
    {.name = "system:kube-controller-manager",
     .role = "system:kube-controller-manager",
     .subjects = "User system:kube-controller-manager"},
    {.name = "system:kube-dns", .role = "system:kube-dns", .subjects = "ServiceAccount kube-system/kube-dns"},
    {.name = "system:kube-scheduler", .role = "system:kube-scheduler", .subjects = "User system:kube-scheduler"},
    {.name = "system:volume-scheduler", .role = "system:volume-scheduler", .subjects = "User system:kube-scheduler"},
    // Nodes are the business of the node authorizer; the binding is kept for those who add subjects to it.
    {.name = "system:node", .role = "system:node", .subjects = ""},
    {.name = "system:service-account-issuer-discovery",
     .role = "system:service-account-issuer-discovery",
     .subjects = "Group system:serviceaccounts"},
    {.name = "system::extension-apiserver-authentication-reader",
     .namespace_name = "kube-system",
     .role = "extension-apiserver-authentication-reader",
     .subjects = "User system:kube-controller-manager, User system:kube-scheduler"},
    {.name = "system::leader-locking-kube-controller-manager",
     .namespace_name = "kube-system",
     .role = "system::leader-locking-kube-controller-manager",
     .subjects = "User system:kube-controller-manager, ServiceAccount kube-system/kube-controller-manager"},
    {.name = "system::leader-locking-kube-scheduler",
     .namespace_name = "kube-system",
     .role = "system::leader-locking-kube-scheduler",
     .subjects = "User system:kube-scheduler, ServiceAccount kube-system/kube-scheduler"},
    {.name = "system:controller:bootstrap-signer",
     .namespace_name = "kube-system",
     .role = "system:controller:bootstrap-signer",
     .subjects = "ServiceAccount kube-system/bootstrap-signer"},
    {.name = "system:controller:cloud-provider",
     .namespace_name = "kube-system",
     .role = "system:controller:cloud-provider",
     .subjects = "ServiceAccount kube-system/cloud-provider"},
    {.name = "system:controller:token-cleaner",
     .namespace_name = "kube-system",
     .role = "system:controller:token-cleaner",
     .subjects = "ServiceAccount kube-system/token-cleaner"},
    {.name = "system:controller:bootstrap-signer",
     .namespace_name = "kube-public",
     .role = "system:controller:bootstrap-signer",
     .subjects = "ServiceAccount kube-system/bootstrap-signer"},
};

}  // namespace

std::span<const BootstrapRole> bootstrap_namespace_roles() { return roles; }
std::span<const BootstrapBinding> bootstrap_bindings() { return bindings; }

}  // namespace kubemu::controllers

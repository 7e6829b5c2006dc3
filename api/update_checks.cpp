// The checks of an update and their order, kind by kind.
#include "api/update_checks.h"

#include <string_view>

#include "api/metadata.h"

namespace kubemu::api {
namespace {

// What is looked at after the checks that all kinds have in common, in order:
//   m  the metadata as a change          M  the metadata as that of a new object
//   o  the object as a new one           u  the object as a change
// Every complaint is made as often as its check.
constexpr std::string_view usual_order = "mou";

struct Known {
    std::string_view resource, order;
};
constexpr Known known[] = {
    {"apiservices.apiregistration.k8s.io", "mMou"},
    {"certificatesigningrequests.certificates.k8s.io", "Momu"},
    {"clusterrolebindings.rbac.authorization.k8s.io", "Momu"},
    {"clusterroles.rbac.authorization.k8s.io", "Momu"},
    {"configmaps", "mMou"},
    {"controllerrevisions.apps", "mMou"},
    {"csinodes.storage.k8s.io", "Mou"},
    {"csistoragecapacities.storage.k8s.io", "Momu"},
    {"daemonsets.apps", "muo"},
    {"deviceclasses.resource.k8s.io", "Mmou"},
    {"endpoints", "mMou"},
    {"endpointslices.discovery.k8s.io", "Mou"},
    {"events", "ou"},
    {"flowschemas.flowcontrol.apiserver.k8s.io", "Mou"},
    {"ingressclasses.networking.k8s.io", "muMo"},
    {"ingresses.networking.k8s.io", "mMou"},
    {"ipaddresses.networking.k8s.io", "Momu"},
    {"jobs.batch", "Momu"},
    {"limitranges", "Mou"},
    {"mutatingadmissionpolicies.admissionregistration.k8s.io", "Mou"},
    {"mutatingadmissionpolicybindings.admissionregistration.k8s.io", "Mou"},
    {"mutatingwebhookconfigurations.admissionregistration.k8s.io", "Mou"},
    {"namespaces", "Momu"},
    {"nodes", "Momu"},
    {"persistentvolumeclaims", "mMou"},
    {"persistentvolumes", "MMou"},
    {"poddisruptionbudgets.policy", "ou"},
    {"pods", "mMou"},
    {"prioritylevelconfigurations.flowcontrol.apiserver.k8s.io", "Mou"},
    {"resourceclaims.resource.k8s.io", "Momu"},
    {"resourceclaimtemplates.resource.k8s.io", "Momu"},
    {"rolebindings.rbac.authorization.k8s.io", "Momu"},
    {"roles.rbac.authorization.k8s.io", "Momu"},
    {"runtimeclasses.node.k8s.io", "Momu"},
    {"secrets", "muMo"},
    {"serviceaccounts", "mMou"},
    {"storageclasses.storage.k8s.io", "Momu"},
    {"validatingadmissionpolicies.admissionregistration.k8s.io", "Mou"},
    {"validatingadmissionpolicybindings.admissionregistration.k8s.io", "Mou"},
    {"validatingwebhookconfigurations.admissionregistration.k8s.io", "Mou"},
    {"volumeattachments.storage.k8s.io", "Mou"},
    {"volumeattributesclasses.storage.k8s.io", "muMo"},
};

std::string_view order_of(const KindSpec& kind, std::string_view subresource) {
    // Parts of an object are checked as changes alone. Events are one stored kind with two sets of rules.
    if (!subresource.empty() || (kind.resource == "events" && !kind.group.empty())) return usual_order;
    for (const Known& one : known) {
        if (one.resource == kind.resource) return one.order;
    }
    return usual_order;
}

}  // namespace

void check_update(const KindSpec& kind, const Json& object, const Json& old, const HookContext& hook, FieldErrors& errors) {
    const KindRules* rules = rules_of(kind);
    const bool status_only = hook.subresource == "status" || hook.subresource == "approval";
    // A binding is put into the pod as it is: spec.nodeName and a condition, which no update of either part may set.
    if (hook.subresource == "binding") return;
    validate_any_metadata(kind, object, errors);
    // What found nothing once finds nothing again.
    FieldErrors change;
    validate_metadata_change(object, old, change);
    const auto add_change = [&] {
        for (const FieldError& error : change.all()) errors.add(error);
    };
    add_change();
    for (const char check : order_of(kind, hook.subresource)) {
        if (check == 'm') {
            add_change();
            validate_standard_finalizers(kind, object, errors);
        } else if (check == 'M') {
            validate_metadata(kind, object, errors);
        } else if (status_only) {
            if (check == 'u' && rules->validate_status_update != nullptr) {
                rules->validate_status_update(object, old, hook, errors);
            }
        } else if (check == 'o') {
            if (rules->validate != nullptr && !rules->validates_updates_apart) rules->validate(object, hook, errors);
        } else if (rules->validate_update != nullptr) {
            rules->validate_update(object, old, hook, errors);
        }
    }
}

}  // namespace kubemu::api

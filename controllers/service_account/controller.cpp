// Making what every namespace has.
#include "controllers/service_account/controller.h"

#include <nlohmann/json.hpp>

namespace kubemu::controllers {
namespace {

constexpr const char* account_name = "default";
constexpr const char* config_map_name = "kube-root-ca.crt";

bool alive(const api::Informer& namespaces, const std::string& name) {
    const auto space = namespaces.get(name);
    return space && !api::view_of(*space).deleting;
}

}  // namespace

ServiceAccountController::ServiceAccountController(Manager& manager)
    : Controller(manager, "serviceaccount", "service-account-controller"),
      namespaces_(manager.informer("namespaces")),
      accounts_(manager.informer("serviceaccounts")) {
    enqueue_on_change(namespaces_);
    accounts_.subscribe([this](const api::Informer::Change& change) {
        if (!change.after && api::view_of(*change.before).name == account_name) enqueue(api::view_of(*change.before).namespace_name);
    });
}

api::ApiResult<Requeue> ServiceAccountController::reconcile(const std::string& key) {
    if (!alive(namespaces_, key) || accounts_.get(key, account_name)) return Requeue{};
    const auto made = client().create(kind("serviceaccounts"), key, {{"metadata", {{"name", account_name}}}});
    if (!made && made.error().code() != 409) return made.error();
    return Requeue{};
}

RootCertificateController::RootCertificateController(Manager& manager, std::string certificate)
    : Controller(manager, "root-ca-cert-publisher", "root-ca-cert-publisher"),
      namespaces_(manager.informer("namespaces")),
      config_maps_(manager.informer("configmaps")),
      certificate_(std::move(certificate)) {
    enqueue_on_change(namespaces_);
    config_maps_.subscribe([this](const api::Informer::Change& change) {
        const api::ObjectView& view = api::view_of(change.after ? *change.after : *change.before);
        if (view.name == config_map_name && change.before) enqueue(view.namespace_name);
    });
}

api::ApiResult<Requeue> RootCertificateController::reconcile(const std::string& key) {
    if (!alive(namespaces_, key)) return Requeue{};
    const api::Json data = {{"ca.crt", certificate_}};
    if (!config_maps_.get(key, config_map_name)) {
        api::Json object = {{"metadata", {{"name", config_map_name}}}, {"data", data}};
        object["metadata"]["annotations"]["kubernetes.io/description"] =
            "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal "
            "service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";
        const auto made = client().create(kind("configmaps"), key, std::move(object));
        if (!made && made.error().code() != 409) return made.error();
        return Requeue{};
    }
    const auto mended = client().modify(kind("configmaps"), key, config_map_name, {}, [&data](api::Json& object) {
        if (api::object_at(object, {"data"}) == data) return false;
        object["data"] = data;
        return true;
    });
    if (!mended && mended.error().code() != 404) return mended.error();
    return Requeue{};
}

}  // namespace kubemu::controllers

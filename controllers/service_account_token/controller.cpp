// Tokens in Secrets.
#include "controllers/service_account_token/controller.h"

#include <nlohmann/json.hpp>

#include "api/values/text.h"

namespace kubemu::controllers {
namespace {

using api::Json;

constexpr const char* account_name = "kubernetes.io/service-account.name";
constexpr const char* account_uid = "kubernetes.io/service-account.uid";

bool holds_token(const storage::Record& secret) {
    return api::view_of(secret).fields.find("type") == "kubernetes.io/service-account-token";
}

}  // namespace

ServiceAccountTokenController::ServiceAccountTokenController(Manager& manager, api::ServiceAccountTokens& tokens,
                                                             std::string certificate)
    : Controller(manager, "serviceaccount-token", "tokens-controller"),
      secrets_(manager.informer("secrets")),
      accounts_(manager.informer("serviceaccounts")),
      tokens_(tokens),
      certificate_(api::base64_encode(certificate)) {
    has_workers(5);
    secrets_.subscribe([this](const api::Informer::Change& change) {
        const storage::Record& secret = change.after ? *change.after : *change.before;
        if (holds_token(secret)) enqueue(secret.key);
    });
    accounts_.subscribe([this](const api::Informer::Change& change) {
        if (!change.after || (change.before && api::view_of(*change.before).uid != api::view_of(*change.after).uid)) {
            enqueue_secrets_of(api::view_of(*change.before));
        }
    });
}

void ServiceAccountTokenController::enqueue_secrets_of(const api::ObjectView& account) {
    for (const auto& secret : secrets_.list(account.namespace_name)) {
        if (holds_token(*secret)) enqueue(secret->key);
    }
}

bool ServiceAccountTokenController::complete(const Json& secret) const {
    return api::string_at(secret, {"data", "ca.crt"}) == certificate_ && !api::string_at(secret, {"data", "namespace"}).empty() &&
           !api::string_at(secret, {"data", "token"}).empty();
}

// Accounts of old list their Secrets; one that is gone leaves the list.
api::ApiResult<Requeue> ServiceAccountTokenController::drop_reference(std::string_view namespace_name, std::string_view secret_name) {
    for (const auto& record : accounts_.list(std::string(namespace_name))) {
        const auto names_it = [&](const Json& reference) { return api::string_at(reference, {"name"}) == secret_name; };
        const Json account = client().document(*record);
        const Json& references = api::array_at(account, {"secrets"});
        if (std::none_of(references.begin(), references.end(), names_it)) continue;
        const auto dropped = client().modify(kind("serviceaccounts"), namespace_name, api::view_of(*record).name, {}, [&](Json& object) {
            Json kept = Json::array();
            for (const Json& reference : api::array_at(object, {"secrets"})) {
                if (!names_it(reference)) kept.push_back(reference);
            }
            object["secrets"] = std::move(kept);
            return true;
        });
        if (!dropped && dropped.error().code() != 404) return dropped.error();
    }
    return Requeue{};
}

api::ApiResult<Requeue> ServiceAccountTokenController::reconcile(const std::string& key) {
    const ObjectKey at = split_key(key);
    const auto record = secrets_.get(key);
    if (!record) return drop_reference(at.namespace_name, at.name);
    if (api::view_of(*record).deleting) return Requeue{};
    const Json secret = client().document(*record);
    const std::string name(api::string_at(secret, {"metadata", "annotations", account_name}));
    const std::string uid(api::string_at(secret, {"metadata", "annotations", account_uid}));
    const auto account = client().get(kind("serviceaccounts"), at.namespace_name, name);
    if (!account || (!uid.empty() && api::view_of(**account).uid != uid)) {
        api::DeleteOptions options;
        options.precondition_uid = api::view_of(*record).uid;
        const auto removed = client().remove(kind("secrets"), at.namespace_name, at.name, options);
        if (!removed && removed.error().code() != 404 && removed.error().code() != 409) return removed.error();
        return Requeue{};
    }
    if (complete(secret)) return Requeue{};
    const std::string account_id = api::view_of(**account).uid;
    const auto filled = client().modify(kind("secrets"), at.namespace_name, at.name, {}, [&](Json& object) {
        if (complete(object)) return false;
        Json& data = api::ensure(object, {"data"});
        data["ca.crt"] = certificate_;
        if (api::string_at(data, {"namespace"}).empty()) data["namespace"] = api::base64_encode(at.namespace_name);
        if (api::string_at(data, {"token"}).empty()) {
            const std::string token = tokens_.issue_for_secret(at.namespace_name, {name, account_id}, at.name);
            if (token.empty()) return false;
            data["token"] = api::base64_encode(token);
        }
        Json& annotations = api::ensure(object, {"metadata", "annotations"});
        annotations[account_name] = name;
        annotations[account_uid] = account_id;
        return true;
    });
    if (!filled && filled.error().code() != 404 && filled.error().code() != 409) return filled.error();
    return Requeue{};
}

}  // namespace kubemu::controllers

// Which pods and claims are looked at when, and which claim an entry of a pod's spec stands for.
#include "controllers/resourceclaim/controller.h"

#include <nlohmann/json.hpp>

#include "storage/base/text_search.h"

namespace kubemu::controllers {

using api::Json;

namespace {

constexpr std::string_view pod_prefix = "pod:", claim_prefix = "claim:";
// --concurrent-resourceclaim-syncs
constexpr std::size_t workers = 50;

// A pod that has shown none so far can only get one for its extended resources.
bool shows_claims(const api::Informer::Change& change, bool showed_some) {
    if (!change.after && !showed_some) return false;
    const Bytes text = (change.after ? change.after : change.before)->bytes.get();
    return contains_text(*text, "\"extendedResourceClaimStatus\":") ||
           ((showed_some || !change.before) && contains_text(*text, "\"resourceClaims\":["));
}

// podNeedsClaims
bool may_run(const api::PodView& pod, bool deleted) {
    return !deleted && !pod.finished() && !(pod.deleting && pod.node_name.empty());
}

std::string key_of(std::string_view namespace_name, std::string_view name) {
    return std::string(namespace_name) + "/" + std::string(name);
}

void forget(std::map<std::string, std::set<std::string>>& users, const std::string& used, const std::string& pod) {
    const auto found = users.find(used);
    if (found == users.end()) return;
    found->second.erase(pod);
    if (found->second.empty()) users.erase(found);
}

}  // namespace

ResourceClaimController::ResourceClaimController(Manager& manager)
    : Controller(manager, "resourceclaim-controller", "resource-claim-controller", "resource_claim"),
      reader_(client()),
      pods_(manager.informer("pods")),
      claims_(manager.informer("resourceclaims.resource.k8s.io")),
      templates_(manager.informer("resourceclaimtemplates.resource.k8s.io")) {
    has_workers(workers);
    pods_.subscribe([this](const api::Informer::Change& change) { on_pod(change); });
    claims_.subscribe([this](const api::Informer::Change& change) {
        const std::string& key = change.after ? change.after->key : change.before->key;
        if (change.after) enqueue(std::string(claim_prefix) + key);
        look_at_users(users_, key);
    });
    templates_.subscribe([this](const api::Informer::Change& change) {
        if (change.after) look_at_users(template_users_, change.after->key);
    });
}

// resourceclaim.Name
ResourceClaimController::Named ResourceClaimController::named(const Json& pod, const Json& pod_claim) {
    Named named;
    named.name = api::string_at(pod_claim, {"resourceClaimName"});
    named.known = !named.name.empty();
    if (named.known) return named;
    for (const Json& status : api::array_at(pod, {"status", "resourceClaimStatuses"})) {
        if (api::string_at(status, {"name"}) != api::string_at(pod_claim, {"name"})) continue;
        named.known = true;
        named.of_pod = true;
        named.name = api::string_at(status, {"resourceClaimName"});
        named.needed = !named.name.empty();
    }
    return named;
}

void ResourceClaimController::on_pod(const api::Informer::Change& change) {
    const storage::Record& record = change.after ? *change.after : *change.before;
    const auto known = uses_.find(record.key);
    const bool showed_some = known != uses_.end();
    if (showed_some) {
        for (const std::string& claim : known->second.claims) forget(users_, claim, record.key);
        for (const std::string& name : known->second.templates) forget(template_users_, name, record.key);
        uses_.erase(known);
    }
    if (!shows_claims(change, showed_some)) return;
    const Json document = client().document(record);
    const std::string_view space = api::namespace_of(document);
    if (change.after) {
        Uses& uses = uses_[record.key];
        for (const Json& pod_claim : api::array_at(document, {"spec", "resourceClaims"})) {
            if (const Named claim = named(document, pod_claim); !claim.name.empty())
                uses.claims.insert(key_of(space, claim.name));
            const std::string_view name = api::string_at(pod_claim, {"resourceClaimTemplateName"});
            if (!name.empty()) uses.templates.insert(key_of(space, name));
        }
        for (const std::string& claim : uses.claims) users_[claim].insert(record.key);
        for (const std::string& name : uses.templates) template_users_[name].insert(record.key);
    }
    look_at(record, document, !change.after);
}

void ResourceClaimController::look_at_users(const std::map<std::string, std::set<std::string>>& users,
                                            const std::string& key) {
    const auto found = users.find(key);
    if (found == users.end()) return;
    for (const std::string& user : found->second) {
        if (const storage::RecordPtr pod = pods_.get(user)) look_at(*pod, client().document(*pod), false);
    }
}

void ResourceClaimController::look_at(const storage::Record& pod, const Json& document, bool deleted) {
    const api::PodView& view = api::pod_view_of(pod);
    if (!may_run(view, deleted)) {
        const auto add = [&](std::string_view name) {
            if (!name.empty()) enqueue(std::string(claim_prefix) + key_of(view.namespace_name, name));
        };
        for (const Json& pod_claim : api::array_at(document, {"spec", "resourceClaims"}))
            add(named(document, pod_claim).name);
        add(api::string_at(document, {"status", "extendedResourceClaimStatus", "resourceClaimName"}));
    }
    if (!deleted && !view.deleting && !view.finished() && needs_work(document))
        enqueue(std::string(pod_prefix) + pod.key);
}

// podNeedsWork
bool ResourceClaimController::needs_work(const Json& pod) const {
    const std::string_view space = api::namespace_of(pod);
    for (const Json& pod_claim : api::array_at(pod, {"spec", "resourceClaims"})) {
        const Named wanted = named(pod, pod_claim);
        if (!wanted.known) return true;
        if (!wanted.needed) continue;
        const storage::RecordPtr claim = claims_.get(space, wanted.name);
        if (claim == nullptr) {
            if (wanted.of_pod) return true;
            continue;  // the user's to make
        }
        const api::OwnerReference* owner = api::view_of(*claim).controller();
        if (wanted.of_pod && (owner == nullptr || owner->uid != api::uid_of(pod)))
            continue;  // until that other claim goes
        if (api::string_at(pod, {"spec", "nodeName"}).empty()) continue;
        const Json document = reader_.document(*claim);
        if (api::find(document, {"status", "allocation"}) != nullptr && !is_reserved(document, api::uid_of(pod)))
            return true;
    }
    return false;
}

bool ResourceClaimController::is_reserved(const Json& claim, std::string_view pod_uid) {
    for (const Json& consumer : api::array_at(claim, {"status", "reservedFor"}))
        if (api::string_at(consumer, {"uid"}) == pod_uid) return true;
    return false;
}

api::ApiResult<Requeue> ResourceClaimController::reconcile(const std::string& key) {
    if (key.starts_with(pod_prefix)) return sync_pod(key.substr(pod_prefix.size()));
    return sync_claim(key.substr(claim_prefix.size()));
}

}  // namespace kubemu::controllers

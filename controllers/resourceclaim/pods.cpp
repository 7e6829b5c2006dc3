// What a pod needs: claims of its own where its spec names templates, and to be a consumer of those that are allocated.
#include <nlohmann/json.hpp>

#include "api/registry.h"
#include "controllers/resourceclaim/controller.h"
#include "controllers/runtime/owner_refs.h"

namespace kubemu::controllers {

using api::Json;
using api::Status;

namespace {

constexpr const char* pod_claim_annotation = "resource.kubernetes.io/pod-claim-name";
// Pod statuses are applied by this manager.
constexpr const char* field_manager = "ResourceClaimController";

// Room for five characters behind it: both parts are cut by the same share.
std::string base_of_name(const std::string& pod, const std::string& pod_claim) {
    constexpr std::size_t base_max = 57;
    const std::string base = pod + "-" + pod_claim + "-";
    if (base.size() <= base_max) return base;
    const std::string cut = pod.substr(0, pod.size() * base_max / base.size()) + "-";
    return cut + pod_claim.substr(0, pod_claim.size() * base_max / base.size());
}

}  // namespace

api::ApiResult<Requeue> ResourceClaimController::sync_pod(const std::string& key) {
    const storage::RecordPtr pod = pods_.get(key);
    if (pod == nullptr || api::view_of(*pod).deleting || api::pod_view_of(*pod).finished()) return Requeue{};
    const Json document = client().document(*pod);
    Json statuses = Json::array();
    for (const Json& pod_claim : api::array_at(document, {"spec", "resourceClaims"})) {
        const std::string name(api::string_at(pod_claim, {"name"}));
        const auto made = handle(*pod, document, pod_claim);
        if (!made) {
            events().warning(object_reference(kind("pods"), *pod), "FailedResourceClaimCreation",
                             "PodResourceClaim " + name + ": " + made.error()->message);
            return made.error();
        }
        if (!made->empty()) statuses.push_back({{"name", name}, {"resourceClaimName", *made}});
    }
    if (!statuses.empty()) TRY(record(api::view_of(*pod), std::move(statuses)));
    if (api::pod_view_of(*pod).node_name.empty()) return Requeue{};  // the scheduler reserves
    TRY(reserve(*pod, document));
    return Requeue{};
}

api::ApiResult<std::string> ResourceClaimController::handle(const storage::Record& pod, const Json& document,
                                                            const Json& pod_claim) {
    const api::ObjectView& view = api::view_of(pod);
    const Named wanted = named(document, pod_claim);
    if (!wanted.needed) return std::string();
    if (wanted.known) {
        const storage::RecordPtr claim = claims_.get(view.namespace_name, wanted.name);
        const api::OwnerReference* owner = claim == nullptr ? nullptr : api::view_of(*claim).controller();
        if (claim != nullptr && (!wanted.of_pod || (owner != nullptr && owner->uid == view.uid))) return std::string();
    }
    if (api::find(pod_claim, "resourceClaimTemplateName") == nullptr) return std::string();
    if (std::string orphan = orphan_of(view, api::string_at(pod_claim, {"name"})); !orphan.empty()) return orphan;
    return make_claim(pod, pod_claim);
}

// A claim that was made, but not recorded.
std::string ResourceClaimController::orphan_of(const api::ObjectView& pod, std::string_view pod_claim) const {
    for (const storage::RecordPtr& claim : claims_.owned_by(pod.uid)) {
        const api::OwnerReference* owner = api::view_of(*claim).controller();
        if (owner == nullptr || owner->uid != pod.uid) continue;
        if (api::string_at(reader_.document(*claim), {"metadata", "annotations", pod_claim_annotation}) == pod_claim)
            return api::view_of(*claim).name;
    }
    return {};
}

api::ApiResult<std::string> ResourceClaimController::make_claim(const storage::Record& pod, const Json& pod_claim) {
    const api::ObjectView& view = api::view_of(pod);
    const std::string template_name(api::string_at(pod_claim, {"resourceClaimTemplateName"})),
        name(api::string_at(pod_claim, {"name"}));
    const storage::RecordPtr from = templates_.get(view.namespace_name, template_name);
    if (from == nullptr) {
        return Status::plain_500("resource claim template \"" + template_name +
                                 "\": resourceclaimtemplate.resource.k8s.io \"" + template_name + "\" not found");
    }
    const Json document = client().document(*from);
    const Json& metadata = api::object_at(document, {"spec", "metadata"});
    Json claim = {{"metadata",
                   {{"generateName", base_of_name(view.name, name)},
                    {"annotations", api::object_at(metadata, {"annotations"})},
                    {"ownerReferences", Json::array({{{"apiVersion", "v1"},
                                                      {"kind", "Pod"},
                                                      {"name", view.name},
                                                      {"uid", view.uid},
                                                      {"controller", true}}})}}},
                  {"spec", api::object_at(document, {"spec", "spec"})}};
    claim["metadata"]["annotations"][pod_claim_annotation] = name;
    if (const Json* labels = api::find(metadata, "labels")) claim["metadata"]["labels"] = *labels;
    const auto made = client().create(kind("resourceclaims.resource.k8s.io"), view.namespace_name, std::move(claim));
    if (!made) return Status::plain_500("create ResourceClaim : " + made.error()->message);
    return api::view_of(**made).name;
}

api::ApiResult<bool> ResourceClaimController::record(const api::ObjectView& pod, Json statuses) {
    api::WriteContext context;
    context.user.name = "system:serviceaccount:kube-system:resource-claim-controller";
    context.user.groups = {"system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"};
    context.field_manager = field_manager;
    context.field_validation = api::WriteContext::FieldValidation::ignore;
    context.owners_settled = true;
    const Json configuration = {{"apiVersion", "v1"},
                                {"kind", "Pod"},
                                {"metadata", {{"name", pod.name}, {"namespace", pod.namespace_name}}},
                                {"status", {{"resourceClaimStatuses", std::move(statuses)}}}};
    const auto change = [&](Json& current, bool exists) -> api::ApiResult<bool> {
        if (!exists || api::uid_of(current) != pod.uid) return false;
        TRY_ASSIGN(current, manager().registry().apply_configuration(kind("pods"), "status", std::move(current),
                                                                     configuration, true, context));
        return true;
    };
    const auto written =
        manager().registry().update(kind("pods"), pod.namespace_name, pod.name, "status", change, context);
    if (written || written.error().code() == 404) return true;
    return Status::plain_500("update pod " + pod.namespace_name + "/" + pod.name +
                             " ResourceClaimStatuses: " + written.error()->message);
}

// Of a pod that somebody else gave its node, as soon as its claims are allocated.
api::ApiResult<bool> ResourceClaimController::reserve(const storage::Record& pod, const Json& document) {
    const api::ObjectView& view = api::view_of(pod);
    for (const Json& pod_claim : api::array_at(document, {"spec", "resourceClaims"})) {
        const Named wanted = named(document, pod_claim);
        if (!wanted.known) return Status::plain_500("pod \"" + pod.key + "\": ResourceClaim not created yet");
        if (!wanted.needed) continue;
        const storage::RecordPtr claim = claims_.get(view.namespace_name, wanted.name);
        if (claim == nullptr) return true;
        const api::OwnerReference* owner = api::view_of(*claim).controller();
        if (wanted.of_pod && (owner == nullptr || owner->uid != view.uid)) {
            return Status::plain_500("ResourceClaim " + claim->key + " was not created for Pod " + pod.key +
                                     " (Pod is not owner)");
        }
        Json changed = client().document(*claim);
        if (api::find(changed, {"status", "allocation"}) == nullptr || is_reserved(changed, view.uid)) continue;
        Json& consumers = api::ensure(changed, {"status"})["reservedFor"];
        if (!consumers.is_array()) consumers = Json::array();
        consumers.push_back({{"resource", "pods"}, {"name", view.name}, {"uid", view.uid}});
        TRY(client().update(kind("resourceclaims.resource.k8s.io"), std::move(changed), "status"));
    }
    return true;
}

}  // namespace kubemu::controllers

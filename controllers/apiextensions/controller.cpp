// The life of a CustomResourceDefinition.
#include "controllers/apiextensions/controller.h"

#include <nlohmann/json.hpp>

#include "api/kinds/apiextensions/definition.h"
#include "api/values/time.h"
#include "controllers/apiextensions/names.h"
#include "controllers/apiextensions/structural_violations.h"

namespace kubemu::controllers {
namespace {

constexpr std::string_view resource_name = "customresourcedefinitions.apiextensions.k8s.io";
constexpr std::string_view cleanup_finalizer = "customresourcecleanup.apiextensions.k8s.io";
constexpr std::string_view approval = "api-approved.kubernetes.io";
// Instances with finalizers of their own are looked for again after this.
constexpr Duration instance_check = std::chrono::seconds(1);

using api::kinds::find_condition;
using api::kinds::set_condition;

bool holds(const api::Json& definition, std::string_view type) {
    const api::Json* condition = find_condition(definition, type);
    return condition != nullptr && api::string_at(*condition, {"status"}) == "True";
}

std::string_view group_of(const api::Json& definition) { return api::string_at(definition, {"spec", "group"}); }

void drop_condition(api::Json& definition, std::string_view type) {
    if (find_condition(definition, type) == nullptr) return;
    api::Json kept = api::Json::array();
    for (const api::Json& condition : api::array_at(definition, {"status", "conditions"})) {
        if (api::string_at(condition, {"type"}) != type) kept.push_back(condition);
    }
    definition["status"]["conditions"] = std::move(kept);
}

bool has_cleanup(const api::Json& definition) {
    for (const api::Json& finalizer : api::array_at(definition, {"metadata", "finalizers"})) {
        if (finalizer == cleanup_finalizer) return true;
    }
    return false;
}

}  // namespace

CustomResourceDefinitionController::CustomResourceDefinitionController(Manager& manager, api::KindRegistry& kinds,
                                                                       DefinitionInstaller& installer)
    : Controller(manager, "customresourcedefinition", "system:apiserver"),
      kinds_(kinds),
      installer_(installer),
      definitions_(manager.informer(resource_name)) {
    enqueue_on_change(definitions_);
}

void CustomResourceDefinitionController::serve(const api::Json& definition, storage::Revision revision) {
    if (!installer_.install(definition, revision)) return;
    const std::string name(api::name_of(definition));
    const auto custom = kinds_.custom(name);
    manager().kind_changed(name, custom == nullptr ? nullptr : &custom->stored().spec);
}

void CustomResourceDefinitionController::stop_serving(const std::string& name) {
    if (installer_.remove(name)) manager().kind_changed(name, nullptr);
}

// A name that became free may be another definition's now.
void CustomResourceDefinitionController::enqueue_others(const std::string& name, std::string_view group) {
    for (const storage::RecordPtr& record : definitions_.list()) {
        const std::size_t dot = record->key.find('.');
        if (record->key != name && record->key.substr(dot + 1) == group) enqueue(record->key);
    }
}

// The definition as it is written, so that what follows sees its revision.
api::ApiResult<bool> CustomResourceDefinitionController::write_status(api::Json& definition) {
    TRY_ASSIGN(const storage::RecordPtr written, client().update(kind(resource_name), definition, "status"));
    definition = client().document(*written);
    return true;
}

api::ApiResult<bool> CustomResourceDefinitionController::settle_names(api::Json& definition) {
    const api::Json& accepted = api::object_at(definition, {"status", "acceptedNames"});
    if (api::object_at(definition, {"spec", "names"}) == accepted) return true;
    std::vector<api::Json> others;
    for (const storage::RecordPtr& record : manager().registry().list(resource_name, {})) {
        if (record->key == api::name_of(definition) || record->key.substr(record->key.find('.') + 1) != group_of(definition)) continue;
        others.push_back(api::object_at(client().document(*record), {"status", "acceptedNames"}));
    }
    api::Json names;
    const NamingOutcome outcome = accept_names(definition, others, names);
    const api::Json* before = find_condition(definition, "NamesAccepted");
    if (accepted == names && before != nullptr && api::string_at(*before, {"reason"}) == outcome.reason &&
        api::string_at(*before, {"message"}) == outcome.message) {
        return true;
    }
    const std::string time = api::format_time(now());
    definition["status"]["acceptedNames"] = std::move(names);
    set_condition(definition, "NamesAccepted", outcome.all_accepted, outcome.reason, outcome.message, time);
    if (!holds(definition, "Established")) {
        if (outcome.all_accepted) {
            set_condition(definition, "Established", false, "Installing", "the initial names have been accepted", time);
        } else if (find_condition(definition, "Established") == nullptr) {
            set_condition(definition, "Established", false, "NotAccepted", "not all names are accepted", time);
        }
    }
    TRY(write_status(definition));
    enqueue_others(std::string(api::name_of(definition)), group_of(definition));
    return true;
}

api::ApiResult<bool> CustomResourceDefinitionController::establish(api::Json& definition) {
    if (!holds(definition, "NamesAccepted") || holds(definition, "Established")) return true;
    set_condition(definition, "Established", true, "InitialNamesAccepted", "the initial names have been accepted",
                  api::format_time(now()));
    return write_status(definition);
}

// KubernetesAPIApprovalPolicyConformant, for groups of the community; NonStructuralSchema for old definitions.
api::ApiResult<bool> CustomResourceDefinitionController::note_condition(api::Json& definition) {
    const std::string time = api::format_time(now());
    const api::Json before = api::array_at(definition, {"status", "conditions"});
    const std::string_view group = group_of(definition);
    const auto within = [group](std::string_view domain) {
        return group == domain || group.ends_with("." + std::string(domain));
    };
    if (within("k8s.io") || within("kubernetes.io")) {
        const std::string said(api::string_at(definition, {"metadata", "annotations", approval}));
        const std::string needed = "protected groups must have approval annotation \"api-approved.kubernetes.io\"";
        const std::string see = ", see https://github.com/kubernetes/enhancements/pull/1111";
        constexpr std::string_view type = "KubernetesAPIApprovalPolicyConformant";
        if (said.empty()) set_condition(definition, type, false, "MissingAnnotation", needed + see, time);
        else if (said.starts_with("unapproved")) set_condition(definition, type, false, "UnapprovedAnnotation", "not approved: \"" + said + "\"", time);
        else set_condition(definition, type, true, "ApprovedAnnotation", "approved in " + said, time);
    }
    if (const std::string violations = structural_violations(definition); !violations.empty()) {
        set_condition(definition, "NonStructuralSchema", true, "Violations", violations, time);
    } else {
        drop_condition(definition, "NonStructuralSchema");
    }
    if (api::array_at(definition, {"status", "conditions"}) == before) return true;
    return write_status(definition);
}

api::ApiResult<Requeue> CustomResourceDefinitionController::clean_up(const api::Json& found) {
    const std::string name(api::name_of(found));
    api::Json definition = found;
    const std::string time = api::format_time(now());
    const bool established = holds(definition, "Established");
    const api::Json* terminating = find_condition(definition, "Terminating");
    const std::string_view reason = terminating == nullptr ? "" : api::string_at(*terminating, {"reason"});
    if (reason != "InstanceDeletionInProgress" && reason != "InstanceDeletionCheck") {
        set_condition(definition, "Terminating", true, "InstanceDeletionInProgress", "CustomResource deletion is in progress", time);
        TRY(write_status(definition));
    }
    const auto custom = kinds_.custom(name);
    if (established && custom != nullptr) {
        std::size_t left = 0;
        for (const storage::RecordPtr& record : manager().registry().list(name, {})) {
            const api::ObjectView& view = api::view_of(*record);
            const auto removed = client().remove(custom->stored().spec, view.namespace_name, view.name);
            if (!removed && removed.error().code() != 404) return removed.error();
            if (removed && !*removed) ++left;
        }
        if (left > 0) return Requeue{instance_check};
        set_condition(definition, "Terminating", false, "InstanceDeletionCompleted", "removed all instances", time);
    } else {
        set_condition(definition, "Terminating", false, "NeverEstablished", "resource was never established", time);
    }
    api::Json finalizers = api::Json::array();
    for (const api::Json& finalizer : api::array_at(definition, {"metadata", "finalizers"})) {
        if (finalizer != cleanup_finalizer) finalizers.push_back(finalizer);
    }
    definition["metadata"]["finalizers"] = std::move(finalizers);
    TRY(write_status(definition));
    return Requeue{};
}

api::ApiResult<Requeue> CustomResourceDefinitionController::reconcile(const std::string& key) {
    const storage::RecordPtr record = definitions_.get(key);
    if (!record) {
        stop_serving(key);
        enqueue_others(key, std::string_view(key).substr(key.find('.') + 1));
        return Requeue{};
    }
    api::Json definition = client().document(*record);
    TRY(settle_names(definition));
    TRY(note_condition(definition));
    // Served, and found by discovery, before anybody reads that it is established.
    if (is_served(definition)) serve(definition, api::revision_of(definition));
    TRY(establish(definition));
    if (api::find(definition, {"metadata", "deletionTimestamp"}) != nullptr && has_cleanup(definition)) return clean_up(definition);
    return Requeue{};
}

}  // namespace kubemu::controllers

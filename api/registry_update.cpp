// Updates: take the tip, change it, prepare, admit, validate, and write only what differs.
// Order as in k8s.io/apiserver/pkg/registry/generic/registry.Store.Update with rest.BeforeUpdate.
#include <charconv>
#include <nlohmann/json.hpp>

#include "api/apply/field_manager.h"
#include "api/apply/managed_fields.h"
#include "api/deletion.h"
#include "api/draft.h"
#include "api/kinds/gates.h"
#include "api/metadata.h"
#include "api/registry_impl.h"
#include "api/request_scope.h"
#include "api/schema/defaults.h"
#include "api/schema/zero.h"
#include "api/storage_status.h"
#include "api/subresources/subresources.h"
#include "api/update_checks.h"
#include "api/values/discard.h"
#include "api/values/text.h"
#include "storage/base/limits.h"

namespace kubemu::api {
namespace {

// What a status strategy takes from the stored object beside its spec.
void keep_for_status(const KindSpec& kind, Json& merged, const Json& old) {
    const auto keep = [&](const char* member) {
        if (const Json* value = find(old, {"metadata", member})) ensure(merged, {"metadata"})[member] = *value;
        else erase(ensure(merged, {"metadata"}), member);
    };
    if (kind.resource == "deployments.apps") keep("labels");
    if (kind.resource == "pods") keep("ownerReferences");
    // The strategy of definitions resets the new object by itself, so that it changes nothing.
    if (!status_keeps_metadata(kind.group, kind.plural)) return;
    for (const char* member : {"labels", "annotations", "finalizers", "ownerReferences"}) keep(member);
}

// Of the members beside metadata and status, a status write leaves what was there. They are what they were nearly
// always, which is faster seen than copied.
Json merged_status(const KindSpec& kind, Json changed, const Json& old) {
    auto& members = changed.get_ref<Json::object_t&>();
    const auto& before = old.get_ref<const Json::object_t&>();
    const auto counts = [](const std::string& member) { return member == "metadata" || member == "status"; };
    std::erase_if(members, [&](const auto& member) { return !counts(member.first) && !before.contains(member.first); });
    for (const auto& [member, value] : before) {
        if (counts(member)) continue;
        const auto at = members.try_emplace(member).first;
        if (at->second != value) at->second = value;
    }
    if (find(changed, "metadata") == nullptr) changed["metadata"] = object_at(old, {"metadata"});
    keep_for_status(kind, changed, old);
    if (find(changed, "status") == nullptr) erase(changed, "status");
    return changed;
}

// The document that a write of this subresource means: only its part of `changed` counts.
Json merged_for(const KindSpec& kind, std::string_view subresource, Json changed, const Json& old) {
    if (subresource.empty()) return changed;
    if (subresource == "status" || subresource == "approval") return merged_status(kind, std::move(changed), old);
    Json merged = old;
    const auto take = [&](std::initializer_list<std::string_view> parents, std::string_view member) {
        const Json* from = &changed;
        for (const std::string_view parent : parents) from = from == nullptr ? nullptr : find(*from, parent);
        const Json* value = from == nullptr ? nullptr : find(*from, member);
        Json& into = ensure(merged, parents);
        if (value != nullptr) {
            into[std::string(member)] = *value;
        } else {
            erase(into, member);
        }
    };
    if (const Json* metadata = find(changed, "metadata")) merged["metadata"] = *metadata;
    if (subresource == "ephemeralcontainers") {
        take({"spec"}, "ephemeralContainers");
    } else if (subresource == "finalize") {
        take({"spec"}, "finalizers");
    } else if (subresource == "resize") {
        take({"spec"}, "containers");
        take({"spec"}, "initContainers");
        take({"spec"}, "resources");
    } else {
        return changed;  // scale and others change the object itself
    }
    return merged;
}

// Status has a subresource of its own; a write of the object does not change it.
void keep_status(Json& object, const Json& old) {
    if (const Json* status = find(old, "status")) {
        object["status"] = *status;
    } else {
        erase(object, "status");
    }
}

// Whether an update changes what is wanted, rather than what was observed: metadata.generation rises then.
bool wants_otherwise(const KindSpec& kind, const Json& object, const Json& old) {
    const auto differs = [&](std::initializer_list<std::string_view> path) {
        const Json *now = find(object, path), *before = find(old, path);
        return (now == nullptr) != (before == nullptr) ? !object_at(object, path).empty() || !object_at(old, path).empty() ||
                                                             !array_at(object, path).empty() || !array_at(old, path).empty()
                                                       : now != nullptr && *now != *before;
    };
    if (kind.resource == "deployments.apps") return differs({"spec"}) || differs({"metadata", "annotations"});
    if (kind.resource == "endpointslices.discovery.k8s.io") {
        return differs({"endpoints"}) || differs({"ports"}) || differs({"metadata", "labels"});
    }
    return differs({"spec"}) || differs({"webhooks"}) || differs({"template"});
}

// The strategies of these kinds compare with reflect.DeepEqual: an empty list that a client posts is not the nil that was
// stored of it, and the generation rises each time.
bool differs_by_emptiness(const KindSpec& kind, const Json& object) {
    const bool by_reflection = kind.resource == "networkpolicies.networking.k8s.io" ||
                               kind.resource == "validatingwebhookconfigurations.admissionregistration.k8s.io" ||
                               kind.resource == "mutatingwebhookconfigurations.admissionregistration.k8s.io";
    if (!by_reflection) return false;
    for (const std::string_view member : {"spec", "webhooks"}) {
        const Json* value = find(object, member);
        const FieldInfo* field = kind.type->field(member);
        if (value != nullptr && field != nullptr && holds_empty_containers(*value, *field)) return true;
    }
    return false;
}

// These strategies compare before they drop what a field behind a gate says.
bool compares_first(const KindSpec& kind) {
    return kind.resource == "endpointslices.discovery.k8s.io" || kind.resource == "resourceslices.resource.k8s.io";
}

ApiResult<bool> check_revision(const KindSpec& kind, std::string_view name, const Json& object, const storage::Record& tip) {
    const std::string_view text = string_at(object, {"metadata", "resourceVersion"});
    if (text.empty() || text == "0") {
        if (kind.allow_unconditional_update) return true;
        StatusDetail detail;
        detail.code = 422;
        detail.reason = "Invalid";
        detail.group = kind.group;
        detail.kind = kind.plural;
        detail.name = name;
        const std::string why = "Invalid value: 0x0: must be specified for an update";
        detail.causes.push_back({"FieldValueInvalid", why, "metadata.resourceVersion"});
        detail.message = std::string(kind.plural) + (kind.group.empty() ? "" : "." + std::string(kind.group)) + " " +
                         go_quote(name) + " is invalid: metadata.resourceVersion: " + why;
        return Status(std::move(detail));
    }
    std::uint64_t revision = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), revision);
    if (error != std::errc() || end != text.data() + text.size()) {
        return Status::plain_500("strconv.ParseUint: parsing " + go_quote(text) + ": invalid syntax");
    }
    if (static_cast<storage::Revision>(revision) != tip.revision) return Status::modified(kind.group, kind.plural, name);
    return true;
}

}  // namespace

// A change of the Scale is judged as such.
ApiResult<bool> Registry::Impl::admit_scale(const KindSpec& kind, std::string_view namespace_name, std::string_view name,
                                            const Json& old, Json& object, const WriteContext& context) {
    Json scale = scale_of(kind, object);
    const Json before = scale_of(kind, old);
    AdmissionRequest request =
        admission(AdmissionRequest::Operation::update, kind, namespace_name, name, "scale", context);
    request.object = &scale;
    request.old = &before;
    TRY(admit_by_users(request));
    return apply_scale(kind, object, scale);
}

ApiResult<Registry::Impl::Attempt> Registry::Impl::update_once(const KindSpec& kind, std::string_view namespace_name,
                                                               std::string_view name, std::string_view subresource,
                                                               const storage::RecordPtr& tip, const Change& change,
                                                               const WriteContext& context,
                                                               const storage::Completion& done) {
    const KindRules* rules = rules_of(kind);
    TRY(admit_posted(kind, namespace_name, name, context));
    TRY(readable(kind, tip));
    Json old = document_to_replace(*tip, kind);
    const DiscardLater old_goes(old);
    Json changed = old;  // as clients see it, for patches
    TRY_ASSIGN(const bool wanted, change(changed, true));
    Attempt attempt;
    if (!wanted) {
        attempt.written = Written{tip, false, false, false};
        return attempt;
    }
    TRY(place_in_namespace(kind, namespace_name, changed));
    if (const std::string_view uid = uid_of(changed); context.uid_is_precondition && !uid.empty() && uid != uid_of(old)) {
        return precondition_failed(kind, namespace_name, name, "UID", uid, uid_of(old), context.dry_run);
    }
    TRY(check_revision(kind, name, changed, *tip));

    std::vector<storage::Draft> drafts;
    HookContext hook = hooks(kind, namespace_name, subresource, context);
    hook.companions = &drafts;
    Json object = merged_for(kind, subresource, std::move(changed), old);
    const DiscardLater object_goes(object);
    apply_defaults(object, *kind.type);
    if (rules->set_defaults != nullptr) rules->set_defaults(object, hook);
    bool otherwise = differs_by_emptiness(kind, object);
    // From here on old and new are compared: by the server, by the rules of the kind.
    drop_zero_values(object, *kind.type);
    drop_zero_values(old, *kind.type);
    dedupe_owner_references(object, false, context.warnings);
    // A binding is the scheduler's word to the pod's storage, which no client is told of.
    if (!context.owners_settled && subresource != "binding") {
        registry.track_fields(kind, subresource, old, object, context);
    }

    AdmissionRequest request =
        admission(AdmissionRequest::Operation::update, kind, namespace_name, name, subresource, context);
    request.object = &object;
    request.old = &old;
    request.charges = &drafts;
    request.warnings = context.warnings;
    const bool through_scale = !request.admitted && RequestScope::current() != nullptr && RequestScope::current()->through_scale;
    request.admitted = request.admitted || through_scale;
    TRY(admit_mutating(request));
    dedupe_owner_references(object, true, context.warnings);
    if (through_scale) TRY(admit_scale(kind, namespace_name, name, old, object, context));

    keep_server_metadata(object, old);
    // A binding sets spec.nodeName and a condition of a pod, which no update of either part may.
    const bool binding = subresource == "binding";
    const bool status_only = subresource == "status" || subresource == "approval";
    if (status_only) {
        drop_gated_status_fields(kind, object, old);
        if (rules->prepare_for_status_update != nullptr) rules->prepare_for_status_update(object, old, hook);
    } else if (!binding) {
        if (subresource.empty() && kind.subresource("status") != nullptr) keep_status(object, old);
        otherwise = otherwise || (compares_first(kind) && wants_otherwise(kind, object, old));
        drop_gated_fields(kind, object, &old);
        if (rules->prepare_for_update != nullptr) rules->prepare_for_update(object, old, hook);
        const bool rose = int_at(object, {"metadata", "generation"}) != int_at(old, {"metadata", "generation"});
        if (kind.has_generation && !rose && (otherwise || wants_otherwise(kind, object, old))) {
            object["metadata"]["generation"] = int_at(old, {"metadata", "generation"}) + 1;
        }
        if (rules->allocate != nullptr) TRY(rules->allocate(object, &old, hook));
    }

    FieldErrors errors;
    check_update(kind, object, old, hook, errors);
    const KindSpec& stored = options.kinds.stored_of(kind);
    if (!errors.empty()) return Status::invalid(stored.group, stored.kind, name, errors);
    TRY(admit_validating(request));
    if (context.warnings != nullptr) {
        if (rules->warnings != nullptr && !status_only) rules->warnings(object, &old, hook, *context.warnings);
    }

    const bool deletes = finished_deletion(kind, object);
    const storage::Precondition precondition = storage::Precondition::at(tip->revision);
    // Owners that wrote what was there already leave no trace: their times alone make no revision. The encoded form
    // decides, which knows no difference between a zero and nothing.
    const bool times_alone = !deletes && only_times_differ(object, old);
    if (deletes && rules->release != nullptr) rules->release(object, hook);
    TRY_ASSIGN(Json form, stored_form(kind, std::move(object)));
    const DiscardLater form_goes(form);
    storage::Draft draft = make_draft(stored, form, precondition);
    if ((times_alone && same_but_owners(draft, *tip)) || (!deletes && same_content(draft, *tip))) {
        attempt.written = Written{tip, false, false, false};
        return attempt;
    }
    if (context.dry_run) {
        attempt.written = Written{unstored_record(std::move(draft), tip->revision), false, deletes, false};
        return attempt;
    }
    // Watchers see what was stored last; the writer gets what came of the write.
    if (!deletes) {
        drafts.push_back(std::move(draft));
        TRY_ASSIGN(attempt, submit(kind, name, std::move(drafts), done));
        keep_written(stored, attempt, form);
        return attempt;
    }
    drafts.push_back(make_deletion(*tip));
    TRY_ASSIGN(attempt, submit(kind, name, std::move(drafts), done));
    if (attempt.written) {
        attempt.written->deleted = true;
        attempt.written->record = unstored_record(std::move(draft), tip->revision);
    }
    return attempt;
}

ApiResult<Written> Registry::update(const KindSpec& kind, std::string_view namespace_name, std::string_view name,
                                    std::string_view subresource, const Change& change, const WriteContext& context,
                                    storage::Completion done) {
    return impl_->waiting(context, [&] {
        return impl_->update(kind, namespace_name, name, subresource, change, context, done);
    });
}

ApiResult<Written> Registry::Impl::update(const KindSpec& kind, std::string_view namespace_name, std::string_view name,
                                          std::string_view subresource, const Change& change, const WriteContext& context,
                                          const storage::Completion& done) {
    const std::string key = object_key(kind.namespaced ? namespace_name : std::string_view(), name);
    for (int attempts = 0; attempts < limits::update_retries_max; ++attempts) {
        const std::size_t warned = context.warnings != nullptr ? context.warnings->size() : 0;
        const storage::RecordPtr tip = options.store.tip(kind.resource, key);
        if (tip == nullptr) {
            Json object = Json::object();
            TRY_ASSIGN(const bool wanted, change(object, false));
            if (!wanted) return Status::not_found(kind.group, kind.plural, name);
            if (const std::string_view uid = uid_of(object); context.uid_is_precondition && !uid.empty()) {
                return precondition_failed(kind, namespace_name, name, "UID", uid, {}, context.dry_run);
            }
            const bool status_creates = subresource == "status" && kind.allow_create_on_update;
            if (!status_creates && (!(kind.allow_create_on_update || context.creates) || !subresource.empty())) {
                return Status::not_found(kind.group, kind.plural, name);
            }
            TRY_ASSIGN(Attempt attempt, create_once(kind, namespace_name, subresource, std::move(object), context, done));
            if (attempt.written) return *attempt.written;
        } else {
            TRY_ASSIGN(Attempt attempt,
                       update_once(kind, namespace_name, name, subresource, tip, change, context, done));
            if (attempt.written) return *attempt.written;
        }
        if (context.warnings != nullptr) context.warnings->resize(warned);
    }
    return Status::timeout(kind.group, kind.plural, "update", 1);
}

}  // namespace kubemu::api

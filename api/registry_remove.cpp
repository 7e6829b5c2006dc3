// Removal: preconditions, admission, and what plan_deletion decides.
#include <nlohmann/json.hpp>

#include "api/deletion.h"
#include "api/draft.h"
#include "api/kinds/views.h"
#include "api/registry_impl.h"
#include "api/renewal.h"
#include "api/request_scope.h"
#include "api/storage_status.h"
#include "api/values/discard.h"
#include "storage/base/limits.h"

namespace kubemu::api {
namespace {

ApiResult<bool> check_preconditions(const KindSpec& kind, std::string_view name, const DeleteOptions& options,
                                    const Json& object, const storage::Record& tip) {
    if (!options.precondition_uid.empty() && options.precondition_uid != uid_of(object)) {
        return Status::conflict(kind.group, kind.kind, name,
                                "the UID in the precondition (" + options.precondition_uid +
                                    ") does not match the UID in record (" + std::string(uid_of(object)) +
                                    "). The object might have been deleted and then recreated");
    }
    if (!options.precondition_revision.empty() && options.precondition_revision != std::to_string(tip.revision)) {
        return Status::conflict(kind.group, kind.kind, name,
                                "the ResourceVersion in the precondition (" + options.precondition_revision +
                                    ") does not match the ResourceVersion in record (" + std::to_string(tip.revision) +
                                    "). The object might have been modified");
    }
    return true;
}

// Nothing of the object has to be looked at: no rules of its kind have a say, and it waits for nobody.
bool goes_at_once(const KindSpec& kind, const DeleteOptions& asked, const WriteContext& context, const storage::Record& tip) {
    const KindRules& rules = *rules_of(kind);
    if (kind.custom != nullptr || kind.graceful_deletion || kind.resource == "namespaces" || rules.before_delete != nullptr ||
        rules.mark_deletion != nullptr || rules.release != nullptr || rules.has_pending_finalizers != nullptr) {
        return false;
    }
    if (context.dry_run || asked.dry_run || !asked.precondition_uid.empty()) return false;
    if (!asked.propagation_policy.empty() && asked.propagation_policy != "Background") return false;
    if (!asked.precondition_revision.empty() && asked.precondition_revision != std::to_string(tip.revision)) return false;
    const ObjectView& view = view_of(tip);
    return view.finalizers.empty() && !view.deleting;
}

}  // namespace

ApiResult<Registry::Impl::Attempt> Registry::Impl::remove_once(const KindSpec& kind, std::string_view namespace_name,
                                                               std::string_view name, const DeleteOptions& asked,
                                                               const WriteContext& context,
                                                               const storage::Completion& done,
                                                               std::vector<storage::Draft> companions) {
    const std::string key = object_key(kind.namespaced ? namespace_name : std::string_view(), name);
    const storage::RecordPtr tip = options.store.tip(kind.resource, key);
    if (tip == nullptr) return Status::not_found(kind.group, kind.plural, name);
    const KindRules* rules = rules_of(kind);
    // Old events go by the thousand.
    if (RequestScope::current() == nullptr && companions.empty() && goes_at_once(kind, asked, context, *tip) &&
        !users_admit(options.store)) {
        companions.push_back(make_deletion(*tip));
        TRY_ASSIGN(Attempt attempt, submit(kind, name, std::move(companions), done));
        if (attempt.written) attempt.written->deleted = true;
        return attempt;
    }
    TRY(admit_posted(kind, namespace_name, name, context));
    TRY(readable(kind, tip));
    Json old = document_to_replace(*tip, kind);
    const DiscardLater old_goes(old);
    TRY(check_preconditions(kind, name, asked, old, *tip));
    AdmissionRequest request = admission(AdmissionRequest::Operation::remove, kind, namespace_name, name, {}, context);
    request.old = &old;
    TRY(admit_mutating(request));
    TRY(admit_validating(request));
    HookContext hook = hooks(kind, namespace_name, {}, context);
    if (rules->before_delete != nullptr) TRY(rules->before_delete(old, hook));

    Attempt attempt;
    Json object = old;
    const DiscardLater object_goes(object);
    const bool marks_itself = rules->mark_deletion != nullptr && find(old, {"metadata", "deletionTimestamp"}) == nullptr;
    if (marks_itself) rules->mark_deletion(object, hooks(kind, namespace_name, {}, context));
    const Deletion plan = plan_deletion(kind, object, asked, hook.now);
    if (marks_itself) erase(object["metadata"], "deletionGracePeriodSeconds");
    const bool removes = plan == Deletion::remove || plan == Deletion::mark_and_remove;
    const bool dry_run = context.dry_run || asked.dry_run;
    if (plan == Deletion::already_pending) {
        attempt.written = Written{tip, false, false, false};
        if (companions.empty() || dry_run) return attempt;
        TRY_ASSIGN(attempt, submit(kind, name, std::move(companions), done));
        if (attempt.written) attempt.written->record = tip;
        return attempt;
    }
    if (plan == Deletion::remove) {
        storage::Draft draft = make_deletion(*tip);
        if (dry_run) {
            attempt.written = Written{tip, false, true, false};
            return attempt;
        }
        hook.companions = &companions;
        if (rules->release != nullptr) rules->release(old, hook);
        companions.push_back(std::move(draft));
        TRY_ASSIGN(attempt, submit(kind, name, std::move(companions), done));
        if (attempt.written) attempt.written->deleted = true;
        return attempt;
    }
    const KindSpec& stored = options.kinds.stored_of(kind);
    TRY_ASSIGN(const Json form, stored_form(kind, std::move(object)));
    storage::Draft draft = make_draft(stored, form, storage::Precondition::at(tip->revision));
    if (dry_run) {
        attempt.written = Written{unstored_record(std::move(draft), tip->revision), false, removes, false};
        return attempt;
    }
    companions.push_back(std::move(draft));
    TRY_ASSIGN(attempt, submit(kind, name, std::move(companions), removes ? storage::Completion() : done));
    if (!attempt.written || !removes) return attempt;
    // Marked with no grace: gone with the next revision, unless somebody else removed it in between.
    std::vector<storage::Draft> last;
    hook.companions = &last;
    if (rules->release != nullptr) rules->release(old, hook);
    last.push_back(make_deletion(*attempt.written->record));
    TRY_ASSIGN(Attempt removal, submit(kind, name, std::move(last), done));
    if (removal.written) {
        removal.written->deleted = true;
        return removal;
    }
    attempt.written->deleted = true;
    attempt.written->pending = false;  // nothing of ours is left that could call `done`
    return attempt;
}

ApiResult<Written> Registry::remove(const KindSpec& kind, std::string_view namespace_name, std::string_view name,
                                    const DeleteOptions& options, const WriteContext& context, storage::Completion done) {
    return impl_->waiting(context, [&]() -> ApiResult<Written> {
        for (int attempts = 0; attempts < limits::update_retries_max; ++attempts) {
            TRY_ASSIGN(Impl::Attempt attempt, impl_->remove_once(kind, namespace_name, name, options, context, done, {}));
            if (attempt.written) return *attempt.written;
        }
        return Status::timeout(kind.group, kind.plural, "delete", 1);
    });
}

ApiResult<Written> Registry::remove_with(const KindSpec& kind, std::string_view namespace_name, std::string_view name,
                                         const DeleteOptions& options, std::vector<storage::Draft> companions,
                                         const WriteContext& context, storage::Completion done) {
    TRY_ASSIGN(Impl::Attempt attempt,
               impl_->remove_once(kind, namespace_name, name, options, context, done, std::move(companions)));
    if (attempt.written) return *attempt.written;
    return storage_status(*attempt.conflict, kind, name);
}

}  // namespace kubemu::api

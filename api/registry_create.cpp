// Creation: default, admit, name, prepare, allocate, validate, encode, submit.
// Order as in k8s.io/apiserver/pkg/registry/generic/registry.Store.Create and the handler above it.
#include <nlohmann/json.hpp>

#include "api/draft.h"
#include "api/kinds/gates.h"
#include "api/metadata.h"
#include "api/registry_impl.h"
#include "api/schema/defaults.h"
#include "api/schema/zero.h"
#include "api/storage_status.h"
#include "api/values/discard.h"
#include "storage/base/limits.h"

namespace kubemu::api {
namespace {

// storage/names: the base is cut so that base and suffix fit into 63 characters.
constexpr std::size_t name_base_length_max = 58;
// Store.Create tries a generated name this often before it tells the client.
constexpr int generated_name_attempts_max = 8;

}  // namespace

ApiResult<Registry::Impl::Attempt> Registry::Impl::create_once(const KindSpec& kind, std::string_view namespace_name,
                                                               std::string_view subresource, Json object,
                                                               const WriteContext& context,
                                                               const storage::Completion& done) {
    const KindRules* rules = rules_of(kind);
    TRY(place_in_namespace(kind, namespace_name, object));
    wipe_server_metadata(object);
    std::vector<storage::Draft> companions;
    HookContext hook = hooks(kind, namespace_name, subresource, context);
    hook.companions = &companions;
    hook.came_with_labels = !object_at(object, {"metadata", "labels"}).empty();

    apply_defaults(object, *kind.type);
    if (rules->set_defaults != nullptr) rules->set_defaults(object, hook);
    drop_zero_values(object, *kind.type);
    dedupe_owner_references(object, false, context.warnings);
    if (!context.owners_settled && subresource.empty()) {
        const Json nothing = {{"kind", kind.kind}, {"apiVersion", api_version_of(kind)}};
        registry.track_fields(kind, {}, nothing, object, context);
    }

    const std::string requested_name(name_of(object));
    AdmissionRequest request =
        admission(AdmissionRequest::Operation::create, kind, namespace_name, requested_name, subresource, context);
    request.object = &object;
    request.charges = &companions;
    request.warnings = context.warnings;
    TRY(admit_mutating(request));
    dedupe_owner_references(object, true, context.warnings);

    fill_new_metadata(kind, object, hook.now, hook.random);
    if (requested_name.empty()) {
        if (const std::string_view base = string_at(object, {"metadata", "generateName"}); !base.empty()) {
            object["metadata"]["name"] = std::string(base.substr(0, name_base_length_max)) + hook.random.suffix();
        }
    }
    // Nothing was observed yet; only nodes come with what they say of themselves.
    if (kind.subresource("status") != nullptr && kind.resource != "nodes") erase(object, "status");
    drop_gated_fields(kind, object, nullptr);
    if (rules->prepare_for_create != nullptr) rules->prepare_for_create(object, hook);
    if (rules->allocate != nullptr && subresource.empty()) TRY(rules->allocate(object, nullptr, hook));

    FieldErrors errors;
    validate_metadata(kind, object, errors);
    if (rules->validate != nullptr) rules->validate(object, hook, errors);
    if (rules->validate_create != nullptr) rules->validate_create(object, hook, errors);
    const std::string name(name_of(object));
    // Complaints are about the stored form: an Event of events.k8s.io is one of the core group there.
    const KindSpec& stored = options.kinds.stored_of(kind);
    // What holds for every kind comes last, so that what a kind says about itself is heard first (rest.BeforeCreate).
    if (errors.empty()) validate_any_metadata(kind, object, errors);
    if (!errors.empty()) return Status::invalid(stored.group, stored.kind, name, errors);
    request.name = name;
    TRY(admit_validating(request));
    if (!context.dry_run && !string_at(object, {"metadata", "resourceVersion"}).empty()) {
        return Status::plain_500("resourceVersion should not be set on objects to be created");
    }
    if (context.warnings != nullptr) {
        if (rules->warnings != nullptr) rules->warnings(object, nullptr, hook, *context.warnings);
    }

    TRY_ASSIGN(Json form, stored_form(kind, std::move(object)));
    const DiscardLater form_goes(form);
    storage::Draft draft = make_draft(stored, form, storage::Precondition::absent());
    if (context.dry_run) {
        Attempt attempt;
        if (options.store.tip(draft.resource, draft.key) != nullptr) {
            attempt.conflict = storage::Error{storage::Error::Code::already_exists, draft.key, 0, {}};
        } else {
            attempt.written = Written{unstored_record(std::move(draft), 0), true, false, false};
        }
        return attempt;
    }
    companions.push_back(std::move(draft));
    TRY_ASSIGN(Attempt attempt, submit(kind, name, std::move(companions), done));
    if (attempt.written) attempt.written->created = true;
    keep_written(stored, attempt, form);
    return attempt;
}

ApiResult<Written> Registry::create(const KindSpec& kind, std::string_view namespace_name, Json object,
                                    const WriteContext& context, storage::Completion done) {
    return impl_->waiting(context, [&] { return impl_->create(kind, namespace_name, object, context, done); });
}

ApiResult<Written> Registry::Impl::create(const KindSpec& kind, std::string_view namespace_name, const Json& object,
                                          const WriteContext& context, const storage::Completion& done) {
    const std::string name(name_of(object));
    const std::string base(string_at(object, {"metadata", "generateName"}));
    int name_attempts = 0;
    for (int attempts = 0; attempts < limits::update_retries_max; ++attempts) {
        const std::size_t warned = context.warnings != nullptr ? context.warnings->size() : 0;
        TRY_ASSIGN(Attempt attempt, create_once(kind, namespace_name, {}, object, context, done));
        if (attempt.written) return *attempt.written;
        if (context.warnings != nullptr) context.warnings->resize(warned);
        // A conflict on anything but the object itself is of a companion that lost its race. None of these stands in
        // a namespace under a key of its own.
        if (attempt.conflict->code != storage::Error::Code::already_exists) continue;
        if (kind.namespaced && attempt.conflict->key.find('/') == std::string::npos) continue;
        if (!name.empty()) {
            return base.empty() ? Status::already_exists(kind.group, kind.plural, name)
                                : Status::generate_name_conflict(kind.group, kind.plural, name);
        }
        if (++name_attempts >= generated_name_attempts_max) {
            const std::string& key = attempt.conflict->key;
            return Status::generate_name_conflict(kind.group, kind.plural, key.substr(key.find('/') + 1));
        }
    }
    return Status::timeout(kind.group, kind.plural, "create", 1);
}

}  // namespace kubemu::api

// The registry's reads and what its writes share.
#include "api/registry.h"

#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/crd/custom_resource.h"
#include "api/draft.h"
#include "api/registry_impl.h"
#include "api/schema/prune.h"
#include "api/storage_status.h"

namespace kubemu::api {
namespace {

// An object that was written under another schema, as this version's schema shows it.
void read_custom(const CustomVersion& version, Json& object) {
    structural::prune(object, version.schema, true);
    structural::prune_nulls(object, version.schema);
    structural::set_defaults(object, version.schema);
}

}  // namespace

std::string object_key(std::string_view namespace_name, std::string_view name) {
    std::string key(namespace_name);
    if (!key.empty()) key += '/';
    key += name;
    return key;
}

Registry::Registry(Options options) : impl_(std::make_unique<Impl>(options, *this)) {}
Registry::~Registry() = default;

const KindRegistry& Registry::kinds() const { return impl_->options.kinds; }
storage::Store& Registry::store() { return impl_->options.store; }
const Clock& Registry::clock() const { return impl_->options.clock; }
Random& Registry::random() { return impl_->options.random; }

storage::RecordPtr Registry::get(std::string_view resource, std::string_view namespace_name, std::string_view name) const {
    return impl_->options.store.tip(resource, object_key(namespace_name, name));
}

std::vector<storage::RecordPtr> Registry::list(std::string_view resource, std::string_view namespace_name) const {
    const std::string prefix = namespace_name.empty() ? std::string() : std::string(namespace_name) + "/";
    return impl_->options.store.list(resource, prefix).records;
}

Json Registry::document(const storage::Record& record) const {
    return parse_stored_json(*record.bytes);
}

bool Registry::needs_reading(const KindSpec& kind, const storage::Record& record) const {
    return kind.custom != nullptr && record.revision < kind.custom->resource->schema_revision();
}

Json Registry::document_as(const storage::Record& record, const KindSpec& kind) const {
    Json object = document(record);
    if (needs_reading(kind, record)) read_custom(kind.custom->resource->stored(), object);
    return impl_->from_storage(kind, std::move(object));
}

HookContext Registry::Impl::hooks(const KindSpec& kind, std::string_view namespace_name, std::string_view subresource,
                                  const WriteContext& context) const {
    return HookContext{kind,         namespace_name,          subresource,    context.user,
                       options.clock.now(), options.random, registry, context.dry_run, nullptr, context.warnings};
}

AdmissionRequest Registry::Impl::admission(AdmissionRequest::Operation operation, const KindSpec& kind,
                                           std::string_view namespace_name, std::string_view name,
                                           std::string_view subresource, const WriteContext& context) const {
    return AdmissionRequest{operation, kind,     namespace_name, name,          subresource, context.user, options.clock.now(),
                            options.random, registry, options.kinds,  context.dry_run, nullptr,     nullptr,      options.authorizer, nullptr};
}

Json Registry::Impl::to_storage(const KindSpec& kind, Json object) const {
    if (!kind.storage_version) {
        if (const KindRules* rules = rules_of(kind); rules->to_storage != nullptr) rules->to_storage(object);
    }
    return object;
}

Json Registry::Impl::from_storage(const KindSpec& kind, Json object) const {
    if (kind.storage_version) return object;
    if (kind.custom != nullptr) read_custom(*kind.custom, object);
    if (const KindRules* rules = rules_of(kind); rules->from_storage != nullptr) rules->from_storage(object);
    object["apiVersion"] = api_version_of(kind);
    object["kind"] = std::string(kind.kind);
    return object;
}

ApiResult<Registry::Impl::Attempt> Registry::Impl::submit(const KindSpec& kind, std::string_view name,
                                                          std::vector<storage::Draft> drafts,
                                                          const storage::Completion& done) {
    auto records = options.store.submit(storage::Transaction{std::move(drafts)}, done);
    Attempt attempt;
    if (!records) {
        using Code = storage::Error::Code;
        const Code code = records.error().code;
        if (code != Code::conflict && code != Code::already_exists && code != Code::not_found) {
            return storage_status(records.error(), kind, name);
        }
        attempt.conflict = std::move(records).error();
        return attempt;
    }
    attempt.written = Written{records->back(), false, false, true};
    return attempt;
}

}  // namespace kubemu::api

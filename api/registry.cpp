// The registry's reads and what its writes share.
#include "api/registry.h"

#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/conversion.h"
#include "api/crd/custom_resource.h"
#include "api/draft.h"
#include "api/registry_impl.h"
#include "api/request_scope.h"
#include "api/storage_status.h"

namespace kubemu::api {
std::string object_key(std::string_view namespace_name, std::string_view name) {
    std::string key(namespace_name);
    if (!key.empty()) key += '/';
    key += name;
    return key;
}

Registry::Registry(Options options) : impl_(std::make_unique<Impl>(std::move(options), *this)) {}
Registry::~Registry() = default;

const KindRegistry& Registry::kinds() const { return impl_->options.kinds; }
storage::Store& Registry::store() { return impl_->options.store; }
const Clock& Registry::clock() const { return impl_->options.clock; }
Random& Registry::random() { return impl_->options.random; }
const std::vector<std::string>& Registry::disabled_plugins() const { return impl_->options.disabled_plugins; }

storage::RecordPtr Registry::get(std::string_view resource, std::string_view namespace_name, std::string_view name) const {
    return impl_->options.store.tip(resource, object_key(namespace_name, name));
}

std::vector<storage::RecordPtr> Registry::list(std::string_view resource, std::string_view namespace_name) const {
    const std::string prefix = namespace_name.empty() ? std::string() : std::string(namespace_name) + "/";
    return impl_->options.store.list(resource, prefix).records;
}

Json Registry::document(const storage::Record& record) const {
    return parse_stored_json(*record.bytes.get());
}

std::shared_ptr<const Json> Registry::read(const storage::Record& record) const {
    if (auto known = impl_->documents.find(record)) return known;
    const std::shared_ptr<Json> made = dropped_quickly(document(record));
    impl_->documents.add(record, made);
    return made;
}

void Registry::forget_documents() const { impl_->documents.clear(); }

bool Registry::needs_reading(const KindSpec& kind, const storage::Record& record) const {
    return kind.custom != nullptr && record.revision < kind.custom->resource->schema_revision();
}

Json Registry::document_as(const storage::Record& record, const KindSpec& kind) const {
    return impl_->document_as(record, kind, [this, &record] { return document(record); });
}

Json Registry::Impl::document_as(const storage::Record& record, const KindSpec& kind, const std::function<Json()>& decoded) const {
    if (!kind.storage_version && converts_by_webhook(kind)) {
        if (const auto converted = kind.custom->resource->converted().find(record, kind)) return *converted;
    }
    Json object = decoded();
    if (registry.needs_reading(kind, record)) read_custom(kind.custom->resource->stored(), object);
    return from_storage(kind, std::move(object));
}

Json Registry::Impl::document_to_replace(const storage::Record& record, const KindSpec& kind) const {
    return document_as(record, kind, [this, &record] {
        auto known = documents.take(record);
        return known ? std::move(*known) : registry.document(record);
    });
}

bool Registry::Impl::has_webhooks() const {
    return options.store.count("mutatingwebhookconfigurations.admissionregistration.k8s.io", {}) > 0 ||
           options.store.count("validatingwebhookconfigurations.admissionregistration.k8s.io", {}) > 0;
}

RemoteCalls* Registry::Impl::calls() const {
    const RequestScope* scope = RequestScope::current();
    return scope == nullptr ? nullptr : scope->calls;
}

Random& Registry::Impl::random(const KindSpec& kind) const {
    RemoteCalls* answers = calls();
    const bool again = answers != nullptr && (converts_by_webhook(kind) || has_webhooks());
    return again ? answers->random(options.random) : options.random;
}

Time Registry::Impl::now() const {
    RemoteCalls* answers = calls();
    return answers != nullptr ? answers->time(options.clock) : options.clock.now();
}

ApiResult<Written> Registry::Impl::waiting(const WriteContext& context, const std::function<ApiResult<Written>()>& write) {
    RemoteWaiter* waiter = waiter_of_thread();
    const RequestScope* outer = RequestScope::current();
    if (waiter == nullptr || calls() != nullptr || (outer != nullptr && outer->admitted) || !has_webhooks()) return write();
    RemoteCalls answers;
    RequestScope scope;
    scope.calls = &answers;
    const std::size_t warned = context.warnings != nullptr ? context.warnings->size() : 0;
    while (true) {
        answers.begin();
        auto written = write();
        if (written || !answers.waiting()) return written;
        if (answers.exhausted()) return Status::internal("the request had to ask other servers too often");
        if (context.warnings != nullptr) context.warnings->resize(warned);
        const RemoteWait wait;
        waiter->wait(answers);
    }
}

ApiResult<bool> Registry::Impl::admit_posted(const KindSpec& kind, std::string_view namespace_name, std::string_view name,
                                             const WriteContext& context) const {
    RequestScope* scope = RequestScope::current();
    if (scope == nullptr || scope->posted == nullptr) return true;
    AdmissionRequest request =
        admission(AdmissionRequest::Operation::create, kind, namespace_name, name, scope->posted_subresource, context);
    // It stays as it was sent until nothing has to be asked any more.
    Json body = *scope->posted;
    request.object = &body;
    TRY(admit_by_users(request));
    *scope->posted = std::move(body);
    scope->judged();
    return true;
}

ApiResult<bool> Registry::Impl::readable(const KindSpec& kind, const storage::RecordPtr& record) const {
    RemoteCalls* answers = calls();
    return answers == nullptr ? ApiResult<bool>(true) : make_readable(registry, kind, {record}, *answers);
}

ApiResult<Json> Registry::Impl::stored_form(const KindSpec& kind, Json object) const {
    RemoteCalls* answers = calls();
    if (kind.storage_version || answers == nullptr || !converts_by_webhook(kind)) return to_storage(kind, std::move(object));
    object["kind"] = std::string(kind.kind);
    object["apiVersion"] = api_version_of(kind);
    const KindSpec& stored = options.kinds.stored_of(kind);
    TRY_ASSIGN(std::vector<Json> objects, convert_by_webhook(registry, options.random, *answers, stored, {std::move(object)}));
    read_custom(*stored.custom, objects[0]);
    return std::move(objects[0]);
}

HookContext Registry::Impl::hooks(const KindSpec& kind, std::string_view namespace_name, std::string_view subresource,
                                  const WriteContext& context) const {
    return HookContext{kind,     namespace_name,  subresource, context.user,    this->now(), this->random(kind),
                       registry, context.dry_run, nullptr,     context.warnings};
}

AdmissionRequest Registry::Impl::admission(AdmissionRequest::Operation operation, const KindSpec& kind,
                                           std::string_view namespace_name, std::string_view name,
                                           std::string_view subresource, const WriteContext& context) const {
    AdmissionRequest request{.operation = operation,
                             .kind = kind,
                             .namespace_name = namespace_name,
                             .name = name,
                             .subresource = subresource,
                             .user = context.user,
                             .now = now(),
                             .random = random(kind),
                             .lookup = registry,
                             .kinds = options.kinds};
    request.dry_run = context.dry_run;
    request.authorizer = options.authorizer;
    request.warnings = context.warnings;
    request.compiled = &compiled;
    request.disabled = &options.disabled_plugins;
    if (const RequestScope* scope = RequestScope::current()) {
        request.options = &scope->options;
        request.admitted = scope->admitted;
        request.calls = scope->calls;
    }
    return request;
}

Json Registry::Impl::to_storage(const KindSpec& kind, Json object) const {
    return to_storage_version(kind, std::move(object));
}

Json Registry::Impl::from_storage(const KindSpec& kind, Json object) const {
    return from_storage_version(kind, std::move(object));
}

void Registry::Impl::keep_written(const KindSpec& stored, const Attempt& attempt, Json& form) const {
    if (!attempt.written || stored.custom != nullptr || stored.subresource("status") == nullptr) return;
    // Clients' objects are read by others, later, and on other threads.
    if (RequestScope::current() != nullptr) return;
    documents.add_written(*attempt.written->record, std::move(form), stored);
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

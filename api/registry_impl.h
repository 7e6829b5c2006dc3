// What the parts of the registry share: create, update and remove are one file each.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/admission/chain.h"
#include "api/admission/compiled_cache.h"
#include "api/apply/field_manager.h"
#include "api/conversion_webhook.h"
#include "api/document_cache.h"
#include "api/registry.h"

namespace kubemu::api {

struct Registry::Impl {
    Options options;
    Registry& registry;
    mutable CompiledCache compiled;
    mutable DocumentCache documents;

    Impl(Options given, Registry& owner) : options(std::move(given)), registry(owner) {}

    HookContext hooks(const KindSpec& kind, std::string_view namespace_name, std::string_view subresource,
                      const WriteContext& context) const;
    AdmissionRequest admission(AdmissionRequest::Operation operation, const KindSpec& kind,
                               std::string_view namespace_name, std::string_view name, std::string_view subresource,
                               const WriteContext& context) const;
    // Whether writes may have to ask webhooks.
    bool has_webhooks() const;
    // Of the request that the thread handles; null without one.
    RemoteCalls* calls() const;
    // What a write draws, and its time: the same each time that it is run again.
    Random& random(const KindSpec& kind) const;
    Time now() const;
    // Runs a write, again and again while it waits for other servers, when the thread may wait and handles no request.
    ApiResult<Written> waiting(const WriteContext& context, const std::function<ApiResult<Written>()>& write);
    // See RequestScope::posted.
    ApiResult<bool> admit_posted(const KindSpec& kind, std::string_view namespace_name, std::string_view name,
                                 const WriteContext& context) const;

    // From the version of `kind` to the storage version.
    Json to_storage(const KindSpec& kind, Json object) const;
    // ... and back; kind and apiVersion become those of `kind`.
    Json from_storage(const KindSpec& kind, Json object) const;

    // See Registry::document_as; `decoded` reads the record.
    Json document_as(const storage::Record& record, const KindSpec& kind, const std::function<Json()>& decoded) const;
    // The same for a record that is about to be replaced: nobody will read it again.
    Json document_to_replace(const storage::Record& record, const KindSpec& kind) const;

    // to_storage with the help of a webhook where the kind has one.
    ApiResult<Json> stored_form(const KindSpec& kind, Json object) const;
    // Before document_as of what a write changes.
    ApiResult<bool> readable(const KindSpec& kind, const storage::RecordPtr& record) const;

    FieldManager field_manager(const KindSpec& kind, std::string_view subresource, const WriteContext& context) const;

    ApiResult<Written> create(const KindSpec& kind, std::string_view namespace_name, const Json& object,
                              const WriteContext& context, const storage::Completion& done);
    ApiResult<Written> update(const KindSpec& kind, std::string_view namespace_name, std::string_view name,
                              std::string_view subresource, const Change& change, const WriteContext& context,
                              const storage::Completion& done);

    // One attempt each; errors of the store are left to the caller.
    struct Attempt {
        std::optional<Written> written;          // success
        std::optional<storage::Error> conflict;  // somebody else was faster, or the name is taken
    };
    // `subresource`: the part of an object that is not there yet whose write makes it, with nothing allocated.
    ApiResult<Attempt> create_once(const KindSpec& kind, std::string_view namespace_name, std::string_view subresource,
                                   Json object, const WriteContext& context, const storage::Completion& done);
    ApiResult<Attempt> update_once(const KindSpec& kind, std::string_view namespace_name, std::string_view name,
                                   std::string_view subresource, const storage::RecordPtr& tip, const Change& change,
                                   const WriteContext& context, const storage::Completion& done);
    ApiResult<Attempt> remove_once(const KindSpec& kind, std::string_view namespace_name, std::string_view name,
                                   const DeleteOptions& options, const WriteContext& context,
                                   const storage::Completion& done, std::vector<storage::Draft> companions);
    ApiResult<bool> admit_scale(const KindSpec& kind, std::string_view namespace_name, std::string_view name, const Json& old,
                                Json& object, const WriteContext& context);
    // Submits and makes the Attempt of it; the record of the last draft is the result.
    ApiResult<Attempt> submit(const KindSpec& kind, std::string_view name, std::vector<storage::Draft> drafts,
                              const storage::Completion& done);
    // Keeps the document that a controller wrote, for the next one to look at it: where there is a status one will.
    void keep_written(const KindSpec& stored, const Attempt& attempt, Json& form) const;
};

}  // namespace kubemu::api

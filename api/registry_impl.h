// What the parts of the registry share: create, update and remove are one file each.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/admission/chain.h"
#include "api/apply/field_manager.h"
#include "api/registry.h"

namespace kubemu::api {

struct Registry::Impl {
    Options options;
    Registry& registry;

    Impl(Options given, Registry& owner) : options(given), registry(owner) {}

    HookContext hooks(const KindSpec& kind, std::string_view namespace_name, std::string_view subresource,
                      const WriteContext& context) const;
    AdmissionRequest admission(AdmissionRequest::Operation operation, const KindSpec& kind,
                               std::string_view namespace_name, std::string_view name, std::string_view subresource,
                               const WriteContext& context) const;
    // From the version of `kind` to the storage version.
    Json to_storage(const KindSpec& kind, Json object) const;
    // ... and back; kind and apiVersion become those of `kind`.
    Json from_storage(const KindSpec& kind, Json object) const;

    FieldManager field_manager(const KindSpec& kind, std::string_view subresource, const WriteContext& context) const;

    // One attempt each; errors of the store are left to the caller.
    struct Attempt {
        std::optional<Written> written;          // success
        std::optional<storage::Error> conflict;  // somebody else was faster, or the name is taken
    };
    ApiResult<Attempt> create_once(const KindSpec& kind, std::string_view namespace_name, Json object,
                                   const WriteContext& context, const storage::Completion& done);
    ApiResult<Attempt> update_once(const KindSpec& kind, std::string_view namespace_name, std::string_view name,
                                   std::string_view subresource, const storage::RecordPtr& tip, const Change& change,
                                   const WriteContext& context, const storage::Completion& done);
    ApiResult<Attempt> remove_once(const KindSpec& kind, std::string_view namespace_name, std::string_view name,
                                   const DeleteOptions& options, const WriteContext& context,
                                   const storage::Completion& done, std::vector<storage::Draft> companions);
    // Submits and makes the Attempt of it; the record of the last draft is the result.
    ApiResult<Attempt> submit(const KindSpec& kind, std::string_view name, std::vector<storage::Draft> drafts,
                              const storage::Completion& done);
};

}  // namespace kubemu::api

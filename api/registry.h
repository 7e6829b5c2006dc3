// Registry: the generic engine. Every read and write of every kind goes through it, over HTTP or not.
//
// It runs on the caller's thread and holds no lock while it works. A write is: decode, default, prepare, admit,
// allocate, validate, encode, submit; `done` fires when it is durable.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/client.h"
#include "api/kind_registry.h"
#include "api/kinds/rules.h"
#include "storage/base/clock.h"
#include "storage/base/random.h"
#include "storage/store.h"

namespace kubemu::api {

class Authorizer;

// The writer and how strictly to take it.
struct WriteContext {
    User user = administrator();
    std::string field_manager;
    enum class FieldValidation { ignore, warn, strict } field_validation = FieldValidation::warn;
    bool dry_run = false;
    std::vector<std::string>* warnings = nullptr;  // not owned; receives Warning header texts
    // A uid in the object of an update must be that of the stored object, else 409 (PUT); otherwise it is a field
    // that must not change (PATCH).
    bool uid_is_precondition = true;
    // The change has settled who owns which field itself (server-side apply, Scale).
    bool owners_settled = false;
    // An update of what does not exist creates it, whatever the kind allows.
    bool creates = false;
};

// What a write did. With dry_run, or when nothing changed, no revision was taken.
struct Written {
    storage::RecordPtr record;  // storage version; for dry runs a record that was never stored
    bool created = false;
    bool deleted = false;       // the object is gone (or was never stored)
    bool pending = false;       // `done` will be called; otherwise it was or will not be
};

class Registry : public Lookup {
  public:
    struct Options {
        storage::Store& store;
        const KindRegistry& kinds;
        const Clock& clock;
        Random& random;
        const Authorizer* authorizer = nullptr;  // who may grant what; null: everybody
        std::vector<std::string> disabled_plugins = {};  // of admission, by name
    };
    explicit Registry(Options options);
    ~Registry() override;

    const KindRegistry& kinds() const;
    storage::Store& store();
    const Clock& clock() const;
    Random& random();
    const std::vector<std::string>& disabled_plugins() const;

    // `object` is decoded and in the version of `kind`. `done` may be empty; it is called once when the result says
    // `pending`.
    ApiResult<Written> create(const KindSpec& kind, std::string_view namespace_name, Json object, const WriteContext&,
                              storage::Completion done = {});
    // Reads the tip, calls `change` on its document (in the version of `kind`), and runs the update pipeline; repeats
    // when somebody else was faster unless the result names a resourceVersion. `change` gets null when there is no
    // such object and may then make one, if the kind allows creation by update.
    using Change = std::function<ApiResult<bool>(Json& object, bool exists)>;
    ApiResult<Written> update(const KindSpec& kind, std::string_view namespace_name, std::string_view name,
                              std::string_view subresource, const Change& change, const WriteContext&,
                              storage::Completion done = {});
    ApiResult<Written> remove(const KindSpec& kind, std::string_view namespace_name, std::string_view name,
                              const DeleteOptions&, const WriteContext&, storage::Completion done = {});

    // Like remove, with other writes in the same transaction: all or nothing (an eviction and its budget). A lost race
    // of any of them is 409.
    ApiResult<Written> remove_with(const KindSpec& kind, std::string_view namespace_name, std::string_view name,
                                   const DeleteOptions&, std::vector<storage::Draft> companions, const WriteContext&,
                                   storage::Completion done = {});

    // What comes of applying a configuration to `live`, which has kind and apiVersion only when there is no object:
    // for the `change` of an update whose context says owners_settled.
    ApiResult<Json> apply_configuration(const KindSpec& kind, std::string_view subresource, Json live, Json patch,
                                        bool force, const WriteContext&) const;
    // Records in `object`.metadata.managedFields what a write of it over `live` changes.
    void track_fields(const KindSpec& kind, std::string_view subresource, const Json& live, Json& object,
                      const WriteContext&) const;

    // The same for the Scale of `object`: takes its replicas into the object, and settles who owns them.
    ApiResult<bool> write_scale(const KindSpec& kind, Json& object, Json scale, const WriteContext&) const;
    // `force` as in apply_configuration.
    ApiResult<bool> apply_scale_configuration(const KindSpec& kind, Json& object, Json patch, bool force,
                                              const WriteContext&) const;

    // Whether the record is older than the schema of its custom kind, so that its bytes may not show it as it is read now.
    bool needs_reading(const KindSpec& kind, const storage::Record& record) const;
    // The document of a record in the version of `kind`, with kind and apiVersion.
    Json document_as(const storage::Record& record, const KindSpec& kind) const;

    // Lookup
    storage::RecordPtr get(std::string_view resource, std::string_view namespace_name, std::string_view name) const override;
    std::vector<storage::RecordPtr> list(std::string_view resource, std::string_view namespace_name) const override;
    Json document(const storage::Record& record) const override;
    // The same for readers who will ask again soon, or change the object next: it is kept for a while.
    std::shared_ptr<const Json> read(const storage::Record& record) const;
    // Lets go what `read` keeps: for when nothing is going on.
    void forget_documents() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// "namespace/name" or "name": the key of an object within its resource.
std::string object_key(std::string_view namespace_name, std::string_view name);

}  // namespace kubemu::api

// CustomResource: the kinds that one CustomResourceDefinition adds to the API, made at run time.
//
// A definition becomes the same values that built-in kinds are compiled to, a KindSpec and a TypeInfo a version, and
// what only custom kinds have: their structural schema, the paths of their scale. Immutable; whoever holds the pointer
// keeps everything in it alive.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/crd/converted_records.h"
#include "api/schema/kind.h"
#include "api/schema/structural.h"
#include "api/values/json_path.h"
#include "storage/record.h"

namespace kubemu::api {

// Where the scale subresource reads and writes: ".spec.replicas" as it was written, and its steps.
struct ScalePath {
    std::string text;
    std::vector<std::string> steps;
};
struct ScalePaths {
    ScalePath spec_replicas, status_replicas;
    std::optional<ScalePath> label_selector;
};

class CustomResource;

struct CustomVersion {
    KindSpec spec;
    TypeInfo type;
    structural::Schema schema;
    std::shared_ptr<const Json> document;  // the openAPIV3Schema that `schema` was made of
    // What stands at properties.status; null when nothing does.
    const structural::Schema* status_schema = nullptr;
    bool has_status = false;  // the status subresource
    std::optional<ScalePaths> scale;
    const CustomResource* resource = nullptr;
};

class CustomResource {
  public:
    // From a CustomResourceDefinition whose names have been accepted (status.acceptedNames). `schema_revision` is when
    // its schemas last changed: records that are older may have to be pruned and defaulted when they are read.
    // Null when the definition cannot be served.
    static std::shared_ptr<const CustomResource> make(const Json& definition, storage::Revision schema_revision);

    const std::string& name() const { return name_; }  // "widgets.example.com", which is KindSpec::resource too
    const std::deque<CustomVersion>& versions() const { return versions_; }
    const CustomVersion& stored() const { return *stored_; }
    storage::Revision schema_revision() const { return schema_revision_; }
    // spec.conversion.webhook of the definition; null unless the strategy is Webhook.
    const Json* conversion_webhook() const { return conversion_webhook_.get(); }
    // What it has converted.
    ConvertedRecords& converted() const { return converted_; }
    // Its definition is being deleted: no instances may be made any more.
    bool terminating() const { return terminating_; }

    CustomResource() = default;
    CustomResource(const CustomResource&) = delete;
    CustomResource& operator=(const CustomResource&) = delete;

  private:
    void add_version(const Json& definition, const Json& version);
    void set_columns(CustomVersion& custom, const Json& version);
    void set_subresources(CustomVersion& custom, const Json& version);
    std::string_view keep(std::string text);
    std::span<const std::string_view> keep_list(const Json& list);

    std::string name_;
    std::deque<CustomVersion> versions_;
    const CustomVersion* stored_ = nullptr;
    storage::Revision schema_revision_ = 0;
    bool terminating_ = false;
    std::shared_ptr<const Json> conversion_webhook_;
    mutable ConvertedRecords converted_;
    // What the specs refer to.
    std::deque<std::string> texts_;
    std::deque<std::vector<std::string_view>> lists_;
    std::deque<std::vector<ColumnSpec>> columns_;
    std::deque<std::vector<SubresourceSpec>> subresources_;
    std::deque<std::vector<SelectableField>> fields_;
    std::deque<JsonPath> paths_;
};

// The value at the end of the steps, or null. `complaint` receives the words of unstructured.Nested* when a step is no
// object.
const Json* value_at(const Json& object, const ScalePath& path, std::string* complaint = nullptr);

}  // namespace kubemu::api

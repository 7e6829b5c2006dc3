// Tables and metadata of records (k8s.io/apiserver/pkg/endpoints/handlers/response.go).
#include "api/forms.h"

#include <nlohmann/json.hpp>

#include "api/documents/table.h"
#include "api/values/field_errors.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

IncludeObject include_of(const Exchange& exchange) {
    const std::string_view include = exchange.info.parameter("includeObject");
    if (include == "Object") return IncludeObject::object;
    return include == "None" ? IncludeObject::none : IncludeObject::metadata;
}

// The Go package of a group's internal types, as %T prints it before the kind.
std::string go_package(std::string_view group) {
    return group.empty() ? "core" : std::string(group.substr(0, group.find('.')));
}

// Records behind plain pointers, so that one on the stack will do.
std::string table(const Exchange& exchange, const std::vector<const storage::Record*>& records, const ListMeta& meta,
                  bool with_columns) {
    const Registry& registry = exchange.registry;
    // Built-in kinds have one set of columns, which reads the stored version; custom ones have one a version.
    const bool builtin = is_builtin(*exchange.kind);
    const KindSpec& columns = builtin ? registry.kinds().stored(exchange.kind->resource) : *exchange.kind;
    std::vector<Json> documents;
    documents.reserve(records.size());
    for (const storage::Record* record : records) {
        documents.push_back(builtin ? registry.document(*record) : registry.document_as(*record, *exchange.kind));
    }
    TableRequest request{.kind = columns,
                         .include = include_of(exchange),
                         .meta_version = exchange.form.meta_version,
                         .with_columns = with_columns,
                         .now = registry.clock().now(),
                         .resource_version = meta.resource_version,
                         .continue_token = meta.continue_token,
                         .remaining = meta.remaining};
    request.object_text = [&](std::size_t row) {
        return std::string(object_text(registry, *exchange.kind, *records[row]).text);
    };
    return table_of(documents, request);
}

}  // namespace

ApiResult<bool> check_include_object(const Exchange& exchange) {
    const std::string_view include = exchange.info.parameter("includeObject");
    if (include.empty() || include == "None" || include == "Metadata" || include == "Object") return true;
    return Status::bad_request("Unable to convert to Table as requested: includeObject: Invalid value: " + go_quote(include) +
                               ": must be 'Metadata', 'Object', 'None', or empty");
}

std::string table_of_records(const Exchange& exchange, const std::vector<storage::RecordPtr>& records,
                             const ListMeta& meta, bool with_columns) {
    std::vector<const storage::Record*> plain;
    plain.reserve(records.size());
    for (const storage::RecordPtr& record : records) plain.push_back(record.get());
    return table(exchange, plain, meta, with_columns);
}

std::string table_of_record(const Exchange& exchange, const storage::Record& record, bool with_columns) {
    const std::string revision = record.revision > 0 ? std::to_string(record.revision) : std::string();
    return table(exchange, {&record}, {.resource_version = revision}, with_columns);
}

std::string partial_of_record(const Exchange& exchange, const storage::Record& record) {
    return partial_object_metadata_of_text(*record.bytes, exchange.form.meta_version);
}

ApiResult<bool> check_partial_form(const Exchange& exchange, bool list) {
    using As = AnswerForm::As;
    const As wrong = list ? As::partial : As::partial_list;
    if (exchange.form.as != wrong) return true;
    const KindSpec& kind = *exchange.kind;
    const std::string type = is_builtin(kind) ? "*" + go_package(kind.group) + "." + std::string(list ? kind.list_kind : kind.kind)
                             : list           ? "*unstructured.UnstructuredList"
                                              : "*unstructured.Unstructured";
    if (list) return Status::not_acceptable("you requested PartialObjectMetadata, but the requested object is a list (" + type + ")");
    return Status::not_acceptable("you requested PartialObjectMetadataList, but the requested object is not a list (" + type + ")");
}

}  // namespace kubemu::api

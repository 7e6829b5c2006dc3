// Tables and metadata of records (k8s.io/apiserver/pkg/endpoints/handlers/response.go).
#include "api/forms.h"

#include <nlohmann/json.hpp>

#include "api/codec/protobuf.h"
#include "api/documents/table.h"
#include "api/values/field_errors.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

// pkg/printers/internalversion printScale
constexpr ColumnSpec scale_columns[] = {
    {"Name", "string", "", "Name of the object.", 0, ".metadata.name"},
    {"Desired", "integer", "", "How many pods are wanted.", 0, ".spec.replicas"},
    {"Available", "integer", "", "How many pods there are.", 0, ".status.replicas"},
    {"Age", "string", "", "Time since it was created.", 0, "age"},
};

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

bool is_as_stored(const Exchange& exchange, const storage::Record& record, const RecordForm& form) {
    const bool json = exchange.form.encoding != Encoding::protobuf;
    return json && !form.partial && exchange.kind->storage_version &&
           !exchange.registry.needs_reading(*exchange.kind, record);
}

// Names a form among those of a record: the version by its KindSpec, whose address is a multiple of 8, or by the
// version of meta.k8s.io.
std::uintptr_t form_key(const Exchange& exchange, bool partial, bool left) {
    const std::uintptr_t form = (exchange.form.encoding == Encoding::protobuf ? 1U : 0U) | (left ? 2U : 0U);
    if (partial) return (exchange.form.meta_version == "v1" ? 8U : 16U) | form;
    static_assert(alignof(KindSpec) >= 8);
    return reinterpret_cast<std::uintptr_t>(exchange.kind) | form;
}

const TypeInfo& type_of_form(const KindSpec& kind, bool partial) {
    static const TypeInfo& metadata = *find_type("meta/v1.PartialObjectMetadata");
    return partial ? metadata : *kind.type;
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

Slice form_of_record(const Exchange& exchange, const storage::Record& record, RecordForm form) {
    const KindSpec& kind = *exchange.kind;
    if (is_as_stored(exchange, record, form)) return Slice(record.bytes.get());
    // Kinds of CustomResourceDefinitions come and go, so that their place in memory names nothing for long.
    const bool shared = form.partial || is_builtin(kind);
    const std::uintptr_t key = form_key(exchange, form.partial, false);
    if (shared) {
        if (Bytes found = record.forms.find(key)) return Slice(std::move(found));
    }
    const Slice json = form.partial
                           ? Slice::of(partial_object_metadata_of_text(*record.bytes.get(), exchange.form.meta_version))
                           : object_text(exchange.registry, kind, record);
    const bool protobuf = exchange.form.encoding == Encoding::protobuf;
    const bool keep = form.keep && shared;
    if (!protobuf && !keep) return json;
    const TypeInfo& type = type_of_form(kind, form.partial);
    const Bytes made = make_bytes(!protobuf                 ? std::string(json.text)
                                  : form.encoder != nullptr ? form.encoder->encode(json.text, type)
                                                            : encode_protobuf(json.text, type));
    if (keep) record.forms.add(key, made);
    return Slice(made);
}

storage::Record at_revision(const storage::Record& record, storage::Revision revision) {
    storage::Record changed = record;
    std::string text = *record.bytes.get();
    const std::string old = "\"resourceVersion\":\"" + std::to_string(record.revision) + "\"";
    const std::size_t at = text.find(old);
    if (at != std::string::npos)
        text.replace(at, old.size(), "\"resourceVersion\":\"" + std::to_string(revision) + "\"");
    changed.bytes = make_bytes(std::move(text));
    return changed;
}

Slice form_of_left(const Exchange& exchange, const storage::Record& last, const storage::Record& left, bool partial) {
    const bool shared = partial || is_builtin(*exchange.kind);
    const std::uintptr_t key = form_key(exchange, partial, true);
    if (shared) {
        if (Bytes found = left.forms.find(key)) return Slice(std::move(found));
    }
    const Slice made = form_of_record(exchange, at_revision(last, left.revision), {.partial = partial});
    if (!shared) return made;
    const Bytes kept = make_bytes(std::string(made.text));
    left.forms.add(key, kept);
    return Slice(kept);
}

std::string table_of_scale(const Exchange& exchange, const Json& scale, const std::string& text) {
    static const KindSpec built_in = [] {
        KindSpec kind;
        kind.kind = "Scale";
        kind.columns = scale_columns;
        return kind;
    }();
    // A custom resource prints what its own columns find in a Scale.
    TableRequest request{.kind = is_builtin(*exchange.kind) ? built_in : *exchange.kind,
                         .include = include_of(exchange),
                         .meta_version = exchange.form.meta_version,
                         .now = exchange.registry.clock().now(),
                         .resource_version = string_at(scale, {"metadata", "resourceVersion"})};
    request.object_text = [&](std::size_t) { return text; };
    return table_of({scale}, request);
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

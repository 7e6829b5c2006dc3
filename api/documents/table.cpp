// Rows by the columns of a kind.
#include "api/documents/table.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/codec/json_syntax.h"
#include "api/documents/cells.h"
#include "api/values/go_print.h"
#include "api/values/json_path.h"
#include "api/values/text.h"
#include "api/values/time.h"

namespace kubemu::api {
namespace {

constexpr ColumnSpec default_columns[] = {
    {"Name", "string", "name", "Name of the object.", 0, ".metadata.name"},
    {"Created At", "date", "", "When it was created.", 0, ".metadata.creationTimestamp"},
};

// What k8s.io/apiextensions-apiserver's table convertor makes of the value at a column's path.
Json custom_cell(const Json& object, const ColumnSpec& column, const CellContext& context) {
    const std::vector<const Json*> found = column.json_path->find(object);
    if (found.empty() || found[0]->is_null()) return nullptr;
    const Json& value = *found[0];
    if (column.type == "string") {
        if (value.is_string()) return value;
        return value.is_structured() ? encode_raw(value) : go_plain(value);
    }
    if (column.type == "integer" && value.is_number()) return value.get<std::int64_t>();
    if (column.type == "number" && value.is_number()) return value;
    if (column.type == "boolean" && value.is_boolean()) return value;
    if (column.type == "date" && value.is_string()) {
        const std::string& text = value.get_ref<const std::string&>();
        if (!text.empty() && !parse_time(text)) return "<invalid>";
        return age_of(text, context.now);
    }
    return nullptr;
}

Json cell_at(const Json& object, const ColumnSpec& column, const CellContext& context) {
    if (column.json_path != nullptr) return custom_cell(object, column, context);
    if (column.cell[0] != '.') {
        const CellFunction function = cell_function(column.cell);
        return function == nullptr ? Json(nullptr) : function(object, context);
    }
    const Json* at = &object;
    for (const std::string_view step : split(column.cell.substr(1), '.')) {
        at = find(*at, step);
        if (at == nullptr) break;
    }
    if (at != nullptr) return *at;
    if (column.type == "integer") return 0;
    if (column.type == "boolean") return false;
    // Counts of statuses are shown as numbers even where the column calls itself a string.
    return column.cell.size() > 8 && column.cell.substr(column.cell.size() - 8) == "Replicas" ? Json(0) : Json("");
}

void append_column(std::string& out, const ColumnSpec& column) {
    out += "{\"name\":";
    append_json_string(out, column.name);
    out += ",\"type\":";
    append_json_string(out, column.type);
    out += ",\"format\":";
    append_json_string(out, column.format);
    out += ",\"description\":";
    append_json_string(out, column.description);
    out += ",\"priority\":" + std::to_string(column.priority) + "}";
}

std::string partial_head(std::string_view meta_version) {
    return R"({"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/)" + std::string(meta_version) + R"(","metadata":)";
}

}  // namespace

std::string partial_object_metadata(const Json& object, std::string_view meta_version) {
    static const TypeInfo* const type = find_type("meta/v1.ObjectMeta");
    return partial_head(meta_version) + encode_value(object_at(object, {"metadata"}), *type) + "}";
}

std::string partial_object_metadata_of_text(std::string_view object_text, std::string_view meta_version) {
    constexpr std::string_view member = "\"metadata\":";
    const std::size_t at = body_offset(object_text);
    if (object_text.substr(std::min(at, object_text.size()), member.size()) != member) return partial_head(meta_version) + "{}}";
    JsonReader reader(object_text.substr(at + member.size()));
    std::string text = partial_head(meta_version);
    text += reader.skip();
    return text + '}';
}

std::string table_of(const std::vector<Json>& objects, const TableRequest& request) {
    const std::span<const ColumnSpec> columns = request.kind.columns.empty() ? default_columns : request.kind.columns;
    std::string out = R"({"kind":"Table","apiVersion":"meta.k8s.io/)" + std::string(request.meta_version) + R"(","metadata":{)";
    if (!request.resource_version.empty()) {
        out += "\"resourceVersion\":";
        append_json_string(out, request.resource_version);
    }
    if (!request.continue_token.empty()) {
        out += ",\"continue\":";
        append_json_string(out, request.continue_token);
        if (request.remaining >= 0) out += ",\"remainingItemCount\":" + std::to_string(request.remaining);
    }
    out += "},\"columnDefinitions\":";
    if (request.with_columns) {
        out += '[';
        for (const ColumnSpec& column : columns) {
            if (out.back() != '[') out += ',';
            append_column(out, column);
        }
        out += ']';
    } else {
        out += "null";
    }
    out += ",\"rows\":[";
    const CellContext context{request.now};
    std::size_t row = 0;
    for (const Json& object : objects) {
        if (out.back() != '[') out += ',';
        out += "{\"cells\":[";
        for (const ColumnSpec& column : columns) {
            if (out.back() != '[') out += ',';
            append_raw(out, cell_at(object, column, context));
        }
        out += ']';
        if (request.kind.resource == "pods") out += pod_row_conditions(object);
        out += ",\"object\":";
        if (request.include == IncludeObject::none) {
            out += "null";
        } else if (request.include == IncludeObject::object && request.object_text) {
            out += request.object_text(row);
        } else {
            out += partial_object_metadata(object, request.meta_version);
        }
        out += '}';
        ++row;
    }
    return out + "]}\n";
}

}  // namespace kubemu::api

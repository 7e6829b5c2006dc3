// Writes patched objects: what was gone through sorted, the rest in the order of its type.
#include "api/patch/shown.h"

#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/patch/patch.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

// What a value is by the table of types; nothing where the table ends.
struct Typed {
    const TypeInfo* type = nullptr;
    Shape shape = Shape::single;

    static Typed of(const FieldInfo& field) {
        if (field.kind != ValueKind::object || field.shape == Shape::map_of_lists) return {};
        return {field.type, field.shape};
    }
    Typed member(const std::string& name) const {
        if (type == nullptr) return {};
        if (shape != Shape::single) return {type, Shape::single};
        const FieldInfo* field = type->field(name);
        return field == nullptr ? Typed() : of(*field);
    }
};

void append(std::string& out, const Json& value, const Json* way, const Typed& typed);

// `ways`: for members that were gone through, what was gone through in them.
void append_members(std::string& out, const Json& value, const Json* ways, const Typed& typed) {
    char before = value.is_object() ? '{' : '[';
    const char end = value.is_object() ? '}' : ']';
    if (value.empty()) out += before;
    for (const auto& [name, member] : value.items()) {
        out += before;
        before = ',';
        if (value.is_object()) {
            append_json_string(out, name);
            out += ':';
        }
        append(out, member, ways == nullptr ? nullptr : find(*ways, name), typed.member(name));
    }
    out += end;
}

void append(std::string& out, const Json& value, const Json* way, const Typed& typed) {
    if (way != nullptr && way->is_object() && value.is_structured()) return append_members(out, value, way, typed);
    // It came with the patch, or has no order of its own.
    if (way != nullptr || typed.type == nullptr || !value.is_structured()) return append_raw(out, value);
    if (typed.shape != Shape::single) return append_members(out, value, nullptr, typed);
    if (!value.is_object()) return append_raw(out, value);
    out += encode_value(value, *typed.type);
}

std::string shown(const Json& object, const Json& ways, const TypeInfo& type) {
    std::string out;
    append(out, object, &ways, {&type, Shape::single});
    return out;
}

// Marks what leads to the place that a pointer names, and the place itself where it receives a value.
void mark(Json& ways, const Json& pointer, bool receives) {
    if (!pointer.is_string()) return;
    std::string_view rest = pointer.get_ref<const std::string&>();
    Json* at = &ways;
    while (rest.starts_with('/') && at->is_object()) {
        rest.remove_prefix(1);
        const std::size_t end = std::min(rest.find('/'), rest.size());
        const std::string name = unescape_pointer(rest.substr(0, end));
        rest.remove_prefix(end);
        if (rest.empty() && !receives) return;
        Json& next = (*at)[name];
        if (rest.empty()) next = true;
        else if (next.is_null()) next = Json::object();
        at = &next;
    }
}

}  // namespace

std::string shown_merged(const Json& object, const Json& patch, const TypeInfo& type) { return shown(object, patch, type); }

std::string shown_patched(const Json& object, const Json& operations, const TypeInfo& type) {
    Json ways = Json::object();
    for (const Json& operation : operations) {
        if (!operation.is_object()) continue;
        const std::string_view name = string_at(operation, {"op"});
        if (const Json* from = find(operation, "from")) mark(ways, *from, false);
        if (const Json* path = find(operation, "path")) mark(ways, *path, name != "test" && name != "remove");
    }
    return shown(object, ways, type);
}

}  // namespace kubemu::api

// The walk over object and schema that sets defaults.
#include "api/schema/defaults.h"

#include <nlohmann/json.hpp>

#include "api/schema/prune.h"
#include "api/schema/zero.h"

namespace kubemu::api {
namespace {

void inside(Json& value, const FieldInfo& field) {
    if (field.type == nullptr || !field.type->has_defaults) return;
    if (field.shape == Shape::single) {
        if (value.is_object()) apply_defaults(value, *field.type);
    } else if (field.shape != Shape::map_of_lists && value.is_structured()) {
        for (Json& item : value) {
            if (item.is_object()) apply_defaults(item, *field.type);
        }
    }
}

}  // namespace

void apply_defaults(Json& object, const TypeInfo& type) {
    if (type.structural != nullptr) return structural::set_defaults(object, *type.structural);
    if (!type.has_defaults || !object.is_object()) return;
    for (const FieldInfo& field : type.fields) {
        if (field.default_json.empty() && (field.type == nullptr || !field.type->has_defaults)) continue;
        auto at = object.find(field.name);
        if (at != object.end() && at->is_null()) {
            object.erase(at);
            at = object.end();
        }
        if (!field.default_json.empty() && (at == object.end() || (!field.pointer && !at->is_object() && is_zero(*at)))) {
            object[std::string(field.name)] = Json::parse(field.default_json, nullptr, false);
            at = object.find(field.name);
        }
        if (at != object.end()) {
            inside(*at, field);
        } else if (field.kind == ValueKind::object && field.shape == Shape::single && !field.pointer &&
                   field.type->has_defaults) {
            Json made = Json::object();
            apply_defaults(made, *field.type);
            if (!made.empty()) object.emplace(std::string(field.name), std::move(made));
        }
    }
}

}  // namespace kubemu::api

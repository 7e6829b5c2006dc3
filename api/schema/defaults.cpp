// The walk over object and schema that sets defaults.
#include "api/schema/defaults.h"

#include <nlohmann/json.hpp>

namespace kubemu::api {
namespace {

Json parsed_default(const FieldInfo& field) { return Json::parse(field.default_json, nullptr, false); }

void into(Json& value, const FieldInfo& field) {
    if (field.type == nullptr) return;
    if (field.shape == Shape::single) {
        if (value.is_object()) apply_defaults(value, *field.type);
    } else {
        for (Json& item : value) {
            if (item.is_object()) apply_defaults(item, *field.type);
        }
    }
}

}  // namespace

void apply_defaults(Json& object, const TypeInfo& type) {
    for (const FieldInfo& field : type.fields) {
        auto at = object.find(field.name);
        if (at != object.end() && at->is_null()) {
            object.erase(at);
            at = object.end();
        }
        // Go defaults fields that are not pointers when they have the zero value.
        const bool zero = at != object.end() && !field.pointer && field.shape == Shape::single && at->is_string() &&
                          at->get_ref<const std::string&>().empty();
        if (!field.default_json.empty() && (at == object.end() || zero)) {
            object[std::string(field.name)] = parsed_default(field);
            at = object.find(field.name);
        }
        if (at != object.end()) into(*at, field);
    }
}

}  // namespace kubemu::api

// Reads the schema for server-side apply.
#include "api/apply/shape.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/schema/zero.h"

namespace kubemu::api::apply {
namespace {

const Json absent_null;
const Json empty_record = Json::object();
const Json empty_text = "";
const Json zero_number = 0;
const Json zero_quantity = "0";
const Json zero_duration = "0s";
const Json no_truth = false;

const Json* zero_of(const FieldInfo& field) {
    if (field.shape != Shape::single || field.pointer) return &absent_null;
    switch (field.kind) {
        case ValueKind::object:
            return &empty_record;
        case ValueKind::boolean:
            return &no_truth;
        case ValueKind::int32:
        case ValueKind::int64:
        case ValueKind::float64:
        case ValueKind::int_or_string:
            return &zero_number;
        case ValueKind::quantity:
            return &zero_quantity;
        case ValueKind::duration:
            return &zero_duration;
        case ValueKind::string:
            return &empty_text;
        default:
            return &absent_null;
    }
}

// What Go holds in a struct of its own is there even when it was not given, omitempty or not.
bool is_struct(const FieldInfo& field) {
    if (field.shape != Shape::single || field.pointer) return false;
    switch (field.kind) {
        case ValueKind::object:
        case ValueKind::time:
        case ValueKind::micro_time:
        case ValueKind::duration:
        case ValueKind::quantity:
        case ValueKind::int_or_string:
        case ValueKind::raw:
            return true;
        default:
            return false;
    }
}

Place value_place(const FieldInfo& field) {
    switch (field.kind) {
        case ValueKind::object:
            if (field.type == nullptr) return {Place::Kind::deduced, nullptr, &field};
            if (field.type->atomic) return {Place::Kind::leaf, field.type, &field};
            return {Place::Kind::record, field.type, &field};
        default:
            return {Place::Kind::leaf, nullptr, &field};
    }
}

}  // namespace

Place place_of(const TypeInfo& type) {
    return {Place::Kind::record, &type, nullptr, type.structural};
}

Place place_of(const structural::Schema& schema) {
    const auto as = [&schema](Place::Kind kind) { return Place{kind, nullptr, nullptr, &schema}; };
    if (schema.int_or_string) return as(Place::Kind::leaf);
    if (schema.type == "array") {
        if (schema.list_type == "set") return as(Place::Kind::set);
        return as(schema.list_type == "map" && schema.items ? Place::Kind::keyed_list : Place::Kind::leaf);
    }
    if (schema.type != "object" && !schema.type.empty()) return as(Place::Kind::leaf);
    if (schema.map_type == "atomic") return as(Place::Kind::leaf);
    if (!schema.properties.empty() || schema.embedded_resource) return as(Place::Kind::record);
    if (schema.additional_properties) return as(Place::Kind::map);
    if (schema.preserves_unknown() || schema.additional_allowed.value_or(false)) return {Place::Kind::deduced, nullptr, nullptr, nullptr};
    return as(schema.type.empty() ? Place::Kind::leaf : Place::Kind::record);
}

Place place_of(const FieldInfo& field) {
    switch (field.shape) {
        case Shape::single:
            if (field.map_atomic) return {Place::Kind::leaf, field.type, &field};
            return value_place(field);
        case Shape::list:
            if (field.list_type == ListType::set) return {Place::Kind::set, nullptr, &field};
            if (field.list_type == ListType::map && field.type != nullptr) {
                return {Place::Kind::keyed_list, field.type, &field};
            }
            return {Place::Kind::leaf, nullptr, &field};
        case Shape::map:
        case Shape::map_of_lists:
            if (field.map_atomic) return {Place::Kind::leaf, nullptr, &field};
            return {Place::Kind::map, nullptr, &field};
    }
    return {};
}

Place element_of(const Place& place) {
    if (place.schema != nullptr) {
        if (place.kind == Place::Kind::keyed_list) return place_of(*place.schema->items);
        if (place.kind == Place::Kind::map) return place_of(*place.schema->additional_properties);
        return {};
    }
    switch (place.kind) {
        case Place::Kind::keyed_list:
            return {place.type->atomic ? Place::Kind::leaf : Place::Kind::record, place.type, place.field};
        case Place::Kind::map:
            if (place.field->shape == Shape::map_of_lists) return {Place::Kind::leaf, nullptr, place.field};
            return value_place(*place.field);
        case Place::Kind::deduced:
            return place;
        default:
            return {};
    }
}

namespace {

// kind, apiVersion and metadata of an embedded resource.
const FieldInfo* resource_field(const Place& place, std::string_view name) {
    static const FieldInfo text{};
    static const FieldInfo metadata = [] {
        FieldInfo field{.kind = ValueKind::object};
        field.type = find_type("meta/v1.ObjectMeta");
        return field;
    }();
    if (place.schema == nullptr || !place.schema->embedded_resource) return nullptr;
    if (name == "metadata") return &metadata;
    return name == "kind" || name == "apiVersion" ? &text : nullptr;
}

const FieldInfo* typed_member(const Place& place, std::string_view name) {
    const FieldInfo* field = place.type == nullptr ? nullptr : place.type->field(name);
    return field != nullptr ? field : resource_field(place, name);
}

}  // namespace

Place member_of(const Place& place, std::string_view name) {
    if (place.kind != Place::Kind::record) return element_of(place);
    if (const FieldInfo* field = typed_member(place, name)) return place_of(*field);
    const structural::Schema* own = place.schema == nullptr ? nullptr : place.schema->member(name);
    return own == nullptr ? Place{Place::Kind::deduced, nullptr, nullptr, nullptr} : place_of(*own);
}

bool declares(const Place& place, std::string_view name) {
    if (place.kind != Place::Kind::record) return false;
    return typed_member(place, name) != nullptr || (place.schema != nullptr && place.schema->property(name) != nullptr);
}

std::string item_step(const Place& list, const Json& item, std::string* missing) {
    if (list.kind == Place::Kind::set)
        return "v:" + item.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (!item.is_object()) return {};
    Json keys = Json::object();
    if (list.schema != nullptr) {
        for (const std::string& key : list.schema->list_map_keys) {
            const auto at = item.find(key);
            const structural::Schema* own = list.schema->items->property(key);
            if (at != item.end() && !at->is_null()) {
                keys[key] = *at;
            } else if (own != nullptr && own->default_value != nullptr) {
                keys[key] = *own->default_value;
            } else {
                if (missing != nullptr) *missing = key;
                return {};
            }
        }
        return "k:" + keys.dump(-1, ' ', false, Json::error_handler_t::replace);
    }
    for (const std::string_view key : list.field->list_map_keys) {
        const auto at = item.find(std::string(key));
        if (at != item.end() && !at->is_null()) {
            keys[std::string(key)] = *at;
            continue;
        }
        // A key that has a default is that default where it is left out.
        const FieldInfo* field = list.type->field(key);
        if (field != nullptr && !field->default_json.empty()) {
            keys[std::string(key)] = Json::parse(field->default_json, nullptr, false);
        } else if (field != nullptr && !field->omitempty && !field->pointer) {
            keys[std::string(key)] = *zero_of(*field);
        } else {
            if (missing != nullptr) *missing = key;
            return {};
        }
    }
    return "k:" + keys.dump(-1, ' ', false, Json::error_handler_t::replace);
}

const Json* held(const FieldInfo& field, const Json* value) {
    const bool given = value != nullptr && !value->is_null();
    if (is_struct(field) || !field.omitempty) return given ? value : zero_of(field);
    if (!given) return nullptr;
    if (field.pointer && field.shape == Shape::single) return value;
    return is_zero(*value) ? nullptr : value;
}

bool may_be_map(const Json* value) {
    return value == nullptr || value->is_null() || value->is_object();
}

bool is_empty(const Place& place, const Json* value, bool typed) {
    if (value == nullptr || value->is_null()) return true;
    if (!value->is_object() && !value->is_array()) return false;
    if (!typed || place.kind != Place::Kind::record || place.schema != nullptr) return value->empty();
    return std::none_of(place.type->fields.begin(), place.type->fields.end(), [&](const FieldInfo& field) {
        return held(field, find(*value, field.name)) != nullptr;
    });
}

}  // namespace kubemu::api::apply

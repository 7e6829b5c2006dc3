// Values of expressions as JSON, and the two kinds of patch.
#include "api/admission/policy_patch.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "api/admission/mutation.h"
#include "api/admission/request_words.h"
#include "api/apply/shape.h"
#include "api/apply/typed.h"
#include "api/cel/times.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

using cel::Kind;
using cel::Value;

// `wrong` receives why a value has no JSON.
Json json_of(const Value& value, std::string& wrong) {
    switch (value.kind) {
        case Kind::null: return nullptr;
        case Kind::boolean: return value.truth;
        case Kind::integer: return value.integer;
        case Kind::unsigned_integer: return value.unsigned_integer;
        case Kind::real: return value.real;
        case Kind::string: return value.str();
        case Kind::bytes: return base64_encode(value.str());
        case Kind::timestamp: return cel::timestamp_text(value);
        case Kind::duration: return cel::duration_text(value);
        case Kind::list: {
            if (value.document != nullptr) return *value.document;
            Json list = Json::array();
            for (const Value& item : value.list()) list.push_back(json_of(item, wrong));
            return list;
        }
        case Kind::map:
        case Kind::object: {
            if (value.document != nullptr) return *value.document;
            Json object = Json::object();
            for (const Value& key : value.keys()) {
                if (key.kind != Kind::string) {
                    wrong = "map key is of type " + key.type_name() + ", not string";
                    continue;
                }
                object[key.str()] = json_of(*value.member(key), wrong);
            }
            return object;
        }
        default: break;
    }
    wrong = "unsupported type " + value.type_name();
    return nullptr;
}

// dynamic.CheckTypeNamesMatchFieldPathNames: an object stands where its type's name says.
void check_names(const Value& value, const std::string& path, std::vector<std::string>& wrong) {
    if (value.document != nullptr) return;
    if (value.kind == Kind::list) {
        for (const Value& item : value.list()) check_names(item, path, wrong);
    }
    if (value.kind != Kind::map) return;
    const bool named = value.text != nullptr;
    if (named && *value.text != path) {
        wrong.push_back("unexpected type name " + go_quote(*value.text) + ", expected " + go_quote(path) +
                        ", which matches field name path from root Object type");
    }
    for (const Value& key : value.keys()) {
        if (key.kind == Kind::string) check_names(*value.member(key), named ? path + "." + key.str() : path, wrong);
    }
}

// Lists, maps and structs in the patch that would replace all of what is there.
void find_atomics(const apply::Place& place, const Json& value, const std::string& path, std::vector<std::string>& found) {
    using PlaceKind = apply::Place::Kind;
    if (place.kind == PlaceKind::leaf && (value.is_object() || value.is_array())) found.push_back(path);
    if (value.is_object() && (place.kind == PlaceKind::record || place.kind == PlaceKind::map)) {
        for (const auto& [name, member] : value.items()) find_atomics(apply::member_of(place, name), member, path + "." + name, found);
    }
    if (value.is_array() && (place.kind == PlaceKind::keyed_list || place.kind == PlaceKind::set)) {
        for (std::size_t i = 0; i < value.size(); ++i) {
            find_atomics(apply::element_of(place), value[i], path + "[" + std::to_string(i) + "]", found);
        }
    }
}

}  // namespace

std::string apply_configuration(const Value& value, const KindSpec& kind, std::string_view subresource, Json& object) {
    std::vector<std::string> misnamed;
    check_names(value, "Object", misnamed);
    if (!misnamed.empty()) return "type mismatch: " + join(misnamed, "\n");
    std::string wrong;
    Json patch = json_of(value, wrong);
    if (!wrong.empty()) return "invalid return type: " + wrong;
    const SubresourceSpec* sub = subresource.empty() ? nullptr : kind.subresource(subresource);
    const TypeInfo& type = sub != nullptr && !body_is_object(kind, subresource) && sub->type != nullptr ? *sub->type : *kind.type;
    const std::string prefix = "error applying patch: ";
    for (const char* member : {"kind", "apiVersion"}) {
        if (const Json* own = find(object, member)) patch[member] = *own;
    }
    if (const auto complaints = check_applied(patch, type); !complaints.empty()) {
        return prefix + "failed to convert patch object to typed object: " + join_complaints(complaints);
    }
    std::vector<std::string> atomics;
    find_atomics(apply::place_of(type), patch, {}, atomics);
    if (!atomics.empty()) {
        return prefix + "invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: " + join(atomics, ", ");
    }
    object = merge_applied(object, patch, type);
    return {};
}

std::string apply_operations(const Value& value, Json& object) {
    if (value.kind != Kind::list) return "type mismatch: JSONPatchType.expression should evaluate to array";
    Json operations = Json::array();
    for (const Value& item : value.list()) {
        std::string wrong;
        if (const auto given = item.kind == Kind::map ? item.member(Value::of(std::string("value"))) : std::nullopt; given && given->text != nullptr && given->kind == Kind::map) {
            std::vector<std::string> misnamed;
            check_names(*given, *given->text, misnamed);
            if (!misnamed.empty()) return "type mismatch: " + join(misnamed, "\n");
        }
        Json operation = json_of(item, wrong);
        if (!wrong.empty()) return "JSONPath valueExpression evaluated to a type that could not marshal to JSON: " + wrong;
        if (string_at(operation, {"from"}).empty()) erase(operation, "from");
        operations.push_back(std::move(operation));
    }
    Json work = object;
    for (const Json& operation : operations) {
        const std::string wrong = carry_out(Json::array({operation}), work);
        if (wrong.empty()) continue;
        return string_at(operation, {"op"}) == "test" ? std::string() : "JSON Patch: " + wrong;
    }
    object = std::move(work);
    return {};
}

}  // namespace kubemu::api

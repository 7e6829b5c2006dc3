// Whether an applied configuration fits its type (structured-merge-diff's TypedValue validation, in its
// words).
#include <nlohmann/json.hpp>
#include <set>

#include "api/apply/shape.h"
#include "api/apply/typed.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

using apply::Place;

// A value the way fmt's %v prints what JSON was decoded into.
std::string printed(const Json& value) {
    switch (value.type()) {
        case Json::value_t::null:
            return "<nil>";
        case Json::value_t::string:
            return value.get<std::string>();
        case Json::value_t::array: {
            std::string text = "[";
            for (const Json& item : value) text += (text.size() > 1 ? " " : "") + printed(item);
            return text + "]";
        }
        case Json::value_t::object: {
            std::string text = "map[";
            for (const auto& [name, member] : value.items()) {
                text += (text.size() > 4 ? " " : "") + name + ":" + printed(member);
            }
            return text + "]";
        }
        default:
            return value.dump();
    }
}

// ... and the way %#v prints it.
std::string printed_as_go(const Json& value) {
    switch (value.type()) {
        case Json::value_t::string:
            return go_quote(value.get_ref<const std::string&>());
        case Json::value_t::array: {
            std::string text = "[]interface {}{";
            for (const Json& item : value) text += (text.ends_with('{') ? "" : ", ") + printed_as_go(item);
            return text + "}";
        }
        case Json::value_t::object: {
            std::string text = "map[string]interface {}{";
            bool first = true;
            for (const auto& [name, member] : value.items()) {
                text += (first ? "" : ", ") + go_quote(name) + ":" + printed_as_go(member);
                first = false;
            }
            return text + "}";
        }
        default:
            return printed(value);
    }
}

std::string type_name(const Json& value) {
    switch (value.type()) {
        case Json::value_t::boolean:
            return "bool";
        case Json::value_t::string:
            return "string";
        case Json::value_t::number_float:
            return "float64";
        case Json::value_t::number_integer:
        case Json::value_t::number_unsigned:
            return "int64";
        case Json::value_t::array:
            return "[]interface {}";
        case Json::value_t::object:
            return "map[string]interface {}";
        default:
            return "<nil>";
    }
}

class Checker {
  public:
    explicit Checker(std::vector<std::string>& complaints) : complaints_(complaints) {}

    void check(const Place& place, const Json& value, const std::string& path) {
        if (value.is_null()) return;
        if (place.schema != nullptr) return check_schema(place, value, path);
        switch (place.kind) {
            case Place::Kind::deduced:
                return;
            case Place::Kind::record:
                if (!value.is_object()) return complain(path, "expected map, got &{" + printed(value) + "}");
                return check_record(*place.type, value, path);
            case Place::Kind::map:
                if (!value.is_object()) return complain(path, "expected map, got &{" + printed(value) + "}");
                for (const auto& [name, member] : value.items()) {
                    if (place.field->shape == Shape::map)
                        check_value(*place.field, member, path + "." + name);
                    else if (!member.is_null() && !member.is_array())
                        complain(path + "." + name, "expected list, got &{" + printed(member) + "}");
                }
                return;
            case Place::Kind::keyed_list:
            case Place::Kind::set:
                return check_list(place, value, path);
            case Place::Kind::leaf:
                return check_leaf(place, value, path);
        }
    }

  private:
    void complain(const std::string& path, const std::string& what) {
        complaints_.push_back(path + ": " + what);
    }

    void check_record(const TypeInfo& type, const Json& value, const std::string& path) {
        for (const auto& [name, member] : value.items()) {
            const FieldInfo* field = type.field(name);
            if (field == nullptr)
                complain(path + "." + name, "field not declared in schema");
            else
                check(apply::place_of(*field), member, path + "." + name);
        }
    }

    // Within custom resources; members of the root may be typed.
    void check_schema(const Place& place, const Json& value, const std::string& path) {
        const structural::Schema& schema = *place.schema;
        switch (place.kind) {
            case Place::Kind::keyed_list:
            case Place::Kind::set:
                return check_list(place, value, path);
            case Place::Kind::leaf:
                return check_schema_leaf(schema, value, path);
            default:
                break;
        }
        if (!value.is_object()) return complain(path, "expected map, got &{" + printed(value) + "}");
        for (const auto& [name, member] : value.items()) {
            const bool known = place.kind == Place::Kind::map || apply::declares(place, name) || schema.has_additional() ||
                               schema.preserves_unknown();
            if (known) check(apply::member_of(place, name), member, path + "." + name);
            else complain(path + "." + name, "field not declared in schema");
        }
    }

    // Atomic containers: their contents are checked like any other.
    void check_schema_leaf(const structural::Schema& schema, const Json& value, const std::string& path) {
        const auto go_value = [&value] { return "got &value.valueUnstructured{Value:" + printed_as_go(value) + "}"; };
        if (schema.int_or_string) {
            if (value.is_structured()) complain(path, "expected any scalar, got &{" + printed(value) + "}");
        } else if (schema.type == "array") {
            if (!value.is_array()) return complain(path, "expected list, got &{" + printed(value) + "}");
            for (std::size_t i = 0; schema.items && i < value.size(); ++i) {
                check(apply::place_of(*schema.items), value[i], path + "[" + std::to_string(i) + "]");
            }
        } else if (schema.type == "object") {
            if (!value.is_object()) return complain(path, "expected map, got &{" + printed(value) + "}");
            for (const auto& [name, member] : value.items()) {
                const structural::Schema* own = schema.member(name);
                if (own != nullptr) check(apply::place_of(*own), member, path + "." + name);
                else if (!schema.preserves_unknown() && !schema.has_additional()) {
                    complain(path + "." + name, "field not declared in schema");
                }
            }
        } else if (schema.type == "boolean") {
            if (!value.is_boolean()) complain(path, "expected boolean, " + go_value());
        } else if (schema.type == "integer" || schema.type == "number") {
            if (!value.is_number()) complain(path, "expected numeric (int or float), got " + type_name(value));
        } else if (schema.type == "string") {
            if (!value.is_string()) complain(path, "expected string, " + go_value());
        }
    }

    void check_list(const Place& place, const Json& value, const std::string& path) {
        if (!value.is_array()) return complain(path, "expected list, got &{" + printed(value) + "}");
        std::set<std::string> seen;
        std::size_t index = 0;
        for (const Json& item : value) {
            std::string missing;
            if (place.kind == Place::Kind::keyed_list && !item.is_object()) {
                complain(path, "element " + std::to_string(index) +
                                   ": associative list with keys may not have non-map elements");
                return;
            }
            const std::string step = apply::item_step(place, item, &missing);
            if (step.empty()) {
                complain(path, "element " + std::to_string(index) +
                                   ": associative list with keys has an element that omits key field " +
                                   go_quote(missing) + " (and doesn't have default value)");
                return;
            }
            if (!seen.insert(step).second) {
                complain(path, "duplicate entries for key " + readable_step(step));
                return;
            }
            check(apply::element_of(place), item, path + readable_step(step));
            ++index;
        }
    }

    void check_leaf(const Place& place, const Json& value, const std::string& path) {
        const FieldInfo* field = place.field;
        if (field == nullptr) return;
        // Atomic containers: their contents are checked like any other.
        if (field->shape == Shape::list) {
            if (!value.is_array()) return complain(path, "expected list, got &{" + printed(value) + "}");
            std::size_t index = 0;
            for (const Json& item : value)
                check_value(*field, item, path + "[" + std::to_string(index++) + "]");
            return;
        }
        if (field->shape == Shape::map) {
            if (!value.is_object()) return complain(path, "expected map, got &{" + printed(value) + "}");
            for (const auto& [name, member] : value.items()) check_value(*field, member, path + "." + name);
            return;
        }
        check_value(*field, value, path);
    }

    void check_value(const FieldInfo& field, const Json& value, const std::string& path) {
        if (value.is_null()) return;
        switch (field.kind) {
            case ValueKind::object:
                if (!value.is_object()) return complain(path, "expected map, got &{" + printed(value) + "}");
                if (field.type != nullptr) check_record(*field.type, value, path);
                return;
            case ValueKind::boolean:
                if (!value.is_boolean())
                    complain(path, "expected boolean, got &value.valueUnstructured{Value:" +
                                       printed_as_go(value) + "}");
                return;
            case ValueKind::int32:
            case ValueKind::int64:
            case ValueKind::float64:
                if (!value.is_number())
                    complain(path, "expected numeric (int or float), got " + type_name(value));
                return;
            case ValueKind::quantity:
            case ValueKind::int_or_string:
                if (value.is_structured())
                    complain(path, "expected any scalar, got &{" + printed(value) + "}");
                return;
            case ValueKind::raw:
            case ValueKind::fields_v1:
                return;
            default:
                if (!value.is_string())
                    complain(path, "expected string, got &value.valueUnstructured{Value:" +
                                       printed_as_go(value) + "}");
        }
    }

    std::vector<std::string>& complaints_;
};

}  // namespace

std::vector<std::string> check_applied(const Json& object, const TypeInfo& type) {
    std::vector<std::string> complaints;
    Checker(complaints).check(apply::place_of(type), object, {});
    return complaints;
}

std::string join_complaints(const std::vector<std::string>& complaints) {
    if (complaints.size() == 1) return complaints.front();
    std::string text = "errors:";
    for (const std::string& complaint : complaints) text += "\n  " + complaint;
    return text;
}

}  // namespace kubemu::api

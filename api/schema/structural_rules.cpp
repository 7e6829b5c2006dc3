// What makes a schema structural (k8s.io/apiextensions-apiserver/pkg/apiserver/schema/validation.go).
//
// A structural schema says the type of every value outside of allOf, anyOf, oneOf and not; below those it only
// narrows what has been said.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "api/schema/structural.h"

namespace kubemu::api::structural {
namespace {

enum class Level { root, item, field };

bool only_type(const Schema& schema, std::string_view type) {
    return schema.type == type && schema.properties.empty() && !schema.items && schema.format.empty() &&
           schema.any_of.empty() && schema.all_of.empty() && schema.one_of.empty() && !schema.not_of;
}

// anyOf: [integer, string], which x-kubernetes-int-or-string may carry.
bool says_int_or_string(const std::vector<Schema>& any_of) {
    return any_of.size() == 2 && only_type(any_of[0], "integer") && only_type(any_of[1], "string");
}

class Checker {
  public:
    explicit Checker(FieldErrors& errors) : errors_(errors) {}

    void node(const Schema& schema, Level level, const FieldPath& path) {
        if (schema.type == "array" && !schema.items) errors_.required(path.child("items"), "must be specified");
        if (schema.items) node(*schema.items, Level::item, path.child("items"));
        for (const Property& property : schema.properties) {
            node(property.schema, Level::field, path.child("properties").key(property.name));
        }
        if (schema.has_additional() && level == Level::root) {
            errors_.forbidden(path.child("additionalProperties"), "must not be used at the root");
        }
        if (schema.additional_properties) {
            node(*schema.additional_properties, Level::field, path.child("additionalProperties"));
        }
        if (schema.int_or_string && schema.preserves_unknown()) {
            errors_.invalid(path.child("x-kubernetes-preserve-unknown-fields"), true,
                            "must be false if x-kubernetes-int-or-string is true");
        }
        if (schema.int_or_string && schema.embedded_resource) {
            errors_.invalid(path.child("x-kubernetes-embedded-resource"), true,
                            "must be false if x-kubernetes-int-or-string is true");
        }
        const bool first_of_all = !schema.all_of.empty() && says_int_or_string(schema.all_of[0].any_of);
        values(schema, says_int_or_string(schema.any_of), first_of_all, path);
        own_type(schema, level, path);
        metadata(schema, level, path);
    }

  private:
    void own_type(const Schema& schema, Level level, const FieldPath& path) {
        if (schema.embedded_resource && schema.type != "object") {
            const std::string_view what = "must be object if x-kubernetes-embedded-resource is true";
            if (schema.type.empty()) errors_.required(path.child("type"), what);
            else errors_.invalid(path.child("type"), schema.type, what);
        } else if (schema.type.empty() && !schema.int_or_string && !schema.preserves_unknown()) {
            errors_.required(path.child("type"), level == Level::root   ? "must not be empty at the root"
                                                 : level == Level::item ? "must not be empty for specified array items"
                                                                        : "must not be empty for specified object fields");
        }
        if (schema.embedded_resource && schema.has_additional()) {
            errors_.forbidden(path.child("additionalProperties"), "must not be used if x-kubernetes-embedded-resource is set");
        }
        if (level == Level::root && !schema.type.empty() && schema.type != "object") {
            errors_.invalid(path.child("type"), schema.type, "must be object at the root");
        }
    }

    void metadata(const Schema& schema, Level level, const FieldPath& path) {
        const bool is_resource = level == Level::root || schema.embedded_resource;
        const FieldPath properties = path.child("properties");
        for (const char* name : {"kind", "apiVersion"}) {
            const Schema* found = is_resource ? schema.property(name) : nullptr;
            if (found != nullptr && found->type != "string") {
                errors_.invalid(properties.key(name).child("type"), found->type, "must be string");
            }
        }
        if (const Schema* found = schema.property("metadata")) {
            if (is_resource && found->type != "object") {
                errors_.invalid(properties.key("metadata").child("type"), found->type, "must be object");
            }
            if (level == Level::root && restricts_more_than_names(*found)) {
                errors_.forbidden(properties.key("metadata"),
                                  "must not specify anything other than name and generateName, but metadata is implicitly specified");
            }
        }
        if (schema.embedded_resource && !schema.preserves_unknown() && schema.properties.empty()) {
            errors_.required(properties, "must not be empty if x-kubernetes-embedded-resource is true without "
                                         "x-kubernetes-preserve-unknown-fields");
        }
    }

    static bool restricts_more_than_names(const Schema& metadata) {
        std::size_t names = 0;
        for (const Property& property : metadata.properties) {
            if (property.name == "name" || property.name == "generateName") ++names;
        }
        const bool only_names = names == metadata.properties.size();
        return !only_names || metadata.items || metadata.has_additional() || !metadata.title.empty() ||
               !metadata.description.empty() || metadata.nullable || metadata.preserve_unknown_fields.has_value() ||
               metadata.embedded_resource || metadata.int_or_string || metadata.list_type || metadata.map_type ||
               !metadata.list_map_keys.empty() || !metadata.validations.empty() || has_value_validation(metadata);
    }

    static bool has_value_validation(const Schema& s) {
        return !s.format.empty() || s.minimum || s.maximum || s.multiple_of || s.min_length || s.max_length ||
               !s.pattern.empty() || s.min_items || s.max_items || s.unique_items || !s.enum_values.empty() ||
               s.min_properties || s.max_properties || !s.required.empty() || !s.all_of.empty() || !s.any_of.empty() ||
               !s.one_of.empty() || s.not_of || s.exclusive_minimum || s.exclusive_maximum;
    }

    void values(const Schema& schema, bool skip_any_of, bool skip_first_of_all, const FieldPath& path) {
        if (!skip_any_of) {
            for (std::size_t i = 0; i < schema.any_of.size(); ++i) nested(schema.any_of[i], false, path.child("anyOf").index(i));
        }
        for (std::size_t i = 0; i < schema.all_of.size(); ++i) {
            nested(schema.all_of[i], skip_first_of_all && i == 0, path.child("allOf").index(i));
        }
        for (std::size_t i = 0; i < schema.one_of.size(); ++i) nested(schema.one_of[i], false, path.child("oneOf").index(i));
        if (schema.not_of) nested(*schema.not_of, false, path.child("not"));
        if (schema.regex && !schema.regex->error().empty()) {
            errors_.invalid(path.child("pattern"), schema.pattern,
                            "must be a valid regular expression, but isn't: " + schema.regex->error());
        }
    }

    // Below a logical junctor.
    void nested(const Schema& schema, bool skip_any_of, const FieldPath& path) {
        values(schema, skip_any_of, false, path);
        if (schema.items) nested(*schema.items, false, path.child("items"));
        for (const Property& property : schema.properties) {
            nested(property.schema, false, path.child("properties").key(property.name));
        }
        const auto forbid = [&](bool holds, const char* keyword, const char* why) {
            if (holds) errors_.forbidden(path.child(keyword), why);
        };
        forbid(!schema.type.empty(), "type", "must be empty to be structural");
        forbid(schema.has_additional(), "additionalProperties", "must be undefined to be structural");
        forbid(schema.default_value != nullptr, "default", "must be undefined to be structural");
        forbid(!schema.title.empty(), "title", "must be empty to be structural");
        forbid(!schema.description.empty(), "description", "must be empty to be structural");
        forbid(schema.nullable, "nullable", "must be false to be structural");
        forbid(schema.preserves_unknown(), "x-kubernetes-preserve-unknown-fields", "must be false to be structural");
        forbid(schema.embedded_resource, "x-kubernetes-embedded-resource", "must be false to be structural");
        forbid(schema.int_or_string, "x-kubernetes-int-or-string", "must be false to be structural");
        forbid(!schema.list_map_keys.empty(), "x-kubernetes-list-map-keys", "must be empty to be structural");
        forbid(schema.list_type.has_value(), "x-kubernetes-list-type", "must be undefined to be structural");
        forbid(schema.map_type.has_value(), "x-kubernetes-map-type", "must be undefined to be structural");
        forbid(!schema.validations.empty(), "x-kubernetes-validations", "must be empty to be structural");
        if (schema.property("metadata") != nullptr) {
            errors_.forbidden(path.child("properties").key("metadata"), "must not be specified in a nested context");
        }
    }

    FieldErrors& errors_;
};

// Whatever the root's junctors speak of must be specified outside of them: every property and the items. (The real
// server does not look at the junctors further down.)
class Completeness {
  public:
    explicit Completeness(FieldErrors& errors) : errors_(errors) {}

    void root(const Schema& schema, const FieldPath& path) { junctors(schema, &schema, path, path); }

  private:
    void junctors(const Schema& from, const Schema* skeleton, const FieldPath& said, const FieldPath& wanted) {
        const auto each = [&](const std::vector<Schema>& group, const char* keyword) {
            for (std::size_t i = 0; i < group.size(); ++i) nested(group[i], skeleton, said.child(keyword).index(i), wanted);
        };
        each(from.all_of, "allOf");
        each(from.any_of, "anyOf");
        each(from.one_of, "oneOf");
        if (from.not_of) nested(*from.not_of, skeleton, said.child("not"), wanted);
    }

    void nested(const Schema& narrowing, const Schema* skeleton, const FieldPath& said, const FieldPath& wanted) {
        junctors(narrowing, skeleton, said, wanted);
        if (narrowing.items) {
            const FieldPath at = wanted.child("items");
            if (!skeleton->items) missing(at, said.child("items"));
            else nested(*narrowing.items, skeleton->items.get(), said.child("items"), at);
        }
        for (const Property& property : narrowing.properties) {
            const FieldPath at = wanted.child("properties").key(property.name);
            const FieldPath here = said.child("properties").key(property.name);
            const Schema* own = skeleton->property(property.name);
            if (own == nullptr) missing(at, here);
            else nested(property.schema, own, here, at);
        }
    }

    void missing(const FieldPath& at, const FieldPath& because) {
        errors_.required(at, "because it is defined in " + because.text());
    }

    FieldErrors& errors_;
};

}  // namespace

void validate_structural(const Schema& schema, const FieldPath& path, FieldErrors& errors) {
    FieldErrors found;
    Checker(found).node(schema, Level::root, path);
    Completeness(found).root(schema, path);
    std::vector<FieldError> sorted = found.all();
    std::sort(sorted.begin(), sorted.end(), [](const FieldError& a, const FieldError& b) {
        return a.field + ": " + a.message < b.field + ": " + b.message;
    });
    for (FieldError& error : sorted) errors.add(std::move(error));
}

}  // namespace kubemu::api::structural

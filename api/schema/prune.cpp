// The walks over object and structural schema.
#include "api/schema/prune.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/values/text.h"

namespace kubemu::api::structural {
namespace {

bool is_meta(std::string_view name) { return name == "apiVersion" || name == "kind" || name == "metadata"; }

// Grows and shrinks with the walk: "spec.items[1].name".
class Path {
  public:
    std::size_t enter(std::string_view key) {
        const std::size_t before = text_.size();
        if (!text_.empty()) text_ += '.';
        text_ += key;
        return before;
    }
    std::size_t enter(std::size_t index) {
        const std::size_t before = text_.size();
        text_ += "[" + std::to_string(index) + "]";
        return before;
    }
    void leave(std::size_t before) { text_.resize(before); }
    const std::string& text() const { return text_; }

  private:
    std::string text_;
};

class Pruner {
  public:
    std::vector<std::string> unknown;

    // `embedded` stands for the root, which is a resource whatever its schema says.
    void prune(Json& value, const Schema* schema, bool embedded) {
        if (schema != nullptr && schema->preserves_unknown()) return keep(value, *schema, embedded);
        if (value.is_object()) {
            for (auto at = value.begin(); at != value.end();) {
                if (known_member(at.key(), *at, schema, embedded)) {
                    ++at;
                    continue;
                }
                const bool implied = is_meta(at.key()) && path_.text().empty();
                if (schema == nullptr || !implied) {
                    const std::size_t before = path_.enter(std::string_view(at.key()));
                    unknown.push_back(path_.text());
                    path_.leave(before);
                }
                at = value.erase(at);
            }
        } else if (value.is_array()) {
            for (std::size_t i = 0; i < value.size(); ++i) {
                const std::size_t before = path_.enter(i);
                prune(value[i], schema == nullptr ? nullptr : schema->items.get(), is_embedded(schema));
                path_.leave(before);
            }
        }
    }

  private:
    static bool is_embedded(const Schema* parent) {
        return parent != nullptr && parent->items && parent->items->embedded_resource;
    }

    // Goes into members that the schema knows.
    bool known_member(const std::string& name, Json& member, const Schema* schema, bool embedded) {
        if (schema == nullptr) return false;
        if (embedded && is_meta(name)) return true;
        const Schema* own = schema->property(name);
        if (own == nullptr && !schema->has_additional()) return false;
        if (own == nullptr) own = schema->additional_properties.get();
        const std::size_t before = path_.enter(std::string_view(name));
        prune(member, own, own != nullptr && own->embedded_resource);
        path_.leave(before);
        return true;
    }

    // x-kubernetes-preserve-unknown-fields: only what is specified nonetheless is pruned.
    void keep(Json& value, const Schema& schema, bool embedded) {
        if (value.is_object()) {
            for (auto at = value.begin(); at != value.end(); ++at) {
                if (!(embedded && is_meta(at.key()))) known_member(at.key(), *at, &schema, embedded);
            }
        } else if (value.is_array() && schema.items) {
            for (std::size_t i = 0; i < value.size(); ++i) {
                const std::size_t before = path_.enter(i);
                keep(value[i], *schema.items, schema.items->embedded_resource);
                path_.leave(before);
            }
        }
    }

    Path path_;
};

const TypeInfo& object_meta() {
    static const TypeInfo* const type = find_type("meta/v1.ObjectMeta");
    return *type;
}

// Types kind, apiVersion and metadata of embedded resources.
class Coercer {
  public:
    explicit Coercer(std::vector<std::string>& unknown) : unknown_(unknown) {}

    Result<bool, Malformed> walk(Json& value, const Schema* schema, const FieldPath& path) {
        if (schema == nullptr) return true;
        if (value.is_array()) {
            for (std::size_t i = 0; i < value.size(); ++i) TRY(walk(value[i], schema->items.get(), path.index(i)));
            return true;
        }
        if (!value.is_object()) return true;
        for (auto at = value.begin(); at != value.end(); ++at) {
            if (schema->embedded_resource) TRY(meta(at.key(), *at, path));
            if (const Schema* own = schema->property(at.key())) {
                TRY(walk(*at, own, path.child(at.key())));
            } else if (schema->additional_properties) {
                TRY(walk(*at, schema->additional_properties.get(), path.key(at.key())));
            }
        }
        return true;
    }

    // Errors are plain; the caller says where.
    Result<bool, Malformed> metadata(Json& value, const std::string& where) {
        std::vector<std::string> complaints;
        if (const auto typed = conform(value, object_meta(), "ObjectMeta", complaints); !typed) {
            return Malformed{typed.error().message};
        }
        for (const std::string& complaint : complaints) {
            const std::size_t quote = complaint.find('"');
            unknown_.push_back(where + "." + complaint.substr(quote + 1, complaint.size() - quote - 2));
        }
        return true;
    }

  private:
    Result<bool, Malformed> meta(const std::string& name, Json& value, const FieldPath& path) {
        FieldErrors errors;
        if (name == "apiVersion" || name == "kind") {
            if (!value.is_string()) errors.invalid(path.child(name), value, "must be a string");
        } else if (name == "metadata") {
            const Json before = value;
            if (const auto typed = metadata(value, path.child(name).text()); !typed) {
                errors.invalid(path.child(name), before, typed.error().message);
            }
        }
        if (errors.empty()) return true;
        return Malformed{errors.all()[0].field + ": " + errors.all()[0].message};
    }

    std::vector<std::string>& unknown_;
};

bool is_null_to_prune(const Json& value, const Schema* schema) {
    return value.is_null() && schema != nullptr && !schema->nullable && schema->default_value == nullptr;
}

void default_null(Json& value, const Schema& schema) {
    if (value.is_null() && !schema.nullable && schema.default_value != nullptr) value = *schema.default_value;
}

}  // namespace

std::vector<std::string> prune(Json& object, const Schema& schema, bool resource_root) {
    Pruner pruner;
    pruner.prune(object, &schema, resource_root || schema.embedded_resource);
    std::sort(pruner.unknown.begin(), pruner.unknown.end());
    return std::move(pruner.unknown);
}

void prune_nulls(Json& object, const Schema& schema) {
    if (object.is_object()) {
        for (auto at = object.begin(); at != object.end();) {
            const Schema* own = schema.member(at.key());
            if (is_null_to_prune(*at, own)) {
                at = object.erase(at);
                continue;
            }
            if (own != nullptr) prune_nulls(*at, *own);
            ++at;
        }
    } else if (object.is_array() && schema.items) {
        for (Json& item : object) prune_nulls(item, *schema.items);
    }
}

void set_defaults(Json& object, const Schema& schema) {
    if (object.is_object()) {
        for (const Property& property : schema.properties) {
            const Schema& own = property.schema;
            if (own.default_value == nullptr) continue;
            const auto at = object.find(property.name);
            if (at == object.end()) object[property.name] = *own.default_value;
            else default_null(*at, own);
        }
        for (auto at = object.begin(); at != object.end(); ++at) {
            const Schema* own = schema.member(at.key());
            if (own == nullptr) continue;
            default_null(*at, *own);
            set_defaults(*at, *own);
        }
    } else if (object.is_array() && schema.items) {
        for (Json& item : object) {
            default_null(item, *schema.items);
            set_defaults(item, *schema.items);
        }
    }
}

Result<bool, Malformed> coerce(Json& object, const Schema& schema, std::vector<std::string>& unknown) {
    std::vector<std::string> paths;
    Coercer coercer(paths);
    if (const auto metadata = object.find("metadata"); metadata != object.end() && !metadata->is_null()) {
        TRY(coercer.metadata(*metadata, "metadata"));
    }
    std::vector<std::string> pruned = prune(object, schema, true);
    prune_nulls(object, schema);
    paths.insert(paths.end(), std::make_move_iterator(pruned.begin()), std::make_move_iterator(pruned.end()));
    TRY(coercer.walk(object, &schema, FieldPath()));
    for (const std::string& path : paths) unknown.push_back("unknown field " + go_quote(path));
    return true;
}

}  // namespace kubemu::api::structural

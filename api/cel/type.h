// Types of CEL expressions as the checker knows them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/schema/structural.h"

namespace kubemu::api::cel {

struct Type;
using TypePtr = std::shared_ptr<const Type>;
// Fields by name.
using TypeFields = std::map<std::string, TypePtr, std::less<>>;

struct Type {
    // "dyn", "bool", "int", "uint", "double", "string", "bytes", "null_type", "timestamp", "duration", "type", "list",
    // "map", "optional_type", "object", "parameter", "error", or an opaque type of Kubernetes.
    std::string name;
    std::vector<TypePtr> parameters;              // of list, map, optional_type, type
    const structural::Schema* schema = nullptr;   // of objects, and of whatever stands in a document
    bool resource = false;                        // an object with kind, apiVersion and metadata
    std::string path;                             // of objects: how messages call them
    std::shared_ptr<const TypeFields> fields;     // of objects that no schema describes
    std::optional<std::uint64_t> elements_max;    // how long it can be, where it is declared and no schema says so

    bool is(std::string_view wanted) const { return name == wanted; }
};

TypePtr simple_type(std::string_view name);
// What may be anything (google.protobuf.Any): dyn by another name.
TypePtr any_type();
TypePtr sized(const TypePtr& type, std::uint64_t elements_max);
TypePtr list_of(TypePtr item);
TypePtr map_of(TypePtr key, TypePtr value);
TypePtr optional_of(TypePtr inner);
TypePtr object_of(std::string name, TypeFields fields);
std::string print_type(const Type& type);
// As cel-go's Type.String: well-known types by the names of their messages.
std::string declared_name(const Type& type);

// The type of what a schema describes; null for what expressions cannot see (k8s.io/apiserver/pkg/cel/common,
// SchemaDeclType).
TypePtr type_of_schema(const structural::Schema& schema, bool resource, const std::string& path);
// The type of a field of an object; null when it has none of this name (as expressions spell it).
TypePtr type_of_field(const Type& object, std::string_view name);

// How much of it a request can hold: characters of strings, items of lists and maps (SchemaDeclType's MaxElements).
std::uint64_t max_size(const structural::Schema& schema);
// The fewest bytes of JSON that it takes.
std::int64_t min_bytes(const structural::Schema& schema);

}  // namespace kubemu::api::cel

// KindSpec: everything about one served kind that can be declared; the rest is KindRules (api/kinds/rules.h).
//
// A value, not a class hierarchy: the built-in kinds are constant tables compiled from api/schema/*.yaml, and a
// CustomResourceDefinition makes the same value at run time.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "api/schema/type.h"

namespace kubemu::api {

class JsonPath;
struct CustomVersion;

enum class Verb : std::uint16_t {
    get = 1 << 0,
    list = 1 << 1,
    watch = 1 << 2,
    create = 1 << 3,
    update = 1 << 4,
    patch = 1 << 5,
    del = 1 << 6,
    delete_collection = 1 << 7,
};

struct ColumnSpec {
    std::string_view name{};
    std::string_view type{};    // string, integer, date, boolean, number
    std::string_view format{};  // "name" for the first column, else mostly empty
    std::string_view description{};
    int priority = 0;         // 1: only with -o wide
    std::string_view cell{};    // ".spec.replicas" (a path) or "pod_ready" (a function of api/documents/cells.h)
    const JsonPath* json_path = nullptr;  // of a custom resource's column; `cell` is then its text
};

struct SubresourceSpec {
    std::string_view name{};   // "status"
    std::string_view kind{};   // kind of its body, "Scale" for scale; discovery prints it
    std::string_view group{};  // group and version of that kind when they differ from the parent's; empty otherwise
    std::string_view version{};
    std::uint16_t verbs = 0;
    const TypeInfo* type = nullptr;  // type of its body
};

// Where a selectable field lives: field "status.phase" is read from `path`, absent counts as `fallback`.
struct SelectableField {
    std::string_view label{};
    std::string_view path{};
    std::string_view fallback{};
};

struct KindSpec {
    std::string_view group{};    // "" for core
    std::string_view version{};
    std::string_view kind{};
    std::string_view list_kind{};
    std::string_view plural{};
    std::string_view singular{};
    std::span<const std::string_view> short_names{};
    std::span<const std::string_view> categories{};
    bool namespaced = true;
    std::uint16_t verbs = 0;              // of Verb
    std::span<const SubresourceSpec> subresources{};
    const TypeInfo* type = nullptr;
    // Where its objects are stored: "deployments.apps", "pods". Two specs with the same one are two versions of the
    // same stored objects; exactly one of them has `storage_version` set and says in which form they are stored.
    std::string_view resource{};
    bool storage_version = true;
    bool served = true;  // false: objects are stored in this version, and nobody can ask for it
    bool deprecated = false;
    std::string_view deprecation_warning{};   // the Warning header's text; empty when not deprecated
    std::string_view deprecated_in{};         // release that begins to send it ("1.21"); empty: every release does
    std::string_view introduced{}, removed{};   // Kubernetes releases that bound its being served ("1.21"); empty: no bound
    std::span<const SelectableField> selectable_fields{};  // beyond metadata.name and metadata.namespace
    std::span<const ColumnSpec> columns{};
    // Deletion of a running instance waits for its node (pods only).
    bool graceful_deletion = false;
    // DELETE answers with the object rather than with a Status (Pod, Service, Namespace, PersistentVolume...).
    bool delete_returns_object = false;
    bool allow_create_on_update = false;
    bool allow_unconditional_update = true;
    // metadata.generation is kept: it rises with each change of spec.
    bool has_generation = false;
    std::string_view rules{};               // name of its KindRules; empty when everything is declared
    const CustomVersion* custom = nullptr;  // of a CustomResourceDefinition's kind; null for built-in kinds

    bool can(Verb verb) const { return (verbs & static_cast<std::uint16_t>(verb)) != 0; }
    const SubresourceSpec* subresource(std::string_view name) const;
};

// All built-in kinds of every version, ordered by group priority as /apis lists them, then by plural name.
std::span<const KindSpec> builtin_kinds();

struct GroupVersionSpec {
    std::string_view group{};
    std::string_view version{};
    bool preferred = false;
    int group_priority = 0, version_priority = 0;  // APIService's groupPriorityMinimum and versionPriority
};
// In the order in which /apis lists groups and each group its versions.
std::span<const GroupVersionSpec> builtin_group_versions();

}  // namespace kubemu::api

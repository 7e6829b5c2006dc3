// From a CustomResourceDefinition's document to kinds.
#include "api/crd/custom_resource.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "api/cel/rules.h"
#include "api/crd/versions.h"
#include "api/values/go_print.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

// What v1beta1's preserveUnknownFields asks for: nothing is pruned, anywhere.
void keep_unknown_fields(structural::Schema& schema) {
    schema.preserve_unknown_fields = true;
    for (structural::Property& property : schema.properties) keep_unknown_fields(property.schema);
    if (schema.items) keep_unknown_fields(*schema.items);
    if (schema.additional_properties) keep_unknown_fields(*schema.additional_properties);
}

constexpr std::uint16_t bit(Verb verb) { return static_cast<std::uint16_t>(verb); }
constexpr std::uint16_t all_verbs = bit(Verb::get) | bit(Verb::list) | bit(Verb::watch) | bit(Verb::create) | bit(Verb::update) |
                                   bit(Verb::patch) | bit(Verb::del) | bit(Verb::delete_collection);
constexpr std::uint16_t part_verbs = bit(Verb::get) | bit(Verb::update) | bit(Verb::patch);

// kind, apiVersion and metadata: what is known of every custom resource. The rest is its schema's.
std::span<const FieldInfo> common_fields() {
    static const std::array<FieldInfo, 3> fields = [] {
        std::array<FieldInfo, 3> made{};
        made[0].name = "kind";
        made[0].description = "Type of the object.";
        made[1].name = "apiVersion";
        made[1].description = "Group and version of the object's schema.";
        made[2].name = "metadata";
        made[2].kind = ValueKind::object;
        made[2].type = find_type("meta/v1.ObjectMeta");
        made[2].description = "Standard object metadata.";
        return made;
    }();
    return fields;
}

std::span<const std::uint16_t> common_order() {
    static constexpr std::uint16_t order[] = {1, 0, 2};
    return order;
}

ScalePath scale_path(std::string_view text) {
    ScalePath path{std::string(text), {}};
    if (!text.empty() && text[0] == '.') text.remove_prefix(1);
    for (const std::string_view step : split(text, '.')) path.steps.emplace_back(step);
    return path;
}

bool served(const Json& version) { return bool_at(version, {"served"}); }

std::string deprecation_warning(const Json& definition, const Json& version) {
    const Json* own = find(version, "deprecationWarning");
    if (own != nullptr && own->is_string()) return own->get<std::string>();
    const std::string group(string_at(definition, {"spec", "group"})), kind(string_at(definition, {"spec", "names", "kind"}));
    const std::string name(string_at(version, {"name"}));
    std::string better;
    for (const Json& other : array_at(definition, {"spec", "versions"})) {
        const std::string candidate(string_at(other, {"name"}));
        if (!served(other) || bool_at(other, {"deprecated"}) || compare_kube_versions(name, candidate) >= 0) continue;
        if (better.empty() || compare_kube_versions(candidate, better) > 0) better = candidate;
    }
    std::string text = group + "/" + name + " " + kind + " is deprecated";
    if (!better.empty()) text += "; use " + group + "/" + better + " " + kind;
    return text;
}

std::string reversed_group(std::string_view group) {
    std::string out;
    for (const std::string_view part : split(group, '.')) out = std::string(part) + (out.empty() ? "" : ".") + out;
    return out;
}

}  // namespace

std::string_view CustomResource::keep(std::string text) {
    texts_.push_back(std::move(text));
    return texts_.back();
}

std::span<const std::string_view> CustomResource::keep_list(const Json& list) {
    std::vector<std::string_view> kept;
    for (const Json& item : list) {
        if (item.is_string()) kept.push_back(keep(item.get<std::string>()));
    }
    lists_.push_back(std::move(kept));
    return lists_.back();
}

void CustomResource::set_columns(CustomVersion& custom, const Json& version) {
    std::vector<ColumnSpec> columns;
    columns.push_back({"Name", "string", "name", "Name of the object.", 0, ".metadata.name"});
    const auto add = [&](std::string name, std::string type, std::string format, std::string description, int priority,
                         const std::string& path) {
        auto parsed = JsonPath::parse(path);
        if (!parsed) return false;
        paths_.push_back(std::move(*parsed));
        ColumnSpec column;
        column.name = keep(std::move(name));
        column.type = keep(std::move(type));
        column.format = keep(std::move(format));
        column.description = keep(std::move(description));
        column.priority = priority;
        column.cell = keep(path);
        column.json_path = &paths_.back();
        columns.push_back(column);
        return true;
    };
    const Json& wanted = array_at(version, {"additionalPrinterColumns"});
    for (const Json& column : wanted) {
        const std::string path(string_at(column, {"jsonPath"}));
        std::string description(string_at(column, {"description"}));
        if (description.empty()) description = "Custom resource definition column (in JSONPath format): " + path;
        // Columns behind one that cannot be read are not shown.
        if (!add(std::string(string_at(column, {"name"})), std::string(string_at(column, {"type"})),
                 std::string(string_at(column, {"format"})), std::move(description),
                 static_cast<int>(int_at(column, {"priority"})), path)) {
            break;
        }
    }
    if (wanted.empty()) add("Age", "date", "", "Time since it was created.", 0, ".metadata.creationTimestamp");
    columns_.push_back(std::move(columns));
    custom.spec.columns = columns_.back();
}

void CustomResource::set_subresources(CustomVersion& custom, const Json& version) {
    std::vector<SubresourceSpec> subresources;
    const Json& wanted = object_at(version, {"subresources"});
    if (find(wanted, "status") != nullptr) {
        custom.has_status = true;
        subresources.push_back({"status", custom.spec.kind, {}, {}, part_verbs, &custom.type});
    }
    if (const Json* scale = find(wanted, "scale")) {
        ScalePaths paths{scale_path(string_at(*scale, {"specReplicasPath"})), scale_path(string_at(*scale, {"statusReplicasPath"})), {}};
        if (const std::string_view selector = string_at(*scale, {"labelSelectorPath"}); !selector.empty()) {
            paths.label_selector = scale_path(selector);
        }
        custom.scale = std::move(paths);
        subresources.push_back({"scale", "Scale", "autoscaling", "v1", part_verbs, find_type("autoscaling/v1.Scale")});
    }
    subresources_.push_back(std::move(subresources));
    custom.spec.subresources = subresources_.back();
}

void CustomResource::add_version(const Json& definition, const Json& version) {
    CustomVersion& custom = versions_.emplace_back();
    custom.resource = this;
    const Json& names = object_at(definition, {"status", "acceptedNames"});
    KindSpec& spec = custom.spec;
    spec.group = keep(std::string(string_at(definition, {"spec", "group"})));
    spec.version = keep(std::string(string_at(version, {"name"})));
    spec.kind = keep(std::string(string_at(names, {"kind"})));
    spec.list_kind = keep(std::string(string_at(names, {"listKind"})));
    spec.plural = keep(std::string(string_at(names, {"plural"})));
    spec.singular = keep(std::string(string_at(names, {"singular"})));
    spec.short_names = keep_list(array_at(names, {"shortNames"}));
    spec.categories = keep_list(array_at(names, {"categories"}));
    spec.namespaced = string_at(definition, {"spec", "scope"}) == "Namespaced";
    spec.resource = name_;
    spec.storage_version = bool_at(version, {"storage"});
    spec.served = served(version);
    spec.verbs = all_verbs;
    spec.allow_unconditional_update = false;
    spec.has_generation = true;
    spec.custom = &custom;
    spec.deprecated = bool_at(version, {"deprecated"});
    if (spec.deprecated) spec.deprecation_warning = keep(deprecation_warning(definition, version));

    custom.document = std::make_shared<const Json>(object_at(version, {"schema", "openAPIV3Schema"}));
    custom.schema = structural::parse_schema(*custom.document);
    if (bool_at(definition, {"spec", "preserveUnknownFields"})) keep_unknown_fields(custom.schema);
    cel::compile_rules(custom.schema);
    custom.status_schema = custom.schema.property("status");
    TypeInfo& type = custom.type;
    type.name = keep(std::string(spec.group) + "/" + std::string(spec.version) + "." + std::string(spec.kind));
    type.openapi_name = keep(reversed_group(spec.group) + "." + std::string(spec.version) + "." + std::string(spec.kind));
    type.description = keep(custom.schema.description);
    type.fields = common_fields();
    type.fields_by_name = common_order();
    type.has_type_meta = true;
    type.has_defaults = true;
    type.structural = &custom.schema;
    spec.type = &type;

    set_columns(custom, version);
    set_subresources(custom, version);
    std::vector<SelectableField> fields;
    for (const Json& field : array_at(version, {"selectableFields"})) {
        std::string_view path = keep(std::string(string_at(field, {"jsonPath"})));
        if (!path.empty() && path[0] == '.') path.remove_prefix(1);
        fields.push_back({path, path, {}});
    }
    fields_.push_back(std::move(fields));
    spec.selectable_fields = fields_.back();
    if (spec.storage_version) stored_ = &custom;
}

std::shared_ptr<const CustomResource> CustomResource::make(const Json& definition, storage::Revision schema_revision) {
    auto made = std::make_shared<CustomResource>();
    made->name_ = name_of(definition);
    made->schema_revision_ = schema_revision;
    made->terminating_ = find(definition, {"metadata", "deletionTimestamp"}) != nullptr;
    if (string_at(definition, {"spec", "conversion", "strategy"}) == "Webhook") {
        made->conversion_webhook_ = std::make_shared<const Json>(object_at(definition, {"spec", "conversion", "webhook"}));
    }
    const Json& names = object_at(definition, {"status", "acceptedNames"});
    for (const char* name : {"plural", "singular", "kind", "listKind"}) {
        if (string_at(names, {name}).empty()) return nullptr;
    }
    for (const Json& version : array_at(definition, {"spec", "versions"})) {
        if (served(version) || bool_at(version, {"storage"})) made->add_version(definition, version);
    }
    return made->stored_ == nullptr ? nullptr : made;
}

const Json* value_at(const Json& object, const ScalePath& path, std::string* complaint) {
    const Json* at = &object;
    std::string walked;
    for (const std::string& step : path.steps) {
        walked += "." + step;
        if (at->is_null()) return nullptr;
        if (!at->is_object()) {
            if (complaint != nullptr) *complaint = walked + " accessor error: " + go_typed(*at) + ", expected map[string]interface{}";
            return nullptr;
        }
        const auto found = at->find(step);
        if (found == at->end()) return nullptr;
        at = &*found;
    }
    return at;
}

}  // namespace kubemu::api

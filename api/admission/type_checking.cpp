// Types of the type table as expressions see them.
#include "api/admission/type_checking.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "api/cel/admission.h"
#include "api/crd/custom_resource.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

constexpr std::size_t kinds_max = 10;  // maxTypesToCheck

// Types within types, down to where one holds itself (JSONSchemaProps).
class DeclaredTypes {
  public:
    cel::TypePtr of(const TypeInfo& type) {
        if (const auto at = made_.find(&type); at != made_.end()) return at->second;
        made_[&type] = cel::simple_type("dyn");
        cel::TypeFields fields;
        for (const FieldInfo& field : type.fields) fields.emplace(std::string(field.name), of(field));
        if (type.has_type_meta) {
            for (const char* name : {"kind", "apiVersion"}) fields.emplace(name, cel::simple_type("string"));
        }
        return made_[&type] = cel::object_of(std::string(type.openapi_name), std::move(fields));
    }

  private:
    cel::TypePtr of(const FieldInfo& field) {
        const cel::TypePtr value = single(field);
        switch (field.shape) {
            case Shape::single: return value;
            case Shape::list: return cel::list_of(value);
            case Shape::map: return cel::map_of(cel::simple_type("string"), value);
            case Shape::map_of_lists: return cel::map_of(cel::simple_type("string"), cel::list_of(value));
        }
        return value;
    }

    cel::TypePtr single(const FieldInfo& field) {
        switch (field.kind) {
            case ValueKind::string:
            case ValueKind::duration: return cel::simple_type("string");
            case ValueKind::boolean: return cel::simple_type("bool");
            case ValueKind::int32:
            case ValueKind::int64: return cel::simple_type("int");
            case ValueKind::float64: return cel::simple_type("double");
            case ValueKind::bytes: return cel::simple_type("bytes");
            case ValueKind::time:
            case ValueKind::micro_time: return cel::simple_type("timestamp");
            case ValueKind::object: return field.type == nullptr ? cel::simple_type("dyn") : of(*field.type);
            case ValueKind::quantity:
            case ValueKind::int_or_string:
            case ValueKind::raw:
            case ValueKind::fields_v1: break;
        }
        return cel::simple_type("dyn");
    }

    std::map<const TypeInfo*, cel::TypePtr> made_;
};

cel::TypePtr declared(const KindSpec& kind) {
    if (kind.custom != nullptr) return cel::type_of_schema(kind.custom->schema, true, std::string(kind.kind));
    return DeclaredTypes().of(*kind.type);
}

// What a rule names without wildcards; subresources are left out.
std::vector<std::string> plain_names(const Json& list, bool resources) {
    std::vector<std::string> names;
    for (const Json& entry : list) {
        if (!entry.is_string()) continue;
        const std::string& name = entry.get_ref<const std::string&>();
        if (name.find('*') != std::string::npos) {
            if (resources) continue;
            return {};
        }
        if (!resources || name.find('/') == std::string::npos) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

// Ordered by group, version and kind.
std::vector<const KindSpec*> kinds_of(const KindRegistry& kinds, const Json& policy) {
    std::map<std::tuple<std::string_view, std::string_view, std::string_view>, const KindSpec*> found;
    for (const Json& rule : array_at(policy, {"spec", "matchConstraints", "resourceRules"})) {
        for (const std::string& group : plain_names(array_at(rule, {"apiGroups"}), false)) {
            for (const std::string& version : plain_names(array_at(rule, {"apiVersions"}), false)) {
                for (const std::string& resource : plain_names(array_at(rule, {"resources"}), true)) {
                    const KindSpec* kind = kinds.by_plural(group, version, resource);
                    if (kind != nullptr && found.size() < kinds_max) found.emplace(std::tuple(kind->group, kind->version, kind->kind), kind);
                }
            }
        }
    }
    std::vector<const KindSpec*> out;
    for (const auto& [name, kind] : found) out.push_back(kind);
    return out;
}

// Complaints about one expression, kind by kind; empty when there are none.
std::string complaints(const std::string& source, const Json& policy, const std::vector<const KindSpec*>& kinds,
                       const std::vector<cel::TypePtr>& types, const cel::TypePtr& params) {
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < kinds.size(); ++i) {
        cel::AdmissionEnvironment environment;
        environment.params = find(policy, {"spec", "paramKind"}) != nullptr;
        environment.params_type = params;
        environment.object = environment.old_object = types[i];
        for (const Json& variable : array_at(policy, {"spec", "variables"})) {
            cel::compile_variable(std::string(string_at(variable, {"name"})), std::string(string_at(variable, {"expression"})), environment);
        }
        const auto compiled = cel::compile_admission(source, environment, cel::AdmissionScope::authorizer, {});
        if (compiled.error.empty()) continue;
        std::string_view why = compiled.error;
        constexpr std::string_view refused = "compilation failed: ";  // which is said of what is refused alone
        if (why.starts_with(refused)) why.remove_prefix(refused.size());
        lines.push_back(std::string(kinds[i]->group) + "/" + std::string(kinds[i]->version) + ", Kind=" + std::string(kinds[i]->kind) + ": " +
                        std::string(why) + "\n");
    }
    return join(lines, "\n");
}

}  // namespace

Json expression_warnings(const KindRegistry& registry, const Json& policy) {
    const std::vector<const KindSpec*> kinds = kinds_of(registry, policy);
    std::vector<cel::TypePtr> types;
    for (const KindSpec* kind : kinds) types.push_back(declared(*kind));
    cel::TypePtr params;
    const std::string_view version = string_at(policy, {"spec", "paramKind", "apiVersion"});
    const std::size_t slash = version.find('/');
    const KindSpec* param_kind = registry.by_kind(slash == std::string_view::npos ? std::string_view() : version.substr(0, slash),
                                                  slash == std::string_view::npos ? version : version.substr(slash + 1),
                                                  string_at(policy, {"spec", "paramKind", "kind"}));
    if (param_kind != nullptr) params = declared(*param_kind);
    Json warnings = Json::array();
    const Json& validations = array_at(policy, {"spec", "validations"});
    for (std::size_t i = 0; i < validations.size(); ++i) {
        for (const char* member : {"expression", "messageExpression"}) {
            const std::string source(string_at(validations[i], {member}));
            if (source.empty()) continue;
            const std::string warning = complaints(source, policy, kinds, types, params);
            if (warning.empty()) continue;
            warnings.push_back({{"fieldRef", "spec.validations[" + std::to_string(i) + "]." + member}, {"warning", warning}});
        }
    }
    return warnings;
}

}  // namespace kubemu::api

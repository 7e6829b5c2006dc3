// Rules of StorageClasses (kubernetes pkg/apis/storage/validation).
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "api/kinds/node_label_warnings.h"
#include "api/kinds/rules.h"
#include "api/kinds/storage/provisioner.h"
#include "api/kinds/validation.h"

namespace kubemu::api::kinds {
namespace {

using Term = std::map<std::string, std::set<std::string>>;

Term validate_term(const Json& term, const FieldPath& path, FieldErrors& errors) {
    Term values_of_key;
    std::size_t i = 0;
    for (const Json& expression : array_at(term, {"matchLabelExpressions"})) {
        const FieldPath at = path.child("matchLabelExpressions").index(i++);
        const std::string key(string_at(expression, {"key"}));
        const Json& values = array_at(expression, {"values"});
        if (values.empty()) errors.required(at.child("values"), "");
        std::set<std::string> seen;
        for (std::size_t j = 0; j < values.size(); ++j) {
            if (!seen.insert(values[j].get<std::string>()).second)
                errors.duplicate(at.child("values").index(j), values[j]);
        }
        validate_qualified_name(key, at.child("key"), errors);
        if (values_of_key.contains(key)) {
            errors.duplicate(at.child("key"), key);
        } else {
            values_of_key[key] = std::move(seen);
        }
    }
    return values_of_key;
}

void validate_topologies(const Json& object, FieldErrors& errors) {
    std::vector<Term> terms;
    std::size_t i = 0;
    for (const Json& term : array_at(object, {"allowedTopologies"})) {
        const FieldPath path = FieldPath("allowedTopologies").index(i++);
        Term found = validate_term(term, path, errors);
        // As often as there are terms: the real server compares each with so many that do not exist yet.
        if (found.empty()) {
            for (std::size_t n = 0; n < array_at(object, {"allowedTopologies"}).size(); ++n) {
                errors.duplicate(path.child("matchLabelExpressions"), "");
            }
        }
        for (const Term& other : terms) {
            if (other == found) errors.duplicate(path.child("matchLabelExpressions"), "");
        }
        terms.push_back(std::move(found));
    }
}

void validate(const Json& object, const HookContext&, FieldErrors& errors) {
    validate_provisioner(string_at(object, {"provisioner"}), FieldPath("provisioner"), errors);
    validate_parameters(object_at(object, {"parameters"}), true, FieldPath("parameters"), errors);
    validate_optional_enum(string_at(object, {"reclaimPolicy"}), {"Delete", "Retain"}, FieldPath("reclaimPolicy"), errors);
    if (find(object, "volumeBindingMode") == nullptr) {
        errors.required(FieldPath("volumeBindingMode"), "");
    } else if (const std::string_view mode = string_at(object, {"volumeBindingMode"});
               mode != "Immediate" && mode != "WaitForFirstConsumer") {
        errors.not_supported(FieldPath("volumeBindingMode"), mode, {"Immediate", "WaitForFirstConsumer"});
    }
    validate_topologies(object, errors);
}

void validate_update(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    const Json* parameters = find(object, "parameters");
    validate_immutable(parameters, find(old, "parameters"), GoText{parameters == nullptr ? "null" : parameters->dump()},
                       FieldPath("parameters"), errors);
    validate_immutable_text(string_at(object, {"provisioner"}), string_at(old, {"provisioner"}), FieldPath("provisioner"),
                            errors);
    validate_immutable(find(object, "reclaimPolicy"), find(old, "reclaimPolicy"), FieldPath("reclaimPolicy"), errors);
    validate_immutable(find(object, "volumeBindingMode"), find(old, "volumeBindingMode"),
                       FieldPath("volumeBindingMode"), errors);
}

void warnings(const Json& object, const Json*, const HookContext&, std::vector<std::string>& out) {
    std::size_t i = 0;
    for (const Json& term : array_at(object, {"allowedTopologies"})) {
        std::size_t j = 0;
        const std::string at = "allowedTopologies[" + std::to_string(i++) + "].matchLabelExpressions[";
        for (const Json& expression : array_at(term, {"matchLabelExpressions"})) {
            const std::string where = at + std::to_string(j++) + "].key: ";
            const std::string_view why = deprecated_node_label(string_at(expression, {"key"}));
            if (!why.empty()) out.push_back(where + std::string(why));
        }
    }
}

}  // namespace

extern const KindRules storage_class_rules;
const KindRules storage_class_rules{.validate = validate, .validate_update = validate_update, .warnings = warnings};

}  // namespace kubemu::api::kinds

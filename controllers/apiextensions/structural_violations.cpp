// Looks at all versions of a definition.
#include "controllers/apiextensions/structural_violations.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "api/schema/structural.h"
#include "api/values/field_errors.h"

namespace kubemu::controllers {

std::string structural_violations(const api::Json& definition) {
    api::FieldErrors errors;
    if (api::bool_at(definition, {"spec", "preserveUnknownFields"})) {
        errors.invalid(api::FieldPath("spec").child("preserveUnknownFields"), true, "must be false");
    }
    const api::Json& versions = api::array_at(definition, {"spec", "versions"});
    for (std::size_t i = 0; i < versions.size(); ++i) {
        const api::Json* props = api::find(versions[i], {"schema", "openAPIV3Schema"});
        if (props == nullptr) continue;
        const api::FieldPath path = api::FieldPath("spec").child("versions").index(i).child("schema").child("openAPIV3Schema");
        api::structural::validate_structural(api::structural::parse_schema(*props), path, errors);
    }
    // As field.ErrorList.ToAggregate prints it: each text once.
    std::vector<std::string> texts;
    for (const api::FieldError& error : errors.all()) {
        std::string text = error.field + ": " + error.message;
        if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(std::move(text));
    }
    if (texts.size() == 1) return std::move(texts.front());
    std::string all;
    for (const std::string& text : texts) (all += all.empty() ? "[" : ", ") += text;
    return all.empty() ? all : all + "]";
}

}  // namespace kubemu::controllers

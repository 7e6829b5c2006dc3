// Runs the rules of a kind on an object given as JSON text, without a registry.
#pragma once

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "api/codec/json.h"
#include "api/kinds/rules.h"
#include "api/schema/defaults.h"

namespace kubemu::api {

inline const KindSpec& kind_spec(std::string_view group, std::string_view version, std::string_view name) {
    for (const KindSpec& spec : builtin_kinds()) {
        if (spec.group == group && spec.version == version && spec.kind == name) return spec;
    }
    FAIL("no such kind");
    return builtin_kinds()[0];
}

struct NoObjects : Lookup {
    storage::RecordPtr get(std::string_view, std::string_view, std::string_view) const override {
        return nullptr;
    }
    std::vector<storage::RecordPtr> list(std::string_view, std::string_view) const override { return {}; }
    Json document(const storage::Record&) const override { return nullptr; }
};

// What a hook is given: no other objects, the default user, one moment.
struct RulesUnderTest {
    const KindSpec& kind;
    const KindRules& rules;
    Random random{1};
    NoObjects lookup;
    User user = administrator();
    std::string subresource;

    RulesUnderTest(std::string_view group, std::string_view version, std::string_view name)
        : kind(kind_spec(group, version, name)), rules(*rules_of(kind)) {}

    HookContext context() {
        return {.kind = kind,
                .namespace_name = "default",
                .subresource = subresource,
                .user = user,
                .now = Time(std::chrono::seconds(1700000000)),
                .random = random,
                .lookup = lookup,
                .dry_run = false};
    }

    // As the registry defaults it.
    Json defaulted(std::string_view text) {
        Json object = Json::parse(text);
        apply_defaults(object, *kind.type);
        if (rules.set_defaults != nullptr) rules.set_defaults(object, context());
        return object;
    }

    // One line a complaint: "spec.x: Required value".
    std::string creating(std::string_view text) {
        const Json object = defaulted(text);
        FieldErrors errors;
        if (rules.validate != nullptr) rules.validate(object, context(), errors);
        if (rules.validate_create != nullptr) rules.validate_create(object, context(), errors);
        return lines(errors);
    }
    std::string updating(std::string_view before, std::string_view after) {
        const Json old = defaulted(before), object = defaulted(after);
        FieldErrors errors;
        if (rules.validate != nullptr && !rules.validates_updates_apart) rules.validate(object, context(), errors);
        if (rules.validate_update != nullptr) rules.validate_update(object, old, context(), errors);
        return lines(errors);
    }
    std::string updating_status(std::string_view before, std::string_view after) {
        const Json old = defaulted(before), object = defaulted(after);
        FieldErrors errors;
        if (rules.validate_status_update != nullptr)
            rules.validate_status_update(object, old, context(), errors);
        return lines(errors);
    }

    static std::string lines(const FieldErrors& errors) {
        std::string text;
        for (const FieldError& error : errors.all())
            text += (text.empty() ? "" : "\n") + error.field + ": " + error.message;
        return text;
    }
};

// There and back between a version and the stored one.
inline Json stored_form(std::string_view group, std::string_view version, std::string_view name,
                        std::string_view text) {
    RulesUnderTest under(group, version, name);
    Json object = under.defaulted(text);
    if (under.rules.to_storage != nullptr) under.rules.to_storage(object);
    return object;
}
inline Json version_form(std::string_view group, std::string_view version, std::string_view name,
                         Json stored) {
    RulesUnderTest under(group, version, name);
    if (under.rules.from_storage != nullptr) under.rules.from_storage(stored);
    return stored;
}

}  // namespace kubemu::api

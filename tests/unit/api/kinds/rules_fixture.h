// For tests of rules: the hooks of a kind, called in the registry's order on objects given as JSON.
#pragma once

#include <string>
#include <vector>

#include "api/kinds/rules.h"
#include "complaints.h"

namespace kubemu::api::test {

class NoLookup final : public Lookup {
  public:
    storage::RecordPtr get(std::string_view, std::string_view, std::string_view) const override { return nullptr; }
    std::vector<storage::RecordPtr> list(std::string_view, std::string_view) const override { return {}; }
    Json document(const storage::Record&) const override { return Json::object(); }
};

class RulesFixture {
  public:
    RulesFixture(std::string_view group, std::string_view version, std::string_view plural)
        : kind_(find_kind(group, version, plural)), rules_(*rules_of(kind_)) {}

    // As after defaulting and prepare_for_create.
    Json made(const char* text) {
        Json object = Json::parse(text);
        HookContext hook = context();
        hook.came_with_labels = !object_at(object, {"metadata", "labels"}).empty();
        apply_defaults(object, *kind_.type);
        if (rules_.set_defaults != nullptr) rules_.set_defaults(object, hook);
        drop_zero_values(object, *kind_.type);
        object["metadata"]["uid"] = "u-1";
        if (rules_.prepare_for_create != nullptr) rules_.prepare_for_create(object, hook);
        return object;
    }
    std::string refused(const char* text) { return refused(made(text)); }
    std::string refused(const Json& object) {
        return complaints([&](FieldErrors& errors) {
            if (rules_.validate != nullptr) rules_.validate(object, context(), errors);
            if (rules_.validate_create != nullptr) rules_.validate_create(object, context(), errors);
        });
    }
    // What validate_update alone says.
    std::string refused_update(const Json& object, const Json& old) {
        return complaints([&](FieldErrors& errors) { rules_.validate_update(object, old, context(), errors); });
    }
    std::string refused_status(const Json& object, const Json& old) {
        return complaints([&](FieldErrors& errors) { rules_.validate_status_update(object, old, context(), errors); });
    }
    std::string warned(const Json& object) {
        std::vector<std::string> warnings;
        rules_.warnings(object, nullptr, context(), warnings);
        return lines(warnings);
    }
    const KindRules& rules() const { return rules_; }
    HookContext context() { return HookContext{kind_, "ns", {}, user_, Time{}, random_, lookup_}; }

  private:
    static const KindSpec& find_kind(std::string_view group, std::string_view version, std::string_view plural) {
        for (const KindSpec& kind : builtin_kinds()) {
            if (kind.group == group && kind.version == version && kind.plural == plural) return kind;
        }
        return builtin_kinds()[0];
    }

    const KindSpec& kind_;
    const KindRules& rules_;
    User user_;
    Random random_{1};
    NoLookup lookup_;
};

}  // namespace kubemu::api::test

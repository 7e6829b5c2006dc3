// Rules of LimitRanges: defaults that follow from bounds, and bounds that fit together.
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "api/kinds/go_syntax.h"
#include "api/kinds/rules.h"
#include "api/kinds/validation.h"

namespace kubemu::api::kinds {
namespace {

// A container's limit defaults to the most it may have, its request to its limit, else to the least.
void set_defaults(Json& object, const HookContext&) {
    Json* items = find(object, {"spec", "limits"});
    if (items == nullptr || !items->is_array()) return;
    for (Json& item : *items) {
        if (string_at(item, {"type"}) != "Container") continue;
        Json limits = object_at(item, {"default"}), requests = object_at(item, {"defaultRequest"});
        const auto fill = [](Json& into, const Json& from) {
            for (const auto& [name, quantity] : from.items()) {
                if (!into.contains(name)) into[name] = quantity;
            }
        };
        fill(limits, object_at(item, {"max"}));
        fill(requests, limits);
        fill(requests, object_at(item, {"min"}));
        if (!limits.empty()) item["default"] = std::move(limits);
        if (!requests.empty()) item["defaultRequest"] = std::move(requests);
    }
}

// What one item says of one resource.
class Bounds {
  public:
    Bounds(const Json& item, std::string_view type, const std::string& name, const FieldPath& path, FieldErrors& errors)
        : name_(name), path_(path), errors_(errors) {
        for (const char* list : {"min", "max", "default", "defaultRequest", "maxLimitRequestRatio"}) {
            // Pods have no defaults; that they are given is a complaint of its own.
            if (type == "Pod" && std::string_view(list).starts_with("default")) continue;
            const Json& quantities = object_at(item, {list});
            if (const Json* quantity = find(quantities, name)) texts_[list] = quantity->get<std::string>();
        }
    }

    void check() {
        not_above("min", "max", "min", "min", "min value %1 is greater than max value %2");
        not_above("min", "defaultRequest", "defaultRequest", "defaultRequest",
                  "min value %1 is greater than default request value %2");
        not_above("defaultRequest", "max", "defaultRequest", "defaultRequest",
                  "default request value %1 is greater than max value %2");
        not_above("defaultRequest", "default", "defaultRequest", "defaultRequest",
                  "default request value %1 is greater than default limit value %2");
        not_above("min", "default", "default", "min", "min value %1 is greater than default value %2");
        not_above("default", "max", "default", "max", "default value %1 is greater than max value %2");
        check_ratio();
        if (!is_overcommit_allowed(name_) && has("default") && has("defaultRequest") &&
            !(quantity("default") == quantity("defaultRequest"))) {
            complain("defaultRequest", "defaultRequest",
                     "default value " + quantity("default").text() + " must equal to defaultRequest value " +
                         quantity("defaultRequest").text() + " in " + name_);
        }
    }

  private:
    bool has(const std::string& list) const { return texts_.contains(list); }
    Quantity quantity(const std::string& list) const { return Quantity::parse(texts_.at(list)).value_or(Quantity()); }

    // `echo` names the list whose quantity the message shows; messages print that quantity before.
    void complain(const std::string& list, const std::string& echo, const std::string& why) {
        errors_.invalid(path_.child(list).key(name_), go_quantity(texts_.at(echo), true), why);
    }

    void not_above(const std::string& low, const std::string& high, const std::string& list, const std::string& echo,
                   std::string why) {
        if (!has(low) || !has(high) || !(quantity(high) < quantity(low))) return;
        why.replace(why.find("%1"), 2, quantity(low).text());
        why.replace(why.find("%2"), 2, quantity(high).text());
        complain(list, echo, why);
    }

    void check_ratio() {
        constexpr const char* list = "maxLimitRequestRatio";
        if (!has(list)) return;
        const Quantity ratio = quantity(list);
        if (ratio < Quantity::from_value(1)) complain(list, list, "ratio " + ratio.text() + " is less than 1");
        if (!has("min") || !has("max")) return;
        const double bound =
            static_cast<double>(quantity("max").milli_value()) / static_cast<double>(quantity("min").milli_value());
        if (static_cast<double>(ratio.milli_value()) / 1000 <= bound) return;
        char text[64];
        std::snprintf(text, sizeof text, "%.6f", bound);
        complain(list, list, "ratio " + ratio.text() + " is greater than max/min = " + text);
    }

    const std::string& name_;
    FieldPath path_;
    FieldErrors& errors_;
    std::map<std::string, std::string> texts_;
};

void validate_type(const std::string& type, const FieldPath& path, FieldErrors& errors) {
    const Messages wrong = check_qualified_name(type);
    add_invalid(wrong, path, type, errors);
    const bool standard = type == "Pod" || type == "Container" || type == "PersistentVolumeClaim";
    if (wrong.empty() && type.find('/') == std::string::npos && !standard) {
        errors.invalid(path, type, "must be a standard limit type or fully qualified");
    }
}

void validate_item(const Json& item, const std::string& type, const FieldPath& path, FieldErrors& errors) {
    std::set<std::string> names;
    const auto collect = [&](const char* list) {
        for (const auto& [name, quantity] : object_at(item, {list}).items()) {
            const FieldPath at = path.child(list).key(name);
            if (type == "Pod" || type == "Container") {
                validate_container_resource_name(name, at, errors);
            } else {
                validate_resource_name(name, at, errors);
            }
            names.insert(name);
        }
    };
    collect("max");
    collect("min");
    for (const char* list : {"default", "defaultRequest"}) {
        if (type != "Pod") {
            collect(list);
        } else if (!object_at(item, {list}).empty()) {
            errors.forbidden(path.child(list), "may not be specified when `type` is 'Pod'");
        }
    }
    if (type == "PersistentVolumeClaim" && !object_at(item, {"min"}).contains("storage") &&
        !object_at(item, {"max"}).contains("storage")) {
        errors.required(path.child("limits"),
                        "either minimum or maximum storage value is required, but neither was provided");
    }
    collect("maxLimitRequestRatio");
    for (const std::string& name : names) Bounds(item, type, name, path, errors).check();
}

void validate(const Json& object, const HookContext&, FieldErrors& errors) {
    std::set<std::string> types;
    std::size_t i = 0;
    for (const Json& item : array_at(object, {"spec", "limits"})) {
        const FieldPath path = FieldPath("spec.limits").index(i++);
        const std::string type(string_at(item, {"type"}));
        validate_type(type, path.child("type"), errors);
        if (!types.insert(type).second) errors.duplicate(path.child("type"), type);
        validate_item(item, type, path, errors);
    }
}

// It needs no name.
void prepare_for_create(Json& object, const HookContext& context) {
    if (name_of(object).empty()) ensure(object, {"metadata"})["name"] = context.random.uuid("names");
}

}  // namespace

extern const KindRules limit_range_rules;
const KindRules limit_range_rules{
    .set_defaults = set_defaults, .prepare_for_create = prepare_for_create, .validate = validate};

}  // namespace kubemu::api::kinds

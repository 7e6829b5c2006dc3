// Compute resources of containers and pods, resize policies and resource claims.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "api/kinds/core/pod_checks.h"
#include "api/kinds/core/pod_requests.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/validation.h"
#include "api/values/text.h"

namespace kubemu::api::pods {
namespace {

std::string_view text(const Json& object, std::string_view member) { return string_at(object, {member}); }

void validate_name(std::string_view name, ResourceLevel level, const FieldPath& path, FieldErrors& errors) {
    if (level == ResourceLevel::container) return validate_container_resource_name(name, path, errors);
    const std::size_t before = errors.all().size();
    validate_resource_name(name, path, errors);
    if (errors.all().size() == before && !pod_level_resource(name)) {
        errors.not_supported(path, name, {"cpu", "hugepages-", "memory"});
    }
}

void validate_huge_pages(std::string_view name, const Quantity& value, const FieldPath& path, FieldErrors& errors) {
    const auto page = Quantity::parse(name.substr(std::string_view("hugepages-").size()));
    const bool divides = page && !page->is_negative() && page->value() > 0 && page->milli_value() % 1000 == 0 &&
                         value.value() % page->value() == 0;
    if (!divides) {
        errors.invalid(path, value.text(), value.text() + " is not positive integer multiple of " + std::string(name));
    }
}

struct Seen {
    bool compute = false, huge_pages = false;
};

void validate_entry(const std::string& name, const Quantity& value, ResourceLevel level, const FieldPath& list, Seen& seen,
                    FieldErrors& errors) {
    seen.compute = seen.compute || name == "cpu" || name == "memory";
    // Two names are in nearly every container, and never wrong.
    if ((name == "cpu" || name == "memory") && !value.is_negative()) return;
    const FieldPath path = list.key(name);
    validate_name(name, level, path, errors);
    validate_resource_quantity(name, value, path, errors);
}

void validate_huge_entry(const std::string& name, const Quantity& value, const FieldPath& list, Seen& seen,
                         FieldErrors& errors) {
    if (!is_huge_page_resource(name)) return;
    seen.huge_pages = true;
    validate_huge_pages(name, value, list.key(name), errors);
}

void validate_claim_names(const Json& claims, const std::vector<std::string_view>& known, const FieldPath& path,
                          FieldErrors& errors) {
    std::set<std::string> names;
    std::size_t i = 0;
    for (const Json& claim : claims) {
        const FieldPath at = path.index(i++);
        const std::string name(text(claim, "name")), request(text(claim, "request"));
        if (name.empty()) {
            errors.required(at, "");
            continue;
        }
        if (names.contains(name)) {
            errors.duplicate(at, name);
        } else {
            std::string key = name;
            if (!request.empty()) {
                validate_dns1123_label(request, at.child("request"), errors);
                key += "/" + request;
            }
            const auto part = names.lower_bound(name + "/");
            if (names.contains(key)) errors.duplicate(at, key);
            else if (request.empty() && part != names.end() && part->starts_with(name + "/")) errors.duplicate(at, name);
            names.insert(key);
        }
        if (std::find(known.begin(), known.end(), name) != known.end()) continue;
        std::string detail = "must be one of the names in pod.spec.resourceClaims";
        if (known.empty()) {
            detail += " which is empty";
        } else {
            std::vector<std::string> sorted(known.begin(), known.end());
            std::sort(sorted.begin(), sorted.end());
            detail += ": " + join(sorted, ", ");
        }
        errors.not_found(at, name, detail);
    }
}

std::map<std::string, Quantity> sums(const Json& containers, const char* list) {
    std::map<std::string, Quantity> total;
    for (const Json& container : containers) {
        for (const auto& [name, value] : object_at(container, {"resources", list}).items()) total[name] += quantity_of(&value);
    }
    return total;
}

void validate_consistency(const Json& spec, const Json& resources, const FieldPath& path, FieldErrors& errors) {
    const Json& requests = object_at(resources, {"requests"});
    const Json& limits = object_at(resources, {"limits"});
    for (const auto& [name, asked] : aggregate_resources(spec, "requests")) {
        const Json* own = find(requests, name);
        if (own == nullptr || !(quantity_of(own) < asked)) continue;
        errors.invalid(path.child("requests").key(name), quantity_of(own).text(),
                       "must be greater than or equal to aggregate container requests of " + asked.text());
    }
    for (const auto& [name, asked] : aggregate_resources(spec, "limits")) {
        const Json* own = find(limits, name);
        if (!is_huge_page_resource(name) || own == nullptr || !(quantity_of(own) < asked)) continue;
        errors.invalid(path.child("limits").key(name), quantity_of(own).text(),
                       "must be greater than or equal to aggregate container limits of " + asked.text());
    }
    std::size_t i = 0;
    for (const Json& container : array_at(spec, {"containers"})) {
        const std::size_t index = i++;
        for (const auto& [name, value] : object_at(container, {"resources", "limits"}).items()) {
            const Json* own = find(limits, name);
            if (own == nullptr || !(quantity_of(own) < quantity_of(&value))) continue;
            errors.invalid(path.child("containers").index(index).key(name).child("limits"), quantity_of(&value).text(),
                           "must be less than or equal to pod limits of " + quantity_of(own).text());
        }
    }
}

}  // namespace

bool pod_level_resource(std::string_view name) { return name == "cpu" || name == "memory" || is_huge_page_resource(name); }

std::map<std::string, Quantity> aggregate_resources(const Json& spec, const char* list) {
    std::map<std::string, Quantity> total = sums(array_at(spec, {"containers"}), list), sidecars, start;
    const auto raise = [](std::map<std::string, Quantity>& into, const std::map<std::string, Quantity>& from) {
        for (const auto& [name, value] : from) {
            if (const auto found = into.find(name); found == into.end() || found->second < value) into[name] = value;
        }
    };
    for (const Json& container : array_at(spec, {"initContainers"})) {
        std::map<std::string, Quantity> one = sums(Json::array({container}), list);
        if (restarts_always(container)) {
            for (const auto& [name, value] : one) {
                total[name] += value;
                sidecars[name] += value;
            }
            one = sidecars;
        } else {
            for (const auto& [name, value] : sidecars) one[name] += value;
        }
        raise(start, one);
    }
    raise(total, start);
    return total;
}

void validate_resources(const Json& resources, const std::vector<std::string_view>& claims, ResourceLevel level,
                        const FieldPath& path, FieldErrors& errors) {
    const Json& limits = object_at(resources, {"limits"});
    const Json& requests = object_at(resources, {"requests"});
    Seen seen;
    if (!limits.empty()) {
        const FieldPath list = path.child("limits");
        for (const auto& [name, value] : limits.items()) {
            validate_entry(name, quantity_of(&value), level, list, seen, errors);
            validate_huge_entry(name, quantity_of(&value), list, seen, errors);
        }
    }
    if (!requests.empty()) {
        const FieldPath list = path.child("requests");
        for (const auto& [name, value] : requests.items()) {
            const Quantity asked = quantity_of(&value);
            validate_entry(name, asked, level, list, seen, errors);
            const Json* limit_value = find(limits, name);
            const Quantity limit = quantity_of(limit_value);
            if (limit_value == nullptr) {
                if (!is_overcommit_allowed(name)) {
                    errors.required(path.child("limits"), "Limit must be set for non overcommitable resources");
                }
            } else if (!(asked == limit) && !is_overcommit_allowed(name)) {
                errors.invalid(list, asked.text(), "must be equal to " + name + " limit of " + limit.text());
            } else if (limit < asked) {
                errors.invalid(list, asked.text(), "must be less than or equal to " + name + " limit of " + limit.text());
            }
            validate_huge_entry(name, asked, list, seen, errors);
        }
    }
    if (seen.huge_pages && !seen.compute) errors.forbidden(path, "HugePages require cpu or memory");
    if (const Json* names = find(resources, "claims")) validate_claim_names(*names, claims, path.child("claims"), errors);
}

void validate_resize_policy(const Json& container, const PodContext& context, const FieldPath& path, FieldErrors& errors) {
    const Json* policies = find(container, "resizePolicy");
    if (policies == nullptr) return;
    const FieldPath list = path.child("resizePolicy");
    std::set<std::string_view> seen;
    std::size_t i = 0;
    for (const Json& policy : *policies) {
        const FieldPath at = list.index(i++);
        const std::string_view resource = text(policy, "resourceName"), restart = text(policy, "restartPolicy");
        if (!seen.insert(resource).second) errors.duplicate(at, std::string(resource));
        validate_enum(resource, {"cpu", "memory"}, list, errors);
        validate_enum(restart, {"NotRequired", "RestartContainer"}, list, errors);
        if (context.restart_policy == "Never" && restart != "NotRequired") {
            errors.invalid(list, std::string(restart), "must be 'NotRequired' when pod `restartPolicy` is 'Never'");
        }
    }
}

void validate_resource_claims(const PodContext& context, const FieldPath& path, FieldErrors& errors) {
    constexpr GoField fields[] = {{"Name", "name", "string"},
                                  {"ResourceClaimName", "resourceClaimName", "*string"},
                                  {"ResourceClaimTemplateName", "resourceClaimTemplateName", "*string"}};
    const bool mirror = context.metadata != nullptr &&
                        find(*context.metadata, {"annotations", "kubernetes.io/config.mirror"}) != nullptr;
    std::set<std::string_view> names;
    std::size_t i = 0;
    for (const Json& claim : array_at(context.spec, {"resourceClaims"})) {
        const FieldPath at = path.index(i++);
        if (mirror) {
            errors.forbidden(FieldPath(), "static pods do not support resource claims");
            continue;
        }
        const std::string_view name = text(claim, "name");
        if (name.empty()) errors.required(at.child("name"), "");
        else if (!names.insert(name).second) errors.duplicate(at.child("name"), std::string(name));
        else validate_dns1123_label(name, at.child("name"), errors);
        const bool named = find(claim, "resourceClaimName") != nullptr;
        const bool made = find(claim, "resourceClaimTemplateName") != nullptr;
        if (named && made) {
            errors.invalid(at, go_struct("core.PodResourceClaim", fields, claim),
                           "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified");
        }
        if (!named && !made) {
            errors.invalid(at, go_struct("core.PodResourceClaim", fields, claim),
                           "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`");
        }
        for (const char* member : {"resourceClaimName", "resourceClaimTemplateName"}) {
            if (find(claim, member) != nullptr) validate_dns1123_subdomain(text(claim, member), at.child(member), errors);
        }
    }
}

void validate_pod_level_resources(const PodContext& context, const FieldPath& path, FieldErrors& errors) {
    const Json* resources = find(context.spec, "resources");
    if (resources == nullptr) return;
    const FieldPath at = path.child("resources");
    if (context.os == "windows") return errors.forbidden(at, "may not be set for a windows pod");
    if (find(*resources, "claims") != nullptr) {
        errors.forbidden(at.child("claims"), "claims may not be set for Resources at pod-level");
    }
    validate_resources(*resources, context.claims, ResourceLevel::pod, at, errors);
    validate_consistency(context.spec, *resources, at, errors);
}

void validate_overhead(const Json& spec, const FieldPath& path, FieldErrors& errors) {
    const Json* overhead = find(spec, "overhead");
    if (overhead != nullptr) {
        validate_resources(Json{{"limits", *overhead}}, {}, ResourceLevel::container, path.child("overhead"), errors);
    }
}

}  // namespace kubemu::api::pods

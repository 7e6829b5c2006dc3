// Rules of IPAddress and ServiceCIDR, which record the service network.
#include <nlohmann/json.hpp>

#include "api/kinds/define.h"
#include "api/kinds/domains.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/validation.h"
#include "api/values/ip_address.h"

namespace kubemu::api::kinds {
namespace {

constexpr GoField cidr_spec[] = {{"CIDRs", "cidrs", "[]string"}};

Messages check_address_name(std::string_view name, bool) {
    return check_canonical_ip(name);
}

void validate_address(const Json& object, const HookContext&, FieldErrors& errors) {
    const FieldPath path = FieldPath("spec").child("parentRef");
    const Json* parent = find(object, {"spec", "parentRef"});
    if (parent == nullptr) return errors.required(path, "");
    // Services are of the group that has no name.
    if (const std::string_view group = string_at(*parent, {"group"}); !group.empty()) {
        add_invalid(check_dns1123_subdomain(group), path.child("group"), group, errors);
    }
    for (const char* member : {"resource", "name"}) {
        const std::string_view text = string_at(*parent, {member});
        if (!validate_required(text, path.child(member), errors)) continue;
        add_invalid(check_path_segment(text, false), path.child(member), text, errors);
    }
    const std::string_view space = string_at(*parent, {"namespace"});
    add_invalid(check_path_segment(space, false), path.child("namespace"), space, errors);
}

void validate_address_update(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    constexpr GoField fields[] = {{"Group", "group", "string"},
                                  {"Resource", "resource", "string"},
                                  {"Namespace", "namespace", "string"},
                                  {"Name", "name", "string"}};
    const Json* now = find(object, {"spec", "parentRef"});
    const GoText echo =
        now == nullptr ? GoText{"\"null\""} : go_struct("networking.ParentReference", fields, *now);
    validate_immutable(now, find(old, {"spec", "parentRef"}), echo, FieldPath("spec").child("parentRef"),
                       errors);
}

void validate_cidrs(const Json& object, const HookContext&, FieldErrors& errors) {
    const FieldPath path = FieldPath("spec").child("cidrs");
    const Json& cidrs = array_at(object, {"spec", "cidrs"});
    if (cidrs.empty()) return errors.required(path, "at least one CIDR required");
    if (cidrs.size() > 2) {
        const GoText echo = go_struct("networking.ServiceCIDRSpec", cidr_spec, object_at(object, {"spec"}));
        return errors.invalid(path, echo, "may only hold up to 2 values");
    }
    std::vector<bool> families;
    for (std::size_t i = 0; i < cidrs.size(); ++i) {
        const std::string text = cidrs[i].is_string() ? cidrs[i].get<std::string>() : "";
        add_invalid(check_canonical_cidr(text), path.index(i), text, errors);
        if (const auto network = IpNetwork::parse(text)) families.push_back(network->v4);
    }
    if (families.size() == 2 && families[0] == families[1]) {
        errors.invalid(
            path, go_strings("[]string", &cidrs),
            "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64");
    }
}

void validate_cidrs_update(const Json& object, const Json& old, const HookContext& context,
                           FieldErrors& errors) {
    const FieldPath path = FieldPath("spec").child("cidrs");
    const Json& now = array_at(object, {"spec", "cidrs"});
    const Json& before = array_at(old, {"spec", "cidrs"});
    const bool grows = before.size() == 1 && now.size() == 2;  // to both families
    if (now.size() != before.size() && !grows) {
        return errors.invalid(path, go_strings("[]string", &now), "field is immutable");
    }
    for (std::size_t i = 0; i < before.size(); ++i) {
        if (now[i] != before[i]) errors.invalid(path.index(i), now[i], "field is immutable");
    }
    if (grows) validate_cidrs(object, context, errors);
}

}  // namespace

KUBEMU_RULES(ip_address_rules){.validate = validate_address,
                               .validate_update = validate_address_update,
                               .validate_name = check_address_name};
KUBEMU_RULES(service_cidr_rules){.validate_create = validate_cidrs, .validate_update = validate_cidrs_update};

}  // namespace kubemu::api::kinds

// Rules of APIService (k8s.io/kube-aggregator/pkg/apis/apiregistration/validation, pkg/registry/apiservice).
#include <nlohmann/json.hpp>

#include "api/kinds/define.h"
#include "api/kinds/validation.h"
#include "api/values/names.h"
#include "api/values/text.h"
#include "api/values/time.h"

namespace kubemu::api::kinds {
namespace {

// Without a service the server itself answers the group version, so it is there from the start.
void prepare_for_create(Json& object, const HookContext& context) {
    if (find(object, {"spec", "service"}) != nullptr) return;
    object["status"]["conditions"] = Json::array({{{"type", "Available"},
                                                   {"status", "True"},
                                                   {"lastTransitionTime", format_time(context.now)},
                                                   {"reason", "Local"},
                                                   {"message", "Local APIServices are always available"}}});
}

void validate_service(const Json& spec, const FieldPath& path, FieldErrors& errors) {
    const Json& service = object_at(spec, {"service"});
    for (const char* member : {"namespace", "name"}) {
        validate_required(string_at(service, {member}), path.child("service").child(member), errors);
    }
    const std::int64_t port = int_at(service, {"port"});
    if (port < 1 || port > 65535) {
        errors.invalid(path.child("service").child("port"), port,
                       "port is not valid: must be between 1 and 65535, inclusive");
    }
    if (bool_at(spec, {"insecureSkipTLSVerify"}) && !string_at(spec, {"caBundle"}).empty()) {
        errors.invalid(path.child("insecureSkipTLSVerify"), true, "may not be true if caBundle is present");
    }
}

void validate(const Json& object, const HookContext&, FieldErrors& errors) {
    const FieldPath path("spec");
    const Json& spec = object_at(object, {"spec"});
    const std::string group(string_at(spec, {"group"})), version(string_at(spec, {"version"}));
    if (group.empty() && version != "v1") {
        errors.required(path.child("group"), "only v1 may have an empty group and it better be legacy kube");
    }
    if (!group.empty()) add_invalid(check_dns1123_subdomain(group), path.child("group"), group, errors);
    add_invalid(check_dns1035_label(version), path.child("version"), version, errors);
    const std::int64_t group_priority = int_at(spec, {"groupPriorityMinimum"}),
                       priority = int_at(spec, {"versionPriority"});
    if (group_priority <= 0 || group_priority > 20000) {
        errors.invalid(path.child("groupPriorityMinimum"), group_priority,
                       "must be positive and less than 20000");
    }
    if (priority <= 0 || priority > 1000)
        errors.invalid(path.child("versionPriority"), priority, "must be positive and less than 1000");
    if (find(spec, "service") != nullptr) return validate_service(spec, path, errors);
    std::string bundle;
    if (base64_decode(string_at(spec, {"caBundle"}), bundle) && !bundle.empty()) {
        errors.invalid(path.child("caBundle"), std::to_string(bundle.size()) + " bytes",
                       "local APIServices may not have a caBundle");
    }
    if (bool_at(spec, {"insecureSkipTLSVerify"})) {
        errors.invalid(path.child("insecureSkipTLSVerify"), true,
                       "local APIServices may not have insecureSkipTLSVerify");
    }
}

void prepare_for_status_update(Json& object, const Json& old, const HookContext&) {
    for (const char* member : {"labels", "annotations", "finalizers", "ownerReferences"}) {
        erase(object["metadata"], member);
        if (const Json* value = find(old, {"metadata", member})) object["metadata"][member] = *value;
    }
}

void validate_status_update(const Json& object, const Json&, const HookContext&, FieldErrors& errors) {
    const Json& conditions = array_at(object, {"status", "conditions"});
    for (std::size_t i = 0; i < conditions.size(); ++i) {
        const std::string status(string_at(conditions[i], {"status"}));
        if (status == "True" || status == "False" || status == "Unknown") continue;
        errors.not_supported(FieldPath("status").child("conditions").index(i).child("status"), status,
                             {"True", "False", "Unknown"});
    }
}

}  // namespace

KUBEMU_RULES(api_service_rules){.prepare_for_create = prepare_for_create,
                                .prepare_for_status_update = prepare_for_status_update,
                                .validate = validate,
                                .validate_status_update = validate_status_update,
                                .validate_name = check_path_segment};

}  // namespace kubemu::api::kinds

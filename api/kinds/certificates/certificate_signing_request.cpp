// Rules of CertificateSigningRequest and its subresources approval and status, in v1 and v1beta1
// (kubernetes pkg/apis/certificates/validation, pkg/registry/certificates/certificates).
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "api/kinds/certificates/request_text.h"
#include "api/kinds/define.h"
#include "api/kinds/domains.h"
#include "api/kinds/validation.h"
#include "api/values/text.h"
#include "api/values/time.h"

namespace kubemu::api::kinds {
namespace {

constexpr std::string_view legacy_signer = "kubernetes.io/legacy-unknown";
constexpr std::string_view kubelet_client_signer = "kubernetes.io/kube-apiserver-client-kubelet";
constexpr std::string_view kubelet_serving_signer = "kubernetes.io/kubelet-serving";

const std::vector<std::string>& known_usages() {
    static const std::vector<std::string> usages = {"any",
                                                    "cert sign",
                                                    "client auth",
                                                    "code signing",
                                                    "content commitment",
                                                    "crl sign",
                                                    "data encipherment",
                                                    "decipher only",
                                                    "digital signature",
                                                    "email protection",
                                                    "encipher only",
                                                    "ipsec end system",
                                                    "ipsec tunnel",
                                                    "ipsec user",
                                                    "key agreement",
                                                    "key encipherment",
                                                    "microsoft sgc",
                                                    "netscape sgc",
                                                    "ocsp signing",
                                                    "s/mime",
                                                    "server auth",
                                                    "signing",
                                                    "timestamping"};
    return usages;
}

std::string decoded(const Json& object, std::initializer_list<std::string_view> path) {
    std::string bytes;
    base64_decode(string_at(object, path), bytes);
    return bytes;
}

// A []byte under %#v.
GoText go_bytes(const std::string& bytes) {
    if (bytes.empty()) return {"[]byte(nil)"};
    constexpr char digits[] = "0123456789abcdef";
    std::string text = "[]byte{";
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (text.back() != '{') text += ", ";
        text += "0x";
        if (byte >= 16) text += digits[byte >> 4U];
        text += digits[byte & 15U];
    }
    return {text + "}"};
}

// ---------------------------------------------------------------- what is tolerated

// Faults that the stored object has already, or that v1beta1 has always allowed.
struct Tolerance {
    bool both_decisions = false, legacy_signer_name = false, duplicate_conditions = false,
         empty_condition = false;
    bool any_certificate = false, unknown_usages = false, duplicate_usages = false;
};

bool has_duplicates(const Json& list, std::string_view member) {
    std::set<std::string> seen;
    for (const Json& item : list) {
        const std::string text = member.empty() ? (item.is_string() ? item.get<std::string>() : "")
                                                : std::string(string_at(item, {member}));
        if (!seen.insert(text).second) return true;
    }
    return false;
}

bool has_condition(const Json& object, std::string_view type) {
    const Json& conditions = array_at(object, {"status", "conditions"});
    return std::any_of(conditions.begin(), conditions.end(),
                       [&](const Json& condition) { return string_at(condition, {"type"}) == type; });
}

bool unknown_usage(const Json& usage) {
    return !usage.is_string() || std::find(known_usages().begin(), known_usages().end(),
                                           usage.get_ref<const std::string&>()) == known_usages().end();
}

Tolerance tolerance_of(const HookContext& context, const Json& object, const Json* old) {
    Tolerance tolerated;
    if (context.kind.version == "v1beta1") tolerated = {false, true, true, true, true, true, true};
    if (old == nullptr) return tolerated;
    const Json& usages = array_at(*old, {"spec", "usages"});
    const std::string certificate = decoded(*old, {"status", "certificate"});
    tolerated.both_decisions |= has_condition(*old, "Approved") && has_condition(*old, "Denied");
    tolerated.legacy_signer_name |= string_at(*old, {"spec", "signerName"}) == legacy_signer;
    tolerated.duplicate_conditions |= has_duplicates(array_at(*old, {"status", "conditions"}), "type");
    tolerated.empty_condition |= has_condition(*old, "");
    tolerated.any_certificate |= certificate == decoded(object, {"status", "certificate"}) ||
                                 !certificate_chain_complaint(certificate).empty();
    tolerated.unknown_usages |= std::any_of(usages.begin(), usages.end(), unknown_usage);
    tolerated.duplicate_usages |= has_duplicates(usages, {});
    return tolerated;
}

// ---------------------------------------------------------------- validation

void validate_usages(const Json& usages, const Tolerance& tolerated, const FieldPath& path,
                     FieldErrors& errors) {
    if (usages.empty()) errors.required(path, "");
    for (std::size_t i = 0; i < usages.size() && !tolerated.unknown_usages; ++i) {
        if (unknown_usage(usages[i]))
            errors.not_supported(path.index(i), usages[i].is_string() ? usages[i].get<std::string>() : "",
                                 known_usages());
    }
    std::set<std::string> seen;
    for (std::size_t i = 0; i < usages.size() && !tolerated.duplicate_usages; ++i) {
        if (usages[i].is_string() && !seen.insert(usages[i].get<std::string>()).second)
            errors.duplicate(path.index(i), usages[i]);
    }
}

void validate_request_conditions(const Json& conditions, const Tolerance& tolerated, FieldErrors& errors) {
    const FieldPath path = FieldPath("status").child("conditions");
    std::set<std::string_view> seen;
    for (std::size_t i = 0; i < conditions.size(); ++i) {
        const std::string_view type = string_at(conditions[i], {"type"});
        const FieldPath at = path.index(i);
        if (type.empty() && !tolerated.empty_condition) errors.required(at.child("type"), "");
        const bool decision = type == "Approved" || type == "Denied";
        const bool only_true = decision || type == "Failed";
        if (only_true) {
            validate_enum(string_at(conditions[i], {"status"}), {"True"}, at.child("status"), errors);
        } else {
            validate_enum(string_at(conditions[i], {"status"}), {"False", "True", "Unknown"},
                          at.child("status"), errors);
        }
        if (decision && !tolerated.both_decisions &&
            seen.contains(type == "Approved" ? "Denied" : "Approved")) {
            errors.invalid(path, std::string(type),
                           "Approved and Denied conditions are mutually exclusive");
        }
        if (!seen.insert(type).second && !tolerated.duplicate_conditions)
            errors.duplicate(at.child("type"), std::string(type));
    }
}

void validate_request(const Json& object, const Tolerance& tolerated, FieldErrors& errors) {
    const FieldPath path("spec");
    const Json& spec = object_at(object, {"spec"});
    std::string complaint;
    const std::string request = decoded(spec, {"request"});
    if (!parse_certificate_request(request, complaint))
        errors.invalid(path.child("request"), go_bytes(request), complaint);
    validate_usages(array_at(spec, {"usages"}), tolerated, path.child("usages"), errors);
    const std::string_view signer = string_at(spec, {"signerName"});
    if (signer == legacy_signer && !tolerated.legacy_signer_name) {
        errors.invalid(path.child("signerName"), std::string(signer),
                       "the legacy signerName is not allowed via this API version");
    } else {
        validate_signer_name(signer, path.child("signerName"), errors);
    }
    if (const Json* seconds = find(spec, "expirationSeconds");
        seconds != nullptr && seconds->is_number() && seconds->get<std::int64_t>() < 600) {
        errors.invalid(path.child("expirationSeconds"), *seconds,
                       "may not specify a duration less than 600 seconds (10 minutes)");
    }
    validate_request_conditions(array_at(object, {"status", "conditions"}), tolerated, errors);
    if (tolerated.any_certificate) return;
    complaint = certificate_chain_complaint(decoded(object, {"status", "certificate"}));
    if (!complaint.empty())
        errors.invalid(FieldPath("status").child("certificate"), "<certificate data>", complaint);
}

Json conditions_of_type(const Json& object, std::string_view type) {
    Json found = Json::array();
    for (const Json& condition : array_at(object, {"status", "conditions"})) {
        if (string_at(condition, {"type"}) == type) found.push_back(condition);
    }
    return found;
}

void validate_change(const Json& object, const Json& old, const HookContext& context, FieldErrors& errors) {
    validate_request(object, tolerance_of(context, object, &old), errors);
    const FieldPath path = FieldPath("status").child("conditions");
    const auto says = [](const char* what, std::string_view type) {
        return std::string("updates may not ") + what + " a condition of type " + go_quote(type);
    };
    for (const char* type : {"Approved", "Denied", "Failed"}) {
        if (conditions_of_type(object, type).size() < conditions_of_type(old, type).size())
            errors.forbidden(path, says("remove", type));
    }
    for (const char* type : {"Approved", "Denied"}) {
        if (context.subresource == "approval") break;
        const Json now = conditions_of_type(object, type), before = conditions_of_type(old, type);
        if (now.size() > before.size()) {
            errors.forbidden(path, says("add", type));
        } else if (now.size() == before.size() && now != before) {
            errors.forbidden(path, says("modify", type));
        }
    }
    const std::string now = decoded(object, {"status", "certificate"}),
                      before = decoded(old, {"status", "certificate"});
    if (now == before) return;
    if (context.subresource != "status") {
        errors.forbidden(FieldPath("status").child("certificate"), "updates may not set certificate content");
    } else if (!before.empty()) {
        errors.forbidden(FieldPath("status").child("certificate"),
                         "updates may not modify existing certificate content");
    }
}

void validate_create(const Json& object, const HookContext& context, FieldErrors& errors) {
    validate_request(object, tolerance_of(context, object, nullptr), errors);
}

// ---------------------------------------------------------------- strategy

// Who asks is for the server to say.
void prepare_for_create(Json& object, const HookContext& context) {
    Json& spec = ensure(object, {"spec"});
    for (const char* member : {"username", "uid", "groups", "extra"}) erase(spec, member);
    if (!context.user.name.empty()) spec["username"] = context.user.name;
    if (!context.user.uid.empty()) spec["uid"] = context.user.uid;
    if (!context.user.groups.empty()) spec["groups"] = context.user.groups;
    if (!context.user.extra.empty()) spec["extra"] = context.user.extra;
}

void prepare_for_update(Json& object, const Json& old, const HookContext&) {
    object["spec"] = object_at(old, {"spec"});
}

void fill_times(Json& object, const Json& old, Time now) {
    Json* conditions = find(object, {"status", "conditions"});
    if (conditions == nullptr || !conditions->is_array()) return;
    for (Json& condition : *conditions) {
        if (string_at(condition, {"lastUpdateTime"}).empty()) condition["lastUpdateTime"] = format_time(now);
        if (!string_at(condition, {"lastTransitionTime"}).empty()) continue;
        std::string changed = format_time(now);
        for (const Json& before : array_at(old, {"status", "conditions"})) {
            const std::string_view time = string_at(before, {"lastTransitionTime"});
            const bool same = string_at(before, {"type"}) == string_at(condition, {"type"}) &&
                              string_at(before, {"status"}) == string_at(condition, {"status"});
            if (!same || time.empty()) continue;
            changed = time;
            break;
        }
        condition["lastTransitionTime"] = changed;
    }
}

void prepare_for_status_update(Json& object, const Json& old, const HookContext& context) {
    if (context.subresource == "approval") {  // decides, and changes nothing else
        const Json conditions = array_at(object, {"status", "conditions"});
        object["status"] = object_at(old, {"status"});
        if (conditions.empty()) {
            erase(object["status"], "conditions");
        } else {
            object["status"]["conditions"] = conditions;
        }
    }
    fill_times(object, old, context.now);
}

Messages check_name(std::string_view, bool) {
    return {};
}

// ---------------------------------------------------------------- v1beta1

bool uses(const Json& usages, std::set<std::string> wanted) {
    std::set<std::string> given;
    for (const Json& usage : usages) given.insert(usage.is_string() ? usage.get<std::string>() : "");
    if (given == wanted) return true;
    wanted.erase("key encipherment");
    return given == wanted;
}

// Which signer a request that names none is for.
std::string_view signer_of(const Json& spec) {
    std::string complaint;
    const auto subject = parse_certificate_request(decoded(spec, {"request"}), complaint);
    if (!subject || subject->organizations != std::vector<std::string>{"system:nodes"} ||
        !subject->common_name.starts_with("system:node:") || subject->email_addresses + subject->uris > 0) {
        return legacy_signer;
    }
    const Json& usages = array_at(spec, {"usages"});
    const bool named = subject->dns_names + subject->ip_addresses > 0;
    if (!named && uses(usages, {"key encipherment", "digital signature", "client auth"}))
        return kubelet_client_signer;
    if (named && uses(usages, {"key encipherment", "digital signature", "server auth"}))
        return kubelet_serving_signer;
    return legacy_signer;
}

void v1beta1_defaults(Json& object, const HookContext&) {
    Json& spec = ensure(object, {"spec"});
    if (find(spec, "usages") == nullptr)
        spec["usages"] = Json::array({"digital signature", "key encipherment"});
    if (find(spec, "signerName") == nullptr) spec["signerName"] = std::string(signer_of(spec));
    Json* conditions = find(object, {"status", "conditions"});
    if (conditions == nullptr || !conditions->is_array()) return;
    for (Json& condition : *conditions) {
        if (string_at(condition, {"status"}).empty()) condition["status"] = "True";
    }
}

}  // namespace

KUBEMU_RULES(certificate_signing_request_rules){.prepare_for_create = prepare_for_create,
                                                .prepare_for_update = prepare_for_update,
                                                .prepare_for_status_update = prepare_for_status_update,
                                                .validate_create = validate_create,
                                                .validate_update = validate_change,
                                                .validate_status_update = validate_change,
                                                .validate_name = check_name};
KUBEMU_RULES(certificate_signing_request_v1beta1_rules){
    .set_defaults = v1beta1_defaults,
    .prepare_for_create = prepare_for_create,
    .prepare_for_update = prepare_for_update,
    .prepare_for_status_update = prepare_for_status_update,
    .validate_create = validate_create,
    .validate_update = validate_change,
    .validate_status_update = validate_change,
    .validate_name = check_name};

}  // namespace kubemu::api::kinds

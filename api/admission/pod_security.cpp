// PodSecurity: holds pods to the standard that their namespace enforces, and warns of what others would refuse
// (k8s.io/pod-security-admission/admission).
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "api/admission/chain.h"
#include "api/admission/pod_security_checks.h"
#include "api/audit.h"
#include "api/kinds/views.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

// A change of a namespace's standard is checked against this many of its pods.
constexpr std::size_t pods_checked_max = 3000;

const Json& labels_of(const Json& object) {
    return object_at(object, {"metadata", "labels"});
}

std::string detail_of(const std::vector<PodSecurityViolation>& violations) {
    std::vector<std::string> texts;
    for (const auto& [reason, detail] : violations)
        texts.push_back(detail.empty() ? reason : reason + " (" + detail + ")");
    return join(texts, ", ");
}

std::string reason_of(const std::vector<PodSecurityViolation>& violations) {
    std::vector<std::string> texts;
    for (const auto& violation : violations) texts.push_back(violation.reason);
    return join(texts, ", ");
}

bool same_images(const Json& pod, const Json& old, const char* list) {
    const Json& now = array_at(pod, {"spec", list});
    const Json& before = array_at(old, {"spec", list});
    if (now.size() != before.size()) return false;
    for (std::size_t i = 0; i < now.size(); ++i) {
        if (string_at(now[i], {"image"}) != string_at(before[i], {"image"})) return false;
    }
    return true;
}

// Of a pod little but its images and ephemeral containers can change.
bool significant(const Json& pod, const Json& old) {
    return !same_images(pod, old, "containers") || !same_images(pod, old, "initContainers") ||
           !same_images(pod, old, "ephemeralContainers");
}

// The template of pods in an object that makes some; null for other kinds.
const Json* template_of(const AdmissionRequest& request) {
    const Json& object = *request.object;
    for (const char* resource : {"replicationcontrollers", "replicasets.apps", "deployments.apps", "statefulsets.apps",
                                 "daemonsets.apps", "jobs.batch"}) {
        if (request.is(resource)) return find(object, {"spec", "template"});
    }
    if (request.is("podtemplates")) return find(object, "template");
    if (request.is("cronjobs.batch")) return find(object, {"spec", "jobTemplate", "spec", "template"});
    return nullptr;
}

ApiResult<bool> check_pod(AdmissionRequest& request, const Json& pod, bool enforce) {
    const storage::RecordPtr space = request.lookup.get("namespaces", {}, request.namespace_name);
    if (space == nullptr) return true;
    FieldErrors ignored;  // they were told when the labels were written
    Json labels = Json::object();
    for (const auto& [name, value] : view_of(*space).labels) labels[name] = value;
    const PodSecurityPolicy policy = pod_security_policy(labels, ignored);
    const Json& metadata = object_at(pod, {"metadata"});
    const Json& spec = object_at(pod, {"spec"});
    if (enforce) {
        audit_note("pod-security.kubernetes.io/enforce-policy", policy.enforce.text());
        const auto violations = pod_security_violations(policy.enforce, metadata, spec);
        if (!violations.empty()) {
            return request.forbidden("violates PodSecurity " + go_quote(policy.enforce.text()) + ": " +
                                     detail_of(violations));
        }
    }
    if (const auto audited = pod_security_violations(policy.audit, metadata, spec); !audited.empty()) {
        audit_note("pod-security.kubernetes.io/audit-violations",
                   "would violate PodSecurity " + go_quote(policy.audit.text()) + ": " + detail_of(audited));
    }
    const auto violations = pod_security_violations(policy.warn, metadata, spec);
    if (!violations.empty() && request.warnings != nullptr) {
        request.warnings->push_back("would violate PodSecurity " + go_quote(policy.warn.text()) + ": " +
                                    detail_of(violations));
    }
    return true;
}

// What the namespace's pods say about a stricter standard.
std::vector<std::string> complaints_of_pods(const AdmissionRequest& request, const PodSecurityStandard& enforce) {
    struct Pods {
        std::string first;
        std::size_t count = 0;
    };
    std::map<std::string, Pods> pods_of_reason;
    const auto records = request.lookup.list("pods", request.name);
    const std::size_t checked = std::min(records.size(), pods_checked_max);
    for (std::size_t i = 0; i < checked; ++i) {
        const Json pod = request.lookup.document(*records[i]);
        const auto violations =
            pod_security_violations(enforce, object_at(pod, {"metadata"}), object_at(pod, {"spec"}));
        if (violations.empty()) continue;
        Pods& pods = pods_of_reason[reason_of(violations)];
        const std::string name(name_of(pod));
        if (pods.count++ == 0 || name < pods.first) pods.first = name;
    }
    std::vector<std::string> head, complaints;
    if (checked < records.size()) {
        head.push_back("new PodSecurity enforce level only checked against the first " + std::to_string(checked) +
                       " of " + std::to_string(records.size()) + " existing pods");
    }
    for (const auto& [reason, pods] : pods_of_reason) {
        std::string who = pods.first;
        if (pods.count == 2) who += " (and 1 other pod)";
        if (pods.count > 2) who += " (and " + std::to_string(pods.count - 1) + " other pods)";
        complaints.push_back(who + ": " + reason);
    }
    if (complaints.empty()) return head;
    head.push_back("existing pods in namespace " + go_quote(request.name) +
                   " violate the new PodSecurity enforce level " + go_quote(enforce.text()));
    std::sort(complaints.begin(), complaints.end());
    head.insert(head.end(), complaints.begin(), complaints.end());
    return head;
}

ApiResult<bool> check_namespace(AdmissionRequest& request) {
    FieldErrors errors, old_errors;
    const PodSecurityPolicy policy = pod_security_policy(labels_of(*request.object), errors);
    if (request.operation == AdmissionRequest::Operation::create) {
        if (!errors.empty()) return Status::invalid({}, "Namespace", name_of(*request.object), errors);
        return true;
    }
    const PodSecurityPolicy before = pod_security_policy(labels_of(*request.old), old_errors);
    const bool told_before = std::equal(
        errors.all().begin(), errors.all().end(), old_errors.all().begin(), old_errors.all().end(),
        [](const FieldError& a, const FieldError& b) { return a.field == b.field && a.message == b.message; });
    if (!errors.empty() && !told_before) return Status::invalid({}, "Namespace", request.name, errors);
    const bool relaxed = policy.enforce.minor == before.enforce.minor && policy.enforce.level <= before.enforce.level;
    if (policy.enforce == before.enforce || policy.enforce.level == PodSecurityLevel::privileged || relaxed)
        return true;
    if (request.warnings != nullptr) {
        for (std::string& complaint : complaints_of_pods(request, policy.enforce))
            request.warnings->push_back(std::move(complaint));
    }
    return true;
}

}  // namespace

ApiResult<bool> pod_security_validate(AdmissionRequest& request) {
    if (request.operation == AdmissionRequest::Operation::remove || request.object == nullptr) return true;
    if (request.is("namespaces")) return request.subresource.empty() ? check_namespace(request) : ApiResult<bool>(true);
    if (request.is("pods")) {
        if (!request.subresource.empty() && request.subresource != "ephemeralcontainers" &&
            request.subresource != "resize")
            return true;
        if (request.old != nullptr && !significant(*request.object, *request.old)) return true;
        return check_pod(request, *request.object, true);
    }
    if (!request.subresource.empty()) return true;
    const Json* pod = template_of(request);
    return pod == nullptr ? ApiResult<bool>(true) : check_pod(request, *pod, false);
}

}  // namespace kubemu::api

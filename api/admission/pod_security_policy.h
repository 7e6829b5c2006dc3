// The Pod Security Standards that a namespace asks for by its labels (k8s.io/pod-security-admission/api).
#pragma once

#include <string>

#include "api/values/field_errors.h"
#include "api/values/object.h"

namespace kubemu::api {

enum class PodSecurityLevel { privileged, baseline, restricted };  // each stricter than the one before

struct PodSecurityStandard {
    PodSecurityLevel level = PodSecurityLevel::privileged;
    int minor = -1;  // of Kubernetes 1.x; -1 for the latest

    std::string text() const;  // "baseline:v1.28", "restricted:latest"
    bool operator==(const PodSecurityStandard&) const = default;
};

struct PodSecurityPolicy {
    PodSecurityStandard enforce, audit, warn;
};

// Labels that are wrong count as the strictest for enforce and as none for the others; each is a complaint.
PodSecurityPolicy pod_security_policy(const Json& labels, FieldErrors& errors);

}  // namespace kubemu::api

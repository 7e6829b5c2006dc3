// Pod specs wherever they stand (pods, templates): defaults that depend on other fields, and validation with the
// wording of kubernetes pkg/apis/core/validation. The checks themselves are in pod_<question>.cpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/values/field_errors.h"
#include "api/values/object.h"

namespace kubemu::api {

// SetDefaults_PodSpec and what it contains, for pods and templates.
void default_pod_spec(Json& spec);
// SetDefaults_Pod: what is settled only when a pod is made of a template (requests from limits, host ports).
void default_pod(Json& pod);

// What the strategy of pods derives on creation from labels and annotations. `warnings` may be null.
void settle_new_pod(Json& pod, std::vector<std::string>* warnings);

// ValidatePodSpec. `metadata` is that of the pod, null in a template.
void validate_pod_spec(const Json& spec, const Json* metadata, const FieldPath& path, FieldErrors& errors);
// validatePodMetadataAndSpec, metadata's own rules apart: what a pod must satisfy on create and on every update.
void validate_pod(const Json& pod, FieldErrors& errors);
// What only a new pod must satisfy.
void validate_new_pod(const Json& pod, FieldErrors& errors);
// ValidatePodTemplateSpec: labels, annotations and spec of a template.
void validate_pod_template(const Json& pod_template, const FieldPath& path, FieldErrors& errors);
// A NodeSelector: at least one term, each of known operators (pods, PersistentVolumes, ResourceSlices).
void validate_node_selector(const Json& selector, const FieldPath& path, FieldErrors& errors);

// ValidatePodUpdate after validate_pod: only images, the deadline, tolerations and gates may change.
void validate_pod_update(const Json& pod, const Json& old, FieldErrors& errors);
void validate_ephemeral_containers_update(const Json& pod, const Json& old, FieldErrors& errors);
void validate_pod_resize(const Json& pod, const Json& old, FieldErrors& errors);
void validate_pod_status_update(const Json& pod, const Json& old, FieldErrors& errors);

// pkg/api/pod.GetWarningsForPod and GetWarningsForPodTemplate. `path` is that of the template, empty for a pod.
void warn_of_pod(const Json& pod, std::vector<std::string>& warnings);
void warn_of_pod_template(const Json& pod_template, const FieldPath& path, std::vector<std::string>& warnings);

}  // namespace kubemu::api

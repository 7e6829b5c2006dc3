// The parts of pod validation, one file a question: what all of them know of the pod, and their entry points.
//
// Order, paths, echoed values and texts are those of kubernetes pkg/apis/core/validation/validation.go. Values stand
// in the document as the user wrote them with zero values dropped, so an absent member is an empty one. Paths are
// text and cost an allocation each: they are made for what is there to be complained about, not for every field.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/values/field_errors.h"
#include "api/values/object.h"
#include "api/values/quantity.h"

namespace kubemu::api::pods {

struct PodContext {
    const Json& spec;
    const Json* metadata;   // null in a template
    bool is_pod;            // a Pod; false: a template
    bool host_network = false, host_pid = false, host_ipc = false;
    bool host_users = true;  // false only when the pod says so
    std::optional<std::int64_t> grace_seconds;
    std::string_view restart_policy;
    std::string_view os;     // "" when the pod does not say
    // What volumeMounts may name: volumes without an error, with their definition.
    std::vector<std::pair<std::string_view, const Json*>> volumes;
    std::vector<std::string_view> claims;  // spec.resourceClaims, in order

    const Json* volume(std::string_view name) const;
};

// Calls `visit` for containers of all three kinds: init, then regular, then ephemeral, as the real server visits them.
using ContainerVisitor = std::function<void(const Json& container, const FieldPath& path)>;
void visit_containers(const Json& spec, const FieldPath& path, const ContainerVisitor& visit);
bool restarts_always(const Json& init_container);  // a sidecar

// "may not specify more than 1 ... type": counts members of a union in the given order.
struct UnionMember {
    std::string_view name;
    void (*validate)(const Json& value, const FieldPath& path, FieldErrors& errors);
};

// pod_volumes.cpp; fills context.volumes.
void validate_volumes(PodContext& context, const FieldPath& path, FieldErrors& errors);
// pod_volume_sources.cpp: what a volume can be made of, in the order of the checks. `path` and `second` are the real
// server's names for the member in messages of the source itself and of "more than 1 volume type", where they differ.
struct VolumeSource {
    UnionMember member;
    std::string_view path{};
    std::string_view second{};
};
std::span<const VolumeSource> volume_sources();
void validate_key_to_path(const Json& item, const FieldPath& path, FieldErrors& errors);
void validate_file_mode(const Json& object, std::string_view member, const FieldPath& parent, FieldErrors& errors);
// pod_projections.cpp
void validate_downward_api_volume(const Json& source, const FieldPath& path, FieldErrors& errors);
void validate_projected_volume(const Json& source, const FieldPath& path, FieldErrors& errors);
// pod_containers.cpp
void validate_containers(const PodContext& context, const FieldPath& path, FieldErrors& errors);
void validate_init_containers(const PodContext& context, const FieldPath& path, FieldErrors& errors);
// pod_ephemeral.cpp
void validate_ephemeral_containers(const PodContext& context, const FieldPath& path, FieldErrors& errors);
void validate_container_common(const Json& container, const PodContext& context, const FieldPath& path, FieldErrors& errors);
void validate_image_whitespace(const Json& container, const FieldPath& path, FieldErrors& errors);
// pod_env.cpp
void validate_env(const Json& container, const FieldPath& path, FieldErrors& errors);
void validate_field_ref(const Json& reference, std::span<const std::string_view> allowed, const FieldPath& path,
                        FieldErrors& errors);
void validate_resource_field_ref(const Json& reference, bool in_volume, const FieldPath& path, FieldErrors& errors);
void validate_file_key_volumes(const PodContext& context, const FieldPath& path, FieldErrors& errors);
// pod_mounts.cpp
void validate_mounts(const Json& container, const PodContext& context, const FieldPath& path, FieldErrors& errors);
// pod_probes.cpp
void validate_probes(const Json& container, const FieldPath& path, FieldErrors& errors);
void validate_lifecycle(const Json& lifecycle, const PodContext& context, const FieldPath& path, FieldErrors& errors);
// pod_resources.cpp
enum class ResourceLevel { container, pod };
void validate_resources(const Json& resources, const std::vector<std::string_view>& claims, ResourceLevel level,
                        const FieldPath& path, FieldErrors& errors);
void validate_resize_policy(const Json& container, const PodContext& context, const FieldPath& path, FieldErrors& errors);
void validate_resource_claims(const PodContext& context, const FieldPath& path, FieldErrors& errors);
void validate_pod_level_resources(const PodContext& context, const FieldPath& path, FieldErrors& errors);
void validate_overhead(const Json& spec, const FieldPath& path, FieldErrors& errors);
// What the containers of a pod ask together (list: requests or limits): the running ones, or the largest init container
// with the sidecars before it, whichever is more (component-helpers/resource.AggregateContainerRequests).
std::map<std::string, Quantity> aggregate_resources(const Json& spec, const char* list);
bool pod_level_resource(std::string_view name);  // spec.resources takes cpu, memory and huge pages
// pod_volume_sources.cpp: the metadata of what is made of a template may have labels and annotations alone.
void validate_template_metadata(const Json& metadata, const FieldPath& path, FieldErrors& errors);
// pod_security.cpp
void validate_security_context(const Json& container, const PodContext& context, const FieldPath& path, FieldErrors& errors);
void validate_pod_security_context(const PodContext& context, const FieldPath& path, FieldErrors& errors);
// pod_windows.cpp
void validate_windows_options(const Json* options, const FieldPath& path, FieldErrors& errors);
void validate_windows_host_process(const PodContext& context, const FieldPath& path, FieldErrors& errors);
void validate_host_users(const PodContext& context, const FieldPath& path, FieldErrors& errors);
void validate_os(const PodContext& context, const FieldPath& path, FieldErrors& errors);
// pod_scheduling.cpp
void validate_affinity(const Json& affinity, const FieldPath& path, FieldErrors& errors);
void validate_tolerations(const Json& tolerations, const FieldPath& path, FieldErrors& errors);
void validate_scheduling_gates(const Json& gates, const FieldPath& path, FieldErrors& errors);
// pod_spread.cpp
void validate_topology_spread(const Json& constraints, const FieldPath& path, FieldErrors& errors);
void validate_match_label_keys(const Json& term, const FieldPath& path, FieldErrors& errors);
// pod_dns.cpp
void validate_dns_config(const Json& spec, const FieldPath& path, FieldErrors& errors);
void validate_host_aliases(const Json& aliases, const FieldPath& path, FieldErrors& errors);
void validate_hostname_override(const PodContext& context, const FieldPath& path, FieldErrors& errors);
// pod_creation.cpp: the profile that an AppArmor annotation means; nothing for one that means none.
std::optional<Json> app_armor_field(std::string_view annotation);
// pod_path_warnings.cpp
void warn_of_overlapping_paths(const Json& spec, std::vector<std::string>& warnings);
// pod_annotations.cpp
void validate_pod_annotations(const Json& metadata, const Json& spec, const FieldPath& path, FieldErrors& errors);
// seccomp and AppArmor profiles that annotations and fields both name.
void validate_profiles_match(const Json& metadata, const Json& spec, const FieldPath& path, FieldErrors& errors);

}  // namespace kubemu::api::pods

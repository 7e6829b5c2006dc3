// PodInfo and NodeInfo: what placing a pod needs, taken from the documents once and kept small.
//
// A cluster of thousands of equal pods must not be decoded to place the next one: requests, ports and priority come
// from the PodView; the document is decoded only when its text shows constraints beyond these.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "api/kinds/views.h"
#include "api/selector/label.h"
#include "api/values/object.h"
#include "storage/record.h"

namespace kubemu::controllers::scheduler {

struct Resources {
    std::int64_t cpu_milli = 0;
    std::int64_t memory_bytes = 0;
    std::int64_t ephemeral_bytes = 0;
    std::map<std::string, std::int64_t, std::less<>> extended;

    void add(const Resources& other, int sign);
};

struct Taint {
    std::string key, value, effect;
};

struct Toleration {
    std::string key, op, value, effect;

    bool tolerates(const Taint& taint) const;
};

// core/v1 NodeSelectorRequirement; Gt and Lt compare integers.
struct NodeRequirement {
    std::string key, op;
    std::vector<std::string> values;
    bool on_field = false;  // matchFields: metadata.name
};
using NodeTerm = std::vector<NodeRequirement>;

// The labels of each namespace, for terms that select namespaces by them.
using Namespaces = std::map<std::string, api::Labels, std::less<>>;

struct PodTerm {
    api::LabelSelector selector;
    std::set<std::string> namespaces;
    std::optional<api::LabelSelector> namespace_selector;  // those that it selects count too
    std::string topology_key;
    int weight = 0;  // preferred terms only

    bool matches(const Namespaces& all, std::string_view namespace_name, const api::Labels& labels) const;
};

struct SpreadConstraint {
    api::LabelSelector selector;
    std::string topology_key;
    int max_skew = 1;
    int min_domains = 1;
    bool hard = true;
    bool honor_affinity = true;
    bool honor_taints = false;
};

// An entry of spec.resourceClaims: a ResourceClaim that the pod uses.
struct DeviceClaim {
    std::string claim;       // its name; empty when there is none, because none is needed or because it is not made yet
    bool generated = false;  // of a template, for this pod alone
    bool made = true;

    bool operator==(const DeviceClaim&) const = default;
};

struct Constraints {
    std::vector<std::pair<std::string, std::string>> node_selector;
    bool has_required_node_terms = false;
    std::vector<NodeTerm> required_node_terms;
    std::vector<std::pair<int, NodeTerm>> preferred_node_terms;
    std::vector<Toleration> tolerations;
    std::vector<PodTerm> affinity, anti_affinity, preferred_affinity, preferred_anti_affinity;
    std::vector<SpreadConstraint> spread;
    std::vector<std::string> claims;            // of persistentVolumeClaim and ephemeral volumes
    std::vector<std::string> ephemeral_claims;  // of the latter
    std::vector<DeviceClaim> device_claims;
    std::vector<std::string> images, mounted_images;  // of containers and init containers; of image volumes
    std::string nominated_node;
    bool gated = false;
    bool never_preempts = false;

    bool has_pod_terms() const {
        return !affinity.empty() || !anti_affinity.empty() || !preferred_affinity.empty() || !preferred_anti_affinity.empty();
    }
};

struct PodInfo {
    std::string key, namespace_name, name, uid;
    api::Interned<api::Labels> labels;
    Resources requests;
    std::int64_t nonzero_cpu_milli = 0;  // the same where a container without requests counts as api::nonzero_requests
    std::int64_t nonzero_memory_bytes = 0;
    // The same of its containers, whatever the pod asks for as a whole: by these it is compared where it would have room.
    std::int64_t scored_cpu_milli = 0;
    std::int64_t scored_memory_bytes = 0;
    std::vector<api::HostPort> ports;
    int priority = 0;
    bool deleting = false;
    std::shared_ptr<const Constraints> constraints;  // null: none beyond the rest

    const Constraints& rules() const;
};
using PodInfoPtr = std::shared_ptr<const PodInfo>;

struct NodeInfo {
    std::string name;
    api::Labels labels;
    std::vector<Taint> taints;
    bool unschedulable = false;
    Resources allocatable;
    std::int64_t pods_allocatable = 110;
    std::map<std::string, std::int64_t> images;  // bytes, by each name that status.images has
    // What is on it or on its way to it.
    Resources used;
    std::int64_t nonzero_cpu_milli = 0;
    std::int64_t nonzero_memory_bytes = 0;
    std::unordered_map<std::string, PodInfoPtr> pods;  // by key
    int pods_with_affinity = 0;  // or anti-affinity, required or preferred
    int pods_with_anti_affinity = 0;

    const std::string* label(std::string_view key) const;
    void add(const PodInfoPtr& pod);
    void remove(const std::string& key);
};
using Nodes = std::map<std::string, NodeInfo, std::less<>>;

// True when the document has to be decoded to know its constraints, or what each of its containers asks for.
bool text_shows_constraints(std::string_view pod_text);
// `document` is null when the text shows no constraints.
PodInfoPtr make_pod_info(const storage::Record& record, const api::PodView& view, const api::Json* document);
// The declared part; usage is kept by the caller.
void read_node(const api::Json& node, NodeInfo& info);
bool matches_terms(const std::vector<NodeTerm>& terms, const NodeInfo& node);
std::vector<NodeTerm> read_node_terms(const api::Json& terms);

}  // namespace kubemu::controllers::scheduler

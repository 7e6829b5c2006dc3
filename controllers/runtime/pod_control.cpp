// Pods from templates, and the ranking by which they go.
#include "controllers/runtime/pod_control.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "api/codec/go_dump.h"
#include "api/values/names.h"
#include "controllers/runtime/owner_refs.h"
#include "storage/base/text_search.h"

namespace kubemu::controllers {

namespace {

constexpr std::string_view deletion_cost = "controller.kubernetes.io/pod-deletion-cost";

// Annotations are not in the View; few pods have this one, so its name is looked for in the bytes first.
int cost_of(const storage::Record& record, const api::Client& client) {
    if (!contains_text(*record.bytes.get(), deletion_cost)) return 0;
    const api::Json pod = client.document(record);
    const std::string_view text = api::string_at(pod, {"metadata", "annotations", deletion_cost});
    int cost = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), cost);
    return error == std::errc() && end == text.data() + text.size() ? cost : 0;
}

int order_of(api::PodPhase phase) {
    switch (phase) {
        case api::PodPhase::pending: return 0;
        case api::PodPhase::unknown: return 1;
        default: return 2;
    }
}

// Ages are compared by magnitude, so that of pods about equally old a random one goes (LogarithmicScaleDown).
int magnitude(Time since, Time now) {
    const std::int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(now - since).count();
    return seconds <= 0 ? 0 : std::bit_width(static_cast<std::uint64_t>(seconds));
}

struct Candidate {
    storage::RecordPtr record;
    const api::PodView* pod;
    int cost;
    int rank;
};

// Negative: `a` goes first.
int compare_age(Time a, Time b, const Candidate& left, const Candidate& right, Time now) {
    if (a == b) return 0;
    const int difference = magnitude(a, now) - magnitude(b, now);
    return difference != 0 ? difference : left.pod->uid.compare(right.pod->uid);
}

bool goes_first(const Candidate& a, const Candidate& b, Time now) {
    if (a.pod->node_name.empty() != b.pod->node_name.empty()) return a.pod->node_name.empty();
    if (a.pod->phase != b.pod->phase) return order_of(a.pod->phase) < order_of(b.pod->phase);
    if (a.pod->ready != b.pod->ready) return !a.pod->ready;
    if (a.cost != b.cost) return a.cost < b.cost;
    if (a.rank != b.rank) return a.rank > b.rank;
    if (a.pod->ready && b.pod->ready) {
        if (const int age = compare_age(a.pod->ready_since, b.pod->ready_since, a, b, now); age != 0) return age < 0;
    }
    if (a.pod->restarts != b.pod->restarts) return a.pod->restarts > b.pod->restarts;
    return compare_age(a.pod->created, b.pod->created, a, b, now) < 0;
}

}  // namespace

api::Json PodControl::pod_from_template(const storage::Record& owner, const api::Json& pod_template) const {
    const api::ObjectView& view = api::view_of(owner);
    api::Json metadata = api::Json::object();
    for (const char* member : {"labels", "annotations", "finalizers"}) {
        if (const api::Json* value = api::find(pod_template, {"metadata", member})) metadata[member] = *value;
    }
    // The dash is dropped when the name does not bear it.
    std::string prefix = view.name + "-";
    if (!api::check_name_as_subdomain(prefix, true).empty()) prefix = view.name;
    metadata["generateName"] = prefix;
    metadata["namespace"] = view.namespace_name;
    metadata["ownerReferences"] = api::Json::array({controller_reference(owner_kind_, view)});
    api::Json pod = {{"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", std::move(metadata)}};
    if (const api::Json* spec = api::find(pod_template, "spec")) pod["spec"] = *spec;
    return pod;
}

api::ApiResult<storage::RecordPtr> PodControl::create(const storage::Record& owner, api::Json pod) {
    const std::string namespace_name(api::namespace_of(pod));
    auto created = client_.create(pods_, namespace_name, std::move(pod));
    if (created) {
        events_.normal(object_reference(owner_kind_, owner), "SuccessfulCreate",
                       "Created pod: " + api::view_of(**created).name);
    } else if (!namespace_terminating(created.error())) {
        events_.warning(object_reference(owner_kind_, owner), "FailedCreate",
                        "Error creating: " + created.error()->message);
    }
    return created;
}

api::ApiResult<bool> PodControl::remove(const storage::Record& owner, const api::ObjectView& pod) {
    api::DeleteOptions options;
    options.precondition_uid = pod.uid;
    const auto removed = client_.remove(pods_, pod.namespace_name, pod.name, options);
    if (removed) {
        events_.normal(object_reference(owner_kind_, owner), "SuccessfulDelete", "Deleted pod: " + pod.name);
        return true;
    }
    if (removed.error().code() == 404) return false;
    events_.warning(object_reference(owner_kind_, owner), "FailedDelete", "Error deleting: " + removed.error()->message);
    return removed.error();
}

bool namespace_terminating(const api::Status& status) {
    return std::any_of(status->causes.begin(), status->causes.end(),
                       [](const api::StatusCause& cause) { return cause.reason == "NamespaceTerminating"; });
}

bool is_available(const api::PodView& pod, std::int64_t min_ready_seconds, Time now) {
    if (!pod.ready) return false;
    return min_ready_seconds == 0 || pod.ready_since + std::chrono::seconds(min_ready_seconds) <= now;
}

std::optional<Time> next_available(const std::vector<storage::RecordPtr>& pods, std::int64_t min_ready_seconds, Time now) {
    std::optional<Time> next;
    for (const storage::RecordPtr& record : pods) {
        const api::PodView& pod = api::pod_view_of(*record);
        if (!pod.ready || is_available(pod, min_ready_seconds, now)) continue;
        const Time due = pod.ready_since + std::chrono::seconds(min_ready_seconds);
        if (!next || due < *next) next = due;
    }
    return next;
}

void sort_for_deletion(std::vector<storage::RecordPtr>& pods, const std::vector<storage::RecordPtr>& related, Time now,
                       const api::Client& client) {
    std::unordered_map<std::string_view, int> active_on_node;
    for (const storage::RecordPtr& record : related) {
        const api::PodView& pod = api::pod_view_of(*record);
        if (pod.active()) ++active_on_node[pod.node_name];
    }
    std::vector<Candidate> candidates;
    candidates.reserve(pods.size());
    for (const storage::RecordPtr& record : pods) {
        const api::PodView& pod = api::pod_view_of(*record);
        candidates.push_back({record, &pod, cost_of(*record, client), active_on_node[pod.node_name]});
    }
    std::stable_sort(candidates.begin(), candidates.end(),
                     [now](const Candidate& a, const Candidate& b) { return goes_first(a, b, now); });
    for (std::size_t i = 0; i < pods.size(); ++i) pods[i] = std::move(candidates[i].record);
}

std::string safe_hash(std::uint32_t hash) {
    static constexpr std::string_view alphabet = "bcdfghjklmnpqrstvwxz2456789";
    std::string text = std::to_string(hash);
    for (char& c : text) c = alphabet[static_cast<unsigned char>(c) % alphabet.size()];
    return text;
}

std::uint32_t fnv32a(std::string_view text, std::uint32_t seed) {
    std::uint32_t hash = seed;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
    return hash;
}

std::string template_hash(const api::Json& pod_template, std::optional<std::int64_t> collision_count) {
    static const api::TypeInfo& type = *api::find_type("core/v1.PodTemplateSpec");
    std::uint32_t hash = fnv32a(api::go_dump(type, pod_template));
    if (collision_count) {
        // Eight bytes, of which the number takes the first four, the least significant first.
        std::string bytes(8, '\0');
        for (unsigned i = 0; i < 4; ++i) {
            bytes[i] = static_cast<char>(static_cast<std::uint32_t>(*collision_count) >> (8 * i) & 0xffU);
        }
        hash = fnv32a(bytes, hash);
    }
    return safe_hash(hash);
}

}  // namespace kubemu::controllers

// Node selection without resources: daemon pods wait for room rather than being left out.
#include "controllers/daemonset/node_fit.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

namespace kubemu::controllers {

namespace {

std::optional<std::int64_t> integer(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// One matchExpressions or matchFields entry against the value there is (null: none).
bool requirement_holds(const api::Json& requirement, const std::string* value) {
    const std::string_view op = api::string_at(requirement, {"operator"});
    const api::Json& values = api::array_at(requirement, {"values"});
    const auto among = [&] {
        return std::any_of(values.begin(), values.end(), [value](const api::Json& one) { return one == *value; });
    };
    if (op == "Exists") return value != nullptr;
    if (op == "DoesNotExist") return value == nullptr;
    if (op == "In") return value != nullptr && among();
    if (op == "NotIn") return value == nullptr || !among();
    if (op != "Gt" && op != "Lt") return false;
    if (value == nullptr || values.size() != 1 || !values[0].is_string()) return false;
    const auto have = integer(*value), bound = integer(values[0].get_ref<const std::string&>());
    return have && bound && (op == "Gt" ? *have > *bound : *have < *bound);
}

bool term_matches(const api::Json& term, const api::Json& labels, const std::string& node_name) {
    const api::Json& expressions = api::array_at(term, {"matchExpressions"});
    const api::Json& fields = api::array_at(term, {"matchFields"});
    if (expressions.empty() && fields.empty()) return false;  // an empty term selects nothing
    for (const api::Json& requirement : expressions) {
        const api::Json* label = api::find(labels, api::string_at(requirement, {"key"}));
        if (!requirement_holds(requirement, label == nullptr ? nullptr : &label->get_ref<const std::string&>())) return false;
    }
    for (const api::Json& requirement : fields) {
        const bool by_name = api::string_at(requirement, {"key"}) == "metadata.name";
        if (!requirement_holds(requirement, by_name ? &node_name : nullptr)) return false;
    }
    return true;
}

bool selected(const api::Json& pod_spec, const api::Json& node) {
    const api::Json& labels = api::object_at(node, {"metadata", "labels"});
    for (const auto& [key, value] : api::object_at(pod_spec, {"nodeSelector"}).items()) {
        const api::Json* label = api::find(labels, key);
        if (label == nullptr || *label != value) return false;
    }
    const api::Json* required =
        api::find(pod_spec, {"affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"});
    if (required == nullptr) return true;
    const std::string name(api::name_of(node));
    const api::Json& terms = api::array_at(*required, {"nodeSelectorTerms"});
    return std::any_of(terms.begin(), terms.end(),
                       [&](const api::Json& term) { return term_matches(term, labels, name); });
}

bool tolerates(const api::Json& toleration, const api::Json& taint) {
    const std::string_view effect = api::string_at(toleration, {"effect"});
    if (!effect.empty() && effect != api::string_at(taint, {"effect"})) return false;
    const std::string_view key = api::string_at(toleration, {"key"});
    const bool exists = api::string_at(toleration, {"operator"}) == "Exists";
    if (key.empty()) return exists;
    if (key != api::string_at(taint, {"key"})) return false;
    return exists || api::string_at(toleration, {"value"}) == api::string_at(taint, {"value"});
}

bool tolerated(const api::Json& pod_spec, const api::Json& taint) {
    const api::Json& tolerations = api::array_at(pod_spec, {"tolerations"});
    return std::any_of(tolerations.begin(), tolerations.end(),
                       [&taint](const api::Json& toleration) { return tolerates(toleration, taint); });
}

}  // namespace

NodeFit node_fit(const api::Json& pod_spec, const api::Json& node) {
    const std::string_view pinned = api::string_at(pod_spec, {"nodeName"});
    if (!pinned.empty() && pinned != api::name_of(node)) return {};
    if (!selected(pod_spec, node)) return {};
    NodeFit fit{true, true};
    for (const api::Json& taint : api::array_at(node, {"spec", "taints"})) {
        const std::string_view effect = api::string_at(taint, {"effect"});
        if (effect == "PreferNoSchedule" || tolerated(pod_spec, taint)) continue;
        fit.should_run = false;
        if (effect == "NoExecute") fit.may_stay = false;
    }
    return fit;
}

void add_daemon_tolerations(api::Json& pod_spec) {
    struct Wanted {
        const char* key;
        const char* effect;
    };
    static constexpr Wanted always[] = {
        {"node.kubernetes.io/not-ready", "NoExecute"},        {"node.kubernetes.io/unreachable", "NoExecute"},
        {"node.kubernetes.io/disk-pressure", "NoSchedule"},   {"node.kubernetes.io/memory-pressure", "NoSchedule"},
        {"node.kubernetes.io/pid-pressure", "NoSchedule"},    {"node.kubernetes.io/unschedulable", "NoSchedule"},
        {"node.kubernetes.io/network-unavailable", "NoSchedule"},
    };
    api::Json tolerations = api::array_at(pod_spec, {"tolerations"});
    const bool host_network = api::bool_at(pod_spec, {"hostNetwork"});
    for (const Wanted& wanted : always) {
        if (!host_network && std::string_view(wanted.key).ends_with("network-unavailable")) continue;
        api::Json made = {{"key", wanted.key}, {"operator", "Exists"}, {"effect", wanted.effect}};
        const auto same = std::find_if(tolerations.begin(), tolerations.end(), [&made](const api::Json& one) {
            return api::string_at(one, {"key"}) == api::string_at(made, {"key"}) &&
                   api::string_at(one, {"effect"}) == api::string_at(made, {"effect"}) &&
                   api::string_at(one, {"operator"}) == "Exists" && api::string_at(one, {"value"}).empty();
        });
        if (same != tolerations.end()) {
            *same = std::move(made);
        } else {
            tolerations.push_back(std::move(made));
        }
    }
    pod_spec["tolerations"] = std::move(tolerations);
}

void bind_by_affinity(api::Json& pod_spec, const std::string& node_name) {
    api::Json& affinity = api::ensure(pod_spec, {"affinity", "nodeAffinity"});
    affinity["requiredDuringSchedulingIgnoredDuringExecution"] = {
        {"nodeSelectorTerms",
         api::Json::array({{{"matchFields", api::Json::array({{{"key", "metadata.name"},
                                                                {"operator", "In"},
                                                                {"values", api::Json::array({node_name})}}})}}})}};
}

std::string affinity_target(const api::Json& pod_spec) {
    const api::Json* required =
        api::find(pod_spec, {"affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"});
    if (required == nullptr) return {};
    for (const api::Json& term : api::array_at(*required, {"nodeSelectorTerms"})) {
        for (const api::Json& field : api::array_at(term, {"matchFields"})) {
            const api::Json& values = api::array_at(field, {"values"});
            if (api::string_at(field, {"key"}) == "metadata.name" && values.size() == 1 && values[0].is_string()) {
                return values[0].get<std::string>();
            }
        }
    }
    return {};
}

}  // namespace kubemu::controllers

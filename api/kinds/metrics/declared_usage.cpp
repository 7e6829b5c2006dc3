// A ResourceUsage of the pod's name decides for it alone; else the first ClusterResourceUsage that matches and has the
// container.
#include "api/kinds/metrics/declared_usage.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/kinds/metrics/served_load.h"
#include "api/values/quantity.h"
#include "api/values/time.h"

namespace kubemu::api {
namespace {

constexpr std::string_view of_pods = "resourceusages.kwok.x-k8s.io", of_cluster = "clusterresourceusages.kwok.x-k8s.io";

bool lists(const Json& names, std::string_view name) {
    return std::any_of(names.begin(), names.end(), [name](const Json& one) { return one == name; });
}

bool selects(const Json& object, const Json& pod) {
    const Json& spaces = array_at(object, {"spec", "selector", "matchNamespaces"});
    const Json& names = array_at(object, {"spec", "selector", "matchNames"});
    return (spaces.empty() || lists(spaces, namespace_of(pod))) && (names.empty() || lists(names, name_of(pod)));
}

// The entry that names the container, else the first that names none.
const Json* entry_for(const Json& object, std::string_view container) {
    const Json* otherwise = nullptr;
    for (const Json& usage : array_at(object, {"spec", "usages"})) {
        const Json& containers = array_at(usage, {"containers"});
        if (lists(containers, container)) return &usage;
        if (containers.empty() && otherwise == nullptr) otherwise = &usage;
    }
    return otherwise;
}

double number_of(const Quantity& quantity) {
    const std::int64_t whole = quantity.value();
    Quantity rest = quantity;
    rest -= Quantity::from_value(whole);
    return static_cast<double>(whole) + static_cast<double>(rest.milli_value()) / 1000;
}

// FNV-1a over the pod's uid and the time: what Rand() says, the same for everybody who asks.
double random_of(const Json& pod, Time now) {
    std::uint64_t hash = 14695981039346656037U;
    for (const char c : std::string(uid_of(pod)) + std::to_string(now.time_since_epoch().count()))
        hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
    return static_cast<double>(hash >> 11U) / static_cast<double>(std::uint64_t{1} << 53U);
}

class Answers final : public cel::LazyMembers {
  public:
    Answers(const Json& pod, const Json& node, Time now) : pod_(pod), node_(node), now_(now) {}
    std::optional<cel::Value> member(std::string_view name) const override {
        const std::int64_t micros = now_.time_since_epoch().count();
        if (name == "Now") return cel::Value::timestamp(micros / 1'000'000, micros % 1'000'000 * 1000);
        if (name == "Rand") return cel::Value::of(random_of(pod_, now_));
        const bool of_node = name == "node.SinceSecond";
        if (!of_node && name != "pod.SinceSecond") return std::nullopt;
        const Time created = parse_time_or_zero(string_at(of_node ? node_ : pod_, {"metadata", "creationTimestamp"}));
        return cel::Value::of(static_cast<double>((now_ - created).count()) / 1e6);
    }

  private:
    const Json &pod_, &node_;
    Time now_;
};

}  // namespace

Json with_metadata(const Json& object) {
    Json made = object;
    for (const char* member : {"labels", "annotations"}) {
        Json& map = ensure(made, {"metadata"})[member];
        if (!map.is_object()) map = Json::object();
    }
    return made;
}

DeclaredUsage::DeclaredUsage(const Lookup& lookup) : lookup_(lookup), load_(ServedLoad::of(lookup)) {
    for (const auto& record : lookup.list(of_cluster, {})) of_cluster_.push_back(lookup.document(*record));
    any_of_pods_ = !lookup.list(of_pods, {}).empty();
}

DeclaredUsage::~DeclaredUsage() = default;

const Json* DeclaredUsage::usage_for(const Json& pod, std::string_view container) const {
    if (any_of_pods_) {
        const auto [at, fresh] = of_pods_.try_emplace(std::string(namespace_of(pod)) + "/" + std::string(name_of(pod)));
        if (fresh) {
            const auto record = lookup_.get(of_pods, namespace_of(pod), name_of(pod));
            if (record != nullptr) at->second = lookup_.document(*record);
        }
        if (!at->second.is_null()) return entry_for(at->second, container);
    }
    for (const Json& object : of_cluster_) {
        if (!selects(object, pod)) continue;
        if (const Json* entry = entry_for(object, container)) return entry;
    }
    return nullptr;
}

std::optional<double> DeclaredUsage::of(const Json& pod, const Json& container, std::string_view resource, Time now) const {
    if (!any_of_pods_ && of_cluster_.empty()) return std::nullopt;
    const Json* entry = usage_for(pod, string_at(container, {"name"}));
    if (entry == nullptr) return std::nullopt;
    const Json* said = find(object_at(*entry, {"usage"}), resource);
    if (said == nullptr) return 0;
    if (const Json* value = find(*said, "value")) {
        const auto quantity = Quantity::parse(value->is_string() ? value->get<std::string>() : value->dump());
        return quantity ? number_of(*quantity) : 0;
    }
    const std::string_view expression = string_at(*said, {"expression"});
    return expression.empty() ? 0 : evaluate(std::string(expression), pod, container, now);
}

// An expression that fails counts as nothing used.
double DeclaredUsage::evaluate(const std::string& expression, const Json& pod, const Json& container, Time now) const {
    const auto [compiled, fresh] = expressions_.try_emplace(expression);
    if (fresh) compiled->second = cel::compile_kwok(expression);
    if (compiled->second == nullptr) return 0;
    const std::string node_name(string_at(pod, {"spec", "nodeName"}));
    const auto [node, unread] = nodes_.try_emplace(node_name);
    if (unread) {
        const auto record = lookup_.get("nodes", {}, node_name);
        if (record != nullptr) node->second = with_metadata(lookup_.document(*record));
    }
    const Json whole_pod = with_metadata(pod);
    const Answers answers(pod, node->second, now);
    const cel::KwokScope scope{&node->second, &whole_pod, &container, &answers};
    return cel::kwok_number(*compiled->second, scope).value_or(0);
}

}  // namespace kubemu::api

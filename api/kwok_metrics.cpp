// A scrape evaluates the expressions of one Metric for a node, its pods or their containers.
#include "api/kwok_metrics.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "api/cel/kwok.h"
#include "api/kinds/metrics/declared_usage.h"
#include "api/kinds/metrics/usage.h"
#include "api/kinds/views.h"
#include "api/values/text.h"
#include "api/values/time.h"

namespace kubemu::api {
namespace {

constexpr std::string_view metrics_resource = "metrics.kwok.x-k8s.io", node_parameter = "{nodeName}";

// strconv.FormatFloat(value, 'g', -1, 64), and +Inf.
std::string number_text(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
    if (value == 0) return "0";
    char buffer[32];
    const auto [end, error] = std::to_chars(std::begin(buffer), std::end(buffer), value, std::chars_format::scientific);
    const std::string scientific(buffer, end);
    const int exponent = std::atoi(scientific.c_str() + scientific.find('e') + 1);
    constexpr int exponent_most = 5, exponent_least = -4;
    if (exponent < exponent_least || exponent > exponent_most) return scientific;
    const auto [plain_end, plain_error] = std::to_chars(std::begin(buffer), std::end(buffer), value, std::chars_format::fixed);
    return {buffer, plain_end};
}

std::string escaped(std::string_view text, bool quotes) {
    std::string out;
    for (const char c : text) {
        if (c == '\\') out += "\\\\";
        else if (c == '\n') out += "\\n";
        else if (c == '"' && quotes) out += "\\\"";
        else out += c;
    }
    return out;
}

// The node that `path` names where `pattern` has {nodeName}; empty where it has none. Nothing: it is another path.
std::optional<std::string> match(std::string_view pattern, std::string_view path) {
    const auto wanted = split(pattern, '/'), given = split(path, '/');
    if (wanted.size() != given.size()) return std::nullopt;
    std::string node;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (wanted[i] == node_parameter) node = given[i];
        else if (wanted[i] != given[i]) return std::nullopt;
    }
    return node;
}

using Samples = std::map<std::string, std::string>;  // lines by their labels

struct Family {
    std::string help, kind;
    Samples samples;
};

}  // namespace

// Everything about one node that expressions may ask for.
class KwokMetricAnswers final : public cel::LazyMembers {
  public:
    KwokMetricAnswers(KwokMetrics& metrics, const Lookup& lookup, Json node, Time now)
        : metrics_(metrics), declared_(lookup), node_(with_metadata(node)), now_(now) {
        const std::string_view name = name_of(node_);
        for (const auto& record : lookup.list("pods", {})) {
            const PodView& view = pod_view_of(*record);
            if (view.node_name == name && !view.finished()) pods_.push_back(with_metadata(lookup.document(*record)));
        }
    }

    const Json& node() const { return node_; }
    const std::vector<Json>& pods() const { return pods_; }
    void look_at(const Json* pod) { pod_ = pod; }

    std::optional<cel::Value> member(std::string_view question) const override {
        const auto parts = split(question, '\n');
        const std::string_view name = parts[0];
        const std::int64_t micros = now_.time_since_epoch().count();
        if (name == "Now") return cel::Value::timestamp(micros / 1'000'000, micros % 1'000'000 * 1000);
        if (name == "Rand") return cel::Value::of(static_cast<double>(micros % 1'000'003) / 1'000'003.0);
        if (name.ends_with("StartedContainersTotal")) return cel::Value::of(static_cast<double>(started()));
        const bool of_pod = name.starts_with("pod.");
        if (of_pod && pod_ == nullptr) return std::nullopt;
        if (name.ends_with(".SinceSecond")) {
            const Time created = parse_time_or_zero(string_at(of_pod ? *pod_ : node_, {"metadata", "creationTimestamp"}));
            return cel::Value::of(static_cast<double>((now_ - created).count()) / 1e6);
        }
        if (parts.size() < 2) return std::nullopt;
        const std::string_view resource = parts[1], container = parts.size() > 2 ? parts[2] : std::string_view();
        double sum = 0;
        if (of_pod) sum = used(*pod_, resource, container);
        else for (const Json& pod : pods_) sum += used(pod, resource, {});
        if (name.ends_with(".Usage")) return cel::Value::of(sum);
        if (!name.ends_with(".CumulativeUsage")) return std::nullopt;
        const std::string key = std::string(uid_of(of_pod ? *pod_ : node_)) + "/" + std::string(question);
        return cel::Value::of(metrics_.accumulate(key, sum, now_));
    }

  private:
    // What metrics.k8s.io says; of other resources what a ResourceUsage says.
    double used(const Json& pod, std::string_view resource, std::string_view container) const {
        double sum = 0;
        if (resource == "cpu" || resource == "memory") {
            const auto usage = usage_of_pod(pod, now_, &declared_);
            if (!usage) return 0;
            for (const ContainerUsage& one : usage->containers) {
                if (!container.empty() && one.name != container) continue;
                sum += resource == "cpu" ? static_cast<double>(one.usage.cpu_nano) / 1e9 : static_cast<double>(one.usage.memory_bytes);
            }
            return sum;
        }
        for (const Json& one : array_at(pod, {"spec", "containers"})) {
            if (container.empty() || string_at(one, {"name"}) == container) sum += declared_.of(pod, one, resource, now_).value_or(0);
        }
        return sum;
    }

    std::int64_t started() const {
        std::int64_t count = 0;
        for (const Json& pod : pods_) {
            for (const char* list : {"initContainerStatuses", "containerStatuses"}) {
                for (const Json& status : array_at(pod, {"status", list}))
                    count += int_at(status, {"restartCount"}) + (string_at(status, {"containerID"}).empty() ? 0 : 1);
            }
        }
        return count;
    }

    KwokMetrics& metrics_;
    DeclaredUsage declared_;
    Json node_;
    std::vector<Json> pods_;
    const Json* pod_ = nullptr;
    Time now_;
};

namespace {

std::optional<double> number_of(const Json& config, const cel::KwokScope& scope) {
    const auto compiled = cel::compile_kwok(std::string(string_at(config, {"value"})));
    return compiled == nullptr ? std::nullopt : cel::kwok_number(*compiled, scope);
}

// `name="value",...` by name; nothing when one of them cannot be told.
std::optional<std::string> labels_text(const Json& config, const cel::KwokScope& scope) {
    std::map<std::string, std::string> labels;
    for (const Json& label : array_at(config, {"labels"})) {
        const auto compiled = cel::compile_kwok(std::string(string_at(label, {"value"})));
        const auto value = compiled == nullptr ? std::nullopt : cel::kwok_text(*compiled, scope);
        if (!value) return std::nullopt;
        labels[std::string(string_at(label, {"name"}))] = *value;
    }
    std::string text;
    for (const auto& [name, value] : labels) text += (text.empty() ? "" : ",") + name + "=\"" + escaped(value, true) + "\"";
    return text;
}

std::string braced(const std::string& labels) { return labels.empty() ? "" : "{" + labels + "}"; }

// Hidden buckets count in the next one that is shown.
std::optional<std::string> histogram(const std::string& name, const std::string& labels, const Json& config,
                                     const cel::KwokScope& scope) {
    std::map<double, std::pair<std::uint64_t, bool>> buckets;  // count and whether it is shown, by upper bound
    for (const Json& bucket : array_at(config, {"buckets"})) {
        const auto count = number_of(bucket, scope);
        const Json* bound = find(bucket, "le");
        if (!count || bound == nullptr || !bound->is_number()) return std::nullopt;
        buckets[bound->get<double>()] = {static_cast<std::uint64_t>(std::max(0.0, *count)), !bool_at(bucket, {"hidden"})};
    }
    std::string text;
    std::uint64_t count = 0;
    double sum = 0;
    const std::string front = labels.empty() ? "" : labels + ",";
    for (const auto& [bound, bucket] : buckets) {
        count += bucket.first;
        sum += bound * static_cast<double>(bucket.first);
        if (bucket.second) text += name + "_bucket{" + front + "le=\"" + number_text(bound) + "\"} " + std::to_string(count) + "\n";
    }
    text += name + "_bucket{" + front + "le=\"+Inf\"} " + std::to_string(count) + "\n";
    text += name + "_sum" + braced(labels) + " " + number_text(sum) + "\n";
    return text + name + "_count" + braced(labels) + " " + std::to_string(count) + "\n";
}

void sample(Family& family, const std::string& name, const Json& config, const cel::KwokScope& scope) {
    const auto labels = labels_text(config, scope);
    if (!labels) return;
    if (family.kind == "histogram") {
        if (auto text = histogram(name, *labels, config, scope)) family.samples[*labels] = std::move(*text);
    } else if (const auto value = number_of(config, scope)) {
        family.samples[*labels] = name + braced(*labels) + " " + number_text(*value) + "\n";
    }
}

void collect(std::map<std::string, Family>& families, const Json& config, KwokMetricAnswers& answers) {
    const std::string name(string_at(config, {"name"}));
    const std::string_view dimension = string_at(config, {"dimension"}, "node");
    Family& family = families[name];
    family.help = string_at(config, {"help"});
    family.kind = string_at(config, {"kind"});
    cel::KwokScope scope{.node = &answers.node(), .answers = &answers};
    answers.look_at(nullptr);
    if (dimension == "node") return sample(family, name, config, scope);
    for (const Json& pod : answers.pods()) {
        answers.look_at(&pod);
        scope.pod = &pod;
        scope.container = nullptr;
        if (dimension == "pod") {
            sample(family, name, config, scope);
            continue;
        }
        for (const Json& container : array_at(pod, {"spec", "containers"})) {
            scope.container = &container;
            sample(family, name, config, scope);
        }
    }
}

}  // namespace

double KwokMetrics::accumulate(const std::string& key, double rate, Time now) {
    const Lock lock(mutex_);
    const auto [at, fresh] = sums_.try_emplace(key, Sum{now, 0});
    if (!fresh && now > at->second.at) at->second.value += rate * static_cast<double>((now - at->second.at).count()) / 1e6;
    at->second.at = now;
    return at->second.value;
}

std::optional<std::string> KwokMetrics::scrape(const Lookup& lookup, std::string_view path, Time now) {
    for (const auto& record : lookup.list(metrics_resource, {})) {
        const Json metric = lookup.document(*record);
        auto node_name = match(string_at(metric, {"spec", "path"}), path);
        if (!node_name) continue;
        if (node_name->empty()) *node_name = name_of(metric);
        const auto node = lookup.get("nodes", {}, *node_name);
        if (node == nullptr) return std::string();
        KwokMetricAnswers answers(*this, lookup, lookup.document(*node), now);
        std::map<std::string, Family> families;
        for (const Json& config : array_at(metric, {"spec", "metrics"})) collect(families, config, answers);
        std::string text;
        for (const auto& [name, family] : families) {
            if (family.samples.empty()) continue;
            if (!family.help.empty()) text += "# HELP " + name + " " + escaped(family.help, false) + "\n";
            text += "# TYPE " + name + " " + family.kind + "\n";
            for (const auto& [labels, lines] : family.samples) text += lines;
        }
        return text;
    }
    return std::nullopt;
}

}  // namespace kubemu::api

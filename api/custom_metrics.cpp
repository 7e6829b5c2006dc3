// Annotations read as metrics, and GET below /apis/custom.metrics.k8s.io and /apis/external.metrics.k8s.io.
#include "api/custom_metrics.h"

#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/kind_registry.h"
#include "api/request_info.h"
#include "api/values/text.h"
#include "api/values/time.h"

namespace kubemu::api {
namespace {

constexpr MetricGroup custom_group{"custom.metrics.k8s.io", "v1beta2"}, external_group{"external.metrics.k8s.io", "v1beta1"};

std::string_view prefix_of(MetricFamily family) {
    return family == MetricFamily::custom ? "kubemu.io/metric." : "kubemu.io/external-metric.";
}

std::optional<Quantity> quantity_of(const Json& value) {
    if (value.is_number_integer()) return Quantity::from_value(value.get<std::int64_t>());
    return value.is_string() ? Quantity::parse(value.get_ref<const std::string&>()) : std::nullopt;
}

Response answer(int code, const Json& document) {
    Response response;
    response.code = code;
    response.body.push_back(Slice::of(document.dump() + "\n"));
    return response;
}

Response refuse(int code, const char* reason, const std::string& message) {
    return answer(code, {{"kind", "Status"}, {"apiVersion", "v1"}, {"metadata", Json::object()}, {"status", "Failure"},
                         {"message", message}, {"reason", reason}, {"code", code}});
}

Json list_of(const char* kind, const MetricGroup& group, Json items) {
    return {{"kind", kind}, {"apiVersion", std::string(group.group) + "/" + std::string(group.version)},
            {"metadata", Json::object()}, {"items", std::move(items)}};
}

Json value_of_object(const KindSpec& kind, const Json& object, std::string_view metric, std::int64_t milli,
                     const Json& selector, Time now) {
    // As the adapters' library writes it: the core group has an empty name before the slash.
    Json described = {{"kind", std::string(kind.kind)}, {"name", std::string(name_of(object))},
                      {"apiVersion", std::string(kind.group) + "/" + std::string(kind.version)}};
    if (kind.namespaced) described["namespace"] = std::string(namespace_of(object));
    return {{"describedObject", std::move(described)},
            {"metric", {{"name", std::string(metric)}, {"selector", selector}}},
            {"timestamp", format_time(now)},
            {"value", Quantity::from_milli(milli).text()}};
}

// What a path below the group's version asks for.
struct Asked {
    std::string_view space, resource, name, metric;
};

// [namespaces/NS/]RESOURCE/NAME/METRIC, and namespaces/NS/metrics/METRIC for a namespace itself.
std::optional<Asked> read_custom(const std::vector<std::string_view>& parts) {
    const bool in_namespace = parts[0] == "namespaces";
    if (in_namespace && parts.size() == 4 && parts[2] == "metrics") return Asked{"", "namespaces", parts[1], parts[3]};
    if (in_namespace && parts.size() == 5) return Asked{parts[1], parts[2], parts[3], parts[4]};
    if (parts.size() == 3) return Asked{"", parts[0], parts[1], parts[2]};
    return std::nullopt;
}

Response answer_custom(Registry& registry, const Asked& asked, const RequestInfo& info) {
    const Time now = registry.clock().now();
    const KindSpec* kind = registry.kinds().find_stored(asked.resource);
    auto pods = LabelSelector::parse(info.parameter("labelSelector")), series = LabelSelector::parse(info.parameter("metricLabelSelector"));
    if (!pods || !series) return refuse(400, "BadRequest", !pods ? pods.error() : series.error());
    const Json selector = series->empty() ? Json() : Json{{"matchLabels", Json::object()}};
    Json shown = selector;
    if (shown.is_object()) {
        for (const auto& pair : split(info.parameter("metricLabelSelector"), ',')) {
            const auto equals = pair.find('=');
            if (equals != pair.npos) shown["matchLabels"][std::string(pair.substr(0, equals))] = std::string(pair.substr(pair.rfind('=') + 1));
        }
    }
    const bool all = asked.name == "*";
    const std::string missing = "the server could not find the metric " + std::string(asked.metric) + " for " + std::string(asked.resource);
    Json items = Json::array();
    if (kind == nullptr) return refuse(404, "NotFound", missing);
    const auto add = [&](const storage::RecordPtr& record) {
        if (record == nullptr || !shows_metrics(*record->bytes.get(), MetricFamily::custom)) return;
        const Json object = registry.document(*record);
        if (const auto milli = metric_value_milli(object, MetricFamily::custom, asked.metric, *series))
            items.push_back(value_of_object(*kind, object, asked.metric, *milli, shown, now));
    };
    if (!all) {
        add(registry.get(kind->resource, asked.space, asked.name));
        if (items.empty()) return refuse(404, "NotFound", missing + " " + std::string(asked.name));
    } else {
        for (const storage::RecordPtr& record : registry.list(kind->resource, asked.space))
            if (pods->matches(labels_of(object_at(registry.document(*record), {"metadata", "labels"})))) add(record);
        if (items.empty()) return refuse(404, "NotFound", missing);
    }
    return answer(200, list_of("MetricValueList", custom_group, std::move(items)));
}

Response answer_external(Registry& registry, std::string_view space, std::string_view metric, const RequestInfo& info) {
    const auto series = LabelSelector::parse(info.parameter("labelSelector"));
    if (!series) return refuse(400, "BadRequest", series.error());
    Json items = Json::array();
    if (const storage::RecordPtr record = registry.get("namespaces", {}, space)) {
        for (const MetricSample& sample : metric_samples(registry.document(*record), MetricFamily::external, metric, *series)) {
            Json labels = Json::object();
            for (const auto& [key, value] : sample.labels) labels[key] = value;
            items.push_back({{"metricName", std::string(metric)},
                             {"metricLabels", labels.empty() ? Json() : std::move(labels)},
                             {"timestamp", format_time(registry.clock().now())},
                             {"value", sample.value.text()}});
        }
    }
    return answer(200, list_of("ExternalMetricValueList", external_group, std::move(items)));
}

Response answer_metrics(Registry& registry, MetricFamily family, const Json& resources, const Request& request) {
    if (request.method != "GET") return refuse(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
    std::string_view path = request.path;
    while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
    std::vector<std::string_view> parts = split(path.substr(1), '/');
    if (parts.size() < 3 || parts[0] != "apis") return refuse(404, "NotFound", "the server could not find the requested resource");
    parts.erase(parts.begin(), parts.begin() + 3);
    if (parts.empty()) return answer(200, resources);
    const RequestInfo info = parse_request_info(request.path, request.query);
    if (family == MetricFamily::external && parts.size() == 3 && parts[0] == "namespaces")
        return answer_external(registry, parts[1], parts[2], info);
    const auto asked = family == MetricFamily::custom ? read_custom(parts) : std::nullopt;
    return asked ? answer_custom(registry, *asked, info) : refuse(404, "NotFound", "the server could not find the requested resource");
}

}  // namespace

MetricGroup metric_group(MetricFamily family) {
    return family == MetricFamily::custom ? custom_group : external_group;
}

bool shows_metrics(std::string_view text, MetricFamily family) {
    return text.find(prefix_of(family)) != text.npos;
}

std::vector<std::string> metric_names(const Json& object, MetricFamily family) {
    const std::string_view prefix = prefix_of(family);
    std::vector<std::string> names;
    for (const auto& [key, value] : object_at(object, {"metadata", "annotations"}).items())
        if (key.compare(0, prefix.size(), prefix) == 0) names.push_back(key.substr(prefix.size()));
    return names;
}

std::vector<MetricSample> metric_samples(const Json& object, MetricFamily family, std::string_view name,
                                         const LabelSelector& selector) {
    std::vector<MetricSample> samples;
    const Json* found = find(object_at(object, {"metadata", "annotations"}), std::string(prefix_of(family)) + std::string(name));
    if (found == nullptr || !found->is_string()) return samples;
    const auto add = [&](const std::optional<Quantity>& value, LabelSpan labels) {
        if (value && selector.matches(labels)) samples.push_back({*value, std::move(labels)});
    };
    const std::string& text = found->get_ref<const std::string&>();
    if (text.empty() || text[0] != '[') {
        add(Quantity::parse(text), {});
        return samples;
    }
    const auto list = parse_json(text);
    if (!list || !list->is_array()) return samples;
    for (const Json& series : *list) {
        const Json* value = series.is_object() ? find(series, "value") : nullptr;
        if (value != nullptr) add(quantity_of(*value), labels_of(object_at(series, {"labels"})));
    }
    return samples;
}

std::optional<std::int64_t> metric_value_milli(const Json& object, MetricFamily family, std::string_view name,
                                               const LabelSelector& selector) {
    const std::vector<MetricSample> samples = metric_samples(object, family, name, selector);
    if (samples.empty()) return std::nullopt;
    std::int64_t sum = 0;
    for (const MetricSample& sample : samples) sum += sample.value.milli_value();
    return sum;
}

AggregatedServicePtr simulated_metrics_service(Registry& registry, MetricFamily family, const std::vector<std::string>& names) {
    const MetricGroup group = metric_group(family);
    const bool custom = family == MetricFamily::custom;
    Json resources = Json::array();
    for (const std::string& name : names) {
        const bool whole_cluster = name.compare(0, 6, "nodes/") == 0 || name.compare(0, 11, "namespaces/") == 0;
        resources.push_back({{"name", name}, {"singularName", ""}, {"namespaced", !whole_cluster},
                             {"kind", custom ? "MetricValueList" : "ExternalMetricValueList"}, {"verbs", Json::array({"get"})}});
    }
    auto list = std::make_shared<const Json>(Json{{"kind", "APIResourceList"},
                                                  {"apiVersion", "v1"},
                                                  {"groupVersion", std::string(group.group) + "/" + std::string(group.version)},
                                                  {"resources", std::move(resources)}});
    AggregatedService service;
    service.group = group.group;
    service.version = group.version;
    service.group_priority = service.version_priority = 100;
    service.available = true;
    service.resources = list;
    service.local = [&registry, family, list](const Request& request) { return answer_metrics(registry, family, *list, request); };
    return std::make_shared<const AggregatedService>(std::move(service));
}

}  // namespace kubemu::api

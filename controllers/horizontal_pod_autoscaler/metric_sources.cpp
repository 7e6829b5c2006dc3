// One metric of spec.metrics: its value, the number of replicas that it asks for, and the words for both
// (pkg/controller/podautoscaler/horizontal.go computeStatusFor..., replica_calculator.go).
#include "controllers/horizontal_pod_autoscaler/metric_sources.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "api/custom_metrics.h"
#include "api/kind_registry.h"
#include "api/kinds/metrics/declared_usage.h"
#include "api/registry.h"
#include "api/selector/go_text.h"

namespace kubemu::controllers {

using api::Json;
using api::MetricFamily;
using api::Quantity;

namespace {

constexpr std::int64_t replicas_max = std::numeric_limits<std::int32_t>::max();

std::string metric_name(const Json& source) {
    return std::string(api::string_at(source, {"metric", "name"}));
}

api::LabelSelector series_of(const Json& source) {
    const Json* selector = api::find(source, {"metric", "selector"});
    return selector == nullptr ? *api::LabelSelector::parse("") : api::LabelSelector::from_object(*selector);
}

std::string printed_selector(const Json& source) { return api::selector_as_string(api::find(source, {"metric", "selector"})); }

Json identifier(const Json& source) {
    return api::object_at(source, {"metric"});
}

std::string milli_text(std::int64_t milli) {
    return Quantity::from_milli(milli).text();
}

std::optional<std::int64_t> milli_at(const Json& target, const char* member) {
    const auto quantity = Quantity::parse(api::string_at(target, {member}));
    return quantity ? std::optional(quantity->milli_value()) : std::nullopt;
}

double tolerance_of(const Json& autoscaler, const char* direction) {
    const auto own = milli_at(api::object_at(autoscaler, {"spec", "behavior", direction}), "tolerance");
    return own ? static_cast<double>(*own) / 1000 : default_tolerance;
}

std::int64_t rounded_up(double replicas) {
    return replicas > static_cast<double>(replicas_max) ? replicas_max : static_cast<std::int64_t>(std::ceil(replicas));
}

}  // namespace

// Why nobody answers for the family. The client of custom metrics asks discovery first, that of external ones does not.
std::string MetricSources::unserved(api::MetricFamily family, const std::string& metric) {
    const std::string name = family == MetricFamily::custom ? "custom" : "external";
    const storage::RecordPtr service =
        manager_.informer("apiservices.apiregistration.k8s.io").get("", api::metric_group(family).name());
    const std::string unable = "unable to fetch metrics from " + name + " metrics API: ";
    if (service == nullptr && family == MetricFamily::custom)
        return unable + "no custom metrics API (custom.metrics.k8s.io) registered";
    if (service == nullptr)
        return unable + "the server could not find the requested resource (get " + metric + ".external.metrics.k8s.io)";
    // It is registered, and has not been looked at yet.
    const bool elsewhere = api::find(client_.document(*service), {"spec", "service"}) != nullptr;
    return elsewhere ? unable + "the server is currently unable to handle the request" : std::string();
}

// In proportion to a value that stands for all pods together; from zero it asks for as many as the value has targets.
Result<std::int64_t, std::string> MetricSources::scale_by_value(const MetricContext& look, std::int64_t usage,
                                                                                    std::int64_t target) const {
    const double ratio = static_cast<double>(usage) / static_cast<double>(target);
    if (look.current == 0) return rounded_up(ratio);
    const MetricQuestion tolerances = question_of(look);
    if (tolerances.tolerates(ratio)) return look.current;
    if (look.pods.empty())
        return std::string("unable to calculate ready pods: no pods returned by selector while calculating replica count");
    const auto ready = std::count_if(look.pods.begin(), look.pods.end(), [](const Json& pod) {
        if (api::string_at(pod, {"status", "phase"}) != "Running") return false;
        for (const Json& condition : api::array_at(pod, {"status", "conditions"}))
            if (api::string_at(condition, {"type"}) == "Ready") return api::string_at(condition, {"status"}) == "True";
        return false;
    });
    return rounded_up(ratio * static_cast<double>(ready));
}

// As many as bring the value for each pod to its target.
std::int64_t MetricSources::scale_per_pod(const MetricContext& look, std::int64_t& usage, std::int64_t target) const {
    const double ratio = static_cast<double>(usage) / (static_cast<double>(target) * static_cast<double>(look.status_replicas));
    const bool stays = look.status_replicas > 0 && question_of(look).tolerates(ratio);
    const std::int64_t replicas =
        stays ? look.status_replicas : rounded_up(static_cast<double>(usage) / static_cast<double>(target));
    if (look.status_replicas > 0)
        usage = static_cast<std::int64_t>(std::ceil(static_cast<double>(usage) / static_cast<double>(look.status_replicas)));
    return replicas;
}

MetricQuestion MetricSources::question_of(const MetricContext& look) const {
    MetricQuestion question;
    question.tolerance_up = tolerance_of(look.autoscaler, "scaleUp");
    question.tolerance_down = tolerance_of(look.autoscaler, "scaleDown");
    return question;
}

Result<std::int64_t, std::string> MetricSources::object_value(const MetricContext& look, const Json& source) {
    const Json& described = api::object_at(source, {"describedObject"});
    const std::string name = metric_name(source), kind_name(api::string_at(described, {"kind"})),
                      object_name(api::string_at(described, {"name"}));
    const std::string where = " on " + kind_name + " " + look.namespace_name + "/" + object_name;
    const std::string version(api::string_at(described, {"apiVersion"}));
    const auto slash = version.find('/');
    const std::string group = slash == version.npos ? "" : version.substr(0, slash);
    const api::KindSpec* found = nullptr;
    for (const api::KindSpec* kind : manager_.registry().kinds().stored_kinds())
        if (kind->kind == kind_name && kind->group == group) found = kind;
    if (const auto server = adapters_.adapter(api::metric_group(MetricFamily::custom).group)) {
        auto value = object_of_adapter(look, *server, source, found);
        if (!value) return "unable to get metric " + name + ": " + value.error() + where;
        return *value;
    }
    if (std::string why = unserved(MetricFamily::custom, name); !why.empty())
        return "unable to get metric " + name + ": " + why + where;
    const bool is_namespace = found != nullptr && found->resource == "namespaces";
    const bool in_namespace = found != nullptr && found->namespaced;
    const storage::RecordPtr record =
        found == nullptr ? nullptr
                         : manager_.registry().get(found->resource, in_namespace ? look.namespace_name : std::string(),
                                                    is_namespace ? look.namespace_name : object_name);
    const auto value = record == nullptr ? std::nullopt
                                         : api::metric_value_milli(client_.document(*record), MetricFamily::custom, name, series_of(source));
    if (value) return *value;
    const std::string resource = found == nullptr ? kind_name : std::string(found->resource);
    return "unable to get metric " + name + ": unable to fetch metrics from custom metrics API: the server could not find the metric " +
           name + " for " + resource + " " + object_name + where;
}

Result<std::int64_t, std::string> MetricSources::object_of_adapter(const MetricContext& look,
                                                                   const api::AggregatedService& server, const Json& source,
                                                                   const api::KindSpec* kind) {
    const Json& described = api::object_at(source, {"describedObject"});
    if (kind == nullptr) {
        const std::string version(api::string_at(described, {"apiVersion"})), name(api::string_at(described, {"kind"}));
        const auto slash = version.find('/');
        const std::string group = slash == version.npos ? "" : version.substr(0, slash);
        return "unable to fetch metrics from custom metrics API: unable to map kind " + name + (group.empty() ? "" : "." + group) +
               " to resource: no matches for kind \"" + name + "\" in group \"" + group + "\"";
    }
    const auto value = adapters_.object_metric(server, look.namespace_name, std::string(kind->resource),
                                               std::string(api::string_at(described, {"name"})), metric_name(source),
                                               series_of(source).text());
    return value ? *value : std::string();
}

Result<std::int64_t, std::string> MetricSources::external_value(const MetricContext& look, const Json& source) {
    const std::string name = metric_name(source);
    const std::string prefix =
        "unable to get external metric " + look.namespace_name + "/" + name + "/" + printed_selector(source) + ": ";
    if (const auto server = adapters_.adapter(api::metric_group(MetricFamily::external).group)) {
        const auto value = adapters_.external_metric(*server, look.namespace_name, name, series_of(source).text());
        if (!value) return prefix;
        if (!*value) return prefix + value->error();
        return **value;
    }
    if (std::string why = unserved(MetricFamily::external, name); !why.empty()) return prefix + why;
    const storage::RecordPtr space = manager_.informer("namespaces").get("", look.namespace_name);
    const auto value = space == nullptr ? std::nullopt
                                        : api::metric_value_milli(client_.document(*space), MetricFamily::external, name, series_of(source));
    if (!value) return prefix + "no metrics returned from external metrics API";
    return *value;
}

MetricOutcome MetricSources::ask_object(const MetricContext& look, const Json& source, Json& status) {
    MetricOutcome outcome{.reason = "FailedGetObjectMetric", .outer = "failed to get object metric value: "};
    const Json& target = api::object_at(source, {"target"});
    const std::string name = metric_name(source);
    auto usage = object_value(look, source);
    if (!usage) {
        outcome.error = usage.error();
        if (api::string_at(target, {"type"}) == "AverageValue") outcome.outer += "failed to get " + name + " object metric: ";
        return outcome;
    }
    Json current;
    if (const auto wanted = milli_at(target, "value"); wanted && api::string_at(target, {"type"}) == "Value") {
        const auto replicas = scale_by_value(look, *usage, *wanted);
        if (!replicas) {
            outcome.error = replicas.error();
            return outcome;
        }
        outcome.replicas = *replicas;
        outcome.name = std::string(api::string_at(source, {"describedObject", "kind"})) + " metric " + name;
        current["value"] = milli_text(*usage);
    } else if (const auto average = milli_at(target, "averageValue")) {
        outcome.replicas = scale_per_pod(look, *usage, *average);
        outcome.name = "external metric " + name + "(" + printed_selector(source) + ")";
        current["averageValue"] = milli_text(*usage);
    }
    status = {{"type", "Object"},
                      {"object", {{"describedObject", api::object_at(source, {"describedObject"})},
                                  {"metric", identifier(source)}, {"current", std::move(current)}}}};
    return outcome;
}

MetricOutcome MetricSources::ask_external(const MetricContext& look, const Json& source, Json& status) {
    const std::string name = metric_name(source);
    MetricOutcome outcome{.reason = "FailedGetExternalMetric", .outer = "failed to get " + name + " external metric value: "};
    const Json& target = api::object_at(source, {"target"});
    const auto average = milli_at(target, "averageValue"), wanted = milli_at(target, "value");
    auto usage = external_value(look, source);
    outcome.name = "external metric " + name + "(" + printed_selector(source) + ")";
    if (!usage) {
        outcome.error = usage.error();
        outcome.outer += average ? "failed to get " + name + " external metric: " : "failed to get external metric " + name + ": ";
        return outcome;
    }
    Json current;
    if (average) {
        outcome.replicas = scale_per_pod(look, *usage, *average);
        current["averageValue"] = milli_text(*usage);
    } else if (wanted) {
        const auto replicas = scale_by_value(look, *usage, *wanted);
        if (!replicas) {
            outcome.error = replicas.error();
            outcome.outer += "failed to get external metric " + name + ": ";
            return outcome;
        }
        outcome.replicas = *replicas;
        current["value"] = milli_text(*usage);
    }
    status = {{"type", "External"}, {"external", {{"metric", identifier(source)}, {"current", std::move(current)}}}};
    return outcome;
}

Result<MetricSources::PodValues, std::string> MetricSources::pods_values(const MetricContext& look, const Json& source) {
    const std::string name = metric_name(source);
    const api::LabelSelector series = series_of(source);
    if (const auto server = adapters_.adapter(api::metric_group(MetricFamily::custom).group)) {
        auto values = adapters_.pods_metric(*server, look.namespace_name, look.selector.text(), name, series.text());
        return values ? std::move(*values) : std::string();
    }
    if (std::string why = unserved(MetricFamily::custom, name); !why.empty()) return why;
    PodValues values;
    for (const Json& pod : look.pods) {
        if (const auto value = api::metric_value_milli(pod, MetricFamily::custom, name, series))
            values[std::string(api::name_of(pod))] = {*value};
    }
    if (values.empty()) return "unable to fetch metrics from custom metrics API: the server could not find the metric " + name + " for pods";
    return values;
}

MetricOutcome MetricSources::ask_pods(const MetricContext& look, const Json& source, Json& status) {
    const std::string name = metric_name(source);
    MetricOutcome outcome{.reason = "FailedGetPodsMetric", .outer = "failed to get pods metric value: ", .name = "pods metric " + name};
    MetricQuestion question = question_of(look);
    question.target_average_milli = milli_at(api::object_at(source, {"target"}), "averageValue").value_or(0);
    const auto values = pods_values(look, source);
    if (!values) {
        outcome.error = "unable to get metric " + name + ": " + values.error();
        return outcome;
    }
    question.values = &*values;
    const auto answer = replicas_for_metric(question, look.current, look.pods, look.now);
    if (!answer) {
        outcome.error = answer.error();
        return outcome;
    }
    outcome.replicas = answer->replicas;
    status = {{"type", "Pods"},
                      {"pods", {{"metric", identifier(source)}, {"current", {{"averageValue", milli_text(answer->average_milli)}}}}}};
    return outcome;
}

MetricOutcome MetricSources::ask_resource(const MetricContext& look, const Json& source, bool of_container, Json& status) {
    MetricQuestion question = question_of(look);
    question.resource = api::string_at(source, {"name"});
    question.container = api::string_at(source, {"container"});
    MetricOutcome outcome{.reason = of_container ? "FailedGetContainerResourceMetric" : "FailedGetResourceMetric",
                    .outer = "failed to get " + (of_container ? question.container + " container" : question.resource + " resource") +
                             " metric value: "};
    const auto average = milli_at(api::object_at(source, {"target"}), "averageValue");
    if (average) question.target_average_milli = *average;
    else question.target_utilization = api::int_at(source, {"target", "averageUtilization"});
    outcome.name = question.resource + (average ? " resource"
                                        : of_container ? " container resource utilization (percentage of request)"
                                                       : " resource utilization (percentage of request)");
    const api::DeclaredUsage declared(manager_.registry());
    question.declared = &declared;
    PodValues values;
    const std::string failed = "failed to get " + question.resource + (average ? " usage: " : " utilization: ");
    // A server of the user's that does not answer leaves the model as it is.
    if (const auto server = adapters_.adapter("metrics.k8s.io"); server != nullptr && server->available) {
        auto measured = adapters_.resource_metric(*server, look.namespace_name, look.selector.text(), question.resource,
                                                  question.container);
        if (!measured || !*measured) {
            outcome.error = failed + "unable to get metrics for resource " + question.resource + ": " +
                            (measured ? measured->error() : "");
            return outcome;
        }
        values = std::move(**measured);
        question.values = &values;
    }
    const auto answer = replicas_for_metric(question, look.current, look.pods, look.now);
    if (!answer) {
        outcome.error = failed + answer.error();
        return outcome;
    }
    const auto format = question.resource == "memory" ? Quantity::Format::binary_si : Quantity::Format::decimal_si;
    Json current = {{"averageValue", Quantity::from_milli(answer->average_milli, format).text()}};
    if (!average) current["averageUtilization"] = answer->utilization;
    Json shown = {{"name", question.resource}, {"current", std::move(current)}};
    if (of_container) shown["container"] = question.container;
    outcome.replicas = answer->replicas;
    status = {{"type", of_container ? "ContainerResource" : "Resource"},
                      {of_container ? "containerResource" : "resource", std::move(shown)}};
    return outcome;
}

MetricOutcome MetricSources::ask(const MetricContext& look, const Json& metric, Json& status) {
    const std::string_view type = api::string_at(metric, {"type"});
    if (type == "Object") return ask_object(look, api::object_at(metric, {"object"}), status);
    if (type == "Pods") return ask_pods(look, api::object_at(metric, {"pods"}), status);
    if (type == "External") return ask_external(look, api::object_at(metric, {"external"}), status);
    const bool of_container = type == "ContainerResource";
    return ask_resource(look, api::object_at(metric, {of_container ? "containerResource" : "resource"}), of_container, status);
}

}  // namespace kubemu::controllers

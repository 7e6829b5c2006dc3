// Paths, the calls of a look, and what client-go makes of answers.
#include "controllers/horizontal_pod_autoscaler/adapters.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/codec/scalars.h"
#include "api/remote_client.h"
#include "api/values/quantity.h"
#include "api/values/time.h"

namespace kubemu::controllers {

using api::Json;

namespace {

constexpr Duration default_window = std::chrono::minutes(1);
constexpr const char* user = "system:serviceaccount:kube-system:horizontal-pod-autoscaler";
constexpr const char* groups[] = {"system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"};
// The versions that autoscalers understand.
constexpr std::pair<std::string_view, std::string_view> understood[] = {{"metrics.k8s.io", "v1beta1"},
                                                                        {"custom.metrics.k8s.io", "v1beta1"},
                                                                        {"custom.metrics.k8s.io", "v1beta2"},
                                                                        {"external.metrics.k8s.io", "v1beta1"}};

// url.QueryEscape
std::string escaped(std::string_view text) {
    static constexpr std::string_view plain = "-_.~", hex = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (letter || plain.find(c) != plain.npos) out += c;
        else if (c == ' ') out += '+';
        else (out += '%') += {hex[byte >> 4U], hex[byte & 15U]};
    }
    return out;
}

std::string query(std::initializer_list<std::pair<const char*, const std::string&>> parameters) {
    std::string text;
    for (const auto& [name, value] : parameters) {
        if (!value.empty()) text += (text.empty() ? "?" : "&") + std::string(name) + "=" + escaped(value);
    }
    return text;
}

std::string base(const api::AggregatedService& server, const std::string& namespace_name) {
    return "/apis/" + server.group + "/" + server.version + "/namespaces/" + namespace_name + "/";
}

std::int64_t milli(const Json& item, std::initializer_list<std::string_view> path) {
    const auto quantity = api::Quantity::parse(api::string_at(item, path));
    return quantity ? quantity->milli_value() : 0;
}

// What a pod uses of a resource in all; nothing when one of its containers does not say.
std::optional<std::int64_t> used(const Json& pod, std::string_view resource, std::string_view container) {
    std::optional<std::int64_t> sum;
    for (const Json& one : api::array_at(pod, {"containers"})) {
        if (!container.empty() && api::string_at(one, {"name"}) != container) continue;
        if (api::string_at(one, {"usage", resource}).empty()) return std::nullopt;
        sum = sum.value_or(0) + milli(one, {"usage", resource});
        if (!container.empty()) break;
    }
    return sum;
}

Duration window_of(std::string_view text) {
    const auto nanoseconds = api::scalars::parse_duration(text);
    return nanoseconds ? std::chrono::duration_cast<Duration>(std::chrono::nanoseconds(*nanoseconds)) : Duration{};
}

}  // namespace

bool MetricAdapters::begin(const std::string& key) {
    current_ = nullptr;
    const auto known = rounds_.find(key);
    if (known == rounds_.end()) {
        current_ = std::make_shared<Round>();
    } else if (known->second->on_its_way) {
        return false;
    } else {
        current_ = known->second;
    }
    current_->calls.begin();
    return true;
}

bool MetricAdapters::wait(const std::string& key) {
    const std::shared_ptr<Round> round = std::exchange(current_, nullptr);
    if (round == nullptr || !round->calls.waiting() || round->calls.exhausted()) {
        rounds_.erase(key);  // the next look asks anew
        return false;
    }
    rounds_[key] = round;
    round->on_its_way = true;
    round->calls.start(*remote_, [this, key, round] {
        manager_.post([this, key, round] {
            round->on_its_way = false;
            wake_(key);
        });
    });
    return true;
}

api::AggregatedServicePtr MetricAdapters::adapter(std::string_view group) const {
    if (services_ == nullptr || services_->empty()) return nullptr;
    api::AggregatedServicePtr best;
    for (api::AggregatedServicePtr& service : services_->all()) {
        if (service->group != group || service->local) continue;
        const bool known = std::any_of(std::begin(understood), std::end(understood), [&](const auto& pair) {
            return pair.first == group && pair.second == service->version;
        });
        if (known && (best == nullptr || service->version_priority > best->version_priority)) best = std::move(service);
    }
    return best;
}

MetricAdapters::Answer<std::shared_ptr<const Json>> MetricAdapters::list(const api::AggregatedService& server,
                                                                        const std::string& path, const std::string& resource,
                                                                        const std::string& name) {
    const std::string asked = " (get " + resource + "." + server.group + (name.empty() ? "" : " " + name) + ")";
    const std::string unable = "the server is currently unable to handle the request" + asked;
    if (!server.available) return Result<std::shared_ptr<const Json>, std::string>(unable);
    std::string uid;
    const api::RemoteAnswer* answer = current_->calls.ask(
        path, manager_.random(),
        [&](const std::string&) {
            api::RemoteCall call = api::call_service(server, "GET", path);
            call.headers = {{"Accept", "application/json"}, {"X-Remote-User", user}};
            for (const char* of : groups) call.headers.emplace_back("X-Remote-Group", of);
            return call;
        },
        uid);
    if (answer == nullptr) return std::nullopt;
    using Read = Result<std::shared_ptr<const Json>, std::string>;
    if (!answer->error.empty()) return Read(unable);  // in the words of the aggregator that stands between
    auto document = api::read_answer(api::call_service(server, "GET", path), *answer);
    if (document) return Read(std::make_shared<const Json>(std::move(*document)));
    // A Status speaks for itself; what client-go makes of a bare code names the request.
    const bool own_words = answer->body.find("\"Status\"") != std::string::npos || answer->code / 100 == 2;
    return Read(own_words ? document.error() : document.error() + asked);
}

MetricAdapters::Answer<MetricAdapters::PodValues> MetricAdapters::resource_metric(const api::AggregatedService& server,
                                                                                 const std::string& namespace_name,
                                                                                 const std::string& selector,
                                                                                 std::string_view resource,
                                                                                 std::string_view container) {
    const auto found = list(server, base(server, namespace_name) + "pods" + query({{"labelSelector", selector}}), "pods", "");
    if (!found) return std::nullopt;
    using Values = Result<PodValues, std::string>;
    if (!*found) return Values("unable to fetch metrics from resource metrics API: " + found->error());
    const Json& items = api::array_at(***found, {"items"});
    if (items.empty()) return Values(std::string("no metrics returned from resource metrics API"));
    PodValues values;
    for (const Json& item : items) {
        const auto sum = used(item, resource, container);
        if (sum) {
            values[std::string(api::name_of(item))] = {*sum, api::parse_time(api::string_at(item, {"timestamp"})),
                                                       window_of(api::string_at(item, {"window"}))};
        }
    }
    return Values(std::move(values));
}

MetricAdapters::Answer<MetricAdapters::PodValues> MetricAdapters::pods_metric(const api::AggregatedService& server,
                                                                             const std::string& namespace_name,
                                                                             const std::string& selector,
                                                                             const std::string& metric,
                                                                             const std::string& series) {
    const std::string path = base(server, namespace_name) + "pods/*/" + metric +
                             query({{"labelSelector", selector}, {"metricLabelSelector", series}});
    const auto found = list(server, path, "pods", "*");
    if (!found) return std::nullopt;
    using Values = Result<PodValues, std::string>;
    if (!*found) return Values("unable to fetch metrics from custom metrics API: " + found->error());
    const Json& items = api::array_at(***found, {"items"});
    if (items.empty()) return Values(std::string("no metrics returned from custom metrics API"));
    PodValues values;
    for (const Json& item : items) {
        const std::int64_t seconds = api::int_at(item, {api::find(item, "window") != nullptr ? "window" : "windowSeconds"}, -1);
        values[std::string(api::string_at(item, {"describedObject", "name"}))] = {
            milli(item, {"value"}), api::parse_time(api::string_at(item, {"timestamp"})),
            seconds < 0 ? default_window : std::chrono::seconds(seconds)};
    }
    return Values(std::move(values));
}

MetricAdapters::Answer<std::int64_t> MetricAdapters::object_metric(const api::AggregatedService& server,
                                                                   const std::string& namespace_name,
                                                                   const std::string& resource, const std::string& name,
                                                                   const std::string& metric, const std::string& series) {
    const bool of_namespace = resource == "namespaces";
    const std::string path = base(server, namespace_name) + (of_namespace ? "metrics" : resource + "/" + name) + "/" + metric +
                             query({{"metricLabelSelector", series}});
    const auto found = list(server, path, of_namespace ? "metrics" : resource, of_namespace ? metric : name);
    if (!found) return std::nullopt;
    using Value = Result<std::int64_t, std::string>;
    if (!*found) return Value("unable to fetch metrics from custom metrics API: " + found->error());
    const Json& items = api::array_at(***found, {"items"});
    if (items.size() != 1) {
        return Value("unable to fetch metrics from custom metrics API: the custom metrics API server returned " +
                     std::to_string(items.size()) + " results when we asked for exactly one");
    }
    return Value(milli(items[0], {"value"}));
}

MetricAdapters::Answer<std::int64_t> MetricAdapters::external_metric(const api::AggregatedService& server,
                                                                     const std::string& namespace_name,
                                                                     const std::string& metric, const std::string& series) {
    const auto found = list(server, base(server, namespace_name) + metric + query({{"labelSelector", series}}), metric, "");
    if (!found) return std::nullopt;
    using Value = Result<std::int64_t, std::string>;
    if (!*found) return Value("unable to fetch metrics from external metrics API: " + found->error());
    const Json& items = api::array_at(***found, {"items"});
    if (items.empty()) return Value(std::string("no metrics returned from external metrics API"));
    std::int64_t sum = 0;
    for (const Json& item : items) sum += milli(item, {"value"});
    return Value(sum);
}

}  // namespace kubemu::controllers

// The hand-driven cluster of the controllers' tests.
#include "tests/harness/test_cluster.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "api/kinds/views.h"
#include "api/values/time.h"
#include "storage/sqlite_store.h"

namespace kubemu::tests {

namespace {

Time start_of_tests() { return *api::parse_time("2026-01-01T00:00:00Z"); }

template <class T>
T must(api::ApiResult<T> result, std::string_view what) {
    if (!result) FAIL(what << ": " << result.error()->message);
    return std::move(*result);
}

api::Json condition(std::string_view type, bool status, Time now) {
    return {{"type", std::string(type)}, {"status", status ? "True" : "False"}, {"lastTransitionTime", api::format_time(now)}};
}

}  // namespace

TestCluster::TestCluster() : clock_(start_of_tests()), random_(1) {
    storage::SqliteStoreOptions options;
    options.own_thread = false;
    options.clock = &clock_;
    auto opened = storage::open_sqlite_store(std::move(options));
    if (!opened) FAIL("store: " << storage::to_string(opened.error()));
    store_ = std::move(*opened);
    registry_ = std::make_unique<api::Registry>(api::Registry::Options{*store_, kinds_, clock_, random_});
    client_ = std::make_unique<api::Client>(*registry_, api::administrator(), "test");
    manager_ = std::make_unique<controllers::Manager>(controllers::Manager::Options{*registry_, clock_, random_});
    for (const char* name : {"default", "kube-system"}) {
        create("namespaces", api::Json{{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", name}}}});
    }
    // A pod needs the account it runs under; making it is another controller's work.
    create("serviceaccounts", api::Json{{"apiVersion", "v1"}, {"kind", "ServiceAccount"},
                                        {"metadata", {{"name", "default"}, {"namespace", "default"}}}});
}

TestCluster::~TestCluster() = default;

void TestCluster::settle() { manager_->settle(); }

void TestCluster::advance(Duration by) {
    const Time until = clock_.now() + by;
    settle();
    for (std::optional<Time> due = manager_->next_due(); due && *due <= until; due = manager_->next_due()) {
        clock_.set(std::max(*due, clock_.now()));
        settle();
    }
    clock_.set(until);
    settle();
}

api::Json TestCluster::create(std::string_view resource, const api::Json& object) {
    const api::KindSpec& spec = kind(resource);
    std::string namespace_name(api::namespace_of(object));
    if (spec.namespaced && namespace_name.empty()) namespace_name = "default";
    const auto record = must(client_->create(spec, namespace_name, object), "create");
    store_->flush();
    return client_->document(*record);
}

api::Json TestCluster::create(std::string_view resource, std::string_view json) {
    return create(resource, api::Json::parse(json));
}

api::Json TestCluster::create(std::string_view resource, const char* json) {
    return create(resource, std::string_view(json));
}

api::Json TestCluster::get(std::string_view resource, std::string_view name, std::string_view namespace_name) {
    const api::KindSpec& spec = kind(resource);
    const auto record = must(client_->get(spec, spec.namespaced ? namespace_name : std::string_view(), name), "get");
    return client_->document(*record);
}

bool TestCluster::exists(std::string_view resource, std::string_view name, std::string_view namespace_name) {
    const api::KindSpec& spec = kind(resource);
    return client_->get(spec, spec.namespaced ? namespace_name : std::string_view(), name).has_value();
}

std::vector<api::Json> TestCluster::list(std::string_view resource, std::string_view namespace_name) {
    std::vector<api::Json> documents;
    const std::string_view within = kind(resource).namespaced ? namespace_name : std::string_view();
    for (const auto& record : registry_->list(resource, within)) documents.push_back(client_->document(*record));
    return documents;
}

void TestCluster::patch(std::string_view resource, std::string_view name, std::string_view merge_patch,
                        std::string_view subresource, std::string_view namespace_name) {
    const api::KindSpec& spec = kind(resource);
    const api::Json change = api::Json::parse(merge_patch);
    must(client_->modify(spec, spec.namespaced ? namespace_name : std::string_view(), name, subresource,
                         [&change](api::Json& object) {
                             object.merge_patch(change);
                             return true;
                         }),
         "patch");
    store_->flush();
}

void TestCluster::remove(std::string_view resource, std::string_view name, const api::DeleteOptions& options,
                         std::string_view namespace_name) {
    const api::KindSpec& spec = kind(resource);
    must(client_->remove(spec, spec.namespaced ? namespace_name : std::string_view(), name, options), "remove");
    store_->flush();
}

int TestCluster::run_pods(const std::function<bool(const api::Json&)>& which) {
    const api::KindSpec& pods = kind("pods");
    int changed = 0;
    for (const auto& record : registry_->list("pods", {})) {
        const api::PodView& view = api::pod_view_of(*record);
        if (view.deleting) {
            api::DeleteOptions now;
            now.grace_period_seconds = 0;
            const auto removed = client_->remove(pods, view.namespace_name, view.name, now);
            if (removed && *removed) ++changed;
            continue;
        }
        if (view.finished() || view.ready) continue;
        if (which && !which(client_->document(*record))) continue;
        if (view.node_name.empty()) {
            must(client_->create_subresource(pods, view.namespace_name, view.name, "binding",
                                             api::Json{{"apiVersion", "v1"}, {"kind", "Binding"},
                                                       {"metadata", {{"name", view.name}}},
                                                       {"target", {{"kind", "Node"}, {"name", "node-0"}}}}),
                 "bind");
        }
        set_pod(view.name, "Running", true, view.namespace_name);
        ++changed;
    }
    store_->flush();
    return changed;
}

void TestCluster::settle_with_pods(const std::function<bool(const api::Json&)>& which) {
    settle();
    for (int rounds = 0; run_pods(which) > 0; ++rounds) {
        if (rounds > 1000) FAIL("the pods do not come to rest");
        settle();
    }
}

void TestCluster::set_pod(std::string_view name, std::string_view phase, bool ready, std::string_view namespace_name) {
    const Time now = clock_.now();
    must(client_->modify(kind("pods"), namespace_name, name, "status",
                         [&](api::Json& pod) {
                             api::Json& status = api::ensure(pod, {"status"});
                             status["phase"] = std::string(phase);
                             if (api::string_at(status, {"podIP"}).empty()) {
                                 const std::string ip = "10.244." + std::to_string(next_address_ / 256) + "." +
                                                        std::to_string(next_address_ % 256);
                                 ++next_address_;
                                 status["podIP"] = ip;
                                 status["podIPs"] = api::Json::array({{{"ip", ip}}});
                             }
                             status["conditions"] = api::Json::array({condition("PodScheduled", true, now),
                                                                      condition("Ready", ready, now),
                                                                      condition("ContainersReady", ready, now)});
                             return true;
                         }),
         "pod status");
    store_->flush();
}

std::vector<std::string> TestCluster::events(std::string_view namespace_name) {
    std::vector<storage::RecordPtr> records = registry_->list("events", namespace_name);
    std::sort(records.begin(), records.end(),
              [](const auto& a, const auto& b) { return a->create_revision < b->create_revision; });
    std::vector<std::string> lines;
    for (const auto& record : records) {
        const api::Json event = client_->document(*record);
        std::string line(api::string_at(event, {"type"}));
        line.append(" ").append(api::string_at(event, {"reason"}));
        line.append(" ").append(api::string_at(event, {"involvedObject", "kind"}));
        line.append("/").append(api::string_at(event, {"involvedObject", "name"}));
        line.append(": ").append(api::string_at(event, {"message"}));
        lines.push_back(std::move(line));
    }
    return lines;
}

}  // namespace kubemu::tests

// For tests of the scheduler: nodes and pods in a few words, and what became of them.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "controllers/scheduler/controller.h"
#include "tests/harness/test_cluster.h"

namespace kubemu::tests {

struct Scheduling : TestCluster {
    explicit Scheduling(controllers::scheduler::Release release = {}) {
        add<controllers::SchedulerController>(release);
        settle();
    }
    // `spec` and `status` are merged into what a node has: 4 cores, 8Gi, 10 pods.
    void node(const std::string& name, const char* labels = "{}", const char* spec = "{}", const char* allocatable = "{}") {
        api::Json object = {{"metadata", {{"name", name}, {"labels", api::Json::parse(labels)}}},
                            {"spec", api::Json::parse(spec)},
                            {"status", {{"allocatable", {{"cpu", "4"}, {"memory", "8Gi"}, {"pods", "10"}}}}}};
        object["metadata"]["labels"]["kubernetes.io/hostname"] = name;
        object["status"]["allocatable"].update(api::Json::parse(allocatable));
        create("nodes", object);
        settle();
    }
    void pod(const std::string& name, const std::string& spec = "{}", const char* labels = "{}", const std::string& space = "default",
             const char* cpu = "") {
        api::Json object = {{"metadata", {{"name", name}, {"namespace", space}, {"labels", api::Json::parse(labels)}}},
                            {"spec", {{"containers", api::Json::array({{{"name", "c"}, {"image", "i"}}})}}}};
        if (*cpu != '\0') object["spec"]["containers"][0]["resources"]["requests"]["cpu"] = cpu;
        object["spec"].update(api::Json::parse(spec));
        create("pods", object);
        settle();
    }
    // Without waiting for a kubelet.
    void remove_now(const std::string& name) {
        api::DeleteOptions options;
        options.grace_period_seconds = 0;
        remove("pods", name, options);
    }
    std::string at(const std::string& name, const std::string& space = "default") {
        return std::string(api::string_at(get("pods", name, space), {"spec", "nodeName"}));
    }
    // Why it has no node.
    std::string why(const std::string& name, const std::string& space = "default") {
        const api::Json pod = get("pods", name, space);
        for (const api::Json& condition : api::array_at(pod, {"status", "conditions"}))
            if (api::string_at(condition, {"type"}) == "PodScheduled") return std::string(api::string_at(condition, {"message"}));
        return {};
    }
    int count(std::string_view part, const std::string& space = "default") {
        const auto all = events(space);
        return static_cast<int>(std::count_if(all.begin(), all.end(), [&](const std::string& line) { return line.find(part) != std::string::npos; }));
    }
    // Whether the pod is tried when this happens. Its annotation is changed first: an attempt on another revision of the
    // pod is another event.
    template <class Happens>
    bool tries(const std::string& name, Happens happens) {
        patch("pods", name, R"({"metadata":{"annotations":{"n":")" + std::to_string(++step) + "\"}}}");
        settle();
        const int before = count("FailedScheduling Pod/" + name + ":");
        happens();
        settle();
        return !at(name).empty() || count("FailedScheduling Pod/" + name + ":") > before;
    }
    int step = 0;
    void priority(const char* name, int value) { create("priorityclasses.scheduling.k8s.io", api::Json{{"metadata", {{"name", name}}}, {"value", value}}); }
};

}  // namespace kubemu::tests

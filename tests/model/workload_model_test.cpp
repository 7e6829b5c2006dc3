// Random operations on workloads, and what must hold at every single revision of their pods: never more than a rollout
// may have, never fewer available than it must keep, ordinals in their order, nobody owned twice, and nothing left
// behind. KUBEMU_SEED repeats a run; each failure prints it.
//
// How it works: a handler of the pods' informer sees each version in order and checks it against bounds that the test
// sets before it changes a spec. While a change is under way the bounds of all specs since the last rest hold together.
#include <algorithm>
#include <cstdlib>
#include <doctest/doctest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "controllers/daemonset/controller.h"
#include "controllers/deployment/controller.h"
#include "controllers/garbage_collector/controller.h"
#include "controllers/job/controller.h"
#include "controllers/replicaset/controller.h"
#include "controllers/statefulset/controller.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace std::chrono_literals;

namespace {

constexpr int operations = 120;

std::uint64_t seed_of_run() {
    const char* given = std::getenv("KUBEMU_SEED");
    return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

// What is known of the pods, revision by revision.
class Watched {
  public:
    explicit Watched(tests::TestCluster& cluster) {
        cluster.manager().informer("pods").subscribe([this](const api::Informer::Change& change) { take(change); });
    }
    std::size_t most = 1000, least_available = 0;
    bool ordered = false;  // an ordinal begins only when those before it are ready
    std::vector<std::string> broken;

    std::size_t alive() const { return count([](const api::PodView& pod) { return pod.active(); }); }
    std::size_t available() const { return count([](const api::PodView& pod) { return pod.active() && pod.ready; }); }

  private:
    template <class Which>
    std::size_t count(Which which) const {
        return static_cast<std::size_t>(std::count_if(pods_.begin(), pods_.end(), [&](const auto& entry) { return which(api::pod_view_of(*entry.second)); }));
    }
    void take(const api::Informer::Change& change) {
        if (!change.after) {
            pods_.erase(change.before->key);
        } else {
            pods_[change.after->key] = change.after;
            const api::PodView& pod = api::pod_view_of(*change.after);
            const auto owners = std::count_if(pod.owners.begin(), pod.owners.end(), [](const api::OwnerReference& owner) { return owner.controller; });
            if (owners > 1) broken.push_back(pod.name + " has two controllers");
            if (ordered && !change.before) check_order(pod);
        }
        if (alive() > most) broken.push_back("revision of " + (change.after ? change.after : change.before)->key + ": " + std::to_string(alive()) + " pods, allowed " + std::to_string(most));
        if (available() < least_available) broken.push_back("only " + std::to_string(available()) + " available, needed " + std::to_string(least_available));
    }
    void check_order(const api::PodView& pod) {
        const std::size_t dash = pod.name.rfind('-');
        const int ordinal = std::atoi(pod.name.c_str() + dash + 1);
        for (int i = 0; i < ordinal; ++i) {
            const auto before = pods_.find(pod.namespace_name + "/" + pod.name.substr(0, dash + 1) + std::to_string(i));
            if (before == pods_.end() || !api::pod_view_of(*before->second).ready) broken.push_back(pod.name + " began before " + std::to_string(i) + " was ready");
        }
    }
    std::map<std::string, storage::RecordPtr> pods_;
};

struct World : tests::TestCluster {
    World() : random(seed_of_run()), pods(*this) {
        add<controllers::DeploymentController>();
        add<controllers::ReplicaSetController>();
        add<controllers::StatefulSetController>();
        add<controllers::DaemonSetController>();
        add<controllers::JobController>();
        add<controllers::GarbageCollectorController>();
    }
    std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random() % bound); }
    static api::Json workload(const char* name) {
        api::Json object = api::Json::parse(R"({"spec":{"selector":{"matchLabels":{"app":"w"}},"template":{"metadata":{"labels":{"app":"w"}},
            "spec":{"containers":[{"name":"main","image":"nginx:1"}]}}}})");
        object["metadata"]["name"] = name;
        return object;
    }
    // Some pods become ready, some are deleted by a stranger, or nothing happens.
    void disturb(bool strangers) {
        settle();
        if (below(2) == 0) run_pods([this](const api::Json&) { return below(2) == 0; });
        const auto all = list("pods");
        if (strangers && !all.empty() && below(4) == 0) {
            pods.least_available = 0;  // not the controller's doing
            remove("pods", api::name_of(all[below(all.size())]));
        }
        settle();
    }
    void remove_all(const char* resource, const char* name) {
        pods.least_available = 0;
        api::DeleteOptions options;
        options.propagation_policy = below(2) == 0 ? "Background" : "Foreground";
        remove(resource, name, options);
        settle_with_pods();
        CHECK(list("pods").empty());
        CHECK(list("replicasets.apps").empty());
        CHECK(list("controllerrevisions.apps").empty());
        CHECK_FALSE(exists(resource, name));
    }
    void check() {
        INFO("seed ", seed);
        for (const std::string& sentence : pods.broken) FAIL_CHECK(sentence << " (KUBEMU_SEED=" << seed << ")");
        REQUIRE(pods.broken.empty());
    }

    std::uint64_t seed = seed_of_run();
    std::mt19937_64 random;
    Watched pods;
};

std::string image(World& world) {
    return R"({"spec":{"template":{"spec":{"containers":[{"name":"main","image":"nginx:)" + std::to_string(world.below(5)) + R"("}]}}}})";
}

}  // namespace

TEST_CASE("deployments stay between surge and unavailability at every revision") {
    World world;
    world.random.seed(world.seed);
    std::size_t replicas = 4, surge = 1, unavailable = 1;
    const auto allow = [&](bool fresh) {
        const std::size_t most = replicas + surge, least = replicas > unavailable ? replicas - unavailable : 0;
        world.pods.most = fresh ? most : std::max(world.pods.most, most);
        world.pods.least_available = fresh ? least : std::min(world.pods.least_available, least);
    };
    api::Json deployment = World::workload("w");
    deployment["spec"]["replicas"] = replicas;
    deployment["spec"]["strategy"] = {{"type", "RollingUpdate"}, {"rollingUpdate", {{"maxSurge", surge}, {"maxUnavailable", unavailable}}}};
    world.create("deployments.apps", deployment);
    world.settle_with_pods();
    CHECK(world.pods.available() == replicas);
    allow(true);
    for (int i = 0; i < operations; ++i) {
        switch (world.below(5)) {
            case 0: {
                const std::size_t before = replicas;
                replicas = world.below(7);
                allow(false);
                // In the middle of a rollout pods are taken from all ReplicaSets in proportion, ready ones included
                // (kubernetes pkg/controller/deployment/sync.go, scale); also when there may be more, but fewer beyond that.
                const auto sets = world.list("replicasets.apps");
                const auto in_use = std::count_if(sets.begin(), sets.end(), [](const api::Json& set) { return api::int_at(set, {"spec", "replicas"}) > 0; });
                const std::size_t most = replicas + surge, taken = in_use > 1 && world.pods.alive() > most ? world.pods.alive() - most : 0;
                world.pods.least_available -= std::min(taken, world.pods.least_available);
                if (replicas < before && world.pods.available() < before) world.pods.least_available = 0;
                world.patch("deployments.apps", "w", R"({"spec":{"replicas":)" + std::to_string(replicas) + "}}");
                break;
            }
            case 1: {
                surge = world.below(4);
                unavailable = world.below(3) + (surge == 0 ? 1 : 0);
                allow(false);
                world.patch("deployments.apps", "w", R"({"spec":{"strategy":{"rollingUpdate":{"maxSurge":)" + std::to_string(surge) +
                                                         R"(,"maxUnavailable":)" + std::to_string(unavailable) + "}}}}");
                break;
            }
            case 2:
            case 3: world.patch("deployments.apps", "w", image(world)); break;
            default: break;
        }
        world.disturb(false);
        if (world.below(3) == 0) {
            world.settle_with_pods();
            CHECK(world.pods.available() == replicas);
            CHECK(world.pods.alive() == replicas);
            allow(true);
        }
        world.check();
    }
    world.remove_all("deployments.apps", "w");
    world.check();
}

TEST_CASE("replica sets have what they should, whoever deletes, releases or adds pods") {
    World world;
    world.random.seed(world.seed);
    std::size_t replicas = 4;
    api::Json set = World::workload("w");
    set["spec"]["replicas"] = replicas;
    world.create("replicasets.apps", set);
    world.settle_with_pods();
    for (int i = 0; i < operations; ++i) {
        const auto all = world.list("pods");
        switch (world.below(4)) {
            case 0:
                replicas = world.below(7);
                world.patch("replicasets.apps", "w", R"({"spec":{"replicas":)" + std::to_string(replicas) + "}}");
                break;
            case 1:  // released
                if (!all.empty()) world.patch("pods", api::name_of(all[world.below(all.size())]), R"({"metadata":{"labels":{"app":"other"}}})");
                break;
            case 2:  // an orphan that matches
                world.create("pods", api::Json{{"metadata", {{"generateName", "stray-"}, {"labels", {{"app", "w"}}}}},
                                               {"spec", {{"containers", api::Json::array({{{"name", "c"}, {"image", "i"}}})}}}});
                break;
            default: break;
        }
        world.disturb(true);
        if (world.below(3) != 0) continue;
        world.settle_with_pods();
        std::size_t owned = 0;
        for (const api::Json& pod : world.list("pods")) owned += api::string_at(pod, {"metadata", "labels", "app"}) == "w" ? 1 : 0;
        CHECK(owned == replicas);
        world.check();
    }
}

TEST_CASE("stateful sets make their pods in order, each once, and update them downwards") {
    World world;
    world.random.seed(world.seed);
    std::size_t replicas = 3;
    world.pods.ordered = true;
    api::Json set = World::workload("w");
    set["spec"]["replicas"] = replicas;
    set["spec"]["serviceName"] = "w";
    world.create("statefulsets.apps", set);
    world.settle_with_pods();
    world.pods.most = replicas;
    for (int i = 0; i < operations; ++i) {
        switch (world.below(4)) {
            case 0:
                replicas = world.below(5);
                world.pods.most = std::max(world.pods.most, replicas);
                world.patch("statefulsets.apps", "w", R"({"spec":{"replicas":)" + std::to_string(replicas) + "}}");
                break;
            case 1: world.patch("statefulsets.apps", "w", image(world)); break;
            default: break;
        }
        world.disturb(true);
        if (world.below(3) != 0) continue;
        world.settle_with_pods();
        CHECK(world.pods.available() == replicas);
        const api::Json status = world.get("statefulsets.apps", "w")["status"];
        CHECK(api::int_at(status, {"readyReplicas"}) == static_cast<std::int64_t>(replicas));
        CHECK(api::string_at(status, {"currentRevision"}) == api::string_at(status, {"updateRevision"}));
        world.pods.most = replicas;
        world.check();
    }
    world.remove_all("statefulsets.apps", "w");
    world.check();
}

TEST_CASE("jobs count every end once and never run more than they may") {
    World world;
    world.random.seed(world.seed);
    for (int round = 0; round < 12; ++round) {
        const std::size_t completions = 1 + world.below(6), parallelism = 1 + world.below(4);
        const bool indexed = world.below(2) == 0;
        api::Json job = World::workload("w");
        job["spec"].erase("selector");
        job["spec"]["template"]["spec"]["restartPolicy"] = "Never";
        job["spec"]["completions"] = completions;
        job["spec"]["parallelism"] = parallelism;
        job["spec"]["backoffLimit"] = 1000;
        if (indexed) job["spec"]["completionMode"] = "Indexed";
        world.pods.most = std::min(parallelism, completions);
        world.create("jobs.batch", job);
        std::size_t succeeded = 0, failed = 0;
        const auto complete = [&] {
            const api::Json job_now = world.get("jobs.batch", "w");
            for (const api::Json& one : api::array_at(job_now, {"status", "conditions"})) {
                if (api::string_at(one, {"type"}) == "Complete") return true;
            }
            return false;
        };
        for (int i = 0; i < 500 && !complete(); ++i) {
            world.settle();
            for (const api::Json& pod : world.list("pods")) {
                const std::string_view phase = api::string_at(pod, {"status", "phase"});
                if (phase == "Succeeded" || phase == "Failed" || world.below(2) == 0) continue;
                const bool success = world.below(3) != 0;
                ++(success ? succeeded : failed);
                world.set_pod(api::name_of(pod), success ? "Succeeded" : "Failed", false);
                if (world.below(2) == 0) world.settle();
            }
            world.advance(std::chrono::seconds(world.below(700)));
        }
        CHECK(complete());
        const api::Json status = world.get("jobs.batch", "w")["status"];
        CHECK(api::int_at(status, {"succeeded"}) == static_cast<std::int64_t>(completions));
        CHECK(succeeded == completions);
        CHECK(api::int_at(status, {"failed"}) == static_cast<std::int64_t>(failed));
        for (const api::Json& pod : world.list("pods")) CHECK(api::find(pod, {"metadata", "finalizers"}) == nullptr);
        world.remove_all("jobs.batch", "w");
        world.check();
    }
}

// Each pod on the node that its affinity names; those that were deleted are gone.
static void run_where_they_belong(World& world) {
    for (const api::Json& pod : world.list("pods")) {
        const std::string name(api::name_of(pod));
        if (api::find(pod, {"metadata", "deletionTimestamp"}) != nullptr) {
            api::DeleteOptions now;
            now.grace_period_seconds = 0;
            world.remove("pods", name, now);
            continue;
        }
        if (!api::string_at(pod, {"spec", "nodeName"}).empty()) continue;
        const api::Json& terms = api::array_at(pod, {"spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"});
        const auto bound = world.client().create_subresource(
            world.kind("pods"), "default", name, "binding",
            api::Json{{"metadata", {{"name", name}}}, {"target", {{"kind", "Node"}, {"name", terms[0]["matchFields"][0]["values"][0]}}}});
        REQUIRE(bound);
        world.set_pod(name, "Running", true);
    }
}

TEST_CASE("daemon sets keep one pod a node while nodes come, go and change") {
    World world;
    world.random.seed(world.seed);
    std::set<std::string> nodes;
    world.create("daemonsets.apps", World::workload("w"));
    for (int i = 0; i < operations; ++i) {
        const std::string node = "n" + std::to_string(world.below(6));
        switch (world.below(4)) {
            case 0:
                if (nodes.insert(node).second) world.create("nodes", api::Json{{"metadata", {{"name", node}}}});
                break;
            case 1:
                if (nodes.erase(node) != 0) world.remove("nodes", node);
                break;
            case 2: world.patch("daemonsets.apps", "w", image(world)); break;
            default: break;
        }
        world.settle();
        std::map<std::string, int> on_node;
        for (const api::Json& pod : world.list("pods")) {
            if (api::find(pod, {"metadata", "deletionTimestamp"}) != nullptr) continue;
            const api::Json& terms = api::array_at(pod, {"spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"});
            REQUIRE(terms.size() == 1);
            ++on_node[terms[0]["matchFields"][0]["values"][0].get<std::string>()];
        }
        for (const auto& [name, count] : on_node) CHECK(count == 1);
        if (world.below(2) == 0) run_where_they_belong(world);
    }
    world.check();
}

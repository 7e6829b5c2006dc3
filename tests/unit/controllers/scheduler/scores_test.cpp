// Each score of the default profile against numbers worked out by hand from its formula, and what they do together.
#include "controllers/scheduler/scores.h"

#include "scheduler_fixture.h"

using namespace kubemu;
using namespace kubemu::controllers;
using namespace kubemu::controllers::scheduler;
using tests::Scheduling;

namespace {

constexpr std::int64_t Gi = 1LL << 30, Mi = 1LL << 20;

// A cluster in memory: nodes with 4 cores and 8Gi unless they say otherwise.
struct World {
    Nodes nodes;
    Namespaces namespaces;
    ImageNodes image_nodes;
    MatchCounts matches;
    std::vector<std::string> images;
    api::LabelSelector default_selector;
    int next = 0;

    NodeInfo& node(const std::string& name, api::Labels labels = {}, std::int64_t cpu = 4000, std::int64_t memory = 8 * Gi) {
        NodeInfo& info = nodes[name];
        info.name = name;
        labels.emplace_back("kubernetes.io/hostname", name);
        std::sort(labels.begin(), labels.end());
        info.labels = std::move(labels);
        info.allocatable.cpu_milli = cpu;
        info.allocatable.memory_bytes = memory;
        return info;
    }
    static PodInfo pod(std::int64_t cpu, std::int64_t memory, api::Labels labels = {}, const Constraints* rules = nullptr) {
        PodInfo info;
        info.namespace_name = "default";
        info.labels = std::move(labels);
        info.requests.cpu_milli = cpu;
        info.requests.memory_bytes = memory;
        info.nonzero_cpu_milli = cpu != 0 ? cpu : 100;
        info.nonzero_memory_bytes = memory != 0 ? memory : 200 * Mi;
        info.scored_cpu_milli = info.nonzero_cpu_milli;
        info.scored_memory_bytes = info.nonzero_memory_bytes;
        if (rules != nullptr) info.constraints = std::make_shared<const Constraints>(*rules);
        return info;
    }
    void run(const std::string& node_name, PodInfo info) {
        info.key = "default/p" + std::to_string(next++);
        nodes.at(node_name).add(std::make_shared<const PodInfo>(std::move(info)));
    }
    Scores of(Scores (*plugin)(const Scoring&), const PodInfo& pod) {
        Scoring scoring{pod, nodes, namespaces, image_nodes, matches, {}, images, {}, default_selector, {}};
        for (const auto& [name, node] : nodes) scoring.feasible.push_back(&node);
        return plugin(scoring);
    }
};

Toleration toleration(const char* key, const char* effect) { return {key, "Exists", "", effect}; }

PodTerm pod_term(const char* labels, const char* topology_key, int weight) {
    PodTerm term;
    term.selector = *api::LabelSelector::parse(labels);
    term.namespaces = {"default"};
    term.topology_key = topology_key;
    term.weight = weight;
    return term;
}

SpreadConstraint spread(const char* labels, const char* topology_key, int max_skew) {
    SpreadConstraint constraint;
    constraint.selector = *api::LabelSelector::parse(labels);
    constraint.topology_key = topology_key;
    constraint.max_skew = max_skew;
    constraint.hard = false;
    return constraint;
}

}  // namespace

TEST_CASE("LeastAllocated: the free part of cpu and memory, asked or not") {
    World world;
    world.node("half");
    world.node("idle");
    world.node("memoryless", {}, 4000, 0);
    world.node("small", {}, 400, 8 * Gi);
    world.run("half", World::pod(3000, 2 * Gi));
    // half: (4000-3500)*100/4000 = 12 and (8-3)*100/8 = 62, together 37. idle: 87 and 87. memoryless: cpu alone.
    // small: 500m do not fit, so 0 for cpu, and 87 for memory.
    CHECK(world.of(least_allocated, World::pod(500, 1 * Gi)) == Scores{37, 87, 87, 43});
    // A pod that asks for nothing counts 100m and 200Mi: half (900/4000 = 22, 5944Mi/8192Mi = 72), idle (97, 97).
    World other;
    other.node("half");
    other.node("idle");
    other.run("half", World::pod(3000, 2 * Gi));
    CHECK(other.of(least_allocated, World::pod(0, 0)) == Scores{47, 97});
    // So do pods that are there: ten of them leave 4000-1100 and 8192-2200.
    for (int i = 0; i < 10; ++i) other.run("idle", World::pod(0, 0));
    CHECK(other.of(least_allocated, World::pod(0, 0)) == Scores{47, 72});
}

TEST_CASE("BalancedAllocation: what the pod does to the balance of cpu and memory") {
    World world;
    world.node("cpu-heavy");
    world.node("idle");
    world.run("cpu-heavy", World::pod(3000, 2 * Gi));
    // cpu-heavy: 75 with |0.875-0.375|/2, 75 without |0.75-0.25|/2: 50+(50+0)/2. idle: 500m and 1Gi are an eighth of both.
    CHECK(world.of(balanced_allocation, World::pod(500, 1 * Gi)) == Scores{75, 75});
    // Memory alone mends one and spoils the other: |0.75-0.75| makes 100 of 75; |0-0.5|/2 makes 75 of 100.
    CHECK(world.of(balanced_allocation, World::pod(0, 4 * Gi)) == Scores{87, 62});
    // More than there is counts as all of it: |1-0.25|/2 makes 62 of 75, (50-13)/2 is 18.
    CHECK(world.of(balanced_allocation, World::pod(9000, 0)) == Scores{68, 50});
    CHECK(world.of(balanced_allocation, World::pod(0, 0)) == Scores{0, 0});
}

TEST_CASE("ImageLocality: bytes that are there, spread over how many nodes, between 23Mi and 1000Mi a container") {
    World world;
    world.node("a").images = {{"docker.io/library/big:1", 800 * Mi}, {"docker.io/library/small:latest", 20 * Mi}};
    world.node("b").images = {{"docker.io/library/big:1", 800 * Mi}};
    world.node("c");
    world.node("d");
    world.image_nodes = {{"docker.io/library/big:1", 2}, {"docker.io/library/small:latest", 1}};
    world.images = {"docker.io/library/big:1"};
    // 800Mi on 2 of 4 nodes count 400Mi: 100*(400-23)/(1000-23) = 38.
    CHECK(world.of(image_locality, World::pod(0, 0)) == Scores{38, 38, 0, 0});
    // 20Mi on one of four count 5Mi; two containers: 100*(405-23)/(2000-23) = 19 and 100*(400-23)/1977 = 19.
    world.images = {"docker.io/library/big:1", "docker.io/library/small"};
    CHECK(world.of(image_locality, World::pod(0, 0)) == Scores{19, 19, 0, 0});
    world.images = {"docker.io/library/small"};  // less than the least that matters
    CHECK(world.of(image_locality, World::pod(0, 0)) == Scores{0, 0, 0, 0});
    CHECK(normalized_image_name("localhost:5000/app") == "localhost:5000/app:latest");
    CHECK(normalized_image_name("app:1") == "app:1");
}

TEST_CASE("TaintToleration: the fewest taints that say PreferNoSchedule and are not tolerated") {
    World world;
    world.node("two").taints = {{"a", "", "PreferNoSchedule"}, {"b", "", "PreferNoSchedule"}};
    world.node("one").taints = {{"a", "", "PreferNoSchedule"}, {"c", "", "NoSchedule"}};
    world.node("none");
    CHECK(world.of(taint_toleration, World::pod(0, 0)) == Scores{100, 50, 0});  // none, one, two
    Constraints rules;
    rules.tolerations = {toleration("a", ""), toleration("b", "NoExecute")};  // the second is for another effect
    CHECK(world.of(taint_toleration, World::pod(0, 0, {}, &rules)) == Scores{100, 100, 0});
}

TEST_CASE("NodeAffinity: the weights of the preferred terms that match, the highest sum is 100") {
    World world;
    world.node("a", {{"disk", "ssd"}, {"zone", "x"}});
    world.node("b", {{"disk", "ssd"}});
    world.node("c");
    Constraints rules;
    rules.preferred_node_terms = {{20, {{"disk", "In", {"ssd"}}}}, {40, {{"zone", "Exists", {}}}}, {90, {}}};
    CHECK(world.of(node_affinity, World::pod(0, 0, {}, &rules)) == Scores{100, 33, 0});
    CHECK(world.of(node_affinity, World::pod(0, 0)) == Scores{0, 0, 0});
}

TEST_CASE("PodTopologySpread: matching pods in the topology, weighed by the number of topologies") {
    World world;
    world.node("a1", {{"zone", "a"}});
    world.node("a2", {{"zone", "a"}});
    world.node("b1", {{"zone", "b"}});
    world.node("bare");
    const api::Labels web = {{"app", "web"}};
    for (int i = 0; i < 3; ++i) world.run("a1", World::pod(0, 0, web));
    world.run("b1", World::pod(0, 0, web));
    world.run("b1", World::pod(0, 0, {{"app", "other"}}));
    PodInfo leaving = World::pod(0, 0, web);
    leaving.deleting = true;
    world.run("b1", leaving);
    Constraints rules;
    rules.spread = {spread("app=web", "zone", 1)};
    // Two zones: a weight of ln 4 = 1.386. a: 3 make 4.16, so 4; b: 1 makes 1. 100*(4+1-4)/4 = 25 and 100*(5-1)/4 = 100.
    // A node without the label gets nothing.
    CHECK(world.of(topology_spread, World::pod(0, 0, web, &rules)) == Scores{25, 25, 100, 0});
    rules.spread = {spread("app=web", "kubernetes.io/hostname", 2)};
    // Four nodes: ln 6 = 1.792, and 1 more for maxSkew-1: 6.4 -> 6, 1, 2.8 -> 3, 1. 100*(7-s)/6.
    CHECK(world.of(topology_spread, World::pod(0, 0, web, &rules)) == Scores{16, 100, 66, 100});
    CHECK(world.of(topology_spread, World::pod(0, 0, web)) == Scores{0, 0, 0, 0});
}

TEST_CASE("PodTopologySpread by default: nodes first, then zones, where a service or a controller selects the pod") {
    World world;
    const char* zone = "topology.kubernetes.io/zone";
    world.node("a1", {{zone, "a"}});
    world.node("a2", {{zone, "a"}});
    world.node("b1", {{zone, "b"}});
    const api::Labels web = {{"app", "web"}};
    world.run("a1", World::pod(0, 0, web));
    world.run("a1", World::pod(0, 0, web));
    world.default_selector = *api::LabelSelector::parse("app=web");
    // hostname: ln 5 = 1.609, 2 more; zone: ln 4 = 1.386, 4 more. a1: 3.22+2+2.77+4 = 11.99 -> 12; a2: 2+6.77 -> 9; b1: 6.
    // 100*(12+6-s)/12.
    CHECK(world.of(topology_spread, World::pod(0, 0, web)) == Scores{50, 75, 100});
    // Without zones only the first matters: bare nodes are one topology more for the zone, which they do not score by.
    world.node("bare");
    // ln 6 = 1.792 and ln 5 = 1.609: a1 3.58+2+3.22+4 = 12.8 -> 13, a2 2+7.22 -> 9, b1 6, bare 2. 100*(15-s)/13.
    CHECK(world.of(topology_spread, World::pod(0, 0, web)) == Scores{15, 46, 69, 100});
}

TEST_CASE("InterPodAffinity: preferred terms of the pod and of the others, and their required ones") {
    World world;
    world.node("a1", {{"zone", "a"}});
    world.node("b1", {{"zone", "b"}});
    world.node("c1", {{"zone", "c"}});
    world.run("a1", World::pod(0, 0, {{"app", "db"}}));
    world.run("b1", World::pod(0, 0, {{"app", "noisy"}}));
    Constraints rules;
    rules.preferred_affinity = {pod_term("app=db", "zone", 60)};
    rules.preferred_anti_affinity = {pod_term("app=noisy", "zone", 20)};
    // 60, -20, 0: 100*(s+20)/80.
    CHECK(world.of(inter_pod_affinity, World::pod(0, 0, {{"app", "web"}}, &rules)) == Scores{100, 0, 25});
    // Two pods that require the web near them count 1 each, one that would rather not counts its weight.
    Constraints theirs;
    theirs.affinity = {pod_term("app=web", "zone", 0)};
    world.run("c1", World::pod(0, 0, {}, &theirs));
    world.run("c1", World::pod(0, 0, {}, &theirs));
    Constraints shy;
    shy.preferred_anti_affinity = {pod_term("app=web", "zone", 6)};
    world.run("b1", World::pod(0, 0, {}, &shy));
    // 0, -6, 2: 100*(s+6)/8.
    CHECK(world.of(inter_pod_affinity, World::pod(0, 0, {{"app", "web"}})) == Scores{75, 0, 100});
}

TEST_CASE("the sum weighs taints 3, labels, spreading and affinity 2, the others 1") {
    World world;
    world.node("a").taints = {{"k", "", "PreferNoSchedule"}};
    world.node("b", {{"disk", "ssd"}});
    world.run("b", World::pod(3000, 2 * Gi));
    Constraints rules;
    rules.preferred_node_terms = {{1, {{"disk", "Exists", {}}}}};
    // a: taints 0, labels 0, least allocated 87, balanced 75. b: 3*100 + 2*100 + 37 + 75.
    CHECK(world.of(total_scores, World::pod(500, 1 * Gi, {}, &rules)) == Scores{162, 612});
}

TEST_CASE("counts of matching pods follow pods that come and go") {
    World world;
    world.node("a");
    const api::LabelSelector web = *api::LabelSelector::parse("app=web");
    world.run("a", World::pod(0, 0, {{"app", "web"}}));
    CHECK(world.matches.of("default", web, world.nodes) == MatchCounts::ByNode{{"a", 1}});
    const PodInfo more = World::pod(0, 0, {{"app", "web"}});
    PodInfo elsewhere = more;
    elsewhere.namespace_name = "other";
    world.matches.add(more, "b");
    world.matches.add(elsewhere, "b");
    CHECK(world.matches.of("default", web, world.nodes) == MatchCounts::ByNode{{"a", 1}, {"b", 1}});
    world.matches.remove(more, "b");
    world.matches.forget("a");
    CHECK(world.matches.of("default", web, world.nodes).empty());
    CHECK(world.matches.of("default", *api::LabelSelector::parse(""), world.nodes).empty());
}

TEST_CASE("replicas spread over nodes by their ReplicaSet and by their service; images attract") {
    Scheduling cluster;
    for (const char* name : {"n1", "n2", "n3"}) cluster.node(name, "{}", "{}", R"({"pods":"100"})");
    cluster.create("replicasets.apps", R"({"metadata":{"name":"web"},"spec":{"replicas":6,"selector":{"matchLabels":{"app":"web"}},
        "template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}})");
    const std::string uid(api::uid_of(cluster.get("replicasets.apps", "web")));
    const auto owned = [&](const std::string& name) {
        api::Json pod = {{"metadata", {{"name", name}, {"labels", {{"app", "web"}}},
                                       {"ownerReferences", api::Json::array({{{"apiVersion", "apps/v1"}, {"kind", "ReplicaSet"}, {"name", "web"},
                                                                              {"uid", uid}, {"controller", true}}})}}},
                         {"spec", {{"containers", api::Json::array({{{"name", "c"}, {"image", "i"}}})}}}};
        cluster.create("pods", pod);
        cluster.settle();
        return cluster.at(name);
    };
    // A node that is fuller than the others is still taken in turn: spreading weighs twice as much as room.
    cluster.pod("heavy", R"({"nodeName":"n1"})", "{}", "default", "1");
    std::map<std::string, int> by_node;
    for (int i = 0; i < 6; ++i) ++by_node[owned("web-" + std::to_string(i))];
    CHECK(by_node == std::map<std::string, int>{{"n1", 2}, {"n2", 2}, {"n3", 2}});

    cluster.create("services", R"({"metadata":{"name":"api"},"spec":{"selector":{"app":"api"},"ports":[{"port":80}]}})");
    by_node.clear();
    for (int i = 0; i < 3; ++i) {
        const std::string name = "api-" + std::to_string(i);
        cluster.pod(name, "{}", R"({"app":"api"})");
        ++by_node[cluster.at(name)];
    }
    CHECK(by_node == std::map<std::string, int>{{"n1", 1}, {"n2", 1}, {"n3", 1}});

    Scheduling images;
    for (const char* name : {"n1", "n2", "n3"}) images.node(name);
    images.patch("nodes", "n2", R"({"status":{"images":[{"names":["registry.example/model:1"],"sizeBytes":4000000000}]}})", "status", "");
    images.settle();
    images.pod("p", R"({"containers":[{"name":"c","image":"registry.example/model:1"}]})");
    CHECK(images.at("p") == "n2");
}

TEST_CASE("where a pod has room is compared by what its containers ask for, whatever it asks for as a whole") {
    Scheduling cluster;
    cluster.node("big", "{}", "{}", R"({"cpu":"8","memory":"16Gi"})");
    cluster.node("small", "{}", "{}", R"({"cpu":"2","memory":"4Gi"})");
    cluster.pod("there", R"({"nodeName":"big","containers":[{"name":"c","image":"i","resources":{"requests":{"cpu":"4","memory":"8Gi"}}}]})");
    // With what it asks for as a whole it would leave nothing free on the small node, and two eighths on the big one.
    cluster.pod("p", R"({"resources":{"requests":{"cpu":"2","memory":"4Gi"}},"containers":[{"name":"c","image":"i","resources":{"requests":{"cpu":"100m","memory":"200Mi"}}}]})");
    CHECK(cluster.at("p") == "small");
    cluster.pod("q", "{}", "{}", "default", "100m");
    CHECK(cluster.at("q") == "big");  // but it takes the room that it asks for
}

// What simulated containers ask of each other shows in the metrics of those who answer.
#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "api/kinds/metrics/declared_usage.h"
#include "api/kinds/metrics/usage.h"
#include "controllers/endpointslice/controller.h"
#include "controllers/kubelet/controller.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace kubemu::controllers;
using namespace std::chrono_literals;
using api::Json;

namespace {

struct Cluster : tests::TestCluster {
    Cluster() {
        add<KubeletController>(NodeOptions{.count = 1});
        add<EndpointSliceController>();
        settle();
    }
    void pod(const std::string& name, Json container, Json annotations = Json::object()) {
        container["name"] = "c";
        create("pods", {{"metadata", {{"name", name}, {"labels", {{"app", name.substr(0, name.find('-'))}}}, {"annotations", annotations}}},
                        {"spec", {{"nodeName", "kubemu-control-plane"}, {"containers", {container}}}}});
        settle();
    }
    void service(const std::string& name, Json more = Json::object()) {
        more["selector"] = {{"app", name}};
        more["ports"] = {{{"port", 80}}};
        create("services", {{"metadata", {{"name", name}}}, {"spec", more}});
    }
    // Thousandths of a core.
    std::int64_t cpu(const std::string& name) {
        const api::DeclaredUsage declared(registry());
        const auto usage = api::usage_of_pod(get("pods", name), clock().now(), &declared);
        return usage ? usage->total().cpu_nano / 1'000'000 : 0;
    }
};

Json client(const std::string& script) { return {{"image", "busybox"}, {"command", {"sh", "-c", script}}}; }

}  // namespace

TEST_CASE("requests cost CPU time where they are answered, the limit bounds it, and the end of them is seen") {
    Cluster cluster;
    cluster.service("web");
    cluster.service("slow");
    cluster.pod("web-0", {{"image", "nginx"}});
    cluster.pod("slow-0", {{"image", "registry.k8s.io/hpa-example"}, {"resources", {{"limits", {{"cpu", "500m"}}}, {"requests", {{"cpu", "200m"}}}}}});
    cluster.advance(5s);
    cluster.pod("a", client("while sleep 0.095; do wget -q -O- http://web; done"));
    cluster.pod("b", client("while sleep 0.01; do wget -q -O- http://slow; done"));
    cluster.advance(60s);
    // Ten requests a second of a thousandth each, over what it uses by itself.
    CHECK(cluster.cpu("web-0") >= 11);
    CHECK(cluster.cpu("web-0") <= 16);
    // Six a second that take 80 ms of CPU time: with half a core that is 160 ms.
    CHECK(cluster.cpu("slow-0") >= 440);
    CHECK(cluster.cpu("slow-0") <= 500);
    cluster.pod("c", client("while true; do wget -q -O- http://slow; done"));
    cluster.advance(60s);
    CHECK(cluster.cpu("slow-0") == 500);
    for (const char* name : {"b", "c"}) cluster.remove("pods", name);
    cluster.advance(80s);
    CHECK(cluster.cpu("slow-0") < 40);
}

TEST_CASE("an annotation says what a request costs; a Service's pods take turns, with affinity they do not") {
    Cluster cluster;
    cluster.service("web");
    cluster.service("kept", {{"sessionAffinity", "ClientIP"}});
    for (const char* name : {"web-0", "web-1", "kept-0", "kept-1"}) cluster.pod(name, {{"image", "nginx"}}, {{"kubemu.io/cpu-per-request", "100m"}});
    cluster.advance(5s);
    cluster.pod("a", client("while sleep 0.096; do curl -s web; curl -s kept; done"));
    cluster.advance(60s);
    // Each request takes 104 ms, 3.3 rounds a second.
    CHECK(cluster.cpu("web-0") > 100);
    CHECK(cluster.cpu("web-1") > 100);
    CHECK(cluster.cpu("web-0") + cluster.cpu("web-1") >= 310);
    CHECK(std::max(cluster.cpu("kept-0"), cluster.cpu("kept-1")) >= 310);
    CHECK(std::min(cluster.cpu("kept-0"), cluster.cpu("kept-1")) < 10);
}

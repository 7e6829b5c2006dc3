// Groups of nodes in a file.
#include "controllers/kubelet/node_config.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace kubemu;
using controllers::kubelet::read_node_config;

TEST_CASE("a group makes nodes with numbers, lists of values are dealt out in turn") {
    const auto nodes = read_node_config(R"(
nodes:
- name: head
  taints: [{key: k, effect: NoSchedule}]
- count: 3
  name: worker-{}-of-many
  labels: {zone: [a, b], disk: ssd, cores: 8}
  capacity: {cpu: 4, pods: "10"}
  unschedulable: true
- {count: 1, name: edge}
)");
    REQUIRE(nodes);
    REQUIRE(nodes->size() == 5);
    CHECK((*nodes)[0]["metadata"]["name"] == "head");
    CHECK((*nodes)[0]["spec"]["taints"][0]["key"] == "k");
    CHECK((*nodes)[3]["metadata"]["name"] == "worker-3-of-many");
    CHECK((*nodes)[2]["metadata"]["labels"] == api::Json{{"zone", "b"}, {"disk", "ssd"}, {"cores", "8"}});
    CHECK((*nodes)[3]["metadata"]["labels"]["zone"] == "a");
    CHECK((*nodes)[1]["status"]["capacity"] == api::Json{{"cpu", "4"}, {"pods", "10"}});
    CHECK((*nodes)[1]["spec"]["unschedulable"] == true);
    CHECK((*nodes)[4]["metadata"]["name"] == "edge1");
}

TEST_CASE("what is no list of groups is refused with its place") {
    const auto refused = [](const char* text) {
        const auto nodes = read_node_config(text);
        return nodes ? std::string("accepted") : nodes.error();
    };
    CHECK(refused("nodes: [{name: a}]\n") == "accepted");
    CHECK(refused("{}") == "nodes: expected a list of groups of nodes");
    CHECK(refused("nodes: 3") == "nodes: expected a list of groups of nodes");
    CHECK(refused("nodes: [{count: 2}]") == "nodes[0].name: required");
    CHECK(refused("nodes: [{name: a}, {name: b, cuont: 2}]") == "nodes[1]: unknown field \"cuont\"");
    CHECK(refused("nodes: [{name: a, count: -1}]") == "nodes[0].count: expected a number from 0 to 5000");
    CHECK(refused("nodes: [{name: a, count: many}]") == "nodes[0].count: expected a number from 0 to 5000");
    CHECK(refused("nodes: [{name: a, labels: [x]}]") == "nodes[0].labels: expected a map");
    CHECK(refused("nodes: [{name: a, labels: {x: {y: z}}}]") == "nodes[0].labels.x: expected a text, or a list of texts");
    CHECK(refused("nodes: [{name: a}, {name: a}]") == "nodes[1].name: there are two nodes \"a\"");
    CHECK(refused("nodes: [{name: a, count: 5000}, {name: b}]") == "there are more than 5000 nodes");
    CHECK(refused("nodes: [").substr(0, 5) == "yaml:");
}

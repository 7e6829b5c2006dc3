// Writes that are learned: each is what the update pipeline would have made of it, for everybody who looks.
#include "api/renewal.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "api/values/time.h"
#include "tests/harness/test_cluster.h"

namespace kubemu::api {
namespace {

using std::chrono::seconds;

constexpr const char* leases = "leases.coordination.k8s.io";

// Two leases: one is renewed, one is modified in the same way at the same times.
struct Pair {
    tests::TestCluster cluster;
    Renewal renewal = made("short");

    Pair() {
        add("short");
        add("long");
    }
    Renewal made(std::string name) {
        return Renewal({cluster.registry(), cluster.client(), cluster.kind(leases), "default", std::move(name), {"spec", "renewTime"}});
    }
    void add(const std::string& name) {
        cluster.create(leases, Json{{"metadata", {{"name", name}}},
                                    {"spec", {{"holderIdentity", "renewTime"}, {"renewTime", format_micro_time(cluster.clock().now())}}}});
    }
    storage::RecordPtr record(const std::string& name) { return cluster.registry().get(leases, "default", name); }
    // One of each.
    void renew() {
        const std::string now = format_micro_time(cluster.clock().now());
        REQUIRE(renewal.write(now).has_value());
        REQUIRE(cluster.client().modify(cluster.kind(leases), "default", "long", {}, [&](Json& lease) {
            lease["spec"]["renewTime"] = now;
            return true;
        }));
    }
    // What is the same of both.
    std::string common(const std::string& name) {
        Json document = cluster.get(leases, name);
        for (const char* own : {"name", "uid", "resourceVersion"}) document["metadata"].erase(own);
        return document.dump();
    }
    void renew_and_compare(int times) {
        for (int i = 0; i < times; ++i) {
            cluster.clock().advance(seconds(10));
            renew();
            CHECK(common("short") == common("long"));
            const storage::RecordPtr now = record("short");
            CHECK(now->bytes.get()->find("\"resourceVersion\":\"" + std::to_string(now->revision) + '"') != std::string::npos);
        }
    }
};

TEST_CASE("a renewal is what an update would be, with a revision of its own each time") {
    Pair pair;
    pair.cluster.store().flush();
    auto cursor = pair.cluster.store().watch(leases, "default/short", pair.cluster.store().current_revision(), {});
    REQUIRE(cursor.has_value());
    pair.renew_and_compare(30);
    CHECK(pair.renewal.replaced() == 28);
    pair.cluster.store().flush();
    const auto batch = (*cursor)->next(100);
    REQUIRE(batch.events.size() == 30);
    for (std::size_t i = 1; i < batch.events.size(); ++i) {
        const auto &event = batch.events[i], &before = batch.events[i - 1];
        CHECK(event.previous == before.record);
        CHECK(event.record->previous_revision == before.record->revision);
        const Json document = pair.cluster.registry().document(*event.record);
        CHECK(parse_time(string_at(document, {"spec", "renewTime"})) ==
              *parse_time(string_at(pair.cluster.registry().document(*before.record), {"spec", "renewTime"})) + seconds(10));
        CHECK(view_of(*event.record).name == "short");
    }
}

TEST_CASE("somebody else's write is neither lost nor repeated") {
    Pair pair;
    pair.renew_and_compare(5);
    const std::size_t before = pair.renewal.replaced();
    for (const char* name : {"short", "long"}) {
        pair.cluster.patch(leases, name, R"({"metadata":{"labels":{"renewTime":"x","metadata":"y"}},"spec":{"leaseDurationSeconds":7}})");
    }
    pair.renew_and_compare(1);
    CHECK(pair.renewal.replaced() == before);
    CHECK(pair.cluster.get(leases, "short")["spec"]["leaseDurationSeconds"] == 7);
    pair.renew_and_compare(5);
    CHECK(pair.cluster.get(leases, "short")["metadata"]["labels"]["renewTime"] == "x");
    CHECK(pair.renewal.replaced() > before);
}

TEST_CASE("another owner of the field makes it the long way") {
    Pair pair;
    pair.renew_and_compare(4);
    for (const char* name : {"short", "long"}) {
        Json configuration = {{"apiVersion", "coordination.k8s.io/v1"}, {"kind", "Lease"}, {"metadata", {{"name", name}, {"namespace", "default"}}},
                              {"spec", {{"renewTime", "2020-01-01T00:00:00.000000Z"}}}};
        REQUIRE(pair.cluster.client().apply(pair.cluster.kind(leases), "default", std::move(configuration), "applier"));
    }
    pair.renew_and_compare(6);
}

TEST_CASE("the same value writes nothing") {
    Pair pair;
    pair.renew_and_compare(4);
    const auto revision = pair.record("short")->revision;
    pair.renew();
    CHECK(pair.record("short")->revision == revision);
    pair.renew_and_compare(2);
}

TEST_CASE("a lease that went is missing, and one that came anew is not the old one") {
    Pair pair;
    pair.renew_and_compare(4);
    pair.cluster.remove(leases, "short");
    pair.cluster.remove(leases, "long");
    const auto written = pair.renewal.write(format_micro_time(pair.cluster.clock().now()));
    REQUIRE(!written);
    CHECK(written.error().code() == 404);
    pair.add("short");
    pair.add("long");
    pair.renew_and_compare(5);
}

TEST_CASE("policies and webhooks are asked") {
    Pair pair;
    pair.renew_and_compare(4);
    CHECK(!users_admit(pair.cluster.store()));
    pair.cluster.create("validatingadmissionpolicies.admissionregistration.k8s.io", R"({"metadata":{"name":"frozen"},"spec":{
        "matchConstraints":{"resourceRules":[{"apiGroups":["coordination.k8s.io"],"apiVersions":["v1"],"operations":["UPDATE"],
        "resources":["leases"]}]},"validations":[{"expression":"false","message":"leases are frozen"}]}})");
    pair.cluster.create("validatingadmissionpolicybindings.admissionregistration.k8s.io",
                        R"({"metadata":{"name":"frozen"},"spec":{"policyName":"frozen","validationActions":["Deny"]}})");
    pair.cluster.store().flush();
    CHECK(users_admit(pair.cluster.store()));
    pair.cluster.clock().advance(seconds(10));
    const auto written = pair.renewal.write(format_micro_time(pair.cluster.clock().now()));
    REQUIRE(!written);
    CHECK(written.error()->message.find("leases are frozen") != std::string::npos);
    pair.cluster.remove("validatingadmissionpolicies.admissionregistration.k8s.io", "frozen", {}, "");
    pair.cluster.store().flush();
    pair.renew_and_compare(4);
}

}  // namespace
}  // namespace kubemu::api

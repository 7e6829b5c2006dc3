// The loop: what wakes a key, what holds it back, and timers on the clock.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "controllers/runtime/controller.h"
#include "storage/sqlite_store.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace std::chrono_literals;

namespace {

// Copies data.from of each ConfigMap to data.to, and writes down what it saw.
class Copier final : public controllers::Controller {
  public:
    explicit Copier(controllers::Manager& manager, std::vector<std::string>& seen, int failures = 0)
        : Controller(manager, "copier", "copier"), maps_(manager.informer("configmaps")), seen_(seen), failures_(failures) {
        enqueue_on_change(maps_);
    }
    api::ApiResult<controllers::Requeue> reconcile(const std::string& key) override {
        const auto record = maps_.get(key);
        if (record == nullptr) {
            seen_.push_back(key + " gone");
            return controllers::Requeue{};
        }
        if (failures_-- > 0) {
            seen_.push_back(key + " fails");
            return api::Status::plain_500("not now");
        }
        const api::Json object = client().document(*record);
        const std::string from(api::string_at(object, {"data", "from"}));
        seen_.push_back(key + " " + from + ">" + std::string(api::string_at(object, {"data", "to"})));
        TRY(client().modify(kind("configmaps"), "default", api::name_of(object), {}, [&from](api::Json& fresh) {
            fresh["data"]["to"] = from;
            return true;
        }));
        return controllers::Requeue{};
    }

  private:
    api::Informer& maps_;
    std::vector<std::string>& seen_;
    int failures_;
};

constexpr const char* map = R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m"},"data":{"from":"1"}})";

}  // namespace

TEST_CASE("a key runs again after its own write, and sees it") {
    tests::TestCluster cluster;
    std::vector<std::string> seen;
    cluster.add<Copier>(seen);
    cluster.create("configmaps", map);
    cluster.settle();
    CHECK(seen == std::vector<std::string>{"default/m 1>", "default/m 1>1"});
    seen.clear();
    cluster.patch("configmaps", "m", R"({"data":{"from":"2"}})");
    cluster.settle();
    CHECK(seen == std::vector<std::string>{"default/m 2>1", "default/m 2>2"});
    seen.clear();
    cluster.remove("configmaps", "m");
    cluster.settle();
    CHECK(seen == std::vector<std::string>{"default/m gone"});
}

TEST_CASE("failures are repeated with growing delays on the clock") {
    tests::TestCluster cluster;
    std::vector<std::string> seen;
    cluster.add<Copier>(seen, 2);
    cluster.create("configmaps", map);
    cluster.settle();
    CHECK(seen.size() == 1);
    CHECK(cluster.manager().next_due() == cluster.clock().now() + 5ms);
    cluster.advance(5ms);
    CHECK(seen.size() == 2);
    cluster.advance(9ms);
    CHECK(seen.size() == 2);
    cluster.advance(1ms);
    CHECK(seen.back() == "default/m 1>1");
}

TEST_CASE("timers fire in order, are replaced and removed") {
    tests::TestCluster cluster;
    std::string fired;
    const Time now = cluster.clock().now();
    controllers::Manager& manager = cluster.manager();
    manager.set_timer(&fired, "b", now + 2s, [&] { fired += "b"; });
    manager.set_timer(&fired, "a", now + 1s, [&] { fired += "a"; });
    manager.set_timer(&fired, "c", now + 1s, [&] { fired += "c"; });
    manager.set_timer(&fired, "d", now + 1s, [&] { fired += "d"; });
    manager.set_timer(&fired, "d", std::nullopt, {});
    manager.set_timer(&fired, "a", now + 3s, [&] { fired += "A"; });
    manager.post([&] { fired += "p"; });
    cluster.settle();
    CHECK(fired == "p");
    cluster.advance(10s);
    CHECK(fired == "pcbA");
}

TEST_CASE("the loop on its own thread reacts to writes") {
    RealClock clock;
    Random random(1);
    api::KindRegistry kinds;
    auto store = storage::open_sqlite_store({});
    REQUIRE(store.has_value());
    api::Registry registry({**store, kinds, clock, random});
    api::Client client(registry, {}, "test");
    REQUIRE(client.create(kinds.stored("namespaces"), {}, api::Json::parse(
        R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"default"}})")).has_value());
    controllers::Manager manager({registry, clock, random});
    std::vector<std::string> seen;
    manager.add(std::make_unique<Copier>(manager, seen));
    manager.start();
    REQUIRE(client.create(kinds.stored("configmaps"), "default", api::Json::parse(map)).has_value());
    std::string to;
    for (int i = 0; i < 500 && to != "1"; ++i) {
        std::this_thread::sleep_for(10ms);
        const auto record = client.get(kinds.stored("configmaps"), "default", "m");
        if (record) to = api::string_at(client.document(**record), {"data", "to"});
    }
    manager.stop();
    CHECK(to == "1");
}

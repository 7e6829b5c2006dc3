// Controllers whose writes wait for a webhook: what goes on meanwhile, and what happens when the answer comes.
#include <doctest/doctest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <thread>

#include "api/remote_calls.h"
#include "controllers/runtime/controller.h"
#include "storage/base/mutex.h"
#include "storage/base/paced_clock.h"
#include "storage/sqlite_store.h"

using namespace kubemu;
using namespace std::chrono_literals;

namespace {

using api::Json;

void eventually(const std::function<bool()>& holds) {
    for (int i = 0; i < 1000 && !holds(); ++i) std::this_thread::sleep_for(5ms);
    CHECK(holds());
}

// A webhook that answers when it is told to.
class HeldServer final : public api::RemoteCaller {
  public:
    void call(api::RemoteCall call, std::function<void(api::RemoteAnswer)> done) override {
        const Json review = Json::parse(call.body);
        {
            Lock lock(mutex_);
            if (!closed_) {
                held_.push_back({review["request"]["name"], review["request"]["uid"], std::move(done)});
                return;
            }
        }
        done({"context canceled", 0, {}, {}});
    }
    // From now on every call fails, those that are held first.
    void close() {
        std::vector<Question> left;
        {
            Lock lock(mutex_);
            closed_ = true;
            left = std::exchange(held_, {});
        }
        for (const Question& question : left) question.done({"context canceled", 0, {}, {}});
    }
    std::vector<std::string> held() {
        Lock lock(mutex_);
        std::vector<std::string> names;
        for (const Question& question : held_) names.push_back(question.name);
        return names;
    }
    void answer(const std::string& name, bool allowed = true) {
        Question found;
        {
            Lock lock(mutex_);
            for (auto at = held_.begin(); at != held_.end(); ++at) {
                if (at->name != name) continue;
                found = std::move(*at);
                held_.erase(at);
                break;
            }
        }
        REQUIRE(found.done);
        const Json response = {{"uid", found.uid}, {"allowed", allowed}, {"status", {{"message", "not now"}}}};
        found.done({{}, 200, "application/json",
                    Json{{"kind", "AdmissionReview"}, {"apiVersion", "admission.k8s.io/v1"}, {"response", response}}.dump()});
    }

  private:
    struct Question {
        std::string name, uid;
        std::function<void(api::RemoteAnswer)> done;
    };
    Mutex mutex_;
    std::vector<Question> held_ KUBEMU_GUARDED_BY(mutex_);
    bool closed_ KUBEMU_GUARDED_BY(mutex_) = false;
};

class Diary {
  public:
    void write(const std::string& line) {
        Lock lock(mutex_);
        lines_.push_back(line);
    }
    std::vector<std::string> lines() {
        Lock lock(mutex_);
        return lines_;
    }
    bool has(const std::string& line) {
        const auto all = lines();
        return std::find(all.begin(), all.end(), line) != all.end();
    }

  private:
    Mutex mutex_;
    std::vector<std::string> lines_ KUBEMU_GUARDED_BY(mutex_);
};

// Writes data.from of each ConfigMap to data.NAME, and keeps a diary.
class Copier final : public controllers::Controller {
  public:
    Copier(controllers::Manager& manager, Diary& diary, std::string name, std::size_t workers)
        : Controller(manager, name, name), maps_(manager.informer("configmaps")), diary_(diary) {
        if (workers > 1) has_workers(workers);
        maps_.subscribe([this](const api::Informer::Change& change) {
            diary_.write(this->name() + " hears of " + change.after->key + " " + from_of(*change.after));
            enqueue(change.after->key);
        });
        manager.on_kind_change([this](const std::string& resource, const api::KindSpec*) {
            diary_.write(this->name() + " hears that " + resource + " went");
        });
    }
    api::ApiResult<controllers::Requeue> reconcile(const std::string& key) override {
        const std::string from = from_of(*maps_.get(key));
        diary_.write(name() + " begins " + key + " " + from);
        const auto written = client().modify(kind("configmaps"), "default", key.substr(key.find('/') + 1), {}, [&](Json& fresh) {
            if (api::string_at(fresh, {"data", name()}) == from) return false;
            fresh["data"][name()] = from;
            return true;
        });
        diary_.write(name() + (written ? " ends " : " fails ") + key + " " + from);
        if (!written) return written.error();
        return controllers::Requeue{};
    }

  private:
    std::string from_of(const storage::Record& record) { return std::string(api::string_at(client().document(record), {"data", "from"})); }
    api::Informer& maps_;
    Diary& diary_;
};

struct Fixture {
    explicit Fixture(double pace = 1) : clock(pace, RealClock().now()) {
        REQUIRE(store.has_value());
        create("namespaces", {{"metadata", {{"name", "default"}}}});
        const Json hook = {{"name", "held.example.com"},
                           {"clientConfig", {{"url", "https://127.0.0.1:1/held"}}},
                           {"rules", {{{"apiGroups", {""}}, {"apiVersions", {"v1"}}, {"operations", {"UPDATE"}}, {"resources", {"configmaps"}}}}},
                           {"objectSelector", {{"matchLabels", {{"hold", "yes"}}}}},
                           {"sideEffects", "None"},
                           {"admissionReviewVersions", {"v1"}}};
        create("validatingwebhookconfigurations.admissionregistration.k8s.io",
               {{"metadata", {{"name", "held"}}}, {"webhooks", Json::array({hook})}});
    }
    ~Fixture() {
        server.close();
        manager.stop();
    }
    void create(std::string_view resource, Json object) {
        const api::KindSpec& kind = kinds.stored(resource);
        const auto created = client.create(kind, kind.namespaced ? "default" : "", std::move(object));
        REQUIRE_MESSAGE(created.has_value(), created.error()->message);
    }
    void make_map(const std::string& name, bool held) {
        create("configmaps", {{"metadata", {{"name", name}, {"labels", {{"hold", held ? "yes" : "no"}}}}}, {"data", {{"from", "1"}}}});
    }
    void add(const std::string& name, std::size_t workers) { manager.add(std::make_unique<Copier>(manager, diary, name, workers)); }

    PacedClock clock;
    Random random{1};
    api::KindRegistry kinds;
    storage::StoreResult<std::unique_ptr<storage::Store>> store = storage::open_sqlite_store({});
    api::Registry registry{{**store, kinds, clock, random}};
    api::Client client{registry, {}, "test"};
    HeldServer server;
    Diary diary;
    controllers::Manager manager{{.registry = registry, .clock = clock, .random = random, .paced = &clock, .remote = &server}};
};

}  // namespace

TEST_CASE("while one key waits for a webhook, others of the same controller run, and it does not run twice") {
    Fixture cluster;
    cluster.add("a", 2);
    cluster.manager.start();
    cluster.make_map("slow", true);
    eventually([&] { return cluster.server.held() == std::vector<std::string>{"slow"}; });
    cluster.make_map("fast", false);
    eventually([&] { return cluster.diary.has("a ends default/fast 1"); });
    REQUIRE(cluster.client.modify(cluster.kinds.stored("configmaps"), "default", "slow", {}, [](Json& map) {
        map["data"]["from"] = "2";
        return true;
    }));
    eventually([&] { return cluster.diary.has("a hears of default/slow 2"); });
    cluster.make_map("faster", false);
    eventually([&] { return cluster.diary.has("a ends default/faster 1"); });
    CHECK(!cluster.diary.has("a ends default/slow 1"));
    CHECK(!cluster.diary.has("a begins default/slow 2"));
    cluster.server.answer("slow");
    // The object has changed in the meantime, so that the webhook is asked about it as it is now.
    eventually([&] { return cluster.server.held().size() == 1; });
    CHECK(!cluster.diary.has("a begins default/slow 2"));
    cluster.server.answer("slow");
    eventually([&] { return cluster.diary.has("a begins default/slow 2"); });
    CHECK(cluster.diary.has("a ends default/slow 1"));
}

TEST_CASE("as many keys wait as the controller has workers") {
    Fixture cluster;
    cluster.add("a", 2);
    cluster.manager.start();
    for (const char* name : {"x1", "x2", "x3"}) cluster.make_map(name, true);
    eventually([&] { return cluster.server.held().size() == 2; });
    cluster.make_map("y", false);
    eventually([&] { return cluster.diary.has("a hears of default/y 1"); });
    CHECK(!cluster.diary.has("a begins default/x3 1"));
    cluster.server.answer("x1");
    eventually([&] { return cluster.diary.has("a begins default/x3 1"); });
    cluster.server.answer("x2");
    eventually([&] { return cluster.diary.has("a ends default/y 1"); });
}

TEST_CASE("a controller with one worker stands still with it, and is told afterwards; others run") {
    Fixture cluster;
    cluster.add("one", 1);
    cluster.add("other", 5);
    cluster.manager.start();
    cluster.make_map("slow", true);
    eventually([&] { return cluster.server.held().size() == 2; });
    cluster.make_map("fast", false);
    cluster.manager.post([&] { cluster.manager.kind_changed("widgets.example.com", nullptr); });
    eventually([&] { return cluster.diary.has("other ends default/fast 1") && cluster.diary.has("other hears that widgets.example.com went"); });
    CHECK(!cluster.diary.has("one hears of default/fast 1"));
    CHECK(!cluster.diary.has("one hears that widgets.example.com went"));
    cluster.server.answer("slow");
    cluster.server.answer("slow");
    eventually([&] { return cluster.diary.has("one ends default/fast 1"); });
    const std::vector<std::string> lines = cluster.diary.lines();
    const auto place = [&](const std::string& line) { return std::find(lines.begin(), lines.end(), line) - lines.begin(); };
    const auto end = std::min(place("one ends default/slow 1"), place("one fails default/slow 1"));
    CHECK(end < place("one hears of default/fast 1"));
    CHECK(end < place("one hears that widgets.example.com went"));
}

TEST_CASE("a refusal comes back to the controller, which tries again") {
    Fixture cluster;
    cluster.add("a", 2);
    cluster.manager.start();
    cluster.make_map("slow", true);
    eventually([&] { return cluster.server.held().size() == 1; });
    cluster.server.answer("slow", false);
    eventually([&] { return cluster.diary.has("a fails default/slow 1"); });
    eventually([&] { return cluster.server.held().size() == 1; });
    cluster.server.answer("slow");
    eventually([&] { return cluster.diary.has("a ends default/slow 1"); });
}

TEST_CASE("nothing is settled as long as a write waits") {
    Fixture cluster;
    cluster.add("a", 2);
    cluster.manager.start();
    cluster.make_map("slow", true);
    eventually([&] { return cluster.server.held().size() == 1; });
    cluster.manager.when_settled([&] { cluster.diary.write("settled"); });
    cluster.make_map("fast", false);
    eventually([&] { return cluster.diary.has("a ends default/fast 1"); });
    CHECK(!cluster.diary.has("settled"));
    cluster.server.answer("slow");
    eventually([&] { return cluster.diary.has("settled"); });
    CHECK(cluster.diary.has("a ends default/slow 1"));
}

TEST_CASE("with a clock that stands still, writes go on in the order in which they began to wait, whoever is answered first") {
    Fixture cluster(0);
    cluster.add("a", 5);
    cluster.make_map("x1", true);
    cluster.make_map("x2", true);
    cluster.make_map("y", false);
    cluster.manager.start();
    eventually([&] { return cluster.server.held().size() == 2 && cluster.diary.has("a ends default/y 1"); });
    cluster.server.answer("x2");
    cluster.make_map("z", false);
    cluster.server.answer("x1");
    eventually([&] { return cluster.diary.has("a ends default/x2 1"); });
    const std::vector<std::string> lines = cluster.diary.lines();
    CHECK(std::find(lines.begin(), lines.end(), "a ends default/x1 1") < std::find(lines.begin(), lines.end(), "a ends default/x2 1"));
}

TEST_CASE("more writes wait than there may be threads for them") {
    Fixture cluster;
    cluster.add("a", 1000);
    cluster.manager.start();
    constexpr int count = 70;
    for (int i = 0; i < count; ++i) cluster.make_map("m" + std::to_string(i), true);
    eventually([&] { return cluster.server.held().size() >= 64; });
    std::size_t answered = 0;
    eventually([&] {
        for (const std::string& name : cluster.server.held()) {
            cluster.server.answer(name);
            ++answered;
        }
        return answered >= count;
    });
    eventually([&] { return cluster.diary.has("a ends default/m0 1") && cluster.diary.has("a ends default/m69 1"); });
}

// The clock over HTTP: it stops at everything that is due on the way, and answers when all has settled.
#include "server/clock_api.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/kind_registry.h"
#include "api/registry.h"
#include "api/values/object.h"
#include "api/values/time.h"
#include "server/clock_options.h"
#include "storage/sqlite_store.h"

namespace kubemu::server {
namespace {

constexpr Time start = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);

// A control loop on a standing clock, turned by hand.
struct Fixture {
    explicit Fixture(double factor = 0)
        : clock(factor, start),
          random(1),
          kinds("v1.36.0"),
          store(std::move(*storage::open_sqlite_store({.path = "", .own_thread = false}))),
          registry({.store = *store, .kinds = kinds, .clock = clock, .random = random}),
          manager({.registry = registry, .clock = clock, .random = random, .paced = &clock}),
          api({.clock = clock, .manager = manager, .store = *store}) {}

    struct Answer {
        int code = 0;
        api::Json body;
    };
    Answer ask(const std::string& method, const std::string& path, const std::string& body = {}) {
        api::Request request;
        request.method = method;
        request.path = path;
        request.body = body;
        Answer answer;
        api.handle(request, [&](api::Response response) {
            answer.code = response.code;
            answer.body = *api::parse_json(std::string(response.body.at(0).text));
        });
        manager.settle();
        return answer;
    }
    std::string shown(const Answer& answer) { return std::string(api::string_at(answer.body, {"time"})); }

    PacedClock clock;
    Random random;
    api::KindRegistry kinds;
    std::unique_ptr<storage::Store> store;
    api::Registry registry;
    controllers::Manager manager;
    ClockApi api;
};

TEST_CASE("advance fires every timer at its own instant, those that timers set on the way too") {
    Fixture f;
    std::vector<std::string> fired;
    std::function<void()> tick = [&] {
        fired.push_back(api::format_time(f.clock.now()));
        f.manager.set_timer(&f, "tick", f.clock.now() + std::chrono::minutes(10), tick);
    };
    f.manager.set_timer(&f, "tick", start + std::chrono::minutes(10), tick);
    f.manager.set_timer(&f, "once", start + std::chrono::minutes(15), [&] { fired.push_back("once " + api::format_time(f.clock.now())); });
    const auto answer = f.ask("POST", "/kubemu/clock/advance", R"({"duration":"25m"})");
    CHECK(answer.code == 200);
    CHECK(f.shown(answer) == "2026-01-01T00:25:00.000000Z");
    CHECK(fired == std::vector<std::string>{"2026-01-01T00:10:00Z", "once 2026-01-01T00:15:00Z", "2026-01-01T00:20:00Z"});
    REQUIRE(answer.body["waiting"].size() == 1);
    CHECK(answer.body["waiting"][0]["due"] == "2026-01-01T00:30:00.000000Z");
    CHECK(answer.body["waiting"][0]["what"] == "tick");
    CHECK(kept_clock(*f.store) == start + std::chrono::minutes(25));
}

TEST_CASE("set goes forward only") {
    Fixture f;
    CHECK(f.shown(f.ask("POST", "/kubemu/clock/set", R"({"time":"2026-02-01T00:00:00Z"})")) == "2026-02-01T00:00:00.000000Z");
    const auto back = f.ask("POST", "/kubemu/clock/set", R"({"time":"2026-01-31T00:00:00Z"})");
    CHECK(back.code == 409);
    CHECK(std::string(api::string_at(back.body, {"message"})).find("does not go back") != std::string::npos);
    CHECK(f.shown(f.ask("GET", "/kubemu/clock")) == "2026-02-01T00:00:00.000000Z");
}

TEST_CASE("a clock that runs by itself is shown and cannot be turned") {
    Fixture f(1);
    CHECK(f.ask("GET", "/kubemu/clock").body["mode"] == "real");
    CHECK(f.ask("POST", "/kubemu/clock/settle").code == 200);
    CHECK(f.ask("POST", "/kubemu/clock/advance", R"({"duration":"1s"})").code == 409);
}

TEST_CASE("what is no request for the clock is refused") {
    Fixture f;
    CHECK(f.ask("POST", "/kubemu/clock/advance", R"({"duration":"soon"})").code == 400);
    CHECK(f.ask("POST", "/kubemu/clock/advance", R"({"duration":"-1h"})").code == 400);
    CHECK(f.ask("POST", "/kubemu/clock/advance", R"({"duration":"200000000h"})").code == 400);
    CHECK(f.ask("POST", "/kubemu/clock/set", R"({"time":"tomorrow"})").code == 400);
    CHECK(f.ask("POST", "/kubemu/clock/advance", "[]").code == 400);
    CHECK(f.ask("POST", "/kubemu/clock/stop").code == 404);
    CHECK(f.ask("DELETE", "/kubemu/clock").code == 405);
    CHECK(ClockApi::serves("/kubemu/clock/x"));
    CHECK_FALSE(ClockApi::serves("/kubemu/clocks"));
}

TEST_CASE("a write under a standing clock is answered when nothing is left to do") {
    Fixture f;
    bool worked = false, answered_after_work = false;
    api::Request request;
    request.method = "POST";
    const api::Respond respond = f.api.after_settling(request, [&](api::Response) { answered_after_work = worked; });
    f.manager.post([&] { f.manager.post([&] { worked = true; }); });
    respond({});
    f.manager.settle();
    CHECK(answered_after_work);
}

TEST_CASE("durations") {
    using namespace std::chrono_literals;
    CHECK(parse_clock_duration("90s") == Duration(90s));
    CHECK(parse_clock_duration("1h30m") == Duration(90min));
    CHECK(parse_clock_duration("1.5h") == Duration(90min));
    CHECK(parse_clock_duration("250ms") == Duration(250ms));
    CHECK(parse_clock_duration("2d") == Duration(48h));
    for (const char* wrong : {"", "h", "1", "1x", "1h-1m", "1e3s", "nan", "inf", "99999d"}) CHECK_FALSE(parse_clock_duration(wrong).has_value());
}

TEST_CASE("paces") {
    CHECK(ClockOptions::parse("real")->factor == 1);
    CHECK(ClockOptions::parse("scaled=60")->factor == 60);
    CHECK(ClockOptions::parse("virtual")->factor == 0);
    CHECK(ClockOptions::parse("virtual=2027-01-01T00:00:00Z")->start == Time(std::chrono::sys_days(std::chrono::year(2027) / 1 / 1)));
    for (const char* wrong : {"", "fast", "scaled", "scaled=", "scaled=0", "scaled=-1", "scaled=60x", "scaled=1e9", "virtual=now"}) {
        CHECK_FALSE(ClockOptions::parse(wrong).has_value());
    }
}

}  // namespace
}  // namespace kubemu::server

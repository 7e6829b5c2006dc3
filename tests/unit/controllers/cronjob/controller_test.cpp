// Activations on a simulated clock.
#include "controllers/cronjob/controller.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "api/values/time.h"
#include "controllers/cronjob/schedule.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace std::chrono_literals;

namespace {

struct Cluster : tests::TestCluster {
    Cluster() { add<controllers::CronJobController>(); }
    void start(std::string_view changes) {
        api::Json cron = api::Json::parse(R"({"apiVersion":"batch/v1","kind":"CronJob","metadata":{"name":"c"},"spec":{"schedule":"* * * * *",
            "jobTemplate":{"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"main","image":"busybox:1.36"}]}}}}}})");
        cron.merge_patch(api::Json::parse(changes));
        create("cronjobs.batch", cron);
        settle();
    }
    std::vector<std::string> jobs() {
        std::vector<std::string> names;
        for (const api::Json& job : list("jobs.batch")) names.emplace_back(api::name_of(job));
        return names;
    }
    void finish(const std::string& job, const char* type) {
        const std::string now = api::format_time(clock().now());
        api::Json status = {{"startTime", now}, {"conditions", api::Json::array({{{"type", type}, {"status", "True"}}})}};
        if (std::string_view(type) == "Complete") status["completionTime"] = now;
        patch("jobs.batch", job, api::Json{{"status", status}}.dump(), "status");
        settle();
    }
    std::size_t active() { return api::array_at(get("cronjobs.batch", "c"), {"status", "active"}).size(); }
    bool has_event(std::string_view text) {
        for (const std::string& line : events()) {
            if (line.find(text) != std::string::npos) return true;
        }
        return false;
    }
};

}  // namespace

TEST_CASE("each activation makes a job named after its minute") {
    Cluster cluster;
    cluster.start("{}");
    CHECK(cluster.jobs().empty());
    cluster.advance(60s);
    const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(cluster.clock().now().time_since_epoch()).count();
    REQUIRE(cluster.jobs().size() == 1);
    CHECK(cluster.jobs().front() == "c-" + std::to_string(minutes));
    CHECK(cluster.active() == 1);
    cluster.advance(120s);
    CHECK(cluster.jobs().size() == 3);
    cluster.finish(cluster.jobs().front(), "Complete");
    CHECK(cluster.active() == 2);
    CHECK(cluster.has_event("SawCompletedJob CronJob/c: Saw completed job: c-"));
    CHECK(api::find(cluster.get("cronjobs.batch", "c"), {"status", "lastSuccessfulTime"}) != nullptr);
}

TEST_CASE("Forbid waits for the job before, Replace ends it") {
    Cluster forbid;
    forbid.start(R"({"spec":{"concurrencyPolicy":"Forbid"}})");
    forbid.advance(180s);
    CHECK(forbid.jobs().size() == 1);
    CHECK(forbid.has_event("JobAlreadyActive"));
    forbid.finish(forbid.jobs().front(), "Complete");
    forbid.advance(60s);
    CHECK(forbid.active() == 1);

    Cluster replace;
    replace.start(R"({"spec":{"concurrencyPolicy":"Replace"}})");
    replace.advance(60s);
    const std::string first = replace.jobs().front();
    replace.advance(60s);
    REQUIRE(replace.jobs().size() == 1);
    CHECK(replace.jobs().front() != first);
    CHECK(replace.active() == 1);
}

TEST_CASE("ended jobs beyond the limits go, the oldest first") {
    Cluster cluster;
    cluster.start(R"({"spec":{"successfulJobsHistoryLimit":1,"failedJobsHistoryLimit":0}})");
    std::string last;
    for (int i = 0; i < 3; ++i) {
        cluster.advance(60s);
        last = cluster.jobs().back();
        cluster.finish(last, "Complete");
    }
    CHECK(cluster.jobs() == std::vector<std::string>{last});
    cluster.advance(60s);
    cluster.finish(cluster.jobs().back(), "Failed");
    CHECK(cluster.jobs() == std::vector<std::string>{last});
}

TEST_CASE("a suspended one starts nothing; later it catches up with the latest activation alone") {
    Cluster cluster;
    cluster.start(R"({"spec":{"suspend":true}})");
    cluster.advance(3h);
    CHECK(cluster.jobs().empty());
    cluster.patch("cronjobs.batch", "c", R"({"spec":{"suspend":false}})");
    cluster.settle();
    CHECK(cluster.jobs().size() == 1);
    CHECK(cluster.has_event("TooManyMissedTimes"));
}

TEST_CASE("a schedule that never comes is told of") {
    Cluster cluster;
    cluster.start(R"({"spec":{"schedule":"59 23 31 2 *"}})");
    CHECK(cluster.jobs().empty());
    CHECK(cluster.has_event("InvalidSchedule CronJob/c: invalid schedule: 59 23 31 2 * : time difference between two schedules is less than 1 second"));
}

TEST_CASE("a starting deadline forgets what is older") {
    Cluster cluster;
    cluster.start(R"({"spec":{"suspend":true,"schedule":"0 * * * *","startingDeadlineSeconds":100}})");
    cluster.advance(90min);
    cluster.patch("cronjobs.batch", "c", R"({"spec":{"suspend":false}})");
    cluster.settle();
    CHECK(cluster.jobs().empty());
    cluster.advance(30min);
    CHECK(cluster.jobs().size() == 1);
}

TEST_CASE("a schedule in a time zone") {
    Cluster cluster;  // starts at midnight UTC
    cluster.start(R"({"spec":{"schedule":"30 9 * * *","timeZone":"Asia/Tokyo"}})");
    cluster.advance(29min);
    CHECK(cluster.jobs().empty());
    cluster.advance(1min);
    REQUIRE(cluster.jobs().size() == 1);
    CHECK(api::string_at(cluster.list("jobs.batch").front(),
                         {"metadata", "annotations", "batch.kubernetes.io/cronjob-scheduled-timestamp"}) == "2026-01-01T09:30:00+09:00");
}

TEST_CASE("the latest activation is found however long ago the first was") {
    const auto schedule = api::CronSchedule::parse("0 0 1 1 *");
    const auto zone = api::TimeZone::load("");
    const Time now = *api::parse_time("2026-06-01T00:00:00Z");
    const auto due = controllers::due_activation(*schedule, *zone, *api::parse_time("2010-03-01T00:00:00Z"), now);
    REQUIRE(due);
    REQUIRE(due->due);
    CHECK(api::format_time(*due->due) == "2026-01-01T00:00:00Z");
    CHECK_FALSE(due->many_missed);
    CHECK(controllers::format_rfc1123(now) == "Mon, 01 Jun 2026 00:00:00 +0000");
}

TEST_CASE("with a history of none an ended job goes, and nobody says that it has ended") {
    Cluster cluster;
    cluster.start(R"({"spec":{"failedJobsHistoryLimit":0}})");
    cluster.advance(60s);
    REQUIRE(cluster.jobs().size() == 1);
    cluster.finish(cluster.jobs().front(), "Failed");
    CHECK(cluster.jobs().empty());
    CHECK(cluster.active() == 0);
    CHECK(cluster.has_event("SuccessfulDelete CronJob/c: Deleted job c-"));
    CHECK_FALSE(cluster.has_event("SawCompletedJob"));
}

TEST_CASE("an irregular schedule does not make up for what lies two of its first distances back") {
    const auto schedule = api::CronSchedule::parse("30 6-16/4 * * 1-5");
    const auto zone = api::TimeZone::load("");
    const auto at = [](const char* time) { return *api::parse_time(time); };
    const Time monday = at("2026-01-05T00:00:00Z"), sunday = at("2026-01-11T12:00:00Z");
    const auto due = controllers::due_activation(*schedule, *zone, monday, sunday);
    REQUIRE(due);
    CHECK(due->missed);
    CHECK_FALSE(due->due);
    CHECK(controllers::next_activation(*schedule, *zone, monday, sunday) == at("2026-01-12T06:30:00Z"));
}

TEST_CASE("another schedule waits for its next activation, another setting does not") {
    Cluster cluster;
    cluster.start(R"({"spec":{"schedule":"0 0 1 1 *"}})");
    cluster.advance(90s);
    cluster.patch("cronjobs.batch", "c", R"({"spec":{"schedule":"* * * * *"}})");
    cluster.settle();
    CHECK(cluster.jobs().empty());
    cluster.advance(30s);
    CHECK(cluster.jobs().size() == 1);
    cluster.patch("cronjobs.batch", "c", R"({"spec":{"schedule":"*/5 * * * *"}})");
    cluster.advance(2min);
    cluster.patch("cronjobs.batch", "c", R"({"spec":{"schedule":"* * * * *"}})");
    cluster.advance(1s);
    CHECK(cluster.jobs().size() == 1);
    cluster.patch("cronjobs.batch", "c", R"({"spec":{"failedJobsHistoryLimit":2}})");
    cluster.settle();
    CHECK(cluster.jobs().size() == 2);
}

TEST_CASE("a job of the same name is taken up when it is the CronJob's own, and left alone otherwise") {
    Cluster cluster;
    const char* job = R"({"metadata":{"name":"c-NUMBER"},"spec":{"template":{"spec":{"restartPolicy":"Never",
        "containers":[{"name":"main","image":"i"}]}}}})";
    const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(cluster.clock().now().time_since_epoch()).count();
    const auto named = [&](std::int64_t ahead) {
        std::string text = job;
        return text.replace(text.find("NUMBER"), 6, std::to_string(minutes + ahead));
    };
    cluster.create("jobs.batch", named(1).c_str());
    cluster.start("{}");
    cluster.advance(3min);
    CHECK(cluster.jobs().size() == 1);
    CHECK_FALSE(cluster.get("cronjobs.batch", "c")["status"].contains("lastScheduleTime"));
    // The next change of the CronJob starts it again.
    cluster.patch("cronjobs.batch", "c", R"({"spec":{"failedJobsHistoryLimit":2}})");
    cluster.settle();
    CHECK(cluster.jobs().size() == 2);
    api::Json own = api::Json::parse(named(4));
    own["metadata"]["ownerReferences"] = {{{"apiVersion", "batch/v1"}, {"kind", "CronJob"}, {"name", "c"}, {"controller", true},
                                           {"uid", cluster.get("cronjobs.batch", "c")["metadata"]["uid"]}}};
    cluster.create("jobs.batch", own);
    cluster.settle();
    CHECK(cluster.has_event("UnexpectedJob CronJob/c: Saw a job that the controller did not create or forgot: c-"));
    CHECK(cluster.active() == 1);
    cluster.advance(1min);
    CHECK(cluster.jobs().size() == 3);
    CHECK(cluster.active() == 2);
}

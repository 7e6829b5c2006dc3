// Jobs from their first pod to their condition, with pods that end by hand.
#include "controllers/job/controller.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace std::chrono_literals;

namespace {

struct Cluster : tests::TestCluster {
    explicit Cluster(bool gathers_news = true) { add<controllers::JobController>(gathers_news); }
    void start(std::string_view changes) {
        api::Json job = api::Json::parse(R"({"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"j"},"spec":{"template":
            {"spec":{"restartPolicy":"Never","containers":[{"name":"main","image":"busybox:1.36"}]}}}})");
        job.merge_patch(api::Json::parse(changes));
        create("jobs.batch", job);
        settle();
    }
    // Pods that have neither ended nor been deleted, of one index when it is given.
    std::vector<std::string> running(std::string_view index = {}) {
        std::vector<std::string> names;
        for (const api::Json& pod : list("pods")) {
            const std::string_view phase = api::string_at(pod, {"status", "phase"});
            if (phase == "Succeeded" || phase == "Failed" || api::find(pod, {"metadata", "deletionTimestamp"}) != nullptr) continue;
            const std::string_view its = api::string_at(pod, {"metadata", "annotations", "batch.kubernetes.io/job-completion-index"});
            if (index.empty() || its == index) names.emplace_back(api::name_of(pod));
        }
        return names;
    }
    void end(const std::string& name, const char* phase, int exit_code = 0) {
        set_pod(name, phase, false);
        const api::Json status = {{"status", {{"containerStatuses", api::Json::array({{{"name", "main"}, {"image", "i"}, {"imageID", ""},
            {"ready", false}, {"restartCount", 0}, {"state", {{"terminated", {{"exitCode", exit_code}}}}}}})}}}};
        patch("pods", name, status.dump(), "status");
        advance(controllers::job_batch_period);
    }
    api::Json status() { return api::object_at(get("jobs.batch", "j"), {"status"}); }
    // "Complete", "SuccessCriteriaMet:SuccessPolicy Complete:SuccessPolicy": the conditions that are True.
    std::string conditions() {
        std::string text;
        const api::Json now = status();
        for (const api::Json& one : api::array_at(now, {"conditions"})) {
            if (api::string_at(one, {"status"}) != "True") continue;
            if (!text.empty()) text += ' ';
            text += api::string_at(one, {"type"});
            const std::string_view reason = api::string_at(one, {"reason"});
            if (!reason.empty()) text.append(":").append(reason);
        }
        return text;
    }
    bool tracked() {
        const auto pods = list("pods");
        return std::any_of(pods.begin(), pods.end(), [](const api::Json& pod) { return api::find(pod, {"metadata", "finalizers"}) != nullptr; });
    }
};

}  // namespace

TEST_CASE("a job runs as many pods as it may at a time until enough have succeeded") {
    Cluster cluster;
    cluster.start(R"({"spec":{"completions":3,"parallelism":2}})");
    CHECK(cluster.running().size() == 2);
    CHECK(api::int_at(cluster.status(), {"active"}) == 2);
    for (int i = 0; i < 3; ++i) cluster.end(cluster.running().front(), "Succeeded");
    CHECK(cluster.conditions() == "Complete");
    CHECK(api::int_at(cluster.status(), {"succeeded"}) == 3);
    CHECK(cluster.status().contains("completionTime"));
    CHECK_FALSE(cluster.status().contains("active"));
    CHECK(cluster.status()["uncountedTerminatedPods"].empty());
    CHECK_FALSE(cluster.tracked());
    CHECK(cluster.list("pods").size() == 3);
}

TEST_CASE("failures are retried with growing pauses and then fail the job") {
    Cluster cluster;
    cluster.start(R"({"spec":{"backoffLimit":2}})");
    cluster.end(cluster.running().front(), "Failed", 1);
    CHECK(cluster.running().empty());
    cluster.advance(10s);
    REQUIRE(cluster.running().size() == 1);
    cluster.end(cluster.running().front(), "Failed", 1);
    cluster.advance(15s);
    CHECK(cluster.running().empty());
    cluster.advance(5s);
    REQUIRE(cluster.running().size() == 1);
    cluster.end(cluster.running().front(), "Failed", 1);
    CHECK(cluster.conditions() == "Failed:BackoffLimitExceeded");
    CHECK(api::int_at(cluster.status(), {"failed"}) == 3);
    CHECK_FALSE(cluster.tracked());
}

TEST_CASE("each index succeeds once") {
    Cluster cluster;
    cluster.start(R"({"spec":{"completionMode":"Indexed","completions":3,"parallelism":3}})");
    const api::Json first = cluster.get("pods", cluster.running("0").front());
    CHECK(api::string_at(first, {"spec", "hostname"}) == "j-0");
    CHECK(api::string_at(first["spec"]["containers"][0]["env"][0], {"name"}) == "JOB_COMPLETION_INDEX");
    cluster.end(cluster.running("2").front(), "Succeeded");
    cluster.end(cluster.running("0").front(), "Succeeded");
    CHECK(api::string_at(cluster.status(), {"completedIndexes"}) == "0,2");
    CHECK(cluster.running().size() == 1);
    cluster.end(cluster.running("1").front(), "Succeeded");
    CHECK(api::string_at(cluster.status(), {"completedIndexes"}) == "0-2");
    CHECK(cluster.conditions() == "Complete");
}

TEST_CASE("an elastic indexed job shrinks and grows with its parallelism") {
    Cluster cluster;
    cluster.start(R"({"spec":{"completionMode":"Indexed","completions":3,"parallelism":3}})");
    cluster.end(cluster.running("2").front(), "Succeeded");
    cluster.patch("jobs.batch", "j", R"({"spec":{"completions":1,"parallelism":1}})");
    cluster.settle();
    CHECK(cluster.running("1").empty());
    CHECK(cluster.running("0").size() == 1);
    CHECK_FALSE(cluster.status().contains("completedIndexes"));
}

TEST_CASE("an index that fails too often fails alone") {
    Cluster cluster;
    cluster.start(R"({"spec":{"completionMode":"Indexed","completions":2,"parallelism":2,"backoffLimitPerIndex":1}})");
    cluster.end(cluster.running("0").front(), "Failed", 1);
    CHECK(cluster.running("0").empty());
    cluster.advance(10s);
    REQUIRE(cluster.running("0").size() == 1);
    const api::Json again = cluster.get("pods", cluster.running("0").front());
    CHECK(api::string_at(again, {"metadata", "annotations", "batch.kubernetes.io/job-index-failure-count"}) == "1");
    cluster.end(cluster.running("0").front(), "Failed", 1);
    CHECK(api::string_at(cluster.status(), {"failedIndexes"}) == "0");
    CHECK(cluster.conditions().empty());
    cluster.end(cluster.running("1").front(), "Succeeded");
    CHECK(cluster.conditions() == "FailureTarget:FailedIndexes Failed:FailedIndexes");
    CHECK_FALSE(cluster.tracked());
}

TEST_CASE("a failure policy can fail the job, forgive a failure, or count it") {
    const char* policy = R"({"spec":{"backoffLimit":1,"podFailurePolicy":{"rules":[
        {"action":"FailJob","onExitCodes":{"operator":"In","values":[42]}},
        {"action":"Ignore","onPodConditions":[{"type":"DisruptionTarget","status":"True"}]}]}}})";
    SUBCASE("by exit code") {
        Cluster cluster;
        cluster.start(policy);
        const std::string name = cluster.running().front();
        cluster.end(name, "Failed", 42);
        CHECK(cluster.conditions() == "FailureTarget:PodFailurePolicy Failed:PodFailurePolicy");
        CHECK(api::string_at(cluster.status()["conditions"][1], {"message"}) ==
              "Container main for pod default/" + name + " failed with exit code 42 matching FailJob rule at index 0");
    }
    SUBCASE("a disruption does not count") {
        Cluster cluster;
        cluster.start(policy);
        for (int i = 0; i < 3; ++i) {
            const std::string name = cluster.running().front();
            cluster.patch("pods", name, R"({"status":{"phase":"Failed","conditions":[{"type":"DisruptionTarget","status":"True"}]}})", "status");
            cluster.advance(1min);  // it is waited for all the same
        }
        CHECK(cluster.conditions().empty());
        CHECK_FALSE(cluster.status().contains("failed"));
        CHECK(cluster.running().size() == 1);
    }
}

TEST_CASE("a success policy ends the job while indexes are open") {
    Cluster cluster;
    cluster.start(R"({"spec":{"completionMode":"Indexed","completions":3,"parallelism":3,
        "successPolicy":{"rules":[{"succeededIndexes":"1-2","succeededCount":1}]}}})");
    cluster.end(cluster.running("0").front(), "Succeeded");
    CHECK(cluster.conditions().empty());
    cluster.end(cluster.running("2").front(), "Succeeded");
    CHECK(cluster.conditions() == "SuccessCriteriaMet:SuccessPolicy");  // until its last pod is gone
    CHECK(cluster.running().empty());
    cluster.advance(1s);
    CHECK(cluster.conditions() == "SuccessCriteriaMet:SuccessPolicy Complete:SuccessPolicy");
    CHECK_FALSE(cluster.status().contains("failed"));  // what it ended itself
}

TEST_CASE("a suspended job has no pods, and their end is nobody's failure") {
    Cluster cluster;
    cluster.start(R"({"spec":{"parallelism":2,"completions":2}})");
    CHECK(cluster.running().size() == 2);
    const std::string started(api::string_at(cluster.status(), {"startTime"}));
    cluster.advance(1min);
    cluster.patch("jobs.batch", "j", R"({"spec":{"suspend":true}})");
    cluster.settle();
    CHECK(cluster.running().empty());
    CHECK(cluster.conditions() == "Suspended:JobSuspended");
    CHECK_FALSE(cluster.status().contains("failed"));
    cluster.patch("jobs.batch", "j", R"({"spec":{"suspend":false}})");
    cluster.settle();
    CHECK(cluster.running().size() == 2);
    CHECK(cluster.conditions().empty());
    CHECK(std::string(api::string_at(cluster.status(), {"startTime"})) > started);
}

TEST_CASE("a job past its deadline ends what runs and counts it as failed") {
    Cluster cluster;
    cluster.start(R"({"spec":{"activeDeadlineSeconds":60}})");
    cluster.advance(59s);
    CHECK(cluster.conditions().empty());
    cluster.advance(1s);
    CHECK(cluster.conditions() == "Failed:DeadlineExceeded");
    CHECK(api::int_at(cluster.status(), {"failed"}) == 1);
    CHECK(cluster.list("pods").empty());
}

TEST_CASE("with podReplacementPolicy Failed a pod that is going keeps its place") {
    for (const bool waits : {false, true}) {
        Cluster cluster;
        cluster.start(std::string(R"({"spec":{"podReplacementPolicy":")") + (waits ? "Failed" : "TerminatingOrFailed") + "\"}}");
        cluster.run_pods();
        cluster.settle();
        const std::string name = cluster.running().front();
        cluster.remove("pods", name);
        cluster.settle();
        cluster.advance(10s);
        CHECK(cluster.running().size() == (waits ? 0 : 1));
        CHECK(api::int_at(cluster.status(), {"terminating"}) == 1);
    }
}

TEST_CASE("a job that somebody else manages is left alone") {
    Cluster cluster;
    cluster.start(R"({"spec":{"managedBy":"example.com/queue"}})");
    CHECK(cluster.list("pods").empty());
    CHECK(cluster.status().empty());
}

TEST_CASE("pods of a job that is gone are let go") {
    Cluster cluster;
    cluster.start("{}");
    api::DeleteOptions options;
    options.propagation_policy = "Background";
    cluster.remove("jobs.batch", "j", options);
    cluster.settle();
    CHECK_FALSE(cluster.tracked());
}

TEST_CASE("pods that a quota refuses are asked for after 1 s, 2 s, 4 s ... and every minute") {
    Cluster cluster;
    cluster.create("resourcequotas", R"({"metadata":{"name":"q"},"spec":{"hard":{"pods":"0"}}})");
    cluster.patch("resourcequotas", "q", R"({"status":{"hard":{"pods":"0"},"used":{"pods":"0"}}})", "status");
    cluster.start("{}");
    const auto refusals = [&] {
        std::int64_t count = 0;
        for (const api::Json& event : cluster.list("events"))
            if (api::string_at(event, {"reason"}) == "FailedCreate") count += api::int_at(event, {"count"});
        return count;
    };
    CHECK(refusals() == 1);
    std::int64_t expected = 1;
    for (const auto pause : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
        cluster.advance(pause - 1ms);
        CHECK(refusals() == expected);
        cluster.advance(1ms);
        CHECK(refusals() == ++expected);
    }
    cluster.remove("resourcequotas", "q");
    cluster.advance(60s);
    CHECK(cluster.running().size() == 1);
}

TEST_CASE("failures that a policy ignores are waited for like others") {
    Cluster cluster;
    cluster.start(R"({"spec":{"backoffLimit":0,"podFailurePolicy":{"rules":[{"action":"Ignore","onExitCodes":{"operator":"In","values":[7]}}]}}})");
    cluster.end(cluster.running().front(), "Failed", 7);
    CHECK(cluster.running().empty());
    CHECK_FALSE(cluster.tracked());
    cluster.advance(10s);
    REQUIRE(cluster.running().size() == 1);
    cluster.end(cluster.running().front(), "Failed", 7);
    cluster.advance(18s);
    CHECK(cluster.running().empty());
    cluster.advance(1s);
    CHECK(cluster.running().size() == 1);
    CHECK_FALSE(cluster.status().contains("failed"));
}

TEST_CASE("the deadline of a job runs anew when it is resumed") {
    Cluster cluster;
    cluster.start(R"({"spec":{"activeDeadlineSeconds":20}})");
    cluster.advance(15s);
    cluster.patch("jobs.batch", "j", R"({"spec":{"suspend":true}})");
    cluster.settle();
    cluster.advance(60s);
    cluster.patch("jobs.batch", "j", R"({"spec":{"suspend":false}})");
    cluster.settle();
    cluster.advance(19s);
    CHECK(cluster.conditions().empty());
    cluster.advance(1s);
    CHECK(cluster.conditions() == "Failed:DeadlineExceeded");
}

TEST_CASE("news of pods waits a second for more, a change of the job does not") {
    Cluster cluster;
    cluster.start(R"({"spec":{"completions":4,"parallelism":2}})");
    cluster.advance(2s);
    const auto written = [&] { return cluster.get("jobs.batch", "j")["metadata"]["resourceVersion"]; };
    const api::Json before = written();
    const std::vector<std::string> pods = cluster.running();
    cluster.set_pod(pods[0], "Running", true);
    cluster.advance(400ms);
    cluster.set_pod(pods[1], "Running", true);
    cluster.set_pod(pods[0], "Succeeded", false);
    cluster.advance(599ms);
    CHECK(written() == before);
    cluster.advance(1ms);  // a second after the first of the three
    CHECK(api::int_at(cluster.status(), {"succeeded"}) == 1);
    CHECK(api::int_at(cluster.status(), {"ready"}) == 1);
    CHECK(cluster.running().size() == 2);
    cluster.patch("jobs.batch", "j", R"({"spec":{"parallelism":3}})");
    cluster.settle();
    CHECK(cluster.running().size() == 3);
}

TEST_CASE("where pods take no time news of them act at once") {
    Cluster cluster(false);
    cluster.start("{}");
    cluster.set_pod(cluster.running().front(), "Succeeded", false);
    cluster.settle();
    CHECK(cluster.conditions() == "Complete");
}

TEST_CASE("an index that waits after a failure keeps its turn") {
    Cluster cluster;
    cluster.start(R"({"spec":{"completionMode":"Indexed","completions":3,"parallelism":1,"backoffLimitPerIndex":1}})");
    cluster.end(cluster.running("0").front(), "Failed", 1);
    cluster.advance(8s);
    CHECK(cluster.running().empty());
    cluster.advance(1s);
    CHECK(cluster.running("0").size() == 1);
}

TEST_CASE("while a failed pod waits to be replaced no pod is said to be active") {
    Cluster cluster;
    cluster.start(R"({"spec":{"completions":2,"parallelism":2}})");
    CHECK(api::int_at(cluster.status(), {"active"}) == 2);
    cluster.end(cluster.running().front(), "Failed", 1);
    CHECK(cluster.running().size() == 1);
    CHECK_FALSE(cluster.status().contains("active"));
    cluster.advance(9s);
    CHECK(api::int_at(cluster.status(), {"active"}) == 2);
}

TEST_CASE("a job that has ended adopts no pods") {
    Cluster cluster;
    cluster.start(R"({"spec":{"manualSelector":true,"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}}}}})");
    cluster.end(cluster.running().front(), "Succeeded");
    REQUIRE(cluster.conditions() == "Complete");
    cluster.create("pods", R"({"metadata":{"name":"late","labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}})");
    cluster.advance(5s);
    CHECK_FALSE(cluster.get("pods", "late")["metadata"].contains("ownerReferences"));
}

TEST_CASE("failures count from the last success on") {
    const auto at = [](int seconds) { return Time(std::chrono::seconds(seconds)); };
    controllers::Failures failures;
    failures = failures.after({}, {at(10), at(5)});
    CHECK(failures.wait_left(at(10)) == 20s);
    failures = failures.after({}, {});
    CHECK(failures.wait_left(at(15)) == 15s);
    failures = failures.after({at(20)}, {at(18), at(21)});
    CHECK(failures.wait_left(at(21)) == 10s);
    CHECK(failures.after({at(30)}, {}).wait_left(at(30)) == Duration(0));
}

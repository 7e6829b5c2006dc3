// Jobs and CronJobs: defaults, what is refused, what may change.
#include <doctest/doctest.h>

#include "../rules_fixture.h"
#include "api/kinds/batch/cron_syntax.h"

using namespace kubemu::api;
using namespace kubemu::api::test;

namespace {

#define POD R"("template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"i"}]}})"

std::string with(const char* more) {
    return std::string(R"({"metadata":{"name":"j"},"spec":{)") + more + (*more != '\0' ? "," : "") + POD "}}";
}
std::string cron_with(const char* more) {
    return std::string(R"({"metadata":{"name":"c"},"spec":{)") + more + R"(,"jobTemplate":{"spec":{)" POD "}}}}";
}

struct Case {
    const char* given;
    const char* said;
};

}  // namespace

TEST_CASE("defaults of Jobs, and the selector that is made for them") {
    RulesFixture jobs("batch", "v1", "jobs");
    const Json job = jobs.made(with("").c_str());
    CHECK(job["spec"]["completions"] == 1);
    CHECK(job["spec"]["parallelism"] == 1);
    CHECK(job["spec"]["backoffLimit"] == 6);
    CHECK(job["spec"]["completionMode"] == "NonIndexed");
    CHECK(job["spec"]["suspend"] == false);
    CHECK(job["spec"]["selector"]["matchLabels"] == Json{{"batch.kubernetes.io/controller-uid", "u-1"}});
    CHECK(job["spec"]["template"]["metadata"]["labels"].size() == 4);
    CHECK(jobs.refused(job) == "");
    CHECK_FALSE(jobs.made(with(R"("parallelism":3)").c_str())["spec"].contains("completions"));
    CHECK(jobs.made(with(R"("backoffLimitPerIndex":1)").c_str())["spec"]["backoffLimit"] == 2147483647);
}

TEST_CASE("a Job without labels of its own has all those of its template") {
    RulesFixture jobs("batch", "v1", "jobs");
    const auto labels_of = [&](const char* own, const char* in_template) {
        const Json job = jobs.made((std::string(R"({"metadata":{"name":"j","labels":)") + own +
                                    R"(},"spec":{"template":{"metadata":{"labels":)" + in_template +
                                    R"(},"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"i"}]}}}})").c_str());
        return job["metadata"]["labels"];
    };
    CHECK(labels_of("{}", "{}").size() == 4);
    CHECK(labels_of("{}", R"({"a":"b"})").size() == 5);
    CHECK(labels_of(R"({"a":"b"})", R"({"a":"b"})") == Json{{"a", "b"}});
}

TEST_CASE("what is refused of Jobs") {
    RulesFixture jobs("batch", "v1", "jobs");
    CHECK(jobs.refused(R"({"metadata":{"name":"j"},"spec":{"template":{"spec":{"containers":[{"name":"c","image":"i"}]}}}})") ==
          "spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", \"Never\"");
    for (const Case& c : {
             Case{R"("completionMode":"Odd")",
                  "spec.completionMode: Unsupported value: \"Odd\": supported values: \"NonIndexed\", \"Indexed\""},
             Case{R"("completionMode":"Indexed","parallelism":2)", "spec.completions: Required value: when completion mode is Indexed"},
             Case{R"("backoffLimitPerIndex":1)", "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode"},
             Case{R"("completionMode":"Indexed","completions":2,"maxFailedIndexes":3)",
                  "spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified\n"
                  "spec.maxFailedIndexes: Invalid value: 3: must be less than or equal to completions"},
             Case{R"("completionMode":"Indexed","completions":100001,"backoffLimitPerIndex":1)",
                  "spec.maxFailedIndexes: Required value: must be specified when completions is above 100000"},
             Case{R"("podFailurePolicy":{"rules":[{"action":"FailJob"}]})",
                  "spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required"},
             Case{R"("podFailurePolicy":{"rules":[{"action":"FailIndex","onExitCodes":{"operator":"In","values":[0,3,2,3],"containerName":"x"}}]})",
                  "spec.podFailurePolicy.rules[0].action: Invalid value: \"FailIndex\": requires the backoffLimitPerIndex to be set\n"
                  "spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: \"x\": must be one of the container or "
                  "initContainer names in the pod template\n"
                  "spec.podFailurePolicy.rules[0].onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator\n"
                  "spec.podFailurePolicy.rules[0].onExitCodes.values[3]: Duplicate value: 3\n"
                  "spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: []int32{0, 3, 2, 3}: must be ordered"},
             Case{R"("completionMode":"Indexed","completions":5,"successPolicy":{"rules":[{"succeededIndexes":"0,2-4","succeededCount":5},{"succeededIndexes":"3,1"},{"succeededIndexes":"9"},{}]})",
                  "spec.successPolicy.rules[0].succeededCount: Invalid value: 5: must be less than or equal to 4 (the number of indexes in "
                  "the specified succeededIndexes field)\n"
                  "spec.successPolicy.rules[1].succeededIndexes: Invalid value: \"3,1\": error parsing succeededIndexes: non-increasing "
                  "order, previous: 3, current: 1\n"
                  "spec.successPolicy.rules[2].succeededIndexes: Invalid value: \"9\": error parsing succeededIndexes: too large index: \"9\"\n"
                  "spec.successPolicy.rules[3]: Required value: at least one of succeededCount or succeededIndexes must be specified"},
             Case{R"("podReplacementPolicy":"Odd")",
                  "spec.podReplacementPolicy: Unsupported value: \"Odd\": supported values: \"Failed\", \"TerminatingOrFailed\""},
             Case{R"("managedBy":"me")",
                  "spec.managedBy: Invalid value: \"me\": must be a domain-prefixed path (such as \"acme.io/foo\")"},
             Case{R"("selector":{"matchLabels":{"a":"b"}})",
                  "spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string{\"a\":\"b\", "
                  "\"batch.kubernetes.io/controller-uid\":\"u-1\"}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: `selector` not "
                  "auto-generated\n"
                  "spec.template.metadata.labels: Invalid value: map[string]string{\"batch.kubernetes.io/controller-uid\":\"u-1\", "
                  "\"batch.kubernetes.io/job-name\":\"j\", \"controller-uid\":\"u-1\", \"job-name\":\"j\"}: `selector` does not match "
                  "template `labels`"},
         }) {
        CAPTURE(c.given);
        CHECK(jobs.refused(with(c.given).c_str()) == c.said);
    }
}

TEST_CASE("what may change of a Job") {
    RulesFixture jobs("batch", "v1", "jobs");
    const Json old = jobs.made(with("").c_str());
    Json job = old;
    job["spec"]["parallelism"] = 3;
    job["spec"]["suspend"] = true;
    CHECK(jobs.refused_update(job, old) == "");
    job["spec"]["completions"] = 3;
    CHECK(jobs.refused_update(job, old) == "spec.completions: Invalid value: 3: field is immutable");
    // The labels that it was made with are expected for ever.
    job = old;
    job["spec"]["template"]["metadata"]["labels"].erase("batch.kubernetes.io/job-name");
    CHECK(jobs.refused(job).find(
              "spec.template.metadata.labels[batch.kubernetes.io/job-name]: Required value: must be 'j'") == 0);
    job = old;
    job["spec"]["template"]["spec"]["nodeSelector"] = {{"a", "b"}};
    CHECK(jobs.refused_update(job, old).find("spec.template: Invalid value: core.PodTemplateSpec{") == 0);
    Json suspended = old;
    suspended["spec"]["suspend"] = true;
    job["spec"]["suspend"] = true;
    CHECK(jobs.refused_update(job, suspended) == "");
    job["spec"]["template"]["spec"]["containers"][0]["image"] = "j";
    CHECK(jobs.refused_update(job, suspended) != "");
    // Resources too, once its pods are gone.
    Json stopped = suspended;
    stopped["status"] = {{"startTime", "2026-01-02T03:04:05Z"}, {"conditions", {{{"type", "Suspended"}, {"status", "True"}}}}};
    Json larger = stopped;
    larger["spec"]["template"]["spec"]["containers"][0]["resources"] = {{"requests", {{"cpu", "1"}}}};
    CHECK(jobs.refused_update(larger, stopped) == "");
    stopped["status"]["active"] = 1;
    CHECK(jobs.refused_update(larger, stopped) != "");

    const Json indexed = jobs.made(with(R"("completionMode":"Indexed","completions":2,"parallelism":2)").c_str());
    Json elastic = indexed;
    elastic["spec"]["completions"] = 3;
    CHECK(jobs.refused_update(elastic, indexed) == "spec.completions: Invalid value: 3: can only be modified in tandem with spec.parallelism");
    elastic["spec"]["parallelism"] = 3;
    CHECK(jobs.refused_update(elastic, indexed) == "");
}

TEST_CASE("CronJobs: schedules, time zones, names") {
    RulesFixture crons("batch", "v1", "cronjobs"), old_crons("batch", "v1beta1", "cronjobs");
    CHECK(crons.refused(cron_with(R"("schedule":"* * * * *","timeZone":"Etc/UTC")").c_str()) == "");
    for (const Case& c : {
             Case{R"("schedule":"bad")", "spec.schedule: Invalid value: \"bad\": expected exactly 5 fields, found 1: [bad]"},
             Case{R"("schedule":"* * * * *","timeZone":"")",
                  "spec.timeZone: Invalid value: \"\": timeZone must be nil or non-empty string"},
             Case{R"("schedule":"* * * * *","timeZone":"Local")",
                  "spec.timeZone: Invalid value: \"Local\": timeZone must be an explicit time zone as defined in "
                  "https://www.iana.org/time-zones"},
             Case{R"("schedule":"* * * * *","timeZone":"../etc/passwd")",
                  "spec.timeZone: Invalid value: \"../etc/passwd\": unknown time zone ../etc/passwd"},
             Case{R"("schedule":"* * * * *","concurrencyPolicy":"Odd","failedJobsHistoryLimit":-1)",
                  "spec.concurrencyPolicy: Unsupported value: \"Odd\": supported values: \"Allow\", \"Forbid\", \"Replace\"\n"
                  "spec.failedJobsHistoryLimit: Invalid value: -1: must be greater than or equal to 0"},
         }) {
        CAPTURE(c.given);
        CHECK(crons.refused(cron_with(c.given).c_str()) == c.said);
    }
    CHECK(old_crons.refused(cron_with(R"("schedule":"bad one")").c_str()) ==
          "spec.schedule: Invalid value: \"bad one\": Expected exactly 5 fields, found 2: bad one");
    Json named = crons.made(cron_with(R"("schedule":"* * * * *")").c_str());
    named["metadata"]["name"] = std::string(53, 'n');
    CHECK(crons.refused(named) == "metadata.name: Invalid value: \"" + std::string(53, 'n') + "\": must be no more than 52 characters");
    CHECK(crons.warned(crons.made(cron_with(R"("schedule":"TZ=UTC * * * * *")").c_str())) ==
          "CRON_TZ or TZ used in spec.spec.schedule is not officially supported, see "
          "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details");
}

TEST_CASE("a schedule may name its own time zone") {
    RulesFixture crons("batch", "v1", "cronjobs");
    CHECK(crons.refused(cron_with(R"("schedule":"CRON_TZ=Mars/Base * * * * *")").c_str()) ==
          "spec.schedule: Invalid value: \"CRON_TZ=Mars/Base * * * * *\": provided bad location Mars/Base: unknown time zone Mars/Base");
    CHECK(crons.refused(cron_with(R"("schedule":"TZ=UTC * * * * *","timeZone":"Etc/UTC")").c_str()) ==
          "spec.schedule: Invalid value: \"TZ=UTC * * * * *\": cannot use both timeZone field and TZ or CRON_TZ in schedule");
    const auto tokyo = CronSchedule::parse("TZ=Asia/Tokyo 0 9 * * *");
    REQUIRE(tokyo);
    const auto next = tokyo->next(kubemu::Time{}, *TimeZone::load(""));
    REQUIRE(next);
    // Nine in the morning there is midnight here: the next one after midnight is a day later.
    CHECK(std::chrono::duration_cast<std::chrono::hours>(next->time_since_epoch()).count() == 24);
}

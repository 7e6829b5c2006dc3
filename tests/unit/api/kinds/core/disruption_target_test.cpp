// The condition that says why a pod is ended from outside.
#include "api/kinds/core/disruption_target.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace kubemu::api;

TEST_CASE("a pod has one reason for its disruption, the last") {
    Json pod = {{"kind", "Pod"}};
    set_disruption_target(pod, "PreemptionByScheduler", "first", "2026-01-01T00:00:00Z");
    pod["status"]["conditions"].push_back({{"type", "Ready"}, {"status", "False"}});
    set_disruption_target(pod, "DeletionByPodGC", "then", "2026-01-01T00:00:01Z");
    CHECK(pod["status"]["conditions"] == Json::parse(R"([
        {"type":"DisruptionTarget","status":"True","reason":"DeletionByPodGC","message":"then","lastTransitionTime":"2026-01-01T00:00:01Z"},
        {"type":"Ready","status":"False"}])"));
}

// Grants: what they allow, what covers them, how messages show them.
#include "api/kinds/rbac/policy_rule.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace kubemu::api;

namespace {

PolicyRule rule(const char* json) { return rule_from(Json::parse(json)); }

struct Request {
    const char* verb;
    const char* group;
    const char* resource;
    const char* subresource;
    const char* name;
    bool allowed;
};

}  // namespace

TEST_CASE("a rule allows what its lists name, with stars and subresources") {
    struct Case {
        const char* rule;
        std::vector<Request> requests;
    };
    const Case cases[] = {
        {R"({"verbs":["get","list"],"apiGroups":[""],"resources":["pods"]})",
         {{"get", "", "pods", "", "a", true},
          {"list", "", "pods", "", "", true},
          {"watch", "", "pods", "", "", false},
          {"get", "apps", "pods", "", "a", false},
          {"get", "", "pods", "log", "a", false}}},
        {R"({"verbs":["*"],"apiGroups":["*"],"resources":["*"]})",
         {{"anything", "x.example", "widgets", "scale", "w", true}}},
        {R"({"verbs":["update"],"apiGroups":["*"],"resources":["*/scale","pods/log"]})",
         {{"update", "apps", "deployments", "scale", "d", true},
          {"update", "apps", "deployments", "", "d", false},
          {"update", "apps", "deployments", "status", "d", false},
          {"update", "", "pods", "log", "p", true},
          {"update", "", "nodes", "log", "p", false}}},
        {R"({"verbs":["get"],"apiGroups":[""],"resources":["configmaps"],"resourceNames":["a","b"]})",
         {{"get", "", "configmaps", "", "b", true},
          {"get", "", "configmaps", "", "c", false},
          {"get", "", "configmaps", "", "", false}}},
        {R"({"verbs":["get"],"nonResourceURLs":["*"]})", {{"get", "", "pods", "", "a", false}}},
    };
    for (const Case& test : cases) {
        const PolicyRule tested = rule(test.rule);
        for (const Request& request : test.requests) {
            CAPTURE(test.rule);
            CAPTURE(request.verb);
            CAPTURE(request.resource);
            CAPTURE(request.subresource);
            CAPTURE(request.name);
            CHECK(tested.allows_resource(request.verb, request.group, request.resource, request.subresource,
                                         request.name) == request.allowed);
        }
    }
}

TEST_CASE("paths match whole or by a star at their end") {
    const PolicyRule tested = rule(R"({"verbs":["get"],"nonResourceURLs":["/version","/apis/*","/healthz*"]})");
    CHECK(tested.allows_path("get", "/version"));
    CHECK_FALSE(tested.allows_path("get", "/version/"));
    CHECK_FALSE(tested.allows_path("post", "/version"));
    CHECK(tested.allows_path("get", "/apis/apps/v1"));
    CHECK_FALSE(tested.allows_path("get", "/apis"));
    CHECK(tested.allows_path("get", "/healthz/ping"));
}

TEST_CASE("missing grants are found one by one and told compactly") {
    const std::vector<PolicyRule> held = rules_from(Json::parse(R"([
        {"verbs":["get","list"],"apiGroups":[""],"resources":["pods","*/status"]},
        {"verbs":["get"],"apiGroups":[""],"resources":["secrets"],"resourceNames":["mine"]},
        {"verbs":["get"],"nonResourceURLs":["/logs/*"]}])"));
    const auto missing = [&](const char* wanted) {
        std::string text;
        for (const PolicyRule& part : compact_rules(uncovered_rules(held, rules_from(Json::parse(wanted))))) {
            text += part.compact_text();
        }
        return text;
    };
    CHECK(missing(R"([{"verbs":["get"],"apiGroups":[""],"resources":["pods","nodes/status"]}])") == "");
    CHECK(missing(R"([{"verbs":["get"],"apiGroups":[""],"resources":["secrets"],"resourceNames":["mine"]}])") == "");
    CHECK(missing(R"([{"verbs":["get"],"apiGroups":[""],"resources":["secrets"]}])") ==
          R"({APIGroups:[""], Resources:["secrets"], Verbs:["get"]})");
    CHECK(missing(R"([{"verbs":["get","watch","delete"],"apiGroups":[""],"resources":["pods"]}])") ==
          R"({APIGroups:[""], Resources:["pods"], Verbs:["watch" "delete"]})");
    CHECK(missing(R"([{"verbs":["get"],"nonResourceURLs":["/logs/a","/metrics"]}])") ==
          R"({NonResourceURLs:["/metrics"], Verbs:["get"]})");
}

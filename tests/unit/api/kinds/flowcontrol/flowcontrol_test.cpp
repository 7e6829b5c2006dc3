// FlowSchema and PriorityLevelConfiguration: rules, the objects every cluster has, older versions.
#include "api/kinds/flowcontrol/flowcontrol.h"

#include "tests/unit/api/kinds/check_rules.h"

using namespace kubemu::api;

namespace {
constexpr const char* group = "flowcontrol.apiserver.k8s.io";
}

TEST_CASE("the objects of every cluster are valid and change by no default") {
    RulesUnderTest schema(group, "v1", "FlowSchema"), level(group, "v1", "PriorityLevelConfiguration");
    for (const Json& known : bootstrap_flow_schemas()) {
        CHECK(schema.creating(known.dump()).empty());
        CHECK(schema.defaulted(known.dump()) == known);
    }
    for (const Json& known : bootstrap_priority_levels()) {
        CHECK(level.creating(known.dump()).empty());
        CHECK(level.defaulted(known.dump()) == known);
    }
    CHECK(bootstrap_flow_schemas().size() == 11);
}

TEST_CASE("flow schemas: subjects, rules, and mandatory ones") {
    RulesUnderTest schema(group, "v1", "FlowSchema");
    CHECK(
        schema.creating(
            R"({"metadata":{"name":"a"},"spec":{"matchingPrecedence":1,"rules":[{"subjects":[{"kind":"User","group":{"name":"g"}}],
        "resourceRules":[{"verbs":["*","get"],"apiGroups":[""],"resources":["pods"]}]}]}})") ==
        "spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have "
        "matchingPrecedence 1\n"
        "spec.priorityLevelConfiguration.name: Required value: must reference a priority level\n"
        "spec.rules[0].subjects[0].user: Required value: user is required when subject kind is 'User'\n"
        "spec.rules[0].subjects[0].group: Forbidden: group is forbidden when subject kind is not 'Group'\n"
        "spec.rules[0].resourceRules[0].verbs: Invalid value: []string{\"*\", \"get\"}: if '*' is present, "
        "must not specify other verbs\n"
        "spec.rules[0].resourceRules[0].namespaces: Required value: resource rules that are not cluster "
        "scoped must supply at least one "
        "namespace");
    CHECK(
        schema.creating(
            R"({"metadata":{"name":"exempt"},"spec":{"priorityLevelConfiguration":{"name":"exempt"},"matchingPrecedence":1}})") ==
        "spec: Invalid value: "
        "flowcontrol.FlowSchemaSpec{PriorityLevelConfiguration:flowcontrol."
        "PriorityLevelConfigurationReference{Name:"
        "\"exempt\"}, MatchingPrecedence:1, DistinguisherMethod:(*flowcontrol.FlowDistinguisherMethod)(nil), "
        "Rules:[]flowcontrol.PolicyRulesWithSubjects(nil)}: spec of 'exempt' must equal the fixed value");
}

TEST_CASE("priority levels: queues and shares") {
    RulesUnderTest level(group, "v1", "PriorityLevelConfiguration");
    CHECK(
        level.creating(
            R"({"metadata":{"name":"a"},"spec":{"type":"Limited","limited":{"nominalConcurrencyShares":-1,"lendablePercent":101,
        "limitResponse":{"type":"Queue","queuing":{"queues":1000000,"handSize":9,"queueLengthLimit":1}}}}})") ==
        "spec.limited.nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer\n"
        "spec.limited.limitResponse.queuing.handSize: Invalid value: 9: required entropy bits of deckSize "
        "1000000 and handSize 9 should not "
        "be greater than 60\n"
        "spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive");
    CHECK(level.creating(R"({"metadata":{"name":"a"},"spec":{"type":"Exempt"}})") ==
          "spec.type: Invalid value: \"Exempt\": type must be 'Exempt' if and only if `name` is 'exempt'");
}

TEST_CASE("priority levels in older versions") {
    const Json zero = Json::parse(R"({"spec":{"type":"Limited","limited":{"nominalConcurrencyShares":0}}})");
    Json beta3 = version_form(group, "v1beta3", "PriorityLevelConfiguration", zero);
    CHECK(beta3["metadata"]["annotations"].contains(
        "flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares"));
    RulesUnderTest(group, "v1beta3", "PriorityLevelConfiguration").rules.to_storage(beta3);
    CHECK(beta3["spec"] == zero["spec"]);
    const Json beta2 = version_form(group, "v1beta2", "PriorityLevelConfiguration", zero);
    CHECK(beta2["spec"]["limited"] == Json{{"assuredConcurrencyShares", 0}});
    const Json unset = Json::parse(R"({"spec":{"type":"Limited","limited":{}}})");
    CHECK(stored_form(group, "v1beta3", "PriorityLevelConfiguration",
                      unset.dump())["spec"]["limited"]["nominalConcurrencyShares"] == 30);
    CHECK(stored_form(group, "v1beta2", "PriorityLevelConfiguration",
                      unset.dump())["spec"]["limited"]["nominalConcurrencyShares"] == 30);
}

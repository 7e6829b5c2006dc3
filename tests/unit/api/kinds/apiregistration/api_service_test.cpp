// APIService: its name, priorities and service; local ones are available at once.
#include "tests/unit/api/kinds/check_rules.h"

using namespace kubemu::api;

TEST_CASE("APIService: what is refused") {
    RulesUnderTest service("apiregistration.k8s.io", "v1", "APIService");
    CHECK(
        service
            .creating(
                R"({"metadata":{"name":"v1.g"},"spec":{"group":"g","version":"v1","groupPriorityMinimum":1,"versionPriority":1}})")
            .empty());
    CHECK(
        service.creating(
            R"({"metadata":{"name":"v1.g"},"spec":{"group":"g","version":"v1","groupPriorityMinimum":20001,"versionPriority":0,"insecureSkipTLSVerify":true}})") ==
        "spec.groupPriorityMinimum: Invalid value: 20001: must be positive and less than 20000\n"
        "spec.versionPriority: Invalid value: 0: must be positive and less than 1000\n"
        "spec.insecureSkipTLSVerify: Invalid value: true: local APIServices may not have "
        "insecureSkipTLSVerify");
    CHECK(
        service.creating(
            R"({"metadata":{"name":"v1.g"},"spec":{"service":{"name":"s"},"group":"g","version":"v1","groupPriorityMinimum":1,"versionPriority":1}})") ==
        "spec.service.namespace: Required value");
}

TEST_CASE("APIService: without a service it is available") {
    RulesUnderTest service("apiregistration.k8s.io", "v1", "APIService");
    Json local = Json::parse(R"({"spec":{}})"), remote = Json::parse(R"({"spec":{"service":{}}})");
    service.rules.prepare_for_create(local, service.context());
    service.rules.prepare_for_create(remote, service.context());
    CHECK(local["status"]["conditions"][0]["reason"] == "Local");
    CHECK(find(remote, "status") == nullptr);
}

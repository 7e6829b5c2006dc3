// The small core kinds: what their objects may not say, and what of them does not change.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/harness/attempts.h"
#include "tests/harness/test_cluster.h"
#include "tests/unit/api/kinds/check_rules.h"

using namespace kubemu;
using api::Json;
using tests::create_refused;
using tests::patch_refused;

namespace {

struct Case {
    const char* resource;
    const char* object;
    const char* message;
};

void check_all(std::initializer_list<Case> cases) {
    tests::TestCluster cluster;
    for (const Case& each : cases) {
        CAPTURE(each.object);
        CHECK(create_refused(cluster, each.resource, each.object) == each.message);
    }
}

}  // namespace

TEST_CASE("ConfigMaps and Secrets: keys, sizes, types") {
    check_all({
        {"configmaps", R"({"metadata":{"name":"c"},"data":{"k":"v"},"binaryData":{"k":"AA=="}})",
         "ConfigMap \"c\" is invalid: data[k]: Invalid value: \"k\": duplicate of key present in binaryData"},
        {"configmaps", R"({"metadata":{"name":"c"},"binaryData":{"a/b":"AA=="}})",
         "ConfigMap \"c\" is invalid: binaryData[a/b]: Invalid value: \"a/b\": a valid config key must consist of "
         "alphanumeric "
         "characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "
         "'[-._a-zA-Z0-9]+')"},
        {"secrets", R"({"metadata":{"name":"s"},"type":"kubernetes.io/basic-auth"})",
         "Secret \"s\" is invalid: [data[username]: Required value, data[password]: Required value]"},
        {"secrets", R"({"metadata":{"name":"s"},"type":"kubernetes.io/tls","stringData":{"tls.key":"x"}})",
         "Secret \"s\" is invalid: data[tls.crt]: Required value"},
        {"secrets", R"({"metadata":{"name":"s"},"type":"kubernetes.io/dockercfg"})",
         "Secret \"s\" is invalid: data[.dockercfg]: Required value"},
        {"secrets",
         R"({"metadata":{"name":"s"},"type":"kubernetes.io/dockerconfigjson","stringData":{".dockerconfigjson":"{"}})",
         "Secret \"s\" is invalid: data[.dockerconfigjson]: Invalid value: \"<secret contents redacted>\": unexpected "
         "end of JSON "
         "input"},
        {"secrets",
         R"({"metadata":{"name":"s"},"type":"kubernetes.io/dockerconfigjson","stringData":{".dockerconfigjson":"[]"}})",
         "Secret \"s\" is invalid: data[.dockerconfigjson]: Invalid value: \"<secret contents redacted>\": json: "
         "cannot unmarshal "
         "array into Go value of type map[string]interface {}"},
        {"secrets", R"({"metadata":{"name":"s"},"type":"kubernetes.io/service-account-token"})",
         "Secret \"s\" is invalid: metadata.annotations[kubernetes.io/service-account.name]: Required value"},
    });
    tests::TestCluster cluster;
    const std::string big = R"({"metadata":{"name":"c"},"data":{"k":")" + std::string(1024 * 1024 + 1, 'x') + R"("}})";
    CHECK(create_refused(cluster, "configmaps", big) ==
          "ConfigMap \"c\" is invalid: []: Too long: must have at most 1048576 bytes");
}

TEST_CASE("immutable data stays") {
    tests::TestCluster cluster;
    cluster.create("configmaps",
                   R"({"metadata":{"name":"c"},"immutable":true,"data":{"a":"1"},"binaryData":{"b":"AA=="}})");
    CHECK(patch_refused(cluster, "configmaps", "c", R"({"data":{"a":"2"}})") ==
          "ConfigMap \"c\" is invalid: data: Forbidden: field is immutable when `immutable` is set");
    CHECK(patch_refused(cluster, "configmaps", "c", R"({"immutable":null,"binaryData":null})") ==
          "ConfigMap \"c\" is invalid: [immutable: Forbidden: field is immutable when `immutable` is set, binaryData: "
          "Forbidden: "
          "field is immutable when `immutable` is set]");
    CHECK(patch_refused(cluster, "configmaps", "c", R"({"metadata":{"labels":{"a":"b"}}})") == "");
    cluster.create("secrets", R"({"metadata":{"name":"s"}})");
    CHECK(patch_refused(cluster, "secrets", "s", R"({"type":"other"})") ==
          "Secret \"s\" is invalid: type: Invalid value: \"other\": field is immutable");
    // A client that does not know the type does not mean to change it.
    CHECK(patch_refused(cluster, "secrets", "s", R"({"type":null,"data":{"a":"AA=="}})") == "");
}

TEST_CASE("a service account keeps the names of its Secrets alone") {
    tests::TestCluster cluster;
    cluster.create("serviceaccounts",
                   R"({"metadata":{"name":"bot"},"secrets":[{"name":"a","namespace":"x","kind":"Secret"}]})");
    CHECK(cluster.get("serviceaccounts", "bot")["secrets"] == Json::parse(R"([{"name":"a"}])"));
}

TEST_CASE("Endpoints: addresses and ports") {
    check_all({
        {"endpoints", R"({"metadata":{"name":"e"},"subsets":[{"ports":[{"port":80}]}]})",
         "Endpoints \"e\" is invalid: subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`"},
        {"endpoints", R"({"metadata":{"name":"e"},"subsets":[{"addresses":[{"ip":"169.254.1.1"}]}]})",
         "Endpoints \"e\" is invalid: subsets[0].addresses[0].ip: Invalid value: \"169.254.1.1\": may not be in the "
         "link-local range "
         "(169.254.0.0/16, fe80::/10)"},
        {"endpoints", R"({"metadata":{"name":"e"},"subsets":[{"addresses":[{"ip":"::"}]}]})",
         "Endpoints \"e\" is invalid: subsets[0].addresses[0].ip: Invalid value: \"::\": may not be unspecified (::)"},
        {"endpoints", R"({"metadata":{"name":"e"},"subsets":[{"addresses":[{"ip":"x"}]}]})",
         "Endpoints \"e\" is invalid: [subsets[0].addresses[0].ip: Invalid value: \"x\": must be a valid IP address, "
         "(e.g. 10.9.8.7 or "
         "2001:db8::ffff), subsets[0].addresses[0].ip: Invalid value: \"x\": must be a valid IP address]"},
        {"endpoints",
         R"({"metadata":{"name":"e"},"subsets":[{"addresses":[{"ip":"10.1.1.1"}],"ports":[{"port":1},{"port":0,"name":"a"}]}]})",
         "Endpoints \"e\" is invalid: [subsets[0].ports[0].name: Required value, subsets[0].ports[1].port: Invalid "
         "value: 0: must be "
         "between 1 and 65535, inclusive]"},
    });
}

TEST_CASE("Events of core/v1 need a matching namespace, new ones more") {
    check_all({
        {"events", R"({"metadata":{"name":"e"},"involvedObject":{"kind":"Pod","name":"p","namespace":"elsewhere"}})",
         "Event \"e\" is invalid: involvedObject.namespace: Invalid value: \"elsewhere\": does not match "
         "event.namespace"},
        {"events",
         R"({"metadata":{"name":"e"},"eventTime":"2020-01-01T00:00:00.000000Z","involvedObject":{"namespace":"default"}})",
         "Event \"e\" is invalid: [reportingComponent: Required value, reportingComponent: Invalid value: \"\": name "
         "part must be "
         "non-empty, reportingComponent: Invalid value: \"\": name part must consist of alphanumeric characters, '-', "
         "'_' or '.', and "
         "must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used "
         "for validation "
         "is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'), reportingInstance: Required value, action: Required value, "
         "reason: Required "
         "value]"},
        {"events", R"({"metadata":{"name":"e"},"involvedObject":{}})", ""},
    });
}

TEST_CASE("a namespace's own finalizers and phase") {
    tests::TestCluster cluster;
    cluster.create("namespaces", R"({"metadata":{"name":"a"},"spec":{"finalizers":["example.com/f"]}})");
    CHECK(cluster.get("namespaces", "a", "")["spec"]["finalizers"] == Json::array({"example.com/f", "kubernetes"}));
    CHECK(patch_refused(cluster, "namespaces", "a", R"({"spec":{"finalizers":[]}})", {}, nullptr, "") == "");
    CHECK(cluster.get("namespaces", "a", "")["spec"]["finalizers"].size() == 2);
    CHECK(patch_refused(cluster, "namespaces", "a", R"({"spec":{"finalizers":["odd"]}})", "finalize", nullptr, "") ==
          "Namespace \"a\" is invalid: spec.finalizers[0]: Invalid value: \"odd\": name is neither a standard "
          "finalizer name nor is it "
          "fully qualified");
    CHECK(patch_refused(cluster, "namespaces", "a", R"({"status":{"phase":"Terminating"}})", "status", nullptr, "") ==
          "Namespace \"a\" is invalid: status.Phase: Invalid value: \"Terminating\": may only be 'Active' if "
          "`deletionTimestamp` is "
          "empty");
    CHECK(create_refused(cluster, "namespaces", R"({"metadata":{"name":"b"},"spec":{"finalizers":["odd"]}})") ==
          "Namespace \"b\" is invalid: spec.finalizers: Invalid value: \"odd\": name is neither a standard finalizer "
          "name nor is it "
          "fully qualified");
}

TEST_CASE("Nodes: addresses of pods, taints, what is set once") {
    tests::TestCluster cluster;
    cluster.create("nodes", R"({"metadata":{"name":"n"},"spec":{"podCIDR":"10.244.7.0/24","providerID":"a"},)"
                            R"("status":{"capacity":{"cpu":"4"}}})");
    const Json node = cluster.get("nodes", "n", "");
    CHECK(node["spec"]["podCIDRs"] == Json::array({"10.244.7.0/24"}));
    CHECK(node["status"]["allocatable"]["cpu"] == "4");
    const char* once =
        "Node \"n\" is invalid: spec.providerID: Forbidden: node updates may not change providerID except from \"\" to "
        "valid";
    CHECK(patch_refused(cluster, "nodes", "n", R"({"spec":{"providerID":"b"}})") == once);
    CHECK(patch_refused(cluster, "nodes", "n", R"({"spec":{"podCIDR":"10.9.0.0/24","podCIDRs":["10.9.0.0/24"]}})") ==
          "Node \"n\" is invalid: spec.podCIDRs: Forbidden: node updates may not change podCIDR except from \"\" to "
          "valid");
    CHECK(patch_refused(cluster, "nodes", "n", R"({"spec":{"taints":[{"key":"a","effect":"Go"}]}})") ==
          "Node \"n\" is invalid: metadata.taints[0].effect: Unsupported value: \"Go\": supported values: "
          "\"NoSchedule\", \"PreferNoSchedule\", \"NoExecute\"");
    CHECK(create_refused(cluster, "nodes",
                         R"({"metadata":{"name":"m"},"status":{"capacity":{"pods":"1.5","cpu":"-1"}}})") != "");
    CHECK(patch_refused(cluster, "nodes", "n", R"({"status":{"capacity":{"cpu":"8"}}})") == "");
    CHECK(cluster.get("nodes", "n", "")["status"]["capacity"]["cpu"] == "4");
    CHECK(patch_refused(cluster, "nodes", "n", R"({"status":{"capacity":{"cpu":"8"}}})", "status") == "");
    CHECK(cluster.get("nodes", "n", "")["status"]["capacity"]["cpu"] == "8");
    const char* features = R"({"status":{"declaredFeatures":["B/c","A","A","a.b"]}})";
    CHECK(patch_refused(cluster, "nodes", "n", features, "status") ==
          "Node \"n\" is invalid: [status.declaredFeatures[1]: Invalid value: \"A\": list must be sorted alphabetically, "
          "status.declaredFeatures[2]: Duplicate value: \"A\", status.declaredFeatures[3]: Invalid value: \"a.b\": invalid "
          "feature name \"a.b\": must start with an UpperCamelCase segment, with subsequent segments separated by '/' "
          "(e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes]");
    CHECK(create_refused(cluster, "nodes", R"({"metadata":{"name":"s"},"status":{"nodeInfo":{"swap":{"capacity":0}}}})") ==
          "Node \"s\" is invalid: metadata.nodeSwapStatus.capacity: Invalid value: 0: must be greater than zero");
}

TEST_CASE("LimitRanges: defaults follow from bounds, and bounds fit together") {
    tests::TestCluster cluster;
    cluster.create("limitranges",
                   R"({"metadata":{"name":"lr"},"spec":{"limits":[{"type":"Container","default":{"memory":"512Mi"},)"
                   R"("max":{"cpu":"2","memory":"1Gi"},"min":{"cpu":"10m"}}]}})");
    const Json item = cluster.get("limitranges", "lr")["spec"]["limits"][0];
    CHECK(item["default"] == Json::parse(R"({"cpu":"2","memory":"512Mi"})"));
    CHECK(item["defaultRequest"] == Json::parse(R"({"cpu":"2","memory":"512Mi"})"));
    check_all({
        {"limitranges", R"({"metadata":{"name":"l"},"spec":{"limits":[{"type":"Pod","default":{"cpu":"1"}}]}})",
         "LimitRange \"l\" is invalid: spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'"},
        {"limitranges",
         R"({"metadata":{"name":"l"},"spec":{"limits":[{"type":"PersistentVolumeClaim"},{"type":"Odd"}]}})",
         "LimitRange \"l\" is invalid: [spec.limits[0].limits: Required value: either minimum or maximum storage value "
         "is required, "
         "but neither was provided, spec.limits[1].type: Invalid value: \"Odd\": must be a standard limit type or "
         "fully qualified]"},
        {"limitranges",
         R"({"metadata":{"name":"l"},"spec":{"limits":[{"type":"Pod","min":{"cpu":"2"},"max":{"cpu":"1"}}]}})",
         "LimitRange \"l\" is invalid: spec.limits[0].min[cpu]: Invalid value: "
         "resource.Quantity{i:resource.int64Amount{value:2, scale:0}, d:resource.infDecAmount{Dec:(*inf.Dec)(nil)}, "
         "s:\"2\", "
         "Format:\"DecimalSI\"}: min value 2 is greater than max value 1"},
        {"limitranges",
         R"({"metadata":{"name":"l"},"spec":{"limits":[{"type":"Pod","min":{"cpu":"1"},"max":{"cpu":"2"},"maxLimitRequestRatio":{"cpu":"3"}}]}})",
         "LimitRange \"l\" is invalid: spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "
         "resource.Quantity{i:resource.int64Amount{value:3, scale:0}, d:resource.infDecAmount{Dec:(*inf.Dec)(nil)}, "
         "s:\"3\", "
         "Format:\"DecimalSI\"}: ratio 3 is greater than max/min = 2.000000"},
    });
}

TEST_CASE("ResourceQuotas: resources, scopes, selectors") {
    check_all({
        {"resourcequotas", R"({"metadata":{"name":"q"},"spec":{"hard":{"bogus":"1"}}})",
         "ResourceQuota \"q\" is invalid: [spec.hard[bogus]: Invalid value: \"bogus\": must be a standard resource "
         "type or fully "
         "qualified, spec.hard[bogus]: Invalid value: \"bogus\": must be a standard resource for quota]"},
        {"resourcequotas",
         R"({"metadata":{"name":"q"},"spec":{"hard":{"pods":"1"},"scopes":["BestEffort","NotBestEffort"]}})",
         "ResourceQuota \"q\" is invalid: spec.scopes: Invalid value: []core.ResourceQuotaScope{\"BestEffort\", "
         "\"NotBestEffort\"}: "
         "conflicting scopes"},
        {"resourcequotas", R"({"metadata":{"name":"q"},"spec":{"hard":{"services":"1"},"scopes":["Terminating"]}})",
         "ResourceQuota \"q\" is invalid: spec.scopes: Invalid value: []core.ResourceQuotaScope{\"Terminating\"}: "
         "unsupported scope "
         "applied to resource"},
        {"resourcequotas",
         R"({"metadata":{"name":"q"},"spec":{"hard":{"pods":"1"},"scopeSelector":{"matchExpressions":[{"scopeName":"PriorityClass","operator":"In"}]}}})",
         "ResourceQuota \"q\" is invalid: spec.scopeSelector.matchExpressions.values: Required value: must be at least "
         "one value when "
         "`operator` is 'In' or 'NotIn' for scope selector"},
        {"resourcequotas", R"({"metadata":{"name":"q"},"spec":{"hard":{"cpu":"-1"}}})",
         "ResourceQuota \"q\" is invalid: spec.hard[cpu]: Invalid value: \"-1\": must be greater than or equal to 0"},
    });
    tests::TestCluster cluster;
    cluster.create("resourcequotas",
                   R"({"metadata":{"name":"q"},"spec":{"hard":{"pods":"1"},"scopes":["BestEffort"]}})");
    CHECK(patch_refused(cluster, "resourcequotas", "q", R"({"spec":{"scopes":["Terminating"]}})") ==
          "ResourceQuota \"q\" is invalid: spec.scopes: Invalid value: []core.ResourceQuotaScope{\"Terminating\"}: "
          "field is immutable");
    std::vector<std::string> warnings;
    CHECK(create_refused(cluster, "resourcequotas",
                         R"({"metadata":{"name":"w"},"spec":{"hard":{"requests.cpu":"2","limits.cpu":"1"}}})",
                         &warnings) == "");
    CHECK(warnings == std::vector<std::string>{"ResourceQuota requests.cpu (2) should be less than limits.cpu (1)"});
}

TEST_CASE("finalizers without a domain are Kubernetes' own, where the kind knows such; owners have a version") {
    tests::TestCluster cluster;
    CHECK(create_refused(cluster, "configmaps", R"({"metadata":{"name":"c","finalizers":["odd!","orphan"]}})") ==
          "ConfigMap \"c\" is invalid: [metadata.finalizers: Invalid value: \"odd!\": name part must consist of alphanumeric "
          "characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or "
          "'123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'), metadata.finalizers[0]: Invalid "
          "value: \"odd!\": name is neither a standard finalizer name nor is it fully qualified]");
    CHECK(create_refused(cluster, "leases.coordination.k8s.io", R"({"metadata":{"name":"l","finalizers":["odd"]}})") == "");
    CHECK(create_refused(cluster, "configmaps",
                         R"({"metadata":{"name":"c","ownerReferences":[{"apiVersion":"a/b/c","kind":"K","name":"n","uid":"u"}]}})") ==
          "ConfigMap \"c\" is invalid: metadata.ownerReferences.apiVersion: Invalid value: \"a/b/c\": version must not be empty");
}

TEST_CASE("an owner that is named twice counts once, and the client is told") {
    tests::TestCluster cluster;
    std::vector<std::string> warnings;
    const char* owner = R"({"apiVersion":"v1","kind":"K","name":"n","uid":"u"})";
    const std::string twice = std::string("[") + owner + "," + owner + "]";
    CHECK(create_refused(cluster, "configmaps", R"({"metadata":{"name":"c","ownerReferences":)" + twice + "}}", &warnings) == "");
    CHECK(warnings == std::vector<std::string>{".metadata.ownerReferences contains duplicate entries; API server dedups owner "
                                               "references in 1.20+, and may reject such requests as early as 1.24; please fix "
                                               "your requests; duplicate UID(s) observed: u"});
    CHECK(cluster.get("configmaps", "c")["metadata"]["ownerReferences"].size() == 1);
    warnings.clear();
    CHECK(patch_refused(cluster, "configmaps", "c", R"({"metadata":{"ownerReferences":)" + twice + "}}", {}, &warnings) == "");
    CHECK(warnings.size() == 1);
}

TEST_CASE("events of events.k8s.io/v1beta1 need no more than those of core/v1") {
    const char* const event = R"({"metadata":{"name":"e","namespace":"default"},"regarding":{"kind":"Pod","namespace":"default"}})";
    CHECK(api::RulesUnderTest("events.k8s.io", "v1beta1", "Event").creating(event) == "");
    CHECK(api::RulesUnderTest("events.k8s.io", "v1", "Event").creating(event).starts_with("eventTime: Required value"));
}

// Ingress, IngressClass, NetworkPolicy, IPAddress, ServiceCIDR: what is refused, in which words.
#include "tests/unit/api/kinds/check_rules.h"

using namespace kubemu::api;

namespace {
constexpr const char* group = "networking.k8s.io";

std::string ingress_with_path(const std::string& path) {
    return R"({"spec":{"rules":[{"http":{"paths":[)" + path + "]}}]}}";
}
}  // namespace

TEST_CASE("Ingress: rules, paths and backends") {
    RulesUnderTest ingress(group, "v1", "Ingress");
    const std::string path = "spec.rules[0].http.paths[0]";
    const std::string service = R"("backend":{"service":{"name":"s","port":{"number":80}}})";
    struct Case {
        std::string object, complaint;
    };
    const Case cases[] = {
        {R"({"spec":{}})",
         "spec: Invalid value: []networking.IngressRule(nil): either `defaultBackend` or `rules` must be "
         "specified"},
        {R"({"spec":{"defaultBackend":{"service":{"name":"S_","port":{"name":"a","number":1}}}}})",
         "spec.defaultBackend.service.name: Invalid value: \"S_\": a DNS-1035 label must consist of lower "
         "case alphanumeric "
         "characters or '-', start with an alphabetic character, and end with an alphanumeric character "
         "(e.g. 'my-name',  or "
         "'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')\n"
         "spec.defaultBackend: Invalid value: \"\": cannot set both port name & port number"},
        {ingress_with_path(R"({"path":"/a//b/..","pathType":"Exact",)" + service + "}"),
         path + ".path: Invalid value: \"/a//b/..\": must not contain '//'\n" + path +
             ".path: Invalid value: \"/a//b/..\": cannot end with '/..'"},
        {ingress_with_path(R"({"path":"x","pathType":"ImplementationSpecific",)" + service + "}"),
         path + ".path: Invalid value: \"x\": must be an absolute path"},
        {ingress_with_path(R"({"path":"/","pathType":"Odd",)" + service + "}"),
         path + ".pathType: Unsupported value: \"Odd\": supported values: \"Exact\", "
                "\"ImplementationSpecific\", \"Prefix\""},
        {ingress_with_path(
             R"({"path":"/","pathType":"Prefix","backend":{"resource":{"kind":"","name":"a/b"}}})"),
         path + ".backend.resource.kind: Required value\n" + path +
             ".backend.resource.name: Invalid value: \"a/b\": may not contain '/'"},
        {R"({"spec":{"rules":[{"host":"*.*.example"}]}})",
         "spec.rules[0].host: Invalid value: \"*.*.example\": a wildcard DNS-1123 subdomain must start with "
         "'*.', followed by a "
         "valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end "
         "with an "
         "alphanumeric character (e.g. '*.example.com', regex used for validation is "
         "'\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"},
        {R"({"metadata":{"annotations":{"kubernetes.io/ingress.class":"a"}},"spec":{"ingressClassName":"b","rules":[{"host":"*.example.com"}]}})",
         "annotations.kubernetes.io/ingress.class: Invalid value: \"a\": must match `ingressClassName` when "
         "both are specified"},
        {ingress_with_path(R"({"path":"/","pathType":"Prefix",)" + service + "}"), ""},
    };
    for (const Case& item : cases) CHECK(ingress.creating(item.object) == item.complaint);
}

TEST_CASE("Ingress: the class annotation is warned of, unless the field is there too") {
    RulesUnderTest ingress(group, "v1", "Ingress");
    std::vector<std::string> warnings;
    Json object = {{"metadata", {{"annotations", {{"kubernetes.io/ingress.class", "a"}}}}}};
    ingress.rules.warnings(object, nullptr, ingress.context(), warnings);
    CHECK(warnings == std::vector<std::string>{"annotation \"kubernetes.io/ingress.class\" is deprecated, "
                                               "please use 'spec.ingressClassName' instead"});
    warnings.clear();
    object["spec"]["ingressClassName"] = "a";
    ingress.rules.warnings(object, nullptr, ingress.context(), warnings);
    CHECK(warnings.empty());
}

TEST_CASE("Ingress v1beta1: other names for the same thing") {
    const std::string text = R"({"spec":{"backend":{"serviceName":"s","servicePort":"http"},
        "rules":[{"http":{"paths":[{"path":"/a","backend":{"serviceName":"t","servicePort":80}}]}}]}})";
    const Json stored = stored_form(group, "v1beta1", "Ingress", text);
    CHECK(stored == Json::parse(R"({"spec":{"defaultBackend":{"service":{"name":"s","port":{"name":"http"}}},
        "rules":[{"http":{"paths":[{"path":"/a","pathType":"ImplementationSpecific",
                                    "backend":{"service":{"name":"t","port":{"number":80}}}}]}}]}})"));
    Json back = version_form("extensions", "v1beta1", "Ingress", stored);
    back["spec"]["rules"][0]["http"]["paths"][0].erase("pathType");
    CHECK(back == Json::parse(text));
}

TEST_CASE("Ingress v1beta1: complaints name its own fields, and what it never looked at stays unseen") {
    RulesUnderTest ingress(group, "v1beta1", "Ingress");
    const auto refused = [&](const std::string& text) {
        FieldErrors errors;
        ingress.rules.validate(stored_form(group, "v1beta1", "Ingress", text), ingress.context(), errors);
        return RulesUnderTest::lines(errors);
    };
    CHECK(refused(R"({"spec":{}})") ==
          "spec: Invalid value: []networking.IngressRule(nil): either `backend` or `rules` must be specified");
    CHECK(refused(R"({"spec":{"backend":{"servicePort":70000}}})") ==
          "spec.backend.serviceName: Required value\n"
          "spec.backend.servicePort: Invalid value: 70000: must be between 1 and 65535, inclusive");
    CHECK(refused(ingress_with_path(R"({"path":"/","backend":{"serviceName":"s","servicePort":"90"}})")) ==
          "spec.rules[0].http.paths[0].backend.servicePort: Invalid value: \"90\": must contain at least one letter (a-z)");
    CHECK(refused(R"({"spec":{"tls":[{"secretName":"Not a name"}],
                              "rules":[{"host":"*.example.com","http":{"paths":[]}}]}})") == "");
}

TEST_CASE("IngressClass: controller and parameters") {
    RulesUnderTest ingress_class(group, "v1", "IngressClass");
    CHECK(ingress_class.creating(R"({"spec":{"controller":"x"}})") ==
          "spec.controller: Invalid value: \"x\": must be a domain-prefixed path (such as \"acme.io/foo\")");
    CHECK(
        ingress_class.creating(
            R"({"spec":{"controller":"a.b/c","parameters":{"kind":"K","name":"n","scope":"Namespace"}}})") ==
        "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'");
    CHECK(ingress_class.creating(
              R"({"spec":{"controller":"a.b/c","parameters":{"kind":"K","name":"n","namespace":"x"}}})") ==
          "spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'");
    CHECK(
        ingress_class.updating(R"({"spec":{"controller":"a.b/c"}})", R"({"spec":{"controller":"a.b/d"}})") ==
        "spec.controller: Invalid value: \"a.b/d\": field is immutable");
    CHECK(ingress_class.updating(R"({"spec":{"controller":"a.b/c"}})", R"({"spec":{}})") ==
          "spec.controller: Required value\nspec.controller: Invalid value: \"\": field is immutable");
}

TEST_CASE("NetworkPolicy: policy types by default") {
    RulesUnderTest policy(group, "v1", "NetworkPolicy");
    CHECK(policy.defaulted(R"({"spec":{"podSelector":{}}})")["spec"]["policyTypes"] ==
          Json::array({"Ingress"}));
    CHECK(policy.defaulted(R"({"spec":{"egress":[{"ports":[{"port":53}]}]}})")["spec"] ==
          Json::parse(
              R"({"policyTypes":["Ingress","Egress"],"egress":[{"ports":[{"port":53,"protocol":"TCP"}]}]})"));
    CHECK(policy.defaulted(R"({"spec":{"policyTypes":["Egress"]}})")["spec"]["policyTypes"] ==
          Json::array({"Egress"}));
}

TEST_CASE("NetworkPolicy: ports, peers and blocks") {
    RulesUnderTest policy(group, "v1", "NetworkPolicy");
    const auto from = [](const std::string& peer) {
        return R"({"spec":{"ingress":[{"from":[)" + peer + "]}]}}";
    };
    const auto port = [](const std::string& port) {
        return R"({"spec":{"egress":[{"ports":[)" + port + "]}]}}";
    };
    const std::string block = "spec.ingress[0].from[0].ipBlock", at = "spec.egress[0].ports[0]";
    struct Case {
        std::string object, complaint;
    };
    const Case cases[] = {
        {from(R"({"ipBlock":{"cidr":"10.0.0.0/8","except":["10.1.0.0/16","11.0.0.0/16","10.0.0.0/8","x"]}})"),
         block + ".except[1]: Invalid value: \"11.0.0.0/16\": must be a strict subset of `cidr`\n" + block +
             ".except[2]: Invalid value: \"10.0.0.0/8\": must be a strict subset of `cidr`\n" + block +
             ".except[3]: Invalid value: \"x\": not a valid CIDR"},
        {from(R"({"ipBlock":{}})"), block + ".cidr: Required value"},
        {from(R"({"ipBlock":{"cidr":"2001:db8::/32"}})"), ""},
        {port(R"({"endPort":9})"),
         at + ".endPort: Invalid value: 9: may not be specified when `port` is not specified"},
        {port(R"({"port":"a","endPort":9})"),
         at + ".endPort: Invalid value: 9: may not be specified when `port` is non-numeric"},
        {port(R"({"port":"!a","endPort":9})"),
         at + ".endPort: Invalid value: 9: may not be specified when `port` is non-numeric\n" + at +
             ".port: Invalid value: \"!a\": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"},
        {port(R"({"port":8,"endPort":9,"protocol":"X"})"),
         at + ".protocol: Unsupported value: \"X\": supported values: \"TCP\", \"UDP\", \"SCTP\""},
        {R"({"spec":{"policyTypes":["Ingress","Egress","Ingress"]}})",
         "spec.policyTypes: Invalid value: []networking.PolicyType{\"Ingress\", \"Egress\", \"Ingress\"}: "
         "may not specify more "
         "than two policyTypes"},
    };
    for (const Case& item : cases) CHECK(policy.creating(item.object) == item.complaint);
}

TEST_CASE("IPAddress and ServiceCIDR: canonical, immutable") {
    RulesUnderTest address(group, "v1", "IPAddress");
    CHECK(address.rules.validate_name("10.0.0.1", false).empty());
    CHECK(address.rules.validate_name("2001:DB8::1", false) ==
          std::vector<std::string>{"must be in canonical form (\"2001:db8::1\")"});
    CHECK(address.creating(R"({"spec":{}})") == "spec.parentRef: Required value");
    CHECK(address.updating(R"({"spec":{"parentRef":{"resource":"services","name":"a"}}})",
                           R"({"spec":{"parentRef":{"resource":"services","name":"b"}}})") ==
          "spec.parentRef: Invalid value: networking.ParentReference{Group:\"\", Resource:\"services\", "
          "Namespace:\"\", "
          "Name:\"b\"}: field is immutable");
    RulesUnderTest cidr(group, "v1", "ServiceCIDR");
    CHECK(cidr.creating(R"({"spec":{"cidrs":["10.0.0.1/24"]}})") ==
          "spec.cidrs[0]: Invalid value: \"10.0.0.1/24\": must not have bits set beyond the prefix length");
    CHECK(cidr.creating(R"({"spec":{"cidrs":["10.0.0.0/24","10.1.0.0/24"]}})") ==
          "spec.cidrs: Invalid value: []string{\"10.0.0.0/24\", \"10.1.0.0/24\"}: may specify no more than "
          "one IP for each IP "
          "family, i.e 192.168.0.0/24 and 2001:db8::/64");
    CHECK(cidr.updating(R"({"spec":{"cidrs":["10.0.0.0/24"]}})",
                        R"({"spec":{"cidrs":["10.0.0.0/24","2001:db8::/64"]}})")
              .empty());
    CHECK(cidr.updating(R"({"spec":{"cidrs":["10.0.0.0/24"]}})", R"({"spec":{"cidrs":["10.0.1.0/24"]}})") ==
          "spec.cidrs[0]: Invalid value: \"10.0.1.0/24\": field is immutable");
}

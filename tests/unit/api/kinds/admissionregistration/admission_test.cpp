// Webhook configurations and admission policies.
#include "tests/unit/api/kinds/check_rules.h"

using namespace kubemu::api;

namespace {
constexpr const char* group = "admissionregistration.k8s.io";
const std::string client = R"("clientConfig":{"url":"https://a.example/x"})";
const std::string rest = R"("sideEffects":"None","admissionReviewVersions":["v1"])";

std::string hook(const std::string& members) {
    return R"({"webhooks":[{"name":"a.b.c",)" + members + "}]}";
}
}  // namespace

TEST_CASE("webhooks: defaults of each version") {
    const Json v1 = RulesUnderTest(group, "v1", "ValidatingWebhookConfiguration")
                        .defaulted(hook(R"("rules":[{"operations":["*"]}])"));
    CHECK(v1["webhooks"][0]["failurePolicy"] == "Fail");
    CHECK(v1["webhooks"][0]["rules"][0]["scope"] == "*");
    const Json beta =
        RulesUnderTest(group, "v1beta1", "MutatingWebhookConfiguration").defaulted(hook(client));
    CHECK(
        beta["webhooks"][0] ==
        Json::parse(R"({"name":"a.b.c","clientConfig":{"url":"https://a.example/x"},"failurePolicy":"Ignore",
        "matchPolicy":"Exact","namespaceSelector":{},"objectSelector":{},"sideEffects":"Unknown","timeoutSeconds":30,
        "reinvocationPolicy":"Never","admissionReviewVersions":["v1beta1"]})"));
}

TEST_CASE("webhooks: what is refused") {
    RulesUnderTest under(group, "v1", "MutatingWebhookConfiguration");
    struct Case {
        std::string members, complaint;
    };
    const std::string at = "webhooks[0]";
    const Case cases[] = {
        {client + "," + rest, ""},
        {rest, at + ".clientConfig: Required value: exactly one of url or service is required"},
        {R"("clientConfig":{"url":"http://u@a/x?q"},)" + rest,
         at +
             ".clientConfig.url: Invalid value: \"http\": 'https' is the only allowed URL scheme; desired "
             "format: https://host[/path]\n" +
             at + ".clientConfig.url: Invalid value: \"u\": user information is not permitted in the URL\n" +
             at + ".clientConfig.url: Invalid value: \"q\": query parameters are not permitted in the URL"},
        {R"("clientConfig":{"service":{"name":"s","namespace":"n","path":"a//","port":0}},)" + rest,
         at +
             ".clientConfig.service.port: Invalid value: 0: port is not valid: must be between 1 and 65535, "
             "inclusive\n" +
             at + ".clientConfig.service.path: Invalid value: \"a//\": must start with a '/'\n" + at +
             ".clientConfig.service.path: Invalid value: \"a//\": segment[0] may not be empty\n" + at +
             ".clientConfig.service.path: Invalid value: \"a//\": segment[1] may not be empty"},
        {client + R"(,"sideEffects":"Some","admissionReviewVersions":["v2","v2"])",
         at + ".sideEffects: Unsupported value: \"Some\": supported values: \"None\", \"NoneOnDryRun\"\n" +
             at + ".admissionReviewVersions[1]: Invalid value: \"v2\": duplicate version\n" + at +
             ".admissionReviewVersions: Invalid value: []string{\"v2\", \"v2\"}: must include at least one "
             "of v1, v1beta1"},
        {client + "," + rest +
             R"(,"rules":[{"operations":["*","CREATE","X"],"apiGroups":["*","a"],"apiVersions":["v1"],"resources":["*","pods","pods/*","pods/log"]}])",
         at +
             ".rules[0].operations: Invalid value: []admissionregistration.OperationType{\"*\", \"CREATE\", "
             "\"X\"}: if '*' is present, must "
             "not specify other operations\n" +
             at +
             ".rules[0].operations[2]: Unsupported value: \"X\": supported values: \"*\", \"CONNECT\", "
             "\"CREATE\", \"DELETE\", \"UPDATE\"\n" +
             at +
             ".rules[0].apiGroups: Invalid value: []string{\"*\", \"a\"}: if '*' is present, must not "
             "specify other API groups\n" +
             at +
             ".rules[0].resources[3]: Invalid value: \"pods/log\": if 'pods/*' is present, must not specify "
             "pods/log\n" +
             at +
             ".rules[0].resources: Invalid value: []string{\"*\", \"pods\", \"pods/*\", \"pods/log\"}: if "
             "'*' is present, must not specify "
             "other resources without subresources"},
        {client + "," + rest +
             R"(,"timeoutSeconds":31,"matchConditions":[{"name":"a"},{"name":"a","expression":"true"}])",
         at + ".timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds\n" +
             at + ".matchConditions[0].expression: Required value\n" + at +
             ".matchConditions[1].name: Duplicate value: \"a\""},
    };
    for (const Case& item : cases) CHECK(under.creating(hook(item.members)) == item.complaint);
    // What was stored with side effects may stay so.
    const std::string effects = hook(client + R"(,"sideEffects":"Some","admissionReviewVersions":["v1"])");
    CHECK(under.updating(effects, effects).empty());
    CHECK(!under.creating(effects).empty());
}

TEST_CASE("ValidatingAdmissionPolicy and bindings") {
    RulesUnderTest policy(group, "v1", "ValidatingAdmissionPolicy");
    const std::string match =
        R"("matchConstraints":{"resourceRules":[{"operations":["CREATE"],"apiGroups":[""],"apiVersions":["v1"],"resources":["pods"]}]})";
    CHECK(policy
              .creating(R"({"metadata":{"name":"p"},"spec":{)" + match +
                        R"(,"validations":[{"expression":"true"}]}})")
              .empty());
    CHECK(policy.creating(
              R"({"metadata":{"name":"p"},"spec":{"paramKind":{"apiVersion":"a/b/c","kind":"K_"},)" + match +
              R"(,"variables":[{"name":"in","expression":""}],
                             "validations":[{"expression":" ","message":"a\nb","reason":"Odd"}]}})") ==
          "spec.paramKind.apiVersion: Invalid value: \"a/b/c\": unexpected GroupVersion string: a/b/c\n"
          "spec.paramKind.kind: Invalid value: \"K_\": may have mixed case, but should otherwise match: a "
          "DNS-1035 label must consist of lower "
          "case alphanumeric characters or '-', start with an alphabetic character, and end with an "
          "alphanumeric character (e.g. 'my-name',  "
          "or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')\n"
          "spec.variables[0].name: Invalid value: \"in\": must be a valid CEL identifier\n"
          "spec.variables[0].expression: Required value: expression is not specified\n"
          "spec.validations[0].expression: Required value: expression is not specified\n"
          "spec.validations[0].message: Invalid value: \"a\\nb\": message must not contain line breaks\n"
          "spec.validations[0].reason: Unsupported value: \"Odd\": supported values: \"Forbidden\", "
          "\"Invalid\", \"RequestEntityTooLarge\"");
    RulesUnderTest binding(group, "v1", "ValidatingAdmissionPolicyBinding");
    CHECK(binding.creating(
              R"({"spec":{"paramRef":{"name":"n","selector":{}},"validationActions":["Deny","Warn"]}})") ==
          "spec.policyName: Required value\nspec.paramRef.name: Forbidden: name and selector are mutually "
          "exclusive\n"
          "spec.paramRef.selector: Forbidden: name and selector are mutually "
          "exclusive\nspec.paramRef.parameterNotFoundAction: Required value\n"
          "spec.validationActions: Invalid value: []admissionregistration.ValidationAction{\"Deny\", "
          "\"Warn\"}: must not contain both Deny and "
          "Warn (repeating the same validation failure information in the API response and headers serves no "
          "purpose)");
    RulesUnderTest mutating(group, "v1", "MutatingAdmissionPolicyBinding");
    CHECK(mutating.creating(
              R"({"spec":{"policyName":"p","matchResources":{"resourceRules":[{"operations":["DELETE"],"apiGroups":[""],
              "apiVersions":["v1"],"resources":["pods"]}]}}})") ==
          "spec.matchResources.resourceRules.operations: Unsupported value: \"DELETE\": supported values: \"*\", "
          "\"CONNECT\", \"CREATE\", \"UPDATE\"");
}

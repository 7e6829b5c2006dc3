// Custom resources against a running kubemu, and CEL by itself.
//
//   bench_custom definition PORT   a CustomResourceDefinition with a schema of 500 KB; the first ten of its objects
//   bench_custom rules             validation rules a second, as a write of a custom resource evaluates them
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "api/cel/checker.h"
#include "api/cel/evaluator.h"
#include "tests/bench/http_client.h"

namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::json;

double ms_since(Clock::time_point begin) { return std::chrono::duration<double, std::milli>(Clock::now() - begin).count(); }

void must(const bench::Connection::Answer& answer, int code) {
    if (answer.code == code) return;
    std::fprintf(stderr, "expected %d, got %d: %s\n", code, answer.code, answer.body.substr(0, 300).c_str());
    std::exit(1);
}

// Like the large definitions of real operators: pod templates over and over, each field with its description.
Json large_schema() {
    const std::string words = "Says how this part of the component behaves when it is set; without it the operator chooses a value by itself. ";
    Json section = {{"type", "object"}, {"properties", Json::object()}};
    for (int i = 0; i < 24; ++i) {
        const std::string n = std::to_string(i);
        section["properties"]["text" + n] = {{"type", "string"}, {"maxLength", 200}, {"description", words + words}};
        section["properties"]["count" + n] = {{"type", "integer"}, {"minimum", 0}, {"default", i}, {"description", words}};
        section["properties"]["list" + n] = {{"type", "array"}, {"maxItems", 16}, {"description", words},
            {"items", {{"type", "object"}, {"required", {"name"}},
                       {"properties", {{"name", {{"type", "string"}, {"pattern", "^[a-z0-9-]+$"}}}, {"value", {{"type", "string"}}}}}}}};
    }
    Json spec = {{"type", "object"}, {"properties", Json::object()}};
    while (spec.dump().size() < 500'000) spec["properties"]["section" + std::to_string(spec["properties"].size())] = section;
    return {{"type", "object"}, {"properties", {{"spec", spec}}}};
}

void definition(std::uint16_t port) {
    const Json schema = large_schema();
    const std::string body = Json{{"apiVersion", "apiextensions.k8s.io/v1"}, {"kind", "CustomResourceDefinition"},
        {"metadata", {{"name", "larges.bench.example.com"}}},
        {"spec", {{"group", "bench.example.com"}, {"scope", "Namespaced"}, {"names", {{"plural", "larges"}, {"kind", "Large"}}},
                  {"versions", Json::array({{{"name", "v1"}, {"served", true}, {"storage", true}, {"schema", {{"openAPIV3Schema", schema}}}}})}}}}.dump();
    bench::Connection connection(port);
    auto begin = Clock::now();
    must(connection.request("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", body), 201);
    const double made = ms_since(begin);
    const std::string objects = "/apis/bench.example.com/v1/namespaces/default/larges";
    while (connection.request("GET", objects).code != 200) {
    }
    const double served = ms_since(begin);
    Json object = {{"apiVersion", "bench.example.com/v1"}, {"kind", "Large"}, {"spec", {{"section0", {{"text0", "some text"}, {"list0", Json::array({{{"name", "a"}, {"value", "b"}}})}}}}}};
    constexpr int count = 100;
    begin = Clock::now();
    for (int i = 0; i < count; ++i) {
        object["metadata"]["name"] = "large-" + std::to_string(i);
        must(connection.request("POST", objects, object.dump()), 201);
    }
    std::printf("definition_of_%zu_KB %.1f ms until it was answered, %.1f ms until its objects were served\n", body.size() / 1000, made, served);
    std::printf("custom_object %.2f ms\n", ms_since(begin) / count);
}

void rules() {
    using namespace kubemu::api;
    const auto schema = structural::parse_schema(Json::parse(R"({"type":"object","properties":{
        "replicas":{"type":"integer"},"minReplicas":{"type":"integer"},"maxReplicas":{"type":"integer"},
        "ports":{"type":"array","maxItems":20,"items":{"type":"object","properties":{"name":{"type":"string","maxLength":20},"port":{"type":"integer"}}}}}})"));
    const Json object = Json::parse(R"({"replicas":3,"minReplicas":1,"maxReplicas":5,"ports":[{"name":"http","port":80},{"name":"https","port":443},{"name":"metrics","port":9090}]})");
    const char* sources[] = {"self.minReplicas <= self.replicas && self.replicas <= self.maxReplicas",
                             "self.ports.all(p, p.port > 0 && p.port < 65536)",
                             "self.ports.exists_one(p, p.name == 'http')",
                             "!has(self.ports) || self.ports.map(p, p.name).filter(n, n.startsWith('h')).size() == 2"};
    std::vector<cel::Expression> expressions;
    for (const char* source : sources) {
        std::vector<cel::Issue> issues;
        auto expression = cel::parse(source, issues);
        if (expression) cel::check(*expression, {{"self", cel::type_of_schema(schema, false, "selfType")}}, issues);
        if (!issues.empty()) std::exit(1);
        expressions.push_back(std::move(*expression));
    }
    long count = 0;
    const auto begin = Clock::now();
    while (ms_since(begin) < 1000) {
        for (const cel::Expression& expression : expressions) {
            const auto outcome = cel::evaluate(expression, {{"self", cel::Value::from(object, &schema)}}, 1'000'000);
            if (outcome.value.is_error()) std::exit(1);
            ++count;
        }
    }
    std::printf("cel_rules %.0f per second\n", static_cast<double>(count) * 1000 / ms_since(begin));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 3 && std::strcmp(argv[1], "definition") == 0) {
        definition(static_cast<std::uint16_t>(std::atoi(argv[2])));
    } else if (argc == 2 && std::strcmp(argv[1], "rules") == 0) {
        rules();
    } else {
        std::fprintf(stderr, "usage: bench_custom definition PORT | rules\n");
        return 2;
    }
    return 0;
}

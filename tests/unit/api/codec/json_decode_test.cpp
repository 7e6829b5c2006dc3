// Decoding along the schema: what is kept, what is dropped and reported, and Go's words for what is wrong.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "api/codec/json.h"

using namespace kubemu::api;

namespace {

const TypeInfo& type(std::string_view name) {
    const TypeInfo* found = find_type(name);
    REQUIRE(found != nullptr);
    return *found;
}

// The decoded object as text, or "error: ..." ; complaints follow after " | ".
std::string decode(std::string_view type_name, std::string_view text) {
    std::vector<std::string> complaints;
    auto decoded = decode_json(text, type(type_name), complaints);
    std::string out = decoded ? encode_raw(*decoded) : "error: " + decoded.error().message;
    for (const std::string& complaint : complaints) out += " | " + complaint;
    return out;
}

std::string syntax(std::string_view text) {
    auto parsed = parse_json(text);
    if (parsed) return encode_raw(*parsed);
    CHECK(parsed.error().syntax);
    return parsed.error().message;
}

}  // namespace

TEST_CASE("wrong types are reported with the innermost struct and the path from the root") {
    CHECK(decode("apps/v1.Deployment", R"({"spec":{"replicas":"three"}})") ==
          "error: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type "
          "int32");
    CHECK(decode("apps/v1.Deployment", R"({"spec":{"replicas":2.5}})") ==
          "error: json: cannot unmarshal number 2.5 into Go struct field DeploymentSpec.spec.replicas of "
          "type int32");
    CHECK(decode("apps/v1.Deployment", R"({"spec":{"replicas":2147483648}})") ==
          "error: json: cannot unmarshal number 2147483648 into Go struct field DeploymentSpec.spec.replicas "
          "of type int32");
    CHECK(decode("apps/v1.Deployment", R"({"metadata":7})") ==
          "error: json: cannot unmarshal number into Go struct field Deployment.metadata of type "
          "v1.ObjectMeta");
    CHECK(decode("core/v1.ConfigMap", R"({"metadata":{"ownerReferences":[{"uid":5}]}})") ==
          "error: json: cannot unmarshal number into Go struct field OwnerReference.metadata.ownerReferences.uid of type "
          "types.UID");
    CHECK(
        decode("core/v1.ConfigMap", R"({"metadata":{"labels":{"tier":true}}})") ==
        "error: json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels of type string");
    CHECK(
        decode("core/v1.ConfigMap", R"({"data":"x"})") ==
        "error: json: cannot unmarshal string into Go struct field ConfigMap.data of type map[string]string");
    CHECK(decode("core/v1.Pod", R"({"spec":{"containers":{}}})") ==
          "error: json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type "
          "[]v1.Container");
    CHECK(decode("core/v1.Pod", R"({"spec":{"containers":[{"ports":[{"protocol":6}]}]}})") ==
          "error: json: cannot unmarshal number into Go struct field "
          "ContainerPort.spec.containers.ports.protocol of type v1.Protocol");
    CHECK(decode("core/v1.Pod", R"({"spec":{"containers":[{"resources":{"limits":[]}}]}})") ==
          "error: json: cannot unmarshal array into Go struct field "
          "ResourceRequirements.spec.containers.resources.limits of type "
          "v1.ResourceList");
    CHECK(decode("core/v1.ConfigMap", R"({"kind":3})") ==
          "error: json: cannot unmarshal number into Go struct field ConfigMap.kind of type string");
    CHECK(decode("core/v1.ConfigMap", "[]") ==
          "error: json: cannot unmarshal array into Go value of type v1.ConfigMap");
}

TEST_CASE("a schema, or a list or boolean in its place, has a form of its own") {
    constexpr const char* props = "apiextensions/v1.JSONSchemaProps";
    CHECK(decode(props, R"({"items":{"type":"string","unheard":1}})") == R"({"items":{"type":"string"}})");
    CHECK(decode(props, R"({"items":[{"type":"string"}],"additionalProperties":false})") ==
          R"({"additionalProperties":false,"items":[{"type":"string"}]})");
    CHECK(decode(props, R"({"items":"x","additionalItems":true})") == R"({"additionalItems":true})");
    CHECK(decode(props, R"({"additionalProperties":"x"})") == "error: boolean or JSON schema expected");
    CHECK(decode(props, R"({"properties":{"a":{"additionalProperties":{"type":5}}}})") ==
          "error: json: cannot unmarshal number into Go struct field "
          "JSONSchemaProps.properties.additionalProperties.type of type string");
    CHECK(decode(props, R"({"dependencies":{"a":["x",5]}})") ==
          "error: json: cannot unmarshal number into Go struct field JSONSchemaProps.dependencies of type string");
    CHECK(decode("resource/v1.Device", R"({"attributes":[]})") ==
          "error: json: cannot unmarshal array into Go struct field Device.attributes of type "
          "map[v1.QualifiedName]v1.DeviceAttribute");
}

TEST_CASE("the first wrong type counts, but a value with its own parser counts more") {
    CHECK(decode("core/v1.Pod", R"({"spec":{"nodeName":1,"hostNetwork":"x"}})") ==
          "error: json: cannot unmarshal number into Go struct field PodSpec.spec.nodeName of type string");
    CHECK(
        decode("core/v1.Pod", R"({"spec":{"nodeName":1,"overhead":{"cpu":"many"}}})") ==
        "error: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
    CHECK(decode("core/v1.Service", R"({"spec":{"ports":[{"targetPort":1.5}]}})") ==
          "error: json: cannot unmarshal number 1.5 into Go struct field ServicePort.spec.ports.targetPort "
          "of type int32");
}

TEST_CASE("unknown and repeated members are reported in document order, each once") {
    CHECK(
        decode(
            "core/v1.Pod",
            R"({"zeta":1,"spec":{"nope":{},"containers":[{"name":"a"},{"name":"b","imagee":"x"}]},"alpha":2,"zeta":3})") ==
        R"({"spec":{"containers":[{"name":"a"},{"name":"b"}]}} | unknown field "zeta" | unknown field "spec.nope" | )"
        R"(unknown field "spec.containers[1].imagee" | unknown field "alpha")");
    CHECK(
        decode("core/v1.ConfigMap", R"({"metadata":{"name":"a","name":"b"},"data":{"k":"1","k":"2"}})") ==
        R"({"data":{"k":"2"},"metadata":{"name":"b"}} | duplicate field "metadata.name" | duplicate field "data.k")");
    CHECK(decode("core/v1.Pod", R"({"Spec":{},"spec":{}})") == R"({"spec":{}} | unknown field "Spec")");
    CHECK(decode("core/v1.ConfigMap", R"({"a\"b":1})") == R"({} | unknown field "a\"b")");
    std::string many = "{";
    for (int i = 0; i < 300; ++i) many += (i == 0 ? "\"x" : ",\"x") + std::to_string(i) + "\":1";
    std::vector<std::string> complaints;
    CHECK(decode_json(many + "}", type("core/v1.Pod"), complaints));
    CHECK(complaints.size() == 100);
}

TEST_CASE("null is absence, and the zero value inside of lists and maps") {
    CHECK(decode("core/v1.Pod", R"({"metadata":null,"spec":{"nodeName":null,"containers":[null]}})") ==
          R"({"spec":{"containers":[{}]}})");
    CHECK(decode("core/v1.ConfigMap", R"({"data":{"a":null}})") == R"({"data":{"a":""}})");
    CHECK(decode("core/v1.Pod", R"({"spec":{"overhead":{"cpu":null}}})") ==
          R"({"spec":{"overhead":{"cpu":"0"}}})");
    CHECK(decode("core/v1.ConfigMap", "null") == "{}");
}

TEST_CASE("quantities, times and base64 take their canonical form") {
    CHECK(decode("core/v1.Pod", R"({"spec":{"overhead":{"cpu":"1500m","memory":"2048Mi","x":3}}})") ==
          R"({"spec":{"overhead":{"cpu":"1500m","memory":"2Gi","x":"3"}}})");
    CHECK(decode("core/v1.Pod", R"({"spec":{"overhead":{"cpu":0.25}}})") ==
          R"({"spec":{"overhead":{"cpu":"250m"}}})");
    CHECK(decode("core/v1.Pod", R"({"metadata":{"creationTimestamp":"2021-05-06T09:08:07.5+02:00"}})") ==
          R"({"metadata":{"creationTimestamp":"2021-05-06T07:08:07Z"}})");
    CHECK(decode("coordination/v1.Lease", R"({"spec":{"renewTime":"2021-05-06T09:08:07.120000+02:00"}})") ==
          R"({"spec":{"renewTime":"2021-05-06T07:08:07.120000Z"}})");
    CHECK(decode("core/v1.Secret", R"({"data":{"a":"aGk=","b":"aG\nk="}})") ==
          R"({"data":{"a":"aGk=","b":"aGk="}})");
    CHECK(decode("core/v1.Secret", R"({"data":{"a":[],"b":[104,105]}})") == R"({"data":{"a":"","b":"aGk="}})");
    CHECK(decode("core/v1.Secret", R"({"data":{"a":["x"]}})") ==
          "error: json: cannot unmarshal string into Go struct field Secret.data of type uint8");
}

TEST_CASE("times are refused with the part that does not fit") {
    const auto created = [](const std::string& text) {
        return decode("core/v1.Pod", R"({"metadata":{"creationTimestamp":")" + text + R"("}})");
    };
    const std::string layout = R"( as "2006-01-02T15:04:05Z07:00": cannot parse )";
    CHECK(created("soon") == R"(error: parsing time "soon")" + layout + R"("soon" as "2006")");
    CHECK(created("2021-05-06") == R"(error: parsing time "2021-05-06")" + layout + R"("" as "T")");
    CHECK(created("2021-05-06T01:02:03") ==
          R"(error: parsing time "2021-05-06T01:02:03")" + layout + R"("" as "Z07:00")");
    CHECK(created("2021-13-06T01:02:03Z") ==
          R"(error: parsing time "2021-13-06T01:02:03Z": month out of range)");
    CHECK(created("2021-02-29T01:02:03Z") ==
          R"(error: parsing time "2021-02-29T01:02:03Z": day out of range)");
    CHECK(created("2021-02-28T01:02:03Zx") ==
          R"(error: parsing time "2021-02-28T01:02:03Zx": extra text: "x")");
    CHECK(
        decode("coordination/v1.Lease", R"({"spec":{"renewTime":"2021-05-06T09:08:07Z"}})") ==
        R"(error: parsing time "2021-05-06T09:08:07Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000")");
    CHECK(decode("core/v1.Pod", R"({"metadata":{"creationTimestamp":5}})") ==
          "error: json: cannot unmarshal number into Go struct field ObjectMeta.metadata.creationTimestamp "
          "of type string");
}

TEST_CASE("base64 errors name the byte that Go's decoder names") {
    const auto secret = [](const std::string& text) {
        return decode("core/v1.Secret", R"({"data":{"k":")" + text + R"("}})");
    };
    CHECK(secret("ab c") == "error: illegal base64 data at input byte 2");
    CHECK(secret("YWJj!") == "error: illegal base64 data at input byte 4");
    CHECK(secret("YWJjZ") == "error: illegal base64 data at input byte 4");
    CHECK(secret("YWI") == "error: illegal base64 data at input byte 0");
    CHECK(secret("YQ=") == "error: illegal base64 data at input byte 3");
    CHECK(secret("YQ==YQ==") == "error: illegal base64 data at input byte 4");
}

TEST_CASE("syntax errors have encoding/json's words") {
    CHECK(syntax("") == "unexpected end of JSON input");
    CHECK(syntax(R"({"a":)") == "unexpected end of JSON input");
    CHECK(syntax(R"({"a":"b)") == "unexpected end of JSON input");
    CHECK(syntax("nul") == "invalid character ' ' in literal null (expecting 'l')");
    CHECK(syntax("-") == "invalid character ' ' in numeric literal");
    CHECK(syntax("[1.") == "invalid character ' ' after decimal point in numeric literal");
    CHECK(syntax("\"\\u1") == "invalid character ' ' in \\u hexadecimal character escape");
    CHECK(syntax("nope") == "invalid character 'o' in literal null (expecting 'u')");
    CHECK(syntax("{a}") == "invalid character 'a' looking for beginning of object key string");
    CHECK(syntax(R"({"a":1,})") == "invalid character '}' looking for beginning of object key string");
    CHECK(syntax(R"({"a" 1})") == "invalid character '1' after object key");
    CHECK(syntax(R"({"a":1 "b":2})") == "invalid character '\"' after object key:value pair");
    CHECK(syntax("[1 2]") == "invalid character '2' after array element");
    CHECK(syntax("[,]") == "invalid character ',' looking for beginning of value");
    CHECK(syntax("{} x") == "invalid character 'x' after top-level value");
    CHECK(syntax("01") == "invalid character '1' after top-level value");
    CHECK(syntax("1.x") == "invalid character 'x' after decimal point in numeric literal");
    CHECK(syntax("1e}") == "invalid character '}' in exponent of numeric literal");
    CHECK(syntax("-a") == "invalid character 'a' in numeric literal");
    CHECK(syntax("'a'") == "invalid character '\\'' looking for beginning of value");
    CHECK(syntax("\"a\nb\"") == "invalid character '\\n' in string literal");
    CHECK(syntax(R"("\q")") == "invalid character 'q' in string escape code");
    CHECK(syntax(R"("\u12g4")") == "invalid character 'g' in \\u hexadecimal character escape");
    CHECK(syntax(std::string(600, '[')) == "exceeded max depth");
}

TEST_CASE("strings are unescaped; what is no Unicode becomes U+FFFD") {
    CHECK(parse_json(R"("\u00e9\ud83d\ude00\/\t")")->get<std::string>() == "\xC3\xA9\xF0\x9F\x98\x80/\t");
    CHECK(parse_json(R"("\ud83dx")")->get<std::string>() == "\xEF\xBF\xBDx");
    CHECK(parse_json("\"a\xFF\xC3\xA9\"")->get<std::string>() == "a\xEF\xBF\xBD\xC3\xA9");
}

TEST_CASE("numbers keep their integers") {
    CHECK(syntax("[9223372036854775807,-9223372036854775808,9223372036854775808,1.50,1e21,0.0000001]") ==
          "[9223372036854775807,-9223372036854775808,9223372036854775808,1.5,1e+21,1e-7]");
    CHECK(syntax("[-0e2,-0.0,-0]") == "[0,0,0]");  // as it is read again
    CHECK(parse_json("1e400").error().message ==
          "json: cannot unmarshal number 1e400 into Go value of type float64");
}

TEST_CASE("a parsed object takes the form of its type in place") {
    Json object = *parse_json(R"({"metadata":{"name":"a","labels":null},"spec":{"replicas":3,"other":1}})");
    std::vector<std::string> complaints;
    REQUIRE(conform(object, type("apps/v1.Deployment"), "Deployment", complaints));
    CHECK(encode_raw(object) == R"({"metadata":{"name":"a"},"spec":{"replicas":3}})");
    CHECK(complaints == std::vector<std::string>{R"(unknown field "spec.other")"});
}

TEST_CASE("kind and apiVersion are found in any spelling of case before the type is known") {
    CHECK(read_type_meta(R"({"Kind":"Pod","apiversion":"v1","spec":{"kind":"no"}})")->kind == "Pod");
    CHECK(read_type_meta("null")->kind.empty());
    CHECK(read_type_meta(R"({"kind":{}})").error().message ==
          "json: cannot unmarshal object into Go struct field .kind of type string");
    CHECK(
        read_type_meta("5").error().message ==
        R"(json: cannot unmarshal number into Go value of type struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" })");
    CHECK(summarize_body("") == "<empty>");
    CHECK(summarize_body("ab\n") == "61620a");
    CHECK(summarize_body(R"({"a":1})") == R"({"a":1})");
    CHECK(summarize_body("{" + std::string(40, 'x')) == "{" + std::string(29, 'x') + " ...");
}

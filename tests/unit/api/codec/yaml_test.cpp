// YAML as sigs.k8s.io/yaml reads and writes it.
#include "api/codec/yaml.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

using namespace kubemu::api;

namespace {

std::string yaml(std::string_view text) {
    std::vector<std::string> duplicates;
    const auto parsed = parse_yaml(text, &duplicates);
    std::string out = parsed ? encode_raw(*parsed) : parsed.error().message;
    for (const std::string& duplicate : duplicates) out += " | " + duplicate;
    return out;
}

}  // namespace

TEST_CASE("plain scalars follow YAML 1.1") {
    CHECK(yaml("[y, No, on, OFF, true, FALSE]") == "[true,false,true,false,true,false]");
    CHECK(yaml("[~, null, , Null]") == "[null,null,null,null]");
    CHECK(yaml("[0777, 0x1F, 0b11, 1_000, +5, -0x10, 08]") == "[511,31,3,1000,5,-16,8]");
    CHECK(yaml("[.5, 1., 1e3, 1.50]") == "[0.5,1,1000,1.5]");
    CHECK(yaml("[2001-02-03, 12:30:45, 1.2.3, 'y', \"5\", !!str 7]") ==
          R"(["2001-02-03","12:30:45","1.2.3","y","5","7"])");
    CHECK(yaml("1: a\ntrue: b") == R"({"1":"a","true":"b"})");
}

TEST_CASE("the first document only; aliases and merge keys") {
    CHECK(yaml("a: 1\n---\nb: 2\n---\n: : [") == R"({"a":1})");
    CHECK(yaml("---\n# nothing\n") == "null");
    CHECK(yaml("base: &b {x: 1, z: 2}\nmade: {<<: *b, x: 3}\n") ==
          R"({"base":{"x":1,"z":2},"made":{"x":3,"z":2}})");
    CHECK(yaml("a: &x 1\nb: *x") == R"({"a":1,"b":1})");
}

TEST_CASE("repeated keys are noted by line") {
    CHECK(yaml("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n") ==
          "{\"a\":3,\"b\":{\"c\":2}} | yaml: unmarshal errors:\n  line 4: key \"c\" already set in map\n"
          "  line 5: key \"a\" already set in map");
}

TEST_CASE("errors have go-yaml's words and lines") {
    CHECK(yaml("kind: A\n b: c\n") == "yaml: line 2: mapping values are not allowed in this context");
    CHECK(yaml("\ta: 1\n") == "yaml: found character that cannot start any token");
    CHECK(yaml("a:\n\t- b\n") == "yaml: line 2: found character that cannot start any token");
    CHECK(yaml("a: \"x\n") == "yaml: line 2: found unexpected end of stream");
    CHECK(yaml("a: \"x") == "yaml: found unexpected end of stream");
    // The scanner counts lines from 1, the parser from 0.
    CHECK(yaml("- a\nb: c\n") == "yaml: line 1: did not find expected '-' indicator");
    CHECK(yaml("a: 1\nb: 2\n- c\n") == "yaml: line 2: did not find expected key");
    CHECK(yaml("a: b\nc: *x\n") == "yaml: unknown anchor 'x' referenced");
    CHECK(yaml("a: *none\n") == "yaml: unknown anchor 'none' referenced");
    CHECK(yaml("a: &me [*me]\n") == "yaml: anchor 'me' value contains itself");
    CHECK(yaml("? [a]\n: b\n") == R"(yaml: invalid map key: ["a"])");
}

TEST_CASE("a text that ends within a flow lacks a node or a delimiter") {
    const auto why = [](const char* text) { return parse_yaml(text).error().message; };
    for (const char* text : {"{", "[", "{\"a\":", "a: [1,", "{a: b,\n"}) CHECK(why(text) == "yaml: line 1: did not find expected node content");
    CHECK(why("{a") == "yaml: line 1: did not find expected ',' or '}'");
    CHECK(why("a: b\nc: {d: e\n") == "yaml: line 2: did not find expected ',' or '}'");
    CHECK(why("a: [1") == "yaml: line 1: did not find expected ',' or ']'");
}

TEST_CASE("a word without a colon is no key") {
    const auto why = [](const char* text) {
        const auto parsed = parse_yaml(text);
        return parsed ? encode_raw(*parsed) : parsed.error().message;
    };
    CHECK(why("a: b\nc\n") == "yaml: line 3: could not find expected ':'");
    CHECK(why("a: b\nc") == "yaml: line 3: could not find expected ':'");
    CHECK(why("a: |\n b\nc # d: e\n\n# f\ng: h\n") == "yaml: line 6: could not find expected ':'");
    CHECK(why("a:\n  'b: c'\n  \"d\"\n") != R"({"a":{"b: c":null,"d":null}})");
    CHECK(why("a: 'b' c\n") == "yaml: did not find expected key");
    CHECK(why("{a, b: , ? c}") == R"({"a":null,"b":null,"c":null})");
    CHECK(why("? a\nb:\n'c: d':\ne: ~\n") == R"({"a":null,"b":null,"c: d":null,"e":null})");
}

TEST_CASE("what JSON cannot say, and what cannot be merged, is refused") {
    const auto why = [](const char* text) { return parse_yaml(text).error().message; };
    CHECK(why("a: .inf") == "json: unsupported value: +Inf");
    CHECK(why("a: [-.Inf]") == "json: unsupported value: -Inf");
    CHECK(why("a: .NaN") == "json: unsupported value: NaN");
    CHECK(why("<<: x") == "yaml: map merge requires map or sequence of maps as the value");
    CHECK(parse_yaml("a: '.inf'")->at("a") == ".inf");
    CHECK(encode_yaml(Json{{"a", ".inf"}}) == "a: '.inf'\n");
}

TEST_CASE("nesting and aliases cannot make a document explode") {
    std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 12; ++i) {
        const std::string last = "*a" + std::to_string(i - 1);
        bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
        for (int j = 0; j < 8; ++j) bomb += ", " + last;
        bomb += "]\n";
    }
    CHECK(yaml(bomb) == "yaml: document contains excessive aliasing");
    CHECK(parse_yaml(std::string(100'000, '[')).has_value() == false);
    CHECK(parse_yaml(std::string(100'000, '{')).has_value() == false);
}

TEST_CASE("written YAML reads back as the same document") {
    const char* documents[] = {
        R"({"kind":"ConfigMap","data":{"a":"y","b":"0777","c":"two\nlines\n","d":" lead","e":"it's","f":"","g":"a: b","h":"#x","i":"1e3"}})",
        R"({"list":[1,"1",true,"true",null,"null",[],{},[[1],{"a":[]}]],"n":-1.5,"u":"\u00e9\u0007\ttab\n"})",
        R"({"m":"no newline\nat end","n":"two at end\n\n","o":"\n","p":"  indented\ntext","q":"- x","r":"trail ","s":"a\r\nb"})"};
    for (const char* text : documents) {
        const Json document = *parse_json(text);
        const std::string written = encode_yaml(document);
        const auto back = parse_yaml(written);
        CAPTURE(written);
        REQUIRE(back);
        CHECK(encode_raw(*back) == encode_raw(document));
    }
    CHECK(encode_yaml(*parse_json(R"({"b":[{"x":1,"y":2}],"a":{"k":"v"}})")) ==
          "a:\n  k: v\nb:\n- x: 1\n  \"y\": 2\n");
}

TEST_CASE("bytes that are no text are refused, and every kind of line end is one") {
    CHECK(yaml("a: \xff") == "yaml: invalid leading UTF-8 octet");
    CHECK(yaml("a: \xc3(") == "yaml: invalid trailing UTF-8 octet");
    CHECK(yaml("a: \xe2\x82") == "yaml: incomplete UTF-8 octet sequence");
    CHECK(yaml("a: \xc0\x80") == "yaml: invalid length of a UTF-8 sequence");
    CHECK(yaml("a: \xed\xa0\x80") == "yaml: invalid Unicode character");
    CHECK(yaml("a: \x01") == "yaml: control characters are not allowed");
    CHECK(yaml(std::string_view("a: \0", 4)) == "yaml: control characters are not allowed");
    CHECK(yaml("\xef\xbb\xbf"
               "a: 1\rb: 2\r\nc: 3\xc2\x85"
               "d: \xf0\x9f\x98\x80") == "{\"a\":1,\"b\":2,\"c\":3,\"d\":\"\xf0\x9f\x98\x80\"}");
}

TEST_CASE("what a reader would refuse is escaped when it is written") {
    CHECK(encode_yaml({{"a", "x\x7f"}, {"b", "n\xc2\x85"}, {"c", "\xe2\x80\xa8"}, {"d", "\xef\xbb\xbf"}}) ==
          "a: \"x\\u007F\"\nb: \"n\\u0085\"\nc: \"\\u2028\"\nd: \"\\uFEFF\"\n");
    CHECK(yaml("a: \"\\N\\_\\L\"") == "{\"a\":\"\xc2\x85\xc2\xa0\\u2028\"}");
}

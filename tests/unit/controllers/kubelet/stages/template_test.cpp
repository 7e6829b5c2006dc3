// Templates as KWOK's Stages and their users write them.
#include "controllers/kubelet/stages/template.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace kubemu;
using controllers::stages::Template;
using controllers::stages::TemplateFunctions;
using api::Json;

namespace {

const Json pod = Json::parse(R"({"metadata":{"name":"web","labels":{"a":"1","b":"2"}},"zero":0,"yes":true,
    "spec":{"containers":[{"name":"a","image":"x"},{"name":"b","image":"y"}],"empty":[]},"status":{"addresses":[{"type":"Hostname","address":"h"}]}})");

std::string render(const std::string& text) {
    TemplateFunctions functions;
    functions["Now"] = [](const std::vector<Json>&) -> Result<Json, std::string> { return Json("2026-01-01T00:00:00Z"); };
    functions["Fail"] = [](const std::vector<Json>&) -> Result<Json, std::string> { return std::string("no luck"); };
    const auto parsed = Template::parse(text, functions);
    if (!parsed) return "parse: " + parsed.error();
    const auto made = parsed->render(pod, functions);
    return made ? made->text : "run: " + made.error();
}

}  // namespace

TEST_CASE("values, pipes, variables, and the blanks around them") {
    CHECK(render("name: {{ .metadata.name }}!") == "name: web!");
    CHECK(render("{{ .metadata.nobody }} {{ .nobody.at.all }}") == "<no value> <no value>");
    CHECK(render("{{ .metadata.name | Quote }} {{ .zero }} {{ .yes }}") == "\"web\" 0 true");
    CHECK(render("{{ $now := Now }}{{ $now }} {{ $.metadata.name }}") == "2026-01-01T00:00:00Z web");
    CHECK(render("a  {{- .zero -}}  b") == "a0b");
    CHECK(render("{{/* nothing */}}x{{- /* trims */ -}} y") == "xy");
    CHECK(render("{{ `raw \"text\"` }} {{ \"a\\tb\" }} {{ 'a' }} {{ -3 }} {{ 1.5 }}") == "raw \"text\" a\tb 97 -3 1.5");
    CHECK(render("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}") == "2");
    CHECK(render("{{ .metadata.labels }} {{ .spec.containers }}") == "map[a:1 b:2] [map[image:x name:a] map[image:y name:b]]");
    CHECK(render("{{ (index .spec.containers 1).name }}") == "b");
}

TEST_CASE("if, range and with, nested and with else") {
    CHECK(render("{{ range .spec.containers }}{{ .name }}{{ end }}") == "ab");
    CHECK(render("{{ range $i, $c := .spec.containers }}{{ $i }}{{ $c.name }}{{ $.metadata.name }} {{ end }}") == "0aweb 1bweb ");
    CHECK(render("{{ range $k, $v := .metadata.labels }}{{ $k }}={{ $v }};{{ end }}") == "a=1;b=2;");
    CHECK(render("{{ range .spec.empty }}x{{ else }}none{{ end }}{{ range .nobody }}x{{ else }}none{{ end }}") == "nonenone");
    CHECK(render("{{ if .nobody }}1{{ else if eq .metadata.name \"web\" }}2{{ else }}3{{ end }}") == "2");
    CHECK(render("{{ with .metadata }}{{ .name }}{{ end }}{{ with .zero }}x{{ else }}y{{ end }}") == "weby");
    CHECK(render("{{ with $x := .metadata.name }}{{ $x }}{{ end }}") == "web");
    CHECK(render("{{ range .spec.containers }}{{ if eq .name \"a\" }}{{ continue }}{{ end }}{{ .name }}{{ break }}{{ end }}") == "b");
    CHECK(render("{{ if or (not .nobody) (not .yes) }}x{{ end }}{{ if and .yes .zero }}y{{ end }}") == "x");
    CHECK(render("{{ define \"c\" }}<{{ .name }}>{{ end }}{{ range .spec.containers }}{{ template \"c\" . }}{{ end }}") == "<a><b>");
    CHECK(render("{{ $has := false }}{{ range .status.addresses }}{{ if eq .type \"Hostname\" }}{{ $has = true }}{{ end }}{{ end }}{{ $has }}") == "true");
}

TEST_CASE("functions of Go, of sprig and of KWOK") {
    CHECK(render("{{ $a := or .metadata.annotations dict }}{{ or (index $a \"x\") \"d\" }}") == "d");
    CHECK(render("{{ printf \"%s-%d %5.2f %q %v\" \"a\" 3 1.5 \"q\" .yes }}") == "a-3  1.50 \"q\" true");
    CHECK(render("{{ len .spec.containers }} {{ lt 1 2 }} {{ ge \"b\" \"c\" }} {{ ne 1 2 }} {{ eq 3 1 2 3 }}") == "2 true false true true");
    CHECK(render("{{ default \"d\" .nobody }} {{ .metadata.name | default \"d\" }} {{ ternary 1 2 .yes }}") == "d web 1");
    CHECK(render("{{ list 1 2 | join \"-\" }} {{ upper \"a\" }} {{ \"abc\" | trimSuffix \"c\" | replace \"a\" \"x\" }} {{ add 1 2 3 }} {{ div 7 2 }}") == "1-2 A xb 6 3");
    CHECK(render("{{ toJson .metadata.labels }} {{ hasKey .metadata \"name\" }}") == "{\"a\":\"1\",\"b\":\"2\"} true");
    CHECK(render("list:\n{{ YAML .spec.containers 1 }}").find("\n  - image: x\n    name: a\n") != std::string::npos);
    CHECK(render("{{ Quote 3 }} {{ Quote .yes }}") == "\"3\" \"true\"");
}

TEST_CASE("mistakes are told with their line") {
    CHECK(render("a\n{{ nosuch }}") == "parse: template:2: function \"nosuch\" not defined");
    CHECK(render("{{ if .a }}") == "parse: template:1: {{if}} without {{end}}");
    CHECK(render("x {{ end }}") == "parse: template:1: unexpected {{end}}");
    CHECK(render("{{ .a ") == "parse: template:1: unclosed action");
    CHECK(render("{{ \"open }}").find("parse: template:1: unclosed action") == 0);
    CHECK(render("\n\n{{ Fail }}") == "run: template:3: no luck");
    CHECK(render("{{ index .spec.containers 7 }}") == "run: template:1: error calling index: index out of range: 7");
    CHECK(render("{{ $x }}") == "run: template:1: undefined variable \"$x\"");
    CHECK(render("{{ .metadata.name.x }}") == "run: template:1: can't evaluate field x in web");
    CHECK(render("{{ range .metadata.name }}{{ end }}") == "run: template:1: range can't iterate over web");
}

// YAML as sigs.k8s.io/yaml reads and writes it: YAML 1.1 booleans and numbers, JSON's data model.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/codec/json.h"
#include "api/values/object.h"

namespace kubemu::api {

// The first document of the text; any after it are ignored, as kube-apiserver does. Repeated keys keep the
// last value and are noted, all in one complaint, as kube-apiserver words it in strict decoding errors and
// warnings: "yaml: unmarshal errors:", and after a line break `  line 3: key "foo" already set in map` for
// each. The result is plain JSON: an object from it is decoded with conform, and kind errors then read as for
// JSON (`name: y` is a bool). Errors are go-yaml's: "yaml: line 3: mapping values are not allowed in this
// context". Nesting and the growth by aliases are limited (limits.h).
Result<Json, DecodeError> parse_yaml(std::string_view text, std::vector<std::string>* duplicates = nullptr);

// Sorted keys, two-space indent, lists not indented; strings are quoted where YAML 1.1 would read something
// else.
std::string encode_yaml(const Json& document);

}  // namespace kubemu::api

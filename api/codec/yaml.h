// YAML as sigs.k8s.io/yaml reads and writes it: YAML 1.1 booleans and numbers, JSON's data model.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/codec/json.h"
#include "api/values/object.h"

namespace kubemu::api {

// The first document of the text. Repeated keys keep the last value and are noted as
// `line 3: key "foo" already set in map`.
Result<Json, DecodeError> parse_yaml(std::string_view text, std::vector<std::string>* duplicates = nullptr);

std::string encode_yaml(const Json& document);

}  // namespace kubemu::api

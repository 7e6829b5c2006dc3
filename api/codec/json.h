// JSON text to documents and back, with the schema at hand.
//
// Decoding is what encoding/json does with Go's types: unknown and repeated members are noted in document order and
// dropped, values of a wrong type are errors with Go's words, null means absent. Encoding writes members in the order
// of the schema with Go's rules about empty values, maps sorted, kind and apiVersion first.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/schema/type.h"
#include "api/values/object.h"
#include "storage/base/result.h"

namespace kubemu::api {


// Why a text was refused.
struct DecodeError {
    // The sentence of the JSON library: "json: cannot unmarshal string into Go struct field ...".
    std::string message;
    bool syntax = false;  // the text is not JSON at all, rather than of a wrong type
};

// Parses any JSON. Repeated members keep the last value and are noted in `complaints` when it is given.
Result<Json, DecodeError> parse_json(std::string_view text, std::vector<std::string>* duplicates = nullptr);

// Brings a parsed object into the form of its type in place: drops unknown members (noting them), drops nulls,
// canonicalises quantities and times. `go_type` is the Go type's name for messages ("Deployment").
Result<bool, DecodeError> conform(Json& object, const TypeInfo& type, std::string_view go_type, std::vector<std::string>& complaints);

struct Encoded {
    std::string text;
    // Where the digits of metadata.resourceVersion belong; npos when `with_revision` was false.
    std::size_t revision_at = std::string::npos;
    // The text from here on, after '{', is what a list item shows.
    std::size_t body_at = 0;
};

// The object with kind and apiVersion first. metadata.resourceVersion is written as an empty string whose place
// `revision_at` gives.
Encoded encode_object(const Json& object, const TypeInfo& type, std::string_view api_version, std::string_view kind);

// Any value of a type, as it stands in an object; what the object holds is written as it is.
std::string encode_value(const Json& object, const TypeInfo& type);
// A document without a type: members sorted.
std::string encode_raw(const Json& document);
void append_raw(std::string& out, const Json& document);

// Offset behind the `"kind":...,"apiVersion":...,` of a record's text (see Encoded::body_at).
std::size_t body_offset(std::string_view record_text);

}  // namespace kubemu::api

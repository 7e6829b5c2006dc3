// JSON text to documents and back, with the schema at hand.
//
// Decoding is what kube-apiserver does with Go's types (sigs.k8s.io/json): unknown and repeated members are
// noted in document order and dropped, values of a wrong type are errors with Go's words, null means absent,
// names are case-sensitive. Encoding writes members in the order of the schema with encoding/json's rules
// about empty values, maps sorted, kind and apiVersion first. Numbers, quantities and times come out in the
// form in which Go writes them.
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
    // The sentence of the JSON library: "json: cannot unmarshal string into Go struct field
    // DeploymentSpec.spec.replicas of type int32". The caller puts `Deployment in version "v1" cannot be
    // handled as a Deployment: ` before it.
    std::string message;
    bool syntax = false;  // the text is not JSON at all, rather than of a wrong type
};

// Decodes a request body. `complaints` receives `unknown field "spec.foo"` and `duplicate field
// "spec.replicas"` in document order, each once, at most 100. kind and apiVersion are kept as they were sent.
// `null` is an empty object.
Result<Json, DecodeError> decode_json(std::string_view text, const TypeInfo& type,
                                      std::vector<std::string>& complaints);

// Parses any JSON. Repeated members keep the last value and are noted as `duplicate field "a.b"` when asked
// for.
Result<Json, DecodeError> parse_json(std::string_view text, std::vector<std::string>* duplicates = nullptr);

// The same for the text of a record, which this program wrote itself: it is not checked before it is read.
Json parse_stored_json(std::string_view text);

// Brings a parsed object into the form of its type in place, as if its text had been decoded. `go_type` is
// the Go type's name for messages ("Deployment").
Result<bool, DecodeError> conform(Json& object, const TypeInfo& type, std::string_view go_type,
                                  std::vector<std::string>& complaints);

// kind and apiVersion of a body, before anything else is known of it (k8s.io/apimachinery
// meta.SimpleMetaFactory, which takes names in any case). The caller puts "couldn't get version/kind; json
// parse error: " before the message.
struct TypeMeta {
    std::string api_version;
    std::string kind;
};
Result<TypeMeta, DecodeError> read_type_meta(std::string_view text);

// A body as messages about unrecognized objects show it: its first 30 bytes, in hexadecimal unless it begins
// with '{'.
std::string summarize_body(std::string_view body);

struct Encoded {
    std::string text;
    // Where the digits of metadata.resourceVersion belong; npos for a type without ObjectMeta.
    std::size_t revision_at = std::string::npos;
    // The text from here on, after '{', is what a list item shows.
    std::size_t body_at = 0;
};

// The object with kind and apiVersion first. metadata.resourceVersion is written as an empty string whose
// place `revision_at` gives.
Encoded encode_object(const Json& object, const TypeInfo& type, std::string_view api_version,
                      std::string_view kind);

// Any value of a type as it stands in an object; kind and apiVersion are written when the value has them.
std::string encode_value(const Json& object, const TypeInfo& type);
// A document without a type: members sorted.
std::string encode_raw(const Json& document);
void append_raw(std::string& out, const Json& document);

// Offset behind the `"kind":...,"apiVersion":...,` of a record's text (see Encoded::body_at).
std::size_t body_offset(std::string_view record_text);

}  // namespace kubemu::api

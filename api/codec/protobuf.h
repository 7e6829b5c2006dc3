// Protocol Buffers (application/vnd.kubernetes.protobuf), read and written by the numbers in the type tables. kubectl's
// create commands and Go's typed clients send them, and ask for them, without being told to.
//
// Format: the bytes "k8s\0", then a runtime.Unknown message with apiVersion, kind and the object's own message
// (k8s.io/apimachinery/pkg/runtime/serializer/protobuf). What is written is, byte for byte, what the marshallers write
// that gogo made for Kubernetes: fields by number, maps by key; numbers, texts, booleans and structs that are no
// pointers also when they are zero.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/schema/type.h"
#include "api/values/object.h"
#include "storage/base/bytes.h"
#include "storage/base/result.h"

namespace kubemu::api {

struct ProtobufBody {
    std::string api_version, kind;
    std::string_view raw;  // the object's message; a part of the input
};

// The errors are those of Go's decoders: "unexpected EOF", "proto: wrong wireType = 0 for field Name".
Result<ProtobufBody, std::string> open_protobuf(std::string_view body);
// Unknown numbers are skipped, as every Protocol Buffers reader does.
Result<Json, std::string> decode_protobuf(std::string_view message, const TypeInfo& type);

// Encodes one object after another; what it needs for that is made once. Not thread-safe.
class ProtobufEncoder {
  public:
    ProtobufEncoder();
    ~ProtobufEncoder();
    // An object, in its envelope, from its JSON text as the encoders of codec/json.h write it. Members that the type does
    // not have on the wire are left out.
    std::string encode(std::string_view json, const TypeInfo& type);
    // Its message alone.
    std::string encode_message(std::string_view json, const TypeInfo& type);

  private:
    class Writer;
    std::unique_ptr<Writer> writer_;
};
// The same for a single one.
std::string encode_protobuf(std::string_view json, const TypeInfo& type);
// The object's own message in what these made: the item of a list.
std::string_view protobuf_message(std::string_view enveloped);

struct ProtobufList {
    std::string_view api_version, kind;
    std::string_view metadata{};   // a meta/v1.ListMeta as JSON text
    std::vector<Slice> items{};    // messages
    // Numbers of the list's two fields.
    int metadata_number = 1, items_number = 2;
};
// A list in its envelope; the items are shared, not copied.
Scatter encode_protobuf_list(const ProtobufList& list);

// What stands before an enveloped object in a watch: the length of the frame (four bytes, big end first) and the
// beginning of a meta/v1.WatchEvent, which comes without an envelope and ends with the object.
std::string protobuf_event_head(std::string_view type, std::size_t object_bytes);

}  // namespace kubemu::api

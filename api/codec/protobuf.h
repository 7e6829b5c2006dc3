// Protocol Buffers bodies (application/vnd.kubernetes.protobuf) read by the numbers in the type tables. kubectl's create
// commands and Go's typed clients send them without asking.
//
// Format: the bytes "k8s\0", then a runtime.Unknown message with apiVersion, kind and the object's own message
// (k8s.io/apimachinery/pkg/runtime/serializer/protobuf).
#pragma once

#include <string>
#include <string_view>

#include "api/schema/type.h"
#include "api/values/object.h"
#include "storage/base/result.h"

namespace kubemu::api {

struct ProtobufBody {
    std::string api_version, kind;
    std::string_view raw;  // the object's message; a part of the input
};

// The error is a sentence for a 400.
Result<ProtobufBody, std::string> open_protobuf(std::string_view body);
// Unknown numbers are skipped, as every Protocol Buffers reader does.
Result<Json, std::string> decode_protobuf(std::string_view message, const TypeInfo& type);

}  // namespace kubemu::api

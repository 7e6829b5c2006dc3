// Protocol Buffers bodies, as a Pod: any bytes are refused or read, and what was read is an object of that type.
#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/codec/protobuf.h"
#include "tests/fuzz/fuzz.h"

using namespace kubemu::api;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = kubemu::fuzz::text_of(data, size);
    static const TypeInfo& pod = *find_type("core/v1.Pod");
    std::string_view message = text;
    if (const auto body = open_protobuf(text)) message = body->raw;
    const auto object = decode_protobuf(message, pod);
    if (object) (void)encode_object(*object, pod, "v1", "Pod");
    return 0;
}

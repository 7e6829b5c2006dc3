// Protocol Buffers bodies, as a Pod and as a CustomResourceDefinition: any bytes are refused or read, what was read is
// an object of that type, and it is the same object after one more way there and back.
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/codec/protobuf.h"
#include "tests/fuzz/fuzz.h"

using namespace kubemu::api;

namespace {

void check(std::string_view message, const TypeInfo& type) {
    const auto object = decode_protobuf(message, type);
    if (!object) return;
    const std::string json = encode_object(*object, type, "v1", "Kind").text;
    const std::string enveloped = encode_protobuf(json, type);
    const auto again = decode_protobuf(protobuf_message(enveloped), type);
    if (!again || encode_object(*again, type, "v1", "Kind").text != json) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = kubemu::fuzz::text_of(data, size);
    static const TypeInfo& pod = *find_type("core/v1.Pod");
    static const TypeInfo& definition = *find_type("apiextensions/v1.CustomResourceDefinition");
    std::string_view message = text;
    if (const auto body = open_protobuf(text)) message = body->raw;
    check(message, pod);
    check(message, definition);
    // Any text at all, as what an encoder is given.
    (void)encode_protobuf(text, pod);
    return 0;
}

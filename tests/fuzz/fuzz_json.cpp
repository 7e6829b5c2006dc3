// JSON bodies: what is decoded as a Pod comes back the same after it was written.
#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "tests/fuzz/fuzz.h"

using namespace kubemu::api;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = kubemu::fuzz::text_of(data, size);
    static const TypeInfo& pod = *find_type("core/v1.Pod");
    if (const auto raw = parse_json(text)) {
        const std::string written = encode_raw(*raw);
        const auto again = parse_json(written);
        kubemu::fuzz::promise(again && encode_raw(*again) == written, "raw JSON is written as it was read", written);
    }
    (void)read_type_meta(text);
    std::vector<std::string> complaints;
    const auto object = decode_json(text, pod, complaints);
    if (!object) return 0;
    const Encoded first = encode_object(*object, pod, "v1", "Pod");
    complaints.clear();
    const auto again = decode_json(first.text, pod, complaints);
    kubemu::fuzz::promise(again.has_value(), "what was written can be read", first.text);
    kubemu::fuzz::promise(complaints.empty(), "what was written has no complaints", first.text);
    const Encoded second = encode_object(*again, pod, "v1", "Pod");
    kubemu::fuzz::promise(first.text == second.text, "an object is written as it was read", first.text + "\n" + second.text);
    return 0;
}

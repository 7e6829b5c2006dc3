// YAML bodies: a document that was read is written so that it reads the same.
#include <nlohmann/json.hpp>

#include "api/codec/yaml.h"
#include "tests/fuzz/fuzz.h"

using namespace kubemu::api;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::vector<std::string> duplicates;
    const auto document = parse_yaml(kubemu::fuzz::text_of(data, size), &duplicates);
    if (!document) return 0;
    const Json inside = {{"document", *document}};  // what is written is always an object
    const std::string written = encode_yaml(inside);
    const auto again = parse_yaml(written);
    kubemu::fuzz::promise(again.has_value(), "what was written can be read", written);
    kubemu::fuzz::promise(*again == inside, "a document is written as it was read", written);
    return 0;
}

// JSON patch: all operations or none.
#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/patch/patch.h"
#include "tests/fuzz/fuzz.h"

using namespace kubemu::api;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto [object_text, patch_text] = kubemu::fuzz::two_documents(kubemu::fuzz::text_of(data, size));
    auto object = parse_json(object_text);
    const auto patch = parse_json(patch_text);
    if (!object || !patch) return 0;
    const Json before = *object;
    if (!apply_json_patch(*object, *patch)) {
        kubemu::fuzz::promise(*object == before, "a refused patch changes nothing", patch_text);
    }
    return 0;
}

// Strategic merge of a Deployment: what is refused and what is empty changes nothing.
#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/patch/patch.h"
#include "api/schema/type.h"
#include "tests/fuzz/fuzz.h"

using namespace kubemu::api;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto [object_text, patch_text] = kubemu::fuzz::two_documents(kubemu::fuzz::text_of(data, size));
    static const TypeInfo& deployment = *find_type("apps/v1.Deployment");
    std::vector<std::string> complaints;
    auto object = decode_json(object_text, deployment, complaints);
    const auto patch = parse_json(patch_text);
    if (!object || !patch || !patch->is_object()) return 0;
    const Json before = *object;
    Json nothing = Json::object();
    if (!apply_strategic_merge_patch(*object, nothing, deployment) || *object != before) {
        kubemu::fuzz::promise(false, "an empty patch changes nothing", object_text);
    }
    Json used = *patch;
    if (!apply_strategic_merge_patch(*object, used, deployment)) return 0;
    (void)conform(*object, deployment, "Deployment", complaints);
    Json merged = before;
    apply_merge_patch(merged, *patch);
    return 0;
}

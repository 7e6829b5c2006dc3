// Server-side apply to a Deployment: applying the same configuration again changes nothing.
#include <nlohmann/json.hpp>

#include "api/apply/field_manager.h"
#include "api/apply/typed.h"
#include "api/codec/json.h"
#include "tests/fuzz/fuzz.h"

using namespace kubemu::api;

namespace {

FieldManager manager(const char* name) {
    return FieldManager({*find_type("apps/v1.Deployment"),
                         "apps/v1",
                         "Deployment",
                         {},
                         name,
                         "2026-01-02T03:04:05Z",
                         {},
                         reset_fields({}, {}, {}, false)});
}

void name_it(Json& object) {
    object["apiVersion"] = "apps/v1";
    object["kind"] = "Deployment";
    if (!object["metadata"].is_object()) object["metadata"] = Json::object();
    object["metadata"]["name"] = "d";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto [object_text, patch_text] = kubemu::fuzz::two_documents(kubemu::fuzz::text_of(data, size));
    std::vector<std::string> complaints;
    auto object = decode_json(object_text, *find_type("apps/v1.Deployment"), complaints);
    auto patch = parse_json(patch_text);
    if (!object || !patch || !object->is_object() || !patch->is_object()) return 0;
    name_it(*object);
    name_it(*patch);
    const Json nothing = {{"kind", "Deployment"}, {"apiVersion", "apps/v1"}};
    manager("creator").update(nothing, *object);
    (*object)["metadata"]["uid"] = "u";
    for (const bool force : {false, true}) {
        const auto applied = manager("applier").apply(*object, *patch, force);
        if (!applied) continue;
        const auto again = manager("applier").apply(*applied, *patch, force);
        kubemu::fuzz::promise(again.has_value(), "a configuration can be applied twice", patch_text);
        kubemu::fuzz::promise(*again == *applied, "applying again changes nothing", applied->dump() + "\n" + again->dump());
    }
    return 0;
}

// Schemas of CustomResourceDefinitions: any JSON can be read as one, checked, and applied to any object; pruning and
// defaulting leave alone what they made.
#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/schema/prune.h"
#include "api/schema/validate_schema.h"
#include "tests/fuzz/fuzz.h"

using namespace kubemu::api;

// {"schema": SCHEMA, "object": OBJECT}
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(kubemu::fuzz::text_of(data, size));
    const auto input = parse_json(text);
    if (!input || !input->is_object() || !object_at(*input, {"schema"}).is_object()) return 0;
    const structural::Schema schema = structural::parse_schema(object_at(*input, {"schema"}));
    FieldErrors errors;
    structural::validate_structural(schema, FieldPath("schema"), errors);
    if (!errors.empty()) return 0;
    Json object = object_at(*input, {"object"});
    (void)structural::prune(object, schema, true);
    const Json pruned = object;
    kubemu::fuzz::promise(structural::prune(object, schema, true).empty(), "what was pruned needs no pruning", text);
    kubemu::fuzz::promise(object == pruned, "pruning changes nothing twice", text);
    structural::prune_nulls(object, schema);
    structural::set_defaults(object, schema);
    const Json complete = object;
    structural::set_defaults(object, schema);
    kubemu::fuzz::promise(object == complete, "defaults are set once", text);
    structural::validate_value(object, schema, FieldPath(), errors);
    structural::validate_list_types(object, schema, FieldPath(), errors);
    return 0;
}

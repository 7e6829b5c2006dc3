// JSONPath: any text is refused or finds values that are part of the document.
#include <nlohmann/json.hpp>

#include "api/values/json_path.h"
#include "tests/fuzz/fuzz.h"

using namespace kubemu::api;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Json document = Json::parse(
        R"({"metadata":{"name":"x","labels":{"a.b/c":"d"}},"spec":{"list":[{"n":1,"s":"x"},{"n":2,"s":"y"},{"n":2.5}],"empty":[],"none":null}})");
    const std::string text(kubemu::fuzz::text_of(data, size));
    const auto path = JsonPath::parse(text);
    if (!path) return 0;
    for (const Json* found : path->find(document)) kubemu::fuzz::promise(found != nullptr, "what is found is there", text);
    return 0;
}

// How patched objects stand in messages.
#include "api/patch/shown.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace kubemu::api;

namespace {

const char* const pod = R"({"apiVersion":"v1","kind":"Pod","metadata":{"creationTimestamp":"2026-01-01T00:00:00Z","name":"p","labels":{"b":"1","a":"2"},"uid":"u"},
    "spec":{"containers":[{"name":"c","image":"i","args":["x"]},{"name":"d","image":"j"}],"restartPolicy":"Never"}})";
const TypeInfo& type() { return *find_type("core/v1.Pod"); }

}  // namespace

TEST_CASE("what a patch went through is sorted, the rest in the order of its type") {
    Json merged = Json::parse(pod);
    const Json patch = Json::parse(R"({"metadata":{"labels":5,"finalizers":["f"]}})");
    merged["metadata"]["labels"] = 5;
    merged["metadata"]["finalizers"] = {"f"};
    CHECK(shown_merged(merged, patch, type()) ==
          R"({"apiVersion":"v1","kind":"Pod","metadata":{"creationTimestamp":"2026-01-01T00:00:00Z","finalizers":["f"],"labels":5,"name":"p","uid":"u"},)"
          R"("spec":{"containers":[{"name":"c","image":"i","args":["x"],"resources":{}},{"name":"d","image":"j","resources":{}}],)"
          R"("restartPolicy":"Never"}})");
    // Nothing of it was gone through.
    CHECK(shown_merged(Json::parse(pod), Json::parse(R"({"spec":null})"), type()).find(
              R"("metadata":{"name":"p","uid":"u","creationTimestamp":"2026-01-01T00:00:00Z","labels":{"a":"2","b":"1"}})") != std::string::npos);
}

TEST_CASE("a JSON patch goes through what leads to its places") {
    const Json object = Json::parse(pod);
    const auto shown = [&](const char* operations) { return shown_patched(object, Json::parse(operations), type()); };
    const std::string metadata = R"("metadata":{"name":"p","uid":"u","creationTimestamp":"2026-01-01T00:00:00Z","labels":{"a":"2","b":"1"}})";
    const std::string in_order = R"({"name":"d","image":"j","resources":{}})";
    CHECK(shown(R"([{"op":"add","path":"/spec/containers/0/image","value":"i"}])") ==
          R"({"apiVersion":"v1","kind":"Pod",)" + metadata +
              R"(,"spec":{"containers":[{"args":["x"],"image":"i","name":"c"},)" + in_order + R"(],"restartPolicy":"Never"}})");
    // A value that came with the patch is shown by itself; to look at a place is to go there too.
    CHECK(shown(R"([{"op":"replace","path":"/spec/containers","value":[]}])").find(
              R"("containers":[{"args":["x"],"image":"i","name":"c"},{"image":"j","name":"d"}])") != std::string::npos);
    CHECK(shown(R"([{"op":"test","path":"/metadata/labels/a~1b","value":"1"}])").find(
              R"("metadata":{"creationTimestamp":"2026-01-01T00:00:00Z","labels":{"a":"2","b":"1"},"name":"p","uid":"u"})") != std::string::npos);
    CHECK(shown(R"([5,{"op":"move","from":"/metadata/uid","path":5}])").find(R"("metadata":{"creationTimestamp":)") != std::string::npos);
}

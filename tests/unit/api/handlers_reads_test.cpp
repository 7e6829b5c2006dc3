// Lists, tables and watches as kube-apiserver answers them.
#include "handlers_fixture.h"

using namespace kubemu;
using namespace kubemu::api::test;
using api::Json;

TEST_CASE("lists are paged on one snapshot, and counted where nothing selects") {
    Server server;
    for (const char* name : {"a", "b", "c"}) server.config_map(name, R"({"labels":{"l":"1"}})");
    const Json first = server.ask("GET", config_maps + "?limit=2").body;
    CHECK(first["items"].size() == 2);
    CHECK(first["metadata"]["remainingItemCount"] == 1);
    server.config_map("d");
    const std::string token = first["metadata"]["continue"];
    const Json rest = server.ask("GET", config_maps + "?limit=2&continue=" + token).body;
    REQUIRE(rest["items"].size() == 1);
    CHECK(rest["items"][0]["metadata"]["name"] == "c");
    CHECK(rest["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]);
    const Json selected = server.ask("GET", config_maps + "?limit=2&labelSelector=l").body;
    CHECK(selected["metadata"].contains("continue"));
    CHECK_FALSE(selected["metadata"].contains("remainingItemCount"));
    // The cache knows no pages.
    CHECK(server.ask("GET", config_maps + "?limit=1&resourceVersion=0").body["items"].size() == 4);
    CHECK(server.ask("GET", config_maps + "?limit=+1").code == 400);
    CHECK(server.ask("GET", config_maps + "?limit=%2B1").code == 200);
    CHECK(server.ask("GET", config_maps + "?limit=").body["message"] == "strconv.ParseInt: parsing \"\": invalid syntax");
    CHECK(server.ask("GET", config_maps + "?limit=99999999999999999999").body["message"] ==
          "strconv.ParseInt: parsing \"99999999999999999999\": value out of range");
    CHECK(server.ask("GET", config_maps + "?resourceVersion=1&continue=x").body["message"].get<std::string>().find(
              "continue key is not valid") != std::string::npos);
}

TEST_CASE("tables and metadata, in both versions") {
    Server server;
    server.config_map("x");
    const auto as = [](const std::string& form) { return "application/json;as=" + form + ";g=meta.k8s.io"; };
    const Json table = server.ask("GET", config_maps + "/x", "", "", as("Table;v=v1beta1")).body;
    CHECK(table["apiVersion"] == "meta.k8s.io/v1beta1");
    CHECK(table["rows"][0]["object"]["apiVersion"] == "meta.k8s.io/v1beta1");
    CHECK(table["rows"][0]["object"]["metadata"]["name"] == "x");
    const Json bare = server.ask("GET", config_maps + "?includeObject=None", "", "", as("Table;v=v1")).body;
    CHECK(bare["rows"][0].contains("object"));
    CHECK(bare["rows"][0]["object"].is_null());
    const Json whole = server.ask("GET", config_maps + "?includeObject=Object", "", "", as("Table;v=v1")).body;
    CHECK(whole["rows"][0]["object"]["data"]["a"] == "1");
    CHECK(server.ask("GET", config_maps + "?includeObject=Odd", "", "", as("Table;v=v1")).code == 400);
    const Json list = server.ask("GET", config_maps, "", "", as("PartialObjectMetadataList;v=v1")).body;
    CHECK(list["kind"] == "PartialObjectMetadataList");
    CHECK(list["items"][0]["kind"] == "PartialObjectMetadata");
    CHECK_FALSE(list["items"][0].contains("data"));
    const Answer wrong = server.ask("GET", config_maps, "", "", as("PartialObjectMetadata;v=v1"));
    CHECK(wrong.code == 406);
    CHECK(wrong.body["message"] == "you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)");
    // A removal answers with a Status in any case.
    CHECK(server.ask("DELETE", config_maps + "/x", "", "", as("Table;v=v1")).body["kind"] == "Status");
}

TEST_CASE("watches: state, changes, last states, and their end") {
    Server server;
    server.config_map("x", R"({"labels":{"l":"1"},"finalizers":["example.com/f"]})");
    Answer watch = server.ask("GET", config_maps + "?watch=1&labelSelector=l&allowWatchBookmarks=true");
    REQUIRE(watch.stream);
    CHECK(server.events(*watch.stream) == std::vector<std::string>{"ADDED x", "BOOKMARK "});
    server.ask("DELETE", config_maps + "/x");
    CHECK(server.events(*watch.stream) == std::vector<std::string>{"MODIFIED x"});
    CHECK(server.ask("PATCH", config_maps + "/x", R"({"metadata":{"finalizers":null}})", merge).code == 200);
    Json last;
    CHECK(server.events(*watch.stream, &last) == std::vector<std::string>{"DELETED x"});
    CHECK(last["metadata"]["finalizers"] == Json::array({"example.com/f"}));
    std::string words;
    for (const Slice& part : watch.stream->cut_off()) words += part.text;
    const Json error = Json::parse(words);
    CHECK(error["type"] == "ERROR");
    CHECK(error["object"]["code"] == 410);
    CHECK(error["object"]["reason"] == "Expired");
}

TEST_CASE("a watch that may take less than no time shows nothing") {
    Server server;
    server.config_map("x");
    Answer watch = server.ask("GET", config_maps + "?watch=1&allowWatchBookmarks=true&timeoutSeconds=-1");
    REQUIRE(watch.stream);
    CHECK(server.events(*watch.stream).empty());
    CHECK(watch.stream->next().state == api::Stream::Step::State::end);
}

TEST_CASE("watches of metadata, of the future, and with options that do not go together") {
    Server server;
    server.config_map("x");
    Answer partial = server.ask("GET", config_maps + "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan", "", "",
                                "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io");
    REQUIRE(partial.stream);
    Json last;
    CHECK(server.events(*partial.stream, &last) == std::vector<std::string>{"ADDED x"});
    CHECK(last["kind"] == "PartialObjectMetadata");
    CHECK_FALSE(last.contains("data"));
    const std::int64_t now = server.store().current_revision();
    Answer future = server.ask("GET", config_maps + "?watch=1&resourceVersion=" + std::to_string(now + 1));
    REQUIRE(future.stream);
    server.config_map("y");
    server.config_map("z");
    CHECK(server.events(*future.stream) == std::vector<std::string>{"ADDED z"});
    CHECK(server.ask("GET", config_maps + "?watch=1&sendInitialEvents=true").code == 422);
    CHECK(server.ask("GET", config_maps + "?watch=1&resourceVersionMatch=NotOlderThan&resourceVersion=1").code == 422);
    CHECK(server.ask("GET", config_maps + "?watch=1", "", "", "application/yaml").code == 406);
}

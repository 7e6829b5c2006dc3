// The HTTP side of the documents: who gets which form, what may be kept for how long, when they are made anew.
#include "api/documents/openapi_service.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace kubemu;
using namespace kubemu::api;

namespace {

struct Fixture {
    Kinds kinds;
    std::uint64_t generation = 1;
    OpenApiService service;
    Time now{std::chrono::sys_days{std::chrono::year{2026} / 2 / 28} + std::chrono::hours(9) + std::chrono::seconds(5)};

    Fixture() {
        for (const KindSpec& kind : builtin_kinds()) {
            if (kind.group == "apps" || kind.group == "batch") kinds.push_back(&kind);
        }
    }
    Response get(std::string_view path, std::string accept = "", std::string_view hash = "",
                 std::string if_none_match = "") {
        Request request;
        request.accept = std::move(accept);
        request.if_none_match = std::move(if_none_match);
        return service.answer(request, path, hash, OpenApiSource{kinds, "v1.28.7", generation}, now);
    }
    // The hash that the index gives for a document.
    std::string hash_of(const char* name) {
        const Json index = Json::parse(text(get("/openapi/v3")));
        const std::string url = index["paths"][name]["serverRelativeURL"];
        const std::string prefix = "/openapi/v3/" + std::string(name) + "?hash=";
        REQUIRE(url.substr(0, prefix.size()) == prefix);
        return url.substr(prefix.size());
    }
    static std::string text(const Response& response) {
        std::string out;
        for (const Slice& slice : response.body) out += slice.text;
        return out;
    }
    static std::string header(const Response& response, std::string_view name) {
        for (const auto& [key, value] : response.headers) {
            if (key == name) return value;
        }
        return {};
    }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "the index leads to every document by its hash, which may be kept for ever") {
    const std::string hash = hash_of("apis/apps/v1");
    CHECK(hash.size() == 128);
    const Response response = get("/openapi/v3/apis/apps/v1", "application/json", hash);
    CHECK(response.code == 200);
    CHECK(response.content_type == "application/json");
    CHECK(openapi_hash(text(response)) == hash);
    CHECK(header(response, "Etag") == "\"" + hash + "\"");
    CHECK(header(response, "Cache-Control") == "public, immutable");
    CHECK(header(response, "Expires") == "Sun, 28 Feb 2027 09:00:05 UTC");
    CHECK(header(response, "Last-Modified") == "Sat, 28 Feb 2026 09:00:05 GMT");
    CHECK(header(response, "Vary") == "Accept");
}

TEST_CASE_FIXTURE(Fixture, "without a hash nothing is promised; an old one leads to the new one") {
    CHECK(header(get("/openapi/v3/apis/apps/v1"), "Cache-Control").empty());
    const Response moved = get("/openapi/v3/apis/apps/v1", "", "OLD");
    CHECK(moved.code == 301);
    CHECK(header(moved, "Location") == "/openapi/v3/apis/apps/v1?hash=" + hash_of("apis/apps/v1"));
    CHECK(text(moved).empty());
}

TEST_CASE_FIXTURE(Fixture, "what a client has already is not sent again") {
    const std::string tag = header(get("/openapi/v2"), "Etag");
    const Response same = get("/openapi/v2", "", "", "W/\"other\", " + tag);
    CHECK(same.code == 304);
    CHECK(text(same).empty());
    CHECK(header(same, "Etag") == tag);
    CHECK(get("/openapi/v2", "", "", "\"other\"").code == 200);
}

TEST_CASE_FIXTURE(Fixture, "the form follows the Accept header") {
    const std::string v2 = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
                      v3 = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf";
    CHECK(get("/openapi/v2", "application/com.github.proto-openapi.spec.v2@v1.0+protobuf").content_type == v2);
    CHECK(get("/openapi/v2", v2).content_type == v2);
    CHECK(get("/openapi/v2", "application/json;q=0.4, " + v2 + ";q=0.9").content_type == v2);
    CHECK(get("/openapi/v2", "*/*").content_type == "application/json");
    CHECK(get("/openapi/v2", "application/yaml").code == 406);
    CHECK(get("/openapi/v3/apis/batch/v1", "application/com.github.proto-openapi.spec.v3@v1.0+protobuf").content_type ==
          v3);
    CHECK(get("/openapi/v3/apis/batch/v1", "text/html, application/json").content_type == "application/json");
    CHECK(get("/openapi/v3/apis/batch/v1", "text/html").code == 406);
}

TEST_CASE_FIXTURE(Fixture, "documents that there are not") {
    for (const char* path : {"/openapi/v3/apis/none/v1", "/openapi/v3/", "/openapi/v1", "/openapi"}) {
        CAPTURE(path);
        CHECK(get(path).code == 404);
    }
}

TEST_CASE_FIXTURE(Fixture, "documents are made anew when the kinds change, and only then") {
    const std::string before = hash_of("apis/batch/v1"), apps = hash_of("apis/apps/v1");
    kinds.erase(std::remove_if(kinds.begin(), kinds.end(),
                               [](const KindSpec* kind) { return kind->kind == "CronJob" && kind->version == "v1"; }),
                kinds.end());
    CHECK(hash_of("apis/batch/v1") == before);
    ++generation;
    CHECK(hash_of("apis/batch/v1") != before);
    CHECK(hash_of("apis/apps/v1") == apps);
    CHECK(text(get("/openapi/v3/apis/batch/v1")).find("/cronjobs") == std::string::npos);
}

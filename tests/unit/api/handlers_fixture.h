// Requests to the handlers, and what they answer, without HTTP.
#pragma once

#include <algorithm>
#include <doctest/doctest.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "api/handlers.h"
#include "tests/harness/open_access.h"
#include "tests/harness/test_cluster.h"

namespace kubemu::api::test {

inline const std::string config_maps = "/api/v1/namespaces/default/configmaps";
inline constexpr const char* merge = "application/merge-patch+json";

struct Answer {
    int code = 0;
    Json body;
    std::unique_ptr<api::Stream> stream;
    std::ptrdiff_t warnings = 0;
};

struct Server : tests::TestCluster {
    tests::OpenAccess access{*this};
    api::Handlers handlers{{registry(), access.get()}};

    Answer ask(const std::string& method, const std::string& target, const std::string& body = {}, const std::string& type = {},
               const std::string& accept = {}) {
        api::Request request;
        request.method = method;
        const std::size_t mark = target.find('?');
        request.path = target.substr(0, mark);
        if (mark != std::string::npos) request.query = target.substr(mark + 1);
        request.body = body;
        request.content_type = type;
        request.accept = accept;
        std::optional<api::Response> response;
        handlers.handle(std::move(request), [&](api::Response given) { response = std::move(given); });
        if (!response) store().flush();
        REQUIRE(response);
        std::string text;
        for (const Slice& part : response->body) text += part.text;
        const auto warnings = std::count_if(response->headers.begin(), response->headers.end(),
                                            [](const auto& header) { return header.first == "Warning"; });
        return {response->code, Json::parse(text, nullptr, false), std::move(response->stream), warnings};
    }
    void config_map(const std::string& name, const std::string& metadata = "{}") {
        Json object = {{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", Json::parse(metadata)}, {"data", {{"a", "1"}}}};
        object["metadata"]["name"] = name;
        REQUIRE(ask("POST", config_maps, object.dump()).code == 201);
    }
    // The events that a stream has now: "ADDED a", "BOOKMARK ", and the last object.
    std::vector<std::string> events(api::Stream& stream, Json* last = nullptr) {
        std::string text;
        for (;;) {
            const api::Stream::Step step = stream.next();
            for (const Slice& part : step.data) text += part.text;
            if (step.state != api::Stream::Step::State::more) break;
        }
        std::vector<std::string> names;
        while (!text.empty()) {
            const Json event = Json::parse(text.substr(0, text.find('\n')));
            names.push_back(event["type"].get<std::string>() + " " + event["object"]["metadata"].value("name", ""));
            if (last != nullptr) *last = event["object"];
            text.erase(0, text.find('\n') + 1);
        }
        return names;
    }
};

}  // namespace kubemu::api::test

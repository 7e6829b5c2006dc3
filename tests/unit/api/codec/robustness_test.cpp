// Damaged texts, under a fixed seed: the decoders answer with a value or an error, and what they accept they
// can write.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "api/codec/json.h"
#include "api/codec/yaml.h"
#include "api/schema/kind.h"

using namespace kubemu::api;

namespace {

const std::string pod =
    R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","labels":{"a":"b"},"creationTimestamp":"2021-05-06T07:08:09Z"},
"spec":{"containers":[{"name":"c","image":"i","ports":[{"containerPort":80}],"resources":{"limits":{"cpu":"100m","memory":"1.5Gi"}},
"livenessProbe":{"httpGet":{"port":"web"},"periodSeconds":5}}],"tolerations":[{"operator":"Exists","tolerationSeconds":300}]}})";

const std::string pod_yaml =
    "apiVersion: v1\nkind: Pod\nmetadata: &m {name: p, labels: {a: 'b'}}\nspec:\n  containers:\n  - name: c\n"
    "    command: [sh, -c, \"sleep 1\"]\n    text: |\n      two\n      lines\nother: *m\n";

std::string damage(std::string text, std::mt19937& random) {
    static const std::string bytes = "{}[]\",:0123456789-+.eEtfn\\u\n\t '&*#!|>%@`~\xFF\xC3\x80";
    const int changes = 1 + static_cast<int>(random() % 4);
    for (int i = 0; i < changes && !text.empty(); ++i) {
        const std::size_t at = random() % text.size();
        switch (random() % 5) {
            case 0:
                text[at] = bytes[random() % bytes.size()];
                break;
            case 1:
                text.insert(at, 1, bytes[random() % bytes.size()]);
                break;
            case 2:
                text.erase(at, 1 + random() % 8);
                break;
            case 3:
                text.insert(at, text.substr(random() % text.size(), random() % 16));
                break;
            default:
                text.resize(at);
                break;
        }
    }
    return text;
}

}  // namespace

TEST_CASE("damaged JSON") {
    std::mt19937 random(20211);
    int accepted = 0;
    for (int round = 0; round < 20'000; ++round) {
        const std::string text = damage(pod, random);
        std::vector<std::string> complaints;
        const auto parsed = parse_json(text);
        // Both parsers agree on what JSON is (nlohmann's is stricter about bytes that are no UTF-8).
        if (Json::accept(text)) CHECK(parsed.has_value() == true);
        auto decoded = decode_json(text, *find_type("core/v1.Pod"), complaints);
        if (!decoded) {
            CHECK(!decoded.error().message.empty());
            continue;
        }
        ++accepted;
        // Encoding and decoding again changes nothing.
        const std::string once = encode_value(*decoded, *find_type("core/v1.Pod"));
        complaints.clear();
        const auto again = decode_json(once, *find_type("core/v1.Pod"), complaints);
        REQUIRE(again);
        CHECK(complaints.empty());
        CHECK(encode_value(*again, *find_type("core/v1.Pod")) == once);
    }
    CHECK(accepted > 100);
}

TEST_CASE("damaged YAML") {
    std::mt19937 random(20212);
    int accepted = 0;
    for (int round = 0; round < 4'000; ++round) {
        const auto parsed = parse_yaml(damage(pod_yaml, random));
        if (!parsed) {
            CHECK(parsed.error().message.rfind("yaml: ", 0) == 0);
            continue;
        }
        ++accepted;
        const auto again = parse_yaml(encode_yaml(*parsed));
        if (again && encode_raw(*again) != encode_raw(*parsed))
            CHECK(encode_raw(*again) == encode_raw(*parsed));
    }
    CHECK(accepted > 100);
}

TEST_CASE("an empty object of every kind survives the way out and in") {
    for (const KindSpec& kind : builtin_kinds()) {
        const std::string text = encode_object(Json::object(), *kind.type, kind.version, kind.kind).text;
        std::vector<std::string> complaints;
        const auto decoded = decode_json(text, *kind.type, complaints);
        CAPTURE(text);
        REQUIRE(decoded);
        CHECK(complaints.empty());
        CHECK(encode_object(*decoded, *kind.type, kind.version, kind.kind).text == text);
    }
}

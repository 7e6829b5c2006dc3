// Rules for names, keys and values, with their messages.
#include "api/values/names.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>

#include "api/values/regex.h"

using namespace kubemu::api;

TEST_CASE("names of each kind") {
    const std::string long_label(64, 'a'), long_domain(254, 'a');
    CHECK(check_dns1123_label("my-name").empty());
    CHECK(check_dns1123_label("My").size() == 1);
    CHECK(check_dns1123_label(long_label) == Messages{"must be no more than 63 characters"});
    CHECK(check_dns1123_subdomain("a.b-c.d").empty());
    CHECK(check_dns1123_subdomain("a..b").size() == 1);
    CHECK(check_dns1123_subdomain(long_domain) == Messages{"must be no more than 253 characters"});
    CHECK(check_dns1035_label("a1").empty());
    CHECK(check_dns1035_label("1a").size() == 1);
    CHECK(check_name_as_subdomain("web-", true).empty());
    CHECK(check_name_as_subdomain("web-", false).size() == 1);
    CHECK(check_path_segment("a/b", false) == Messages{"may not contain '/'"});
    CHECK(check_path_segment("..", false) == Messages{"may not be '..'"});
    CHECK(check_path_segment("..", true).empty());
}

TEST_CASE("keys and values of labels") {
    CHECK(check_qualified_name("app").empty());
    CHECK(check_qualified_name("example.com/app_1").empty());
    CHECK(check_qualified_name("/app") == Messages{"prefix part must be non-empty"});
    CHECK(check_qualified_name("a/b/c").size() == 1);
    CHECK(check_qualified_name("").size() == 2);
    CHECK(check_label_value("").empty());
    CHECK(check_label_value("a_b.c-D").empty());
    CHECK(check_label_value("-a").size() == 1);
}

TEST_CASE("names are read as the patterns of the messages say") {
    struct Grammar {
        Messages (*check)(std::string_view);
        const char* pattern;
    };
    const Grammar grammars[] = {
        {check_dns1123_subdomain, "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"},
        {check_dns1035_label, "[a-z]([-a-z0-9]*[a-z0-9])?"},
        {check_qualified_name, "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"},
        {check_label_value, "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"},
        {check_env_var_name, "[-._a-zA-Z][-._a-zA-Z0-9]*"},
        {check_config_map_key, "[-._a-zA-Z0-9]+"}};
    std::mt19937 random(1);
    const std::vector<std::string> letters = {"a", "z", "A", "Z", "0", "9", "-", ".", "_", " ", "\n", "\u00e9", "@", "[", "`", "{", ":"};
    for (const Grammar& grammar : grammars) {
        const Regex regex("^(?:" + std::string(grammar.pattern) + ")$");
        REQUIRE(regex.error().empty());
        int good = 0;
        for (int i = 0; i < 4000; ++i) {
            std::string text;
            // Good ones would be rare among all letters.
            const std::size_t choice = i % 2 == 0 ? 9 : letters.size();
            for (std::size_t left = random() % 7; left > 0; --left) text += letters[random() % choice];
            const Messages messages = grammar.check(text);
            const bool refused = std::any_of(messages.begin(), messages.end(), [&](const std::string& message) {
                return message.find("regex used for validation is '" + std::string(grammar.pattern)) != std::string::npos;
            });
            CAPTURE(text);
            CHECK(refused == !regex.matches(text));
            good += refused ? 0 : 1;
        }
        CHECK(good > 100);
    }
}

TEST_CASE("keys of ConfigMaps, ports, variables, addresses") {
    CHECK(check_config_map_key("a.b_c-D").empty());
    CHECK(check_config_map_key("..a") == Messages{"must not start with '..'"});
    CHECK(check_config_map_key("a/b").size() == 1);
    CHECK(check_port_name("http-1").empty());
    CHECK(check_port_name("80") == Messages{"must contain at least one letter (a-z)"});
    CHECK(check_port_name("a--b") == Messages{"must not contain consecutive hyphens"});
    CHECK(check_env_var_name("A_B.c-1").empty());
    CHECK(check_env_var_name("1A").size() == 1);
    CHECK(is_ipv4("10.0.0.255"));
    CHECK_FALSE(is_ipv4("10.0.0.256"));
    CHECK_FALSE(is_ipv4("10.0.0.01"));
}

TEST_CASE("all labels and annotations of an object are checked") {
    FieldErrors errors;
    validate_labels(Json::parse(R"({"a":"b","bad key":"-"})"), FieldPath("metadata").child("labels"), errors);
    REQUIRE(errors.all().size() == 2);
    CHECK(errors.all()[0].field == "metadata.labels");
    CHECK(errors.all()[0].message.rfind("Invalid value: \"bad key\": name part must consist of", 0) == 0);
    CHECK(errors.all()[1].message.rfind("Invalid value: \"-\": a valid label must be", 0) == 0);
    FieldErrors large;
    validate_annotations(Json{{"a", std::string(256 * 1024, 'x')}}, FieldPath("metadata").child("annotations"), large);
    REQUIRE(large.all().size() == 1);
    CHECK(large.all()[0].reason == "FieldValueTooLong");
}

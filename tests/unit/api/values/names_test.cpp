// Rules for names, keys and values, with their messages.
#include "api/values/names.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

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

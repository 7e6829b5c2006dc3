// The shared checks: what they accept, what they say.
#include "api/kinds/validation.h"

#include <doctest/doctest.h>

#include <functional>
#include <nlohmann/json.hpp>

using namespace kubemu::api;

namespace {

std::string complaints(const std::function<void(FieldErrors&)>& check) {
    FieldErrors errors;
    check(errors);
    std::string text;
    for (const FieldError& error : errors.all()) text += (text.empty() ? "" : "\n") + error.field + ": " + error.message;
    return text;
}

}  // namespace

TEST_CASE("numbers: negative, zero, out of range") {
    const Json object = {{"a", -1}, {"b", 0}, {"c", 5}, {"id", 4294967296}};
    const FieldPath spec("spec");
    CHECK(complaints([&](auto& errors) { validate_non_negative(object, "a", spec, errors); }) ==
          "spec.a: Invalid value: -1: must be greater than or equal to 0");
    CHECK(complaints([&](auto& errors) { validate_positive(object, "b", spec, errors); }) ==
          "spec.b: Invalid value: 0: must be greater than zero");
    CHECK(complaints([&](auto& errors) { validate_id(object, "id", spec, errors); }) ==
          "spec.id: Invalid value: 4294967296: must be between 0 and 2147483647, inclusive");
    CHECK(complaints([&](auto& errors) {
              validate_non_negative(object, "c", spec, errors);
              validate_positive(object, "c", spec, errors);
              validate_id(object, "c", spec, errors);
              validate_positive(object, "missing", spec, errors);
          }).empty());
    CHECK(complaints([&](auto& errors) { validate_port_number(65536, spec, errors); }) ==
          "spec: Invalid value: 65536: must be between 1 and 65535, inclusive");
}

TEST_CASE("numbers or percentages") {
    const FieldPath at("m");
    const Json odd = "x%", much = "101%", negative = -1, zero = "0%", fine = "100%";
    CHECK(complaints([&](auto& errors) { validate_int_or_percent(&odd, at, errors); }) ==
          "m: Invalid value: intstr.IntOrString{Type:1, IntVal:0, StrVal:\"x%\"}: a valid percent string must be a numeric "
          "string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')");
    CHECK(complaints([&](auto& errors) { validate_int_or_percent(&negative, at, errors); }) ==
          "m: Invalid value: -1: must be greater than or equal to 0");
    CHECK(complaints([&](auto& errors) { validate_at_most_100_percent(&much, at, errors); }) ==
          "m: Invalid value: intstr.IntOrString{Type:1, IntVal:0, StrVal:\"101%\"}: must not be greater than 100%");
    CHECK(complaints([&](auto& errors) { validate_at_most_100_percent(&fine, at, errors); }).empty());
    CHECK(is_zero_int_or_percent(&zero));
    CHECK_FALSE(is_zero_int_or_percent(&fine));
}

TEST_CASE("enums: a missing value is required, an odd one names the others in order") {
    const FieldPath at("spec.type");
    CHECK(complaints([&](auto& errors) { validate_enum("", {"B", "A"}, at, errors); }) == "spec.type: Required value");
    CHECK(complaints([&](auto& errors) { validate_enum("C", {"B", "A"}, at, errors); }) ==
          "spec.type: Unsupported value: \"C\": supported values: \"B\", \"A\"");
    CHECK(complaints([&](auto& errors) { validate_optional_enum("", {"B"}, at, errors); }).empty());
}

TEST_CASE("addresses") {
    for (const char* good : {"10.0.0.1", "010.001.000.255", "::1", "fe80::1:2", "::ffff:1.2.3.4"}) {
        CAPTURE(good);
        CHECK(is_ip(good));
    }
    for (const char* bad : {"", "1.2.3", "1.2.3.256", "1.2.3.4.5", "fe80::1%eth0", "g::1", "1.2.3.x"}) {
        CAPTURE(bad);
        CHECK_FALSE(is_ip(bad));
    }
    CHECK(is_cidr("10.0.0.0/8"));
    CHECK(is_cidr("fd00::/128"));
    CHECK_FALSE(is_cidr("10.0.0.0/33"));
    CHECK_FALSE(is_cidr("10.0.0.0"));
    CHECK_FALSE(is_cidr("10.0.0.0/"));
}

TEST_CASE("paths inside a volume") {
    const FieldPath at("path");
    CHECK(complaints([&](auto& errors) { validate_local_non_reserved_path("/etc", at, errors); }) ==
          "path: Invalid value: \"/etc\": must be a relative path");
    CHECK(complaints([&](auto& errors) { validate_local_non_reserved_path("a/../b", at, errors); }) ==
          "path: Invalid value: \"a/../b\": must not contain '..'");
    CHECK(complaints([&](auto& errors) { validate_local_non_reserved_path("..data", at, errors); }) ==
          "path: Invalid value: \"..data\": must not start with '..'");
    CHECK(complaints([&](auto& errors) { validate_local_non_reserved_path("a/b..c", at, errors); }).empty());
}

TEST_CASE("names of resources of containers") {
    const auto check = [](std::string_view name) {
        return complaints([&](auto& errors) { validate_container_resource_name(name, FieldPath("r"), errors); });
    };
    for (const char* good : {"cpu", "memory", "ephemeral-storage", "hugepages-2Mi", "example.com/gpu", "kubernetes.io/x"}) {
        CAPTURE(good);
        CHECK(check(good).empty());
    }
    CHECK(check("gpu") ==
          "r: Invalid value: \"gpu\": must be a standard resource type or fully qualified\n"
          "r: Invalid value: \"gpu\": must be a standard resource for containers");
    CHECK(check("pods") == "r: Invalid value: \"pods\": must be a standard resource for containers");
    CHECK(check("requests.example.com/x") == "r: Invalid value: \"requests.example.com/x\": doesn't follow extended resource name standard");
}

TEST_CASE("quantities of counted resources are whole") {
    const auto check = [](std::string_view name, const char* text) {
        return complaints([&](auto& errors) {
            validate_resource_quantity(name, *Quantity::parse(text), FieldPath("r"), errors);
        });
    };
    CHECK(check("cpu", "100m").empty());
    CHECK(check("cpu", "-1") == "r: Invalid value: \"-1\": must be greater than or equal to 0");
    CHECK(check("example.com/gpu", "1.5") ==
          "r: Invalid value: resource.Quantity{i:resource.int64Amount{value:15, scale:-1}, "
          "d:resource.infDecAmount{Dec:(*inf.Dec)(nil)}, s:\"\", Format:\"DecimalSI\"}: must be an integer");
}

// Composite values in messages, as Go prints them.
#include "api/kinds/go_syntax.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace kubemu::api;

TEST_CASE("structs: values are spelled out, pointers are addresses, absent members zero values") {
    constexpr GoField fields[] = {{"Key", "key", "string"},
                                  {"Operator", "operator", "string"},
                                  {"Seconds", "seconds", "*int64"},
                                  {"Count", "count", "int32"},
                                  {"Flag", "flag", "bool"},
                                  {"List", "list", "[]string"}};
    CHECK(go_struct("core.Toleration", fields, Json{{"key", "a\"b"}, {"list", {"x", "y"}}}).text ==
          "core.Toleration{Key:\"a\\\"b\", Operator:\"\", Seconds:(*int64)(nil), Count:0, Flag:false, List:[]string{\"x\", \"y\"}}");
    CHECK(go_struct("core.Toleration", fields, Json{{"seconds", 5}, {"flag", true}}).text.find("Seconds:(*int64)(0xc") !=
          std::string::npos);
}

TEST_CASE("selectors, maps, numbers or strings") {
    const Json selector = {{"matchLabels", {{"b", "2"}, {"a", "1"}}}};
    CHECK(go_label_selector(&selector).text ==
          "v1.LabelSelector{MatchLabels:map[string]string{\"a\":\"1\", \"b\":\"2\"}, "
          "MatchExpressions:[]v1.LabelSelectorRequirement(nil)}");
    const Json expressions = {{"matchExpressions", {{{"key", "k"}, {"operator", "In"}, {"values", {"v"}}}}}};
    CHECK(go_label_selector(&expressions).text ==
          "v1.LabelSelector{MatchLabels:map[string]string(nil), MatchExpressions:[]v1.LabelSelectorRequirement{"
          "v1.LabelSelectorRequirement{Key:\"k\", Operator:\"In\", Values:[]string{\"v\"}}}}");
    CHECK(go_label_selector(nullptr).text == "\"null\"");
    const Json number = 3;
    CHECK(go_int_or_string(&number).text == "intstr.IntOrString{Type:0, IntVal:3, StrVal:\"\"}");
}

TEST_CASE("quantities: digits and where the point is") {
    const auto text = [](const char* quantity, bool printed) { return go_quantity(quantity, printed).text; };
    CHECK(text("1.5", false) ==
          "resource.Quantity{i:resource.int64Amount{value:15, scale:-1}, d:resource.infDecAmount{Dec:(*inf.Dec)(nil)}, "
          "s:\"\", Format:\"DecimalSI\"}");
    CHECK(text("3", true).find("value:3, scale:0}") != std::string::npos);
    CHECK(text("3", true).find("s:\"3\"") != std::string::npos);
    CHECK(text("100m", false).find("value:100, scale:-3}") != std::string::npos);
    CHECK(text("2Gi", false).find("value:2147483648, scale:0}") != std::string::npos);
    CHECK(text("2e3", false).find("value:2, scale:3}") != std::string::npos);
    CHECK(text("5k", false).find("value:5, scale:3}") != std::string::npos);
}

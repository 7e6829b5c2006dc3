// Forms of networks that are accepted and warned of.
#include "api/kinds/address_warnings.h"

#include <doctest/doctest.h>

using namespace kubemu::api;

namespace {

std::string warned(const char* network) {
    std::vector<std::string> warnings;
    warn_of_cidr(network, FieldPath("c"), warnings);
    std::string all;
    for (const std::string& warning : warnings) all += warning + "\n";
    return all;
}

}  // namespace

TEST_CASE("networks") {
    CHECK(warned("10.0.0.0/8").empty());
    CHECK(warned("fd00::/64").empty());
    CHECK(warned("nonsense").empty());
    CHECK(warned("10.1.2.3/8") == "c: CIDR value \"10.1.2.3/8\" is ambiguous in this context (should be \"10.0.0.0/8\" or \"10.1.2.3/32\"?)\n");
    CHECK(warned("fd00::5/64") == "c: CIDR value \"fd00::5/64\" is ambiguous in this context (should be \"fd00::/64\" or \"fd00::5/128\"?)\n");
    CHECK(warned("010.0.0.0/8") == "c: non-standard CIDR value \"010.0.0.0/8\" is invalid: use \"10.0.0.0/8\"\n");
    CHECK(warned("10.0.0.0/08") == "c: non-standard CIDR value \"10.0.0.0/08\" is invalid: use \"10.0.0.0/8\"\n");
    CHECK(warned("FD00::/64") == "c: IPv6 CIDR value \"FD00::/64\" should be in RFC 5952 canonical format (\"fd00::/64\")\n");
}

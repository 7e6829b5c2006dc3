// What the command line refuses.
#include "server/options.h"

#include <array>
#include <doctest/doctest.h>

using namespace kubemu::server;

namespace {

// What is said to `kubemu serve --kubernetes-version RELEASE`; empty when it is taken.
std::string refused(const char* release) {
    const std::array<const char*, 4> words = {"kubemu", "serve", "--kubernetes-version", release};
    const auto options = parse_options(static_cast<int>(words.size()), words.data());
    return options ? "" : options.error().output;
}

}  // namespace

TEST_CASE("releases that cannot be served are refused before anything starts") {
    for (const char* release : {"1.20", "v1.28.7", "1.36", "1.37"}) CHECK(refused(release) == "");
    for (const char* release : {"1.19", "v1.18.20", "2.0", "0.99"}) {
        CHECK(refused(release) == "kubemu: --kubernetes-version " + std::string(release) +
                                      ": expected 1.20 or a newer release of Kubernetes 1\n");
    }
    CHECK(refused("latest") == "kubemu: --kubernetes-version latest: expected a release such as 1.28 or v1.28.7\n");
}

TEST_CASE("Services have one network, or one of each family") {
    const auto network = [](const char* range) {
        const std::array<const char*, 4> words = {"kubemu", "serve", "--service-cluster-ip-range", range};
        const auto options = parse_options(static_cast<int>(words.size()), words.data());
        return options ? options->serve.service_network : std::string();
    };
    CHECK(network("10.96.3.4/16") == "10.96.0.0/16");
    CHECK(network("FD00:0:0::1/112") == "fd00::/112");
    CHECK(network("fd00::/64,10.96.0.0/16") == "fd00::/64,10.96.0.0/16");
    for (const char* range : {"", "10.96.0.0/30", "10.0.0.0/8", "fd00::/63", "fd00::/126", "10.96.0.0/16,10.97.0.0/16", "10.96.0.0/16,fd00::/112,10.97.0.0/16",
                              "10.96.0.0/16,", "fd00::"})
        CHECK(network(range).empty());
}

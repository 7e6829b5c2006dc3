// The kubeconfig: what clients are told of a server without TLS.
#include "server/kubeconfig.h"

#include <doctest/doctest.h>

using namespace kubemu::server;

TEST_CASE("a server without TLS is one where nothing is verified; one with TLS is not") {
    const std::string plain = kubeconfig_text("http://127.0.0.1:8080");
    CHECK(plain.find("    server: http://127.0.0.1:8080\n    insecure-skip-tls-verify: true\n") != std::string::npos);
    CHECK(kubeconfig_text("https://127.0.0.1:8443").find("insecure") == std::string::npos);
}

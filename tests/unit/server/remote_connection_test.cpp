// URLs of other servers, and where they send us.
#include "server/remote_connection.h"

#include <doctest/doctest.h>

using namespace kubemu::server;

TEST_CASE("a URL says how to connect, where, and for what to ask") {
    const RemotePlace tls = place_of("https://hook.default.svc:8443/a?b=c");
    CHECK_FALSE(tls.plain);
    CHECK(tls.authority() == "hook.default.svc:8443");
    CHECK(tls.target == "/a?b=c");
    const RemotePlace plain = place_of("http://10.0.0.1");
    CHECK(plain.plain);
    CHECK(plain.authority() == "10.0.0.1:80");
    CHECK(plain.target == "/");
    CHECK(place_of("https://[::1]/").host == "::1");
    CHECK(place_of("https://[::1]/").port == "443");
}

TEST_CASE("a Location is a URL, or relative to the one that was asked") {
    const std::string base = "https://a.example:1/x/y?q=/z";
    CHECK(resolve_reference(base, "http://b/") == "http://b/");
    CHECK(resolve_reference(base, "//b/c") == "https://b/c");
    CHECK(resolve_reference(base, "/c?d") == "https://a.example:1/c?d");
    CHECK(resolve_reference(base, "c") == "https://a.example:1/x/c");
    CHECK(resolve_reference("https://a", "c") == "https://a/c");
}

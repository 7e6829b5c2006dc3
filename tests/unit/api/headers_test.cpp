// Headers that go on to the next server, and those that do not.
#include "api/headers.h"

#include <doctest/doctest.h>

using namespace kubemu::api;

TEST_CASE("credentials and what is between two hops stays behind") {
    const Headers passed = passed_on({{"Accept", "a"}, {"Host", "h"}, {"Authorization", "Bearer t"}, {"Impersonate-User", "eve"},
                                      {"X-Remote-User", "eve"}, {"X-Remote-Extra-Scopes", "all"}, {"Connection", "keep-alive, X-Hop"},
                                      {"X-Hop", "1"}, {"Keep-Alive", "5"}, {"TE", "trailers"}, {"Content-Length", "3"},
                                      {"Upgrade", "not asked for"}, {"X-Own", "b"}, {"x-own", "c"}});
    CHECK(passed == Headers{{"Accept", "a"}, {"X-Own", "b"}, {"x-own", "c"}});
}

TEST_CASE("who asks for another protocol is passed on with that, without a token among the protocols") {
    const Headers asked = {{"connection", "Keep-Alive, upgrade"}, {"upgrade", "websocket"}, {"Sec-WebSocket-Key", "k"},
                           {"Sec-WebSocket-Protocol", "base64url.bearer.authorization.k8s.io.dG9r, v5.channel.k8s.io"}};
    CHECK(asked_protocol(asked) == "websocket");
    CHECK(passed_on(asked) == Headers{{"Sec-WebSocket-Key", "k"}, {"Sec-WebSocket-Protocol", "v5.channel.k8s.io"},
                                      {"Connection", "Upgrade"}, {"Upgrade", "websocket"}});
    CHECK(asked_protocol({{"Upgrade", "websocket"}}).empty());
    CHECK(header_of(asked, "UPGRADE") == "websocket");
    CHECK(header_of(asked, "Accept").empty());
}

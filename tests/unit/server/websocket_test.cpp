// WebSocket: the handshake of RFC 6455's own example, frames of each length, and what clients say.
#include "server/websocket.h"

#include <doctest/doctest.h>

using namespace kubemu::server;

namespace {

// A frame as a client sends it, masked with "abcd".
std::string masked(unsigned opcode, const std::string& payload) {
    std::string frame = {static_cast<char>(0x80 | opcode), static_cast<char>(0x80 | payload.size())};
    const std::string mask = "abcd";
    frame += mask;
    for (std::size_t i = 0; i < payload.size(); ++i) frame += static_cast<char>(payload[i] ^ mask[i % 4]);
    return frame;
}

}  // namespace

TEST_CASE("an upgrade is asked for by four headers") {
    const auto upgrade = websocket_upgrade({"keep-alive, Upgrade", "WebSocket", "dGhlIHNhbXBsZSBub25jZQ==", ""});
    REQUIRE(upgrade);
    CHECK(websocket_head(*upgrade).find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") != std::string::npos);
    CHECK_FALSE(websocket_upgrade({"keep-alive", "websocket", "key", ""}));
    CHECK_FALSE(websocket_upgrade({"Upgrade", "spdy/3.1", "key", ""}));
    CHECK_FALSE(websocket_upgrade({"Upgrade", "websocket", "", ""}));
    CHECK(websocket_upgrade({"Upgrade", "websocket", "key", "base64url.bearer.authorization.k8s.io.dG9r, one"})->protocol == "one");
    CHECK(websocket_upgrade({"Upgrade", "websocket", "key", "one, two"})->protocol.empty());
}

TEST_CASE("each line is a text frame") {
    std::string out;
    append_text_frames(out, "ab\nc\n");
    CHECK(out == std::string("\x81\x03" "ab\n" "\x81\x02" "c\n"));
    out.clear();
    append_text_frames(out, std::string(300, 'x'));
    CHECK(out.substr(0, 4) == std::string("\x81\x7e\x01\x2c"));
    CHECK(out.size() == 304);
    out.clear();
    append_text_frames(out, std::string(70000, 'x'));
    CHECK(out.substr(0, 10) == std::string("\x81\x7f\0\0\0\0\0\x01\x11\x70", 10));
}

TEST_CASE("events of Protocol Buffers are binary frames without their length") {
    std::string out;
    append_binary_frames(out, std::string("\0\0\0\3abc\0\0\0\1d", 12));
    CHECK(out == std::string("\x82\x03" "abc" "\x82\x01" "d"));
}

TEST_CASE("pings are answered, messages passed over, a close ends it") {
    WebSocketReader reader;
    const std::string ping = masked(9, "hi");
    CHECK(reader.take(ping.substr(0, 3)).empty());
    CHECK(reader.take(ping.substr(3)) == std::string("\x8a\x02hi"));
    CHECK(reader.take(masked(1, "whatever")).empty());
    CHECK_FALSE(reader.closed());
    CHECK(reader.take(masked(8, std::string("\x03\xe8", 2))) == std::string("\x88\x02\x03\xe8", 4));
    CHECK(reader.closed());
}

TEST_CASE("who breaks the protocol is closed") {
    WebSocketReader unmasked;
    CHECK(unmasked.take("\x81\x01x") == close_frame(1002));
    CHECK(unmasked.closed());
    WebSocketReader huge;
    CHECK(huge.take(std::string("\x81\xff\0\0\0\0\x7f\xff\xff\xff", 10)) == close_frame(1009));
    CHECK(huge.closed());
}

TEST_CASE("messages are kept where they count, whole and of a bounded length") {
    WebSocketReader reader(WebSocketReader::Messages::kept);
    std::string first = masked(2, "ab");
    first[0] = 2;  // not the last fragment
    CHECK(reader.take(first + masked(9, "") + masked(0, "c") + masked(1, "d")) == std::string("\x8a\x00", 2));
    CHECK(reader.take_messages() == std::vector<std::string>{"abc", "d"});
    CHECK(reader.take_messages().empty());
    const std::string too_long = std::string("\x82\xff\0\0\0\0\x10\0\0\0", 10);
    CHECK(reader.take(too_long) == std::string("\x88\x02\x03\xf1", 4));
    CHECK(reader.closed());
}

// SPDY: what clients send becomes events, whatever pieces it comes in; what breaks the protocol ends it.
#include "server/spdy/connection.h"

#include <doctest/doctest.h>

#include "server/spdy/numbers.h"

using namespace kubemu::server::spdy;

namespace {

std::string control(unsigned type, unsigned flags, const std::string& payload) {
    std::string frame;
    append_number(frame, 0x80030000u | type, 4);
    append_number(frame, static_cast<std::uint64_t>(flags) << 24 | payload.size(), 4);
    return frame + payload;
}

std::string number(std::uint64_t value, int bytes = 4) {
    std::string text;
    append_number(text, value, bytes);
    return text;
}

// The client's side: its headers are one compressed text.
struct Client {
    HeaderCompressor compressor;

    std::string open(StreamId stream, const Headers& headers, bool fin = false) {
        return control(1, fin ? 1 : 0, number(stream) + number(0) + number(0, 2) + compressor.compress(headers));
    }
    static std::string data(StreamId stream, const std::string& text, bool fin = false) {
        return number(stream) + number((fin ? 1u << 24 : 0u) | text.size()) + text;
    }
};

std::string told(const std::vector<Event>& events) {
    const char* names[] = {"open", "data", "end", "reset", "away"};
    std::string text;
    for (const Event& event : events) {
        text += (text.empty() ? "" : ", ") + std::string(names[static_cast<int>(event.kind)]) + " " + std::to_string(event.stream);
        for (const auto& [name, value] : event.headers) text += " " + name + "=" + value;
        if (!event.text.empty()) text += " " + event.text;
    }
    return text;
}

std::string take(Connection& connection, const std::string& bytes) {
    std::vector<Event> events;
    connection.take(bytes, events);
    return told(events);
}

}  // namespace

TEST_CASE("the dictionary has the length of the draft's") { CHECK(header_dictionary().size() == 1423); }

TEST_CASE("headers survive being compressed, block after block") {
    HeaderCompressor compressor;
    HeaderDecompressor decompressor;
    for (const Headers& headers : {Headers{{"streamtype", "error"}, {"port", "80"}}, Headers{}, Headers{{"streamtype", "data"}}}) {
        const auto back = decompressor.decompress(compressor.compress(headers));
        REQUIRE(back);
        CHECK(*back == headers);
    }
    CHECK(value_of({{"a", "1"}, {"b", "2"}}, "b") == "2");
    CHECK_FALSE(decompressor.decompress("no zlib"));
    CHECK_FALSE(decompressor.decompress(compressor.compress({})));  // it does not recover
}

TEST_CASE("streams are opened, carry data and end, in whatever pieces the bytes come") {
    Client client;
    std::string bytes = client.open(1, {{"streamtype", "stdin"}});
    bytes += Client::data(1, "abc") + Client::data(1, "d", true);
    bytes += client.open(3, {{"streamtype", "error"}}, true);
    bytes += control(7, 0, number(0) + number(0));
    const std::string expected = "open 1 streamtype=stdin, data 1 abc, data 1 d, end 1, open 3 streamtype=error, end 3, away 0";
    Connection whole;
    CHECK(take(whole, bytes) == expected);
    Connection pieces;
    std::vector<Event> events;
    for (const char byte : bytes) pieces.take(std::string_view(&byte, 1), events);
    CHECK(told(events) == expected);
}

TEST_CASE("replies, data and ends are framed as the draft says") {
    Client client;
    Connection connection;
    take(connection, client.open(1, {}));
    connection.reply(1);
    HeaderDecompressor decompressor;
    const std::string reply = std::exchange(connection.output(), {});
    CHECK(reply.substr(0, 4) == std::string("\x80\x03\x00\x02", 4));
    CHECK(decompressor.decompress(std::string_view(reply).substr(12))->empty());
    connection.send(1, "hi");
    connection.finish(1);
    connection.send(1, "too late");
    connection.send(9, "nobody");
    CHECK(connection.output() == std::string("\0\0\0\1\0\0\0\2hi\0\0\0\1\1\0\0\0", 18));
}

TEST_CASE("pings of the client come back") {
    Connection connection;
    CHECK(take(connection, control(6, 0, number(1)) + control(6, 0, number(2))).empty());
    CHECK(connection.output() == control(6, 0, number(1)));
}

TEST_CASE("a reset forgets the stream, and streams of wrong numbers are reset") {
    Client client;
    Connection connection;
    CHECK(take(connection, client.open(1, {}) + control(3, 0, number(1) + number(5)) + Client::data(1, "late")) == "open 1, reset 1");
    const std::string again = client.open(1, {});
    CHECK(take(connection, again + client.open(4, {})).empty());
    CHECK(connection.output() == control(3, 0, number(1) + number(1)) + control(3, 0, number(4) + number(1)));
    CHECK_FALSE(connection.broken());
    connection.reset(1, Connection::ResetStatus::cancel);  // no longer there
}

TEST_CASE("no more streams than the limit, and none after going away") {
    Client client;
    Connection connection;
    std::string bytes;
    for (StreamId id = 1; id <= 2 * streams_max + 1; id += 2) bytes += client.open(id, {});
    std::vector<Event> events;
    connection.take(bytes, events);
    CHECK(events.size() == streams_max);
    CHECK(connection.output() == control(3, 0, number(2 * streams_max + 1) + number(3)));
    CHECK(take(connection, control(7, 0, number(0) + number(0)) + client.open(90001, {})) == "away 0");
}

TEST_CASE("what breaks the protocol ends it") {
    for (const std::string& bytes : {control(1, 0, "short"), control(99, 0, ""), std::string("\x80\x02\0\6\0\0\0\0", 8),
                                     control(1, 0, number(1) + number(0) + number(0, 2) + "garbage"),
                                     number(1) + number(0xffffff)}) {
        Connection connection;
        CHECK(take(connection, bytes).empty());
        CHECK(connection.broken());
    }
}

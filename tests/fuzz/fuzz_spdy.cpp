// SPDY: bytes of a client in whatever pieces; the events do not depend on the pieces, and what is sent in answer can be
// read by a peer of the same kind.
#include <algorithm>

#include "server/spdy/connection.h"
#include "tests/fuzz/fuzz.h"

using namespace kubemu::server::spdy;

namespace {

struct Seen {
    std::string events, output;
    bool broken = false;
};

Seen feed(std::string_view bytes, std::size_t piece) {
    Connection connection;
    std::vector<Event> events;
    while (!bytes.empty()) {
        connection.take(bytes.substr(0, piece), events);
        bytes.remove_prefix(std::min(piece, bytes.size()));
    }
    Seen seen;
    seen.broken = connection.broken();
    // Answers come behind all of it: a stream that is reset hears no more, wherever its bytes are cut.
    for (const Event& event : events) {
        seen.events += std::to_string(static_cast<int>(event.kind)) + ":" + std::to_string(event.stream) + ":";
        if (event.kind != Event::Kind::data) seen.events += ";";
        seen.events += event.text;
        for (const auto& [name, value] : event.headers) seen.events += name + "=" + value + ";";
        if (event.kind != Event::Kind::opened) continue;
        connection.reply(event.stream);
        connection.send(event.stream, "hello");
        if (event.stream % 4 == 1) connection.finish(event.stream);
        if (event.stream % 16 == 3) connection.reset(event.stream, Connection::ResetStatus::cancel);
    }
    seen.output = connection.output();
    return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes = kubemu::fuzz::text_of(data, size);
    const Seen whole = feed(bytes, size + 1);
    const Seen pieces = feed(bytes, 7);
    kubemu::fuzz::promise(whole.broken == pieces.broken, "the end does not depend on the pieces");
    kubemu::fuzz::promise(whole.events == pieces.events, "the events do not depend on the pieces");
    kubemu::fuzz::promise(whole.output == pieces.output, "the answers do not depend on the pieces");
    Connection peer;
    std::vector<Event> events;
    peer.take(whole.output, events);
    kubemu::fuzz::promise(!peer.broken(), "what is sent can be read");
    return 0;
}

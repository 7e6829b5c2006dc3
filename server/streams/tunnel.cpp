// A Stream's steps as a Duplex's.
#include "server/streams/tunnel.h"

namespace kubemu::server {

Duplex::Step TunnelDuplex::advance(std::string& out) {
    using State = api::Stream::Step::State;
    api::Stream::Step step = tunnel_.next();
    for (const Slice& part : step.data) out += part.text;
    return {.more = step.state == State::more, .ended = step.state == State::end, .wake_at = step.wake_at};
}

std::string tunnel_head(const api::Response& response) {
    std::string head = "HTTP/1.1 101 Switching Protocols\r\n";
    for (const auto& [name, value] : response.headers) head += name + ": " + value + "\r\n";
    return head + "\r\n";
}

}  // namespace kubemu::server

// WebSocket (RFC 6455) as far as a server needs that only sends: the upgrade, text frames, and what a client may say.
// No socket: bytes in, bytes out.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kubemu::server {

// The headers of a request that asks for the protocol.
struct WebSocketUpgrade {
    std::string key;
    std::string protocol;  // the one that is agreed on; empty for none
};

struct UpgradeHeaders {
    std::string_view connection, upgrade, key, protocols;
};
// Nothing when the headers ask for no WebSocket. Protocols that carry a bearer token are left aside; of several others
// none is chosen.
std::optional<WebSocketUpgrade> websocket_upgrade(const UpgradeHeaders& headers);

// The 101 answer, up to and including the empty line.
std::string websocket_head(const WebSocketUpgrade& upgrade);

// Appends one text frame for each line, its line break included.
void append_text_frames(std::string& out, std::string_view lines);
// Appends one binary frame for each part, which begins with its length in four bytes, big end first; the length itself
// is left out, since frames have their own.
void append_binary_frames(std::string& out, std::string_view parts);
std::string close_frame(int code);

// Reads what the client sends. It should send nothing but pings and a close; messages are passed over.
class WebSocketReader {
  public:
    // Takes the next bytes; returns what is to be answered.
    std::string take(std::string_view bytes);
    // The client has closed, or broken the protocol.
    bool closed() const { return closed_; }

  private:
    bool take_frame(std::string& answer);

    std::string pending_;
    bool closed_ = false;
};

}  // namespace kubemu::server

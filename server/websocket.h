// WebSocket (RFC 6455): the upgrade, the frames that a server sends, and what a client says. No socket: bytes in, bytes
// out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kubemu::server {

// The headers of a request that asks for the protocol.
struct WebSocketUpgrade {
    std::string key;
    std::string protocol;  // the one that is agreed on; empty for none
    std::vector<std::string> offered;
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
// One message.
void append_text_message(std::string& out, std::string_view payload);
void append_binary_message(std::string& out, std::string_view payload);

// The longest message that is taken from a client with something to say; longer ones end the connection (1009).
inline constexpr std::size_t websocket_message_bytes_max = 4 * 1024 * 1024;

// Reads what the client sends. Where messages are not kept it should send nothing but pings and a close.
class WebSocketReader {
  public:
    enum class Messages { passed_over, kept };
    explicit WebSocketReader(Messages messages = Messages::passed_over) : kept_(messages == Messages::kept) {}

    // Takes the next bytes; returns what is to be answered.
    std::string take(std::string_view bytes);
    // The client has closed, or broken the protocol.
    bool closed() const { return closed_; }
    // The messages since the last call, whole.
    std::vector<std::string> take_messages() { return std::exchange(messages_, {}); }

  private:
    bool take_frame(std::string& answer);
    void take_payload(unsigned opcode, bool last, std::string payload, std::string& answer);

    std::string pending_, fragments_;
    std::vector<std::string> messages_;
    bool kept_ = false, closed_ = false;
};

}  // namespace kubemu::server

// Frames and the handshake.
#include "server/websocket.h"

#include <openssl/sha.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "api/values/text.h"

namespace kubemu::server {
namespace {

// What every server appends to the client's key before it hashes it (RFC 6455, section 1.3).
constexpr std::string_view handshake_guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
// Of which client-go and browsers make a Bearer token.
constexpr std::string_view bearer_prefix = "base64url.bearer.authorization.k8s.io.";
// A client that only listens has nothing longer to say.
constexpr std::uint64_t client_frame_bytes_max = 64 * 1024;

enum Opcode : unsigned { continuation_opcode = 0, text_opcode = 1, binary_opcode = 2, close_opcode = 8, ping_opcode = 9, pong_opcode = 10 };

bool lists(std::string_view header, std::string_view word) {
    for (const std::string_view part : api::split(header, ',')) {
        if (api::lower(api::trim(part)) == word) return true;
    }
    return false;
}

void append_frame(std::string& out, Opcode opcode, std::string_view payload) {
    out += static_cast<char>(0x80 | opcode);
    const std::size_t size = payload.size();
    const auto append_size = [&](int bytes) {
        for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(size >> shift & 0xff);
    };
    if (size < 126) {
        out += static_cast<char>(size);
    } else if (size <= 0xffff) {
        out += static_cast<char>(126);
        append_size(2);
    } else {
        out += static_cast<char>(127);
        append_size(8);
    }
    out += payload;
}

}  // namespace

std::optional<WebSocketUpgrade> websocket_upgrade(const UpgradeHeaders& headers) {
    if (!lists(headers.connection, "upgrade") || api::lower(api::trim(headers.upgrade)) != "websocket") return std::nullopt;
    if (headers.key.empty()) return std::nullopt;
    WebSocketUpgrade upgrade{std::string(headers.key), {}, {}};
    for (const std::string_view part : api::split(headers.protocols, ',')) {
        const std::string_view protocol = api::trim(part);
        if (!protocol.empty() && protocol.substr(0, bearer_prefix.size()) != bearer_prefix) {
            upgrade.offered.emplace_back(protocol);
        }
    }
    if (upgrade.offered.size() == 1) upgrade.protocol = upgrade.offered[0];
    return upgrade;
}

std::string websocket_head(const WebSocketUpgrade& upgrade) {
    const std::string challenge = upgrade.key + std::string(handshake_guid);
    unsigned char digest[SHA_DIGEST_LENGTH];
    SHA1(reinterpret_cast<const unsigned char*>(challenge.data()), challenge.size(), digest);
    const std::string_view hash(reinterpret_cast<const char*>(digest), sizeof digest);
    std::string head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
                       api::base64_encode(hash) + "\r\n";
    if (!upgrade.protocol.empty()) head += "Sec-WebSocket-Protocol: " + upgrade.protocol + "\r\n";
    return head + "\r\n";
}

void append_text_frames(std::string& out, std::string_view lines) {
    while (!lines.empty()) {
        const std::size_t end = std::min(lines.find('\n'), lines.size() - 1) + 1;
        append_frame(out, text_opcode, lines.substr(0, end));
        lines.remove_prefix(end);
    }
}

void append_binary_frames(std::string& out, std::string_view parts) {
    while (parts.size() >= 4) {
        std::size_t size = 0;
        for (std::size_t i = 0; i < 4; ++i) size = size << 8 | static_cast<unsigned char>(parts[i]);
        append_frame(out, binary_opcode, parts.substr(4, size));
        parts.remove_prefix(std::min(parts.size(), size + 4));
    }
}

std::string close_frame(int code) {
    std::string out;
    const char payload[] = {static_cast<char>(code >> 8 & 0xff), static_cast<char>(code & 0xff)};
    append_frame(out, close_opcode, {payload, sizeof payload});
    return out;
}

void append_text_message(std::string& out, std::string_view payload) { append_frame(out, text_opcode, payload); }
void append_binary_message(std::string& out, std::string_view payload) { append_frame(out, binary_opcode, payload); }

std::string WebSocketReader::take(std::string_view bytes) {
    std::string answer;
    pending_ += bytes;
    while (!closed_ && take_frame(answer)) continue;
    return answer;
}

// False when the frame is not complete yet.
bool WebSocketReader::take_frame(std::string& answer) {
    const auto byte = [this](std::size_t i) { return static_cast<unsigned char>(pending_[i]); };
    if (pending_.size() < 2) return false;
    const bool last = (byte(0) & 0x80) != 0, masked = (byte(1) & 0x80) != 0;
    std::uint64_t size = byte(1) & 0x7f;
    std::size_t at = 2;
    if (size >= 126) {
        const std::size_t bytes = size == 126 ? 2 : 8;
        if (pending_.size() < at + bytes) return false;
        size = 0;
        for (std::size_t i = 0; i < bytes; ++i) size = size << 8 | byte(at++);
    }
    // A client must mask what it sends.
    const std::uint64_t size_max = kept_ ? websocket_message_bytes_max - fragments_.size() : client_frame_bytes_max;
    if (!masked || size > size_max) {
        answer += close_frame(masked ? 1009 : 1002);
        closed_ = true;
        return false;
    }
    if (pending_.size() < at + 4 + size) return false;
    const unsigned opcode = byte(0) & 0x0f;
    const std::string mask = pending_.substr(at, 4);
    std::string payload = pending_.substr(at + 4, size);
    for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<char>(payload[i] ^ mask[i % 4]);
    pending_.erase(0, at + 4 + size);
    take_payload(opcode, last, std::move(payload), answer);
    return true;
}

void WebSocketReader::take_payload(unsigned opcode, bool last, std::string payload, std::string& answer) {
    switch (opcode) {
        case ping_opcode: return append_frame(answer, pong_opcode, payload);
        case close_opcode:
            append_frame(answer, close_opcode, std::string_view(payload).substr(0, 2));
            closed_ = true;
            return;
        case continuation_opcode:
        case text_opcode:
        case binary_opcode:
            if (!kept_) return;
            fragments_ += payload;
            if (last) messages_.push_back(std::exchange(fragments_, {}));
            return;
        default: return;  // a pong
    }
}

}  // namespace kubemu::server

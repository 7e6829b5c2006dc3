// Frames: eight bytes that say what follows, then that.
#include "server/spdy/connection.h"

#include <algorithm>

#include "server/spdy/numbers.h"

namespace kubemu::server::spdy {
namespace {

constexpr std::size_t head_bytes = 8;
constexpr unsigned version = 3;
constexpr unsigned flag_fin = 1;
constexpr std::size_t data_bytes_max = 32 * 1024;  // of one frame that is sent

enum Type : unsigned {
    syn_stream = 1,
    syn_reply = 2,
    rst_stream = 3,
    settings = 4,
    ping = 6,
    goaway = 7,
    headers = 8,
    window_update = 9,
};

}  // namespace

void Connection::take(std::string_view bytes, std::vector<Event>& events) {
    if (broken_) return;
    pending_ += bytes;
    std::size_t taken = 0;
    while (!broken_) {
        const std::size_t size = take_frame(std::string_view(pending_).substr(taken), events);
        if (size == 0) break;
        taken += size;
    }
    pending_.erase(0, taken);
}

// How long the frame is at the front; 0 when it is not complete.
std::size_t Connection::take_frame(std::string_view bytes, std::vector<Event>& events) {
    if (bytes.size() < head_bytes) return 0;
    Reader head(bytes.substr(0, head_bytes));
    const std::uint32_t first = *head.number(4), second = *head.number(4);
    const unsigned flags = second >> 24;
    const std::size_t size = second & 0xffffff;
    if (size > frame_bytes_max) {
        fail();
        return 0;
    }
    if (bytes.size() < head_bytes + size) return 0;
    const std::string_view payload = bytes.substr(head_bytes, size);
    if ((first & 0x80000000) == 0) {
        take_data(first, flags, payload, events);
    } else if ((first >> 16 & 0x7fff) != version) {
        fail();
    } else {
        take_control(first & 0xffff, flags, payload, events);
    }
    return head_bytes + size;
}

void Connection::take_control(unsigned type, unsigned flags, std::string_view payload, std::vector<Event>& events) {
    Reader reader(payload);
    switch (type) {
        case syn_stream: return open(flags, payload, events);
        case headers:
        case syn_reply: return take_headers(flags, payload, events);
        case rst_stream: {
            const auto stream = reader.number(4);
            if (!stream || !reader.number(4)) return fail();
            if (streams_.erase(*stream) == 0) return;
            events.push_back({Event::Kind::reset, *stream, {}, {}});
            return;
        }
        case ping: {
            const auto id = reader.number(4);
            if (!id) return fail();
            // Those of the client have odd numbers and come back as they are.
            if (*id % 2 == 1) append_control(ping, 0, payload.substr(0, 4));
            return;
        }
        case goaway:
            gone_away_ = true;
            events.push_back({Event::Kind::go_away, 0, {}, {}});
            return;
        case settings:
        case window_update: return;
        default: return fail();
    }
}

void Connection::open(unsigned flags, std::string_view payload, std::vector<Event>& events) {
    Reader reader(payload);
    const auto stream = reader.number(4);
    // The stream it belongs to, and its priority, mean nothing here.
    if (!stream || !reader.number(4) || !reader.number(2)) return fail();
    auto given = decompressor_.decompress(reader.rest());
    if (!given) return fail();
    if (gone_away_) return;
    // The client's streams have odd numbers that grow.
    if (*stream % 2 == 0 || *stream <= newest_ || *stream > 0x7fffffff) {
        return append_reset(*stream, ResetStatus::protocol_error);
    }
    newest_ = *stream;
    if (streams_.size() >= streams_max) return append_reset(*stream, ResetStatus::refused);
    streams_[*stream] = {};
    events.push_back({Event::Kind::opened, *stream, std::move(*given), {}});
    if ((flags & flag_fin) != 0) remote_ended(*stream, events);
}

// More headers of a stream say nothing here, but their block is part of the compressed text.
void Connection::take_headers(unsigned flags, std::string_view payload, std::vector<Event>& events) {
    Reader reader(payload);
    const auto stream = reader.number(4);
    if (!stream || !decompressor_.decompress(reader.rest())) return fail();
    if ((flags & flag_fin) != 0) remote_ended(*stream, events);
}

void Connection::take_data(StreamId stream, unsigned flags, std::string_view payload, std::vector<Event>& events) {
    const auto found = streams_.find(stream);
    if (found == streams_.end() || !found->second.remote_open) return;  // on its way when the stream was closed
    if (!payload.empty()) events.push_back({Event::Kind::data, stream, {}, std::string(payload)});
    if ((flags & flag_fin) != 0) remote_ended(stream, events);
}

void Connection::remote_ended(StreamId stream, std::vector<Event>& events) {
    const auto found = streams_.find(stream);
    if (found == streams_.end() || !found->second.remote_open) return;
    found->second.remote_open = false;
    events.push_back({Event::Kind::ended, stream, {}, {}});
    forget_when_closed(stream);
}

void Connection::forget_when_closed(StreamId stream) {
    const auto found = streams_.find(stream);
    if (found != streams_.end() && !found->second.remote_open && !found->second.local_open) streams_.erase(found);
}

void Connection::reply(StreamId stream) {
    if (streams_.count(stream) == 0) return;
    std::string payload;
    append_number(payload, stream, 4);
    append_control(syn_reply, 0, payload + compressor_.compress({}));
}

void Connection::send(StreamId stream, std::string_view text) {
    const auto found = streams_.find(stream);
    if (found == streams_.end() || !found->second.local_open) return;
    while (!text.empty()) {
        const std::string_view part = text.substr(0, data_bytes_max);
        append_number(output_, stream, 4);
        append_number(output_, part.size(), 4);
        output_ += part;
        text.remove_prefix(part.size());
    }
}

void Connection::finish(StreamId stream) {
    const auto found = streams_.find(stream);
    if (found == streams_.end() || !found->second.local_open) return;
    append_number(output_, stream, 4);
    append_number(output_, flag_fin << 24, 4);
    found->second.local_open = false;
    forget_when_closed(stream);
}

void Connection::reset(StreamId stream, ResetStatus status) {
    if (streams_.erase(stream) != 0) append_reset(stream, status);
}

void Connection::append_control(unsigned type, unsigned flags, std::string_view payload) {
    append_number(output_, 0x80000000u | version << 16 | type, 4);
    append_number(output_, static_cast<std::uint64_t>(flags) << 24 | payload.size(), 4);
    output_ += payload;
}

void Connection::append_reset(StreamId stream, ResetStatus status) {
    std::string payload;
    append_number(payload, stream, 4);
    append_number(payload, static_cast<std::uint32_t>(status), 4);
    append_control(rst_stream, 0, payload);
}

void Connection::fail() {
    constexpr std::uint64_t protocol_error = 1;
    std::string payload;
    append_number(payload, newest_, 4);
    append_number(payload, protocol_error, 4);
    append_control(goaway, 0, payload);
    broken_ = true;
}

}  // namespace kubemu::server::spdy

// Connection: the server's end of SPDY/3.1 (the draft's part 2), as far as Kubernetes speaks it: streams that the client
// opens, data both ways, half-closing, resets, pings, going away.
//
// No socket: bytes in, events out, and bytes to send. Flow control: client-go's library neither sends window updates nor
// waits for them, so data is sent without waiting; whoever feeds this holds back reading when too much is unread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "server/spdy/header_block.h"

namespace kubemu::server::spdy {

using StreamId = std::uint32_t;

struct Event {
    enum class Kind {
        opened,   // `headers`; it wants a reply or a reset
        data,     // `text`
        ended,    // the client sends nothing more on this stream
        reset,    // the client wants nothing more to do with it
        go_away,  // no streams will be opened any more
    } kind = Kind::data;
    StreamId stream = 0;
    Headers headers;
    std::string text;
};

// Streams that may be open at once, and the longest frame that is taken.
inline constexpr std::size_t streams_max = 1000;
inline constexpr std::size_t frame_bytes_max = 4 * 1024 * 1024;

class Connection {
  public:
    // Takes the next bytes; what they mean is added to `events`.
    void take(std::string_view bytes, std::vector<Event>& events);
    // The client has broken the protocol, and was told so; nothing more is taken.
    bool broken() const { return broken_; }

    // Each does nothing to a stream that is not there any more, or whose own half is closed.
    void reply(StreamId stream);
    void send(StreamId stream, std::string_view text);
    void finish(StreamId stream);  // nothing more comes from the server
    enum class ResetStatus : std::uint32_t { protocol_error = 1, invalid_stream = 2, refused = 3, cancel = 5 };
    void reset(StreamId stream, ResetStatus status);

    // What is to be sent; the caller empties it.
    std::string& output() { return output_; }

  private:
    struct Half {
        bool remote_open = true, local_open = true;
    };
    std::size_t take_frame(std::string_view bytes, std::vector<Event>& events);
    void take_control(unsigned type, unsigned flags, std::string_view payload, std::vector<Event>& events);
    void open(unsigned flags, std::string_view payload, std::vector<Event>& events);
    void take_headers(unsigned flags, std::string_view payload, std::vector<Event>& events);
    void take_data(StreamId stream, unsigned flags, std::string_view payload, std::vector<Event>& events);
    void remote_ended(StreamId stream, std::vector<Event>& events);
    void forget_when_closed(StreamId stream);
    void append_control(unsigned type, unsigned flags, std::string_view payload);
    void append_reset(StreamId stream, ResetStatus status);
    void fail();

    std::string pending_, output_;
    std::map<StreamId, Half> streams_;
    StreamId newest_ = 0;
    HeaderCompressor compressor_;
    HeaderDecompressor decompressor_;
    bool broken_ = false, gone_away_ = false;
};

}  // namespace kubemu::server::spdy

// Two coroutines on the connection's strand: one writes what the stream has, one notices that the client hangs up.
#include "server/stream_writer.h"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "server/http_text.h"

namespace kubemu::server {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using boost::system::error_code;
using TlsStream = asio::ssl::stream<tcp::socket&>;

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

tcp::socket& lowest(tcp::socket& socket) { return socket; }
tcp::socket& lowest(TlsStream& stream) { return stream.next_layer(); }

// What the writer of a stream and those who wake it share. Lives on the connection's strand, but for `signal`.
struct StreamWait {
    explicit StreamWait(asio::any_io_executor executor) : timer(executor), slow_timer(executor) {}
    asio::steady_timer timer;       // sleeps between events
    asio::steady_timer slow_timer;  // cuts off a reader that takes nothing
    bool woken = false;
    bool late = false;              // the reader took its data too slowly
    bool closed = false;            // the peer hung up
    bool reading = true;            // notice_close still refers to the socket
    std::optional<WebSocketReader> websocket;
    bool binary = false;            // over the WebSocket go frames with a length before them, not lines
    std::string answers;            // to what came over the WebSocket
};

void wake(const std::shared_ptr<StreamWait>& wait) {
    wait->woken = true;
    wait->timer.cancel();
}

// A client that is done with a watch just closes the connection; only a read notices that.
template <class Stream>
asio::awaitable<void> notice_close(Stream& socket, std::shared_ptr<StreamWait> wait) {
    std::array<char, 1024> received;
    for (;;) {
        const auto [error, size] = co_await socket.async_read_some(asio::buffer(received), use_tuple);
        if (error) break;
        if (!wait->websocket) continue;
        wait->answers += wait->websocket->take({received.data(), size});
        if (wait->websocket->closed()) break;
        if (!wait->answers.empty()) wake(wait);
    }
    wait->closed = true;
    wait->reading = false;
    wake(wait);
}

// A reader that takes nothing for one time-out is told so when it does; after another one the connection is closed.
template <class Stream>
void cut_off_when_slow(Stream& socket, const std::shared_ptr<StreamWait>& wait, Duration timeout) {
    wait->slow_timer.expires_after(timeout);
    wait->slow_timer.async_wait([&socket, wait, timeout](error_code error) {
        if (error || !wait->reading) return;  // the socket lives until nobody reads from it
        if (!wait->late) {
            wait->late = true;
            return cut_off_when_slow(socket, wait, timeout);
        }
        error_code ignored;
        lowest(socket).close(ignored);
    });
}

// The data of a stream as it goes over the wire.
std::string framed(const StreamWait& wait, const Scatter& data) {
    std::string out;
    const std::size_t size = total_size(data);
    if (size == 0) return out;
    std::string text;
    text.reserve(size);
    for (const Slice& part : data) text += part.text;
    if (wait.websocket) {
        if (wait.binary) append_binary_frames(out, text);
        else append_text_frames(out, text);
        return out;
    }
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, size, 16).ptr;
    out.reserve(size + 24);
    out.append(digits, end).append("\r\n").append(text).append("\r\n");
    return out;
}

template <class Stream>
asio::awaitable<bool> write_framed(Stream& socket, const std::shared_ptr<StreamWait>& wait, const Scatter& data,
                                   Duration timeout) {
    std::string text = std::exchange(wait->answers, {}) + framed(*wait, data);
    if (text.empty()) co_return true;
    cut_off_when_slow(socket, wait, timeout);
    const bool written = co_await write_parts(socket, std::move(text), {}, {});
    wait->slow_timer.cancel();
    co_return written;
}

}  // namespace

template <class Stream>
asio::awaitable<bool> write_parts(Stream& socket, std::string first, const Scatter& parts, std::string_view last) {
    std::string gathered = std::move(first);
    for (const Slice& part : parts) {
        if (gathered.size() + part.text.size() > gather_bytes_max && !gathered.empty()) {
            const auto [error, size] = co_await asio::async_write(socket, asio::buffer(gathered), use_tuple);
            if (error) co_return false;
            gathered.clear();
        }
        if (part.text.size() > gather_bytes_max) {
            const auto [error, size] = co_await asio::async_write(
                socket, asio::buffer(part.text.data(), part.text.size()), use_tuple);
            if (error) co_return false;
        } else {
            gathered += part.text;
        }
    }
    gathered += last;
    const auto [error, size] = co_await asio::async_write(socket, asio::buffer(gathered), use_tuple);
    co_return !error;
}

template <class Stream>
asio::awaitable<void> write_stream(Stream& socket, api::Stream& stream, const SessionContext& context, StreamForm form) {
    using State = api::Stream::Step::State;
    const auto executor = co_await asio::this_coro::executor;
    auto wait = std::make_shared<StreamWait>(executor);
    if (form.websocket) wait->websocket.emplace();
    wait->binary = form.binary;
    stream.on_wake([executor, weak = std::weak_ptr<StreamWait>(wait)] {
        asio::post(executor, [weak] {
            if (auto wait = weak.lock()) wake(wait);
        });
    });
    asio::co_spawn(executor, notice_close(socket, wait), asio::detached);
    while (!wait->closed) {
        wait->woken = false;
        api::Stream::Step step = stream.next();
        if (!co_await write_framed(socket, wait, step.data, context.slow_reader_timeout)) break;
        if (wait->late) {
            if (!co_await write_framed(socket, wait, stream.cut_off(), context.slow_reader_timeout)) break;
            step.state = State::end;
        }
        if (step.state == State::end) break;
        if (step.state == State::more || wait->woken) continue;
        wait->timer.expires_after(std::chrono::hours(24));
        if (step.wake_at) wait->timer.expires_after(std::max(*step.wake_at - context.clock.now(), Duration(1000)));
        co_await wait->timer.async_wait(use_tuple);
    }
    const std::string last = form.websocket ? std::exchange(wait->answers, {}) + close_frame(1000) : std::string("0\r\n\r\n");
    if (lowest(socket).is_open()) co_await write_parts(socket, last, {}, {});
    error_code ignored;
    lowest(socket).shutdown(tcp::socket::shutdown_both, ignored);
    lowest(socket).cancel(ignored);
    // notice_close refers to the socket, which the caller owns.
    while (wait->reading) {
        wait->timer.expires_after(std::chrono::hours(24));
        co_await wait->timer.async_wait(use_tuple);
    }
}

template asio::awaitable<bool> write_parts(tcp::socket&, std::string, const Scatter&, std::string_view);
template asio::awaitable<bool> write_parts(TlsStream&, std::string, const Scatter&, std::string_view);
template asio::awaitable<void> write_stream(tcp::socket&, api::Stream&, const SessionContext&, StreamForm);
template asio::awaitable<void> write_stream(TlsStream&, api::Stream&, const SessionContext&, StreamForm);

}  // namespace kubemu::server

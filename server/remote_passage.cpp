// The coroutine that reads, the one that writes what a tunnel's client says, and what they share with the client's thread.
#include "server/remote_passage.h"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <functional>

#include "api/headers.h"
#include "api/tunnel.h"
#include "api/values/text.h"
#include "server/streams/duplex.h"
#include "storage/base/limits.h"
#include "storage/base/mutex.h"

namespace kubemu::server {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using BodyParser = http::response_parser<http::buffer_body>;

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);
constexpr auto for_ever = std::chrono::hours(24);

// What the server says, on its way to the client.
class Passage {
  public:
    // False when nobody reads any more.
    bool add(std::string_view data, bool last) {
        Lock lock(mutex_);
        arrived_ += data;
        ended_ = ended_ || last;
        if (wake_) wake_();
        return !abandoned_;
    }
    bool full() {
        Lock lock(mutex_);
        return arrived_.size() > limits::remote_answer_bytes_max;
    }
    api::Stream::Step take() {
        api::Stream::Step step;
        Lock lock(mutex_);
        if (!arrived_.empty()) step.data.push_back(Slice::of(std::exchange(arrived_, {})));
        step.state = ended_ ? api::Stream::Step::State::end : api::Stream::Step::State::wait;
        return step;
    }
    void on_wake(std::function<void()> wake) {
        Lock lock(mutex_);
        wake_ = std::move(wake);
    }
    void wake() {
        Lock lock(mutex_);
        if (wake_) wake_();
    }
    void abandon() {
        Lock lock(mutex_);
        abandoned_ = true;
        wake_ = nullptr;
    }

  private:
    Mutex mutex_;
    std::string arrived_ KUBEMU_GUARDED_BY(mutex_);
    bool ended_ KUBEMU_GUARDED_BY(mutex_) = false, abandoned_ KUBEMU_GUARDED_BY(mutex_) = false;
    std::function<void()> wake_ KUBEMU_GUARDED_BY(mutex_);
};

void end_soon(const std::weak_ptr<RemoteConnection>& weak) {
    if (const auto open = weak.lock()) asio::post(open->stream.get_executor(), [open] { open->end(); });
}

// The body of a passed-on answer.
class PassedStream final : public api::Stream {
  public:
    PassedStream(std::shared_ptr<Passage> passage, std::weak_ptr<RemoteConnection> connection)
        : passage_(std::move(passage)), connection_(std::move(connection)) {}
    ~PassedStream() override {
        passage_->abandon();
        end_soon(connection_);
    }
    Step next() override { return passage_->take(); }
    void on_wake(std::function<void()> wake) override { passage_->on_wake(std::move(wake)); }

  private:
    std::shared_ptr<Passage> passage_;
    std::weak_ptr<RemoteConnection> connection_;
};

// What the client of a tunnel says, on its way to the server.
struct Outgoing {
    explicit Outgoing(asio::any_io_executor executor) : timer(std::move(executor)) {}
    asio::steady_timer timer;  // the writer sleeps; on the connection's thread
    bool done = false;         // the writer has ended; on the connection's thread
    Mutex mutex;
    std::string text KUBEMU_GUARDED_BY(mutex);
    std::size_t unsent KUBEMU_GUARDED_BY(mutex) = 0;  // in `text`, and being written
    bool closed KUBEMU_GUARDED_BY(mutex) = false;
};

class RemoteTunnel final : public api::Tunnel {
  public:
    RemoteTunnel(std::shared_ptr<Passage> passage, std::shared_ptr<Outgoing> outgoing, RemoteConnectionPtr connection)
        : passage_(std::move(passage)), outgoing_(std::move(outgoing)), executor_(connection->stream.get_executor()), connection_(connection) {}
    ~RemoteTunnel() override {
        passage_->abandon();
        end_soon(connection_);
    }
    Step next() override { return passage_->take(); }
    void on_wake(std::function<void()> wake) override { passage_->on_wake(std::move(wake)); }
    void input(std::string_view bytes) override {
        {
            Lock lock(outgoing_->mutex);
            outgoing_->text += bytes;
            outgoing_->unsent += bytes.size();
        }
        wake_writer();
    }
    void input_closed() override {
        {
            Lock lock(outgoing_->mutex);
            outgoing_->closed = true;
        }
        wake_writer();
    }
    bool full() const override {
        Lock lock(outgoing_->mutex);
        return outgoing_->unsent > unread_bytes_max;
    }

  private:
    void wake_writer() {
        asio::post(executor_, [outgoing = outgoing_] { outgoing->timer.cancel(); });
    }
    std::shared_ptr<Passage> passage_;
    std::shared_ptr<Outgoing> outgoing_;
    RemoteStream::executor_type executor_;
    std::weak_ptr<RemoteConnection> connection_;
};

api::Response head_of(const BodyParser& parser) {
    api::Response response;
    response.code = static_cast<int>(parser.get().result_int());
    response.content_type = std::string(parser.get()[http::field::content_type]);
    for (const auto& field : parser.get()) {
        const http::field name = field.name();
        const std::string text(field.name_string().data(), field.name_string().size());
        // The server's own head says these.
        if (name == http::field::content_type || name == http::field::content_length || name == http::field::date ||
            name == http::field::cache_control || (response.code != 101 && api::is_hop_header(text))) {
            continue;
        }
        response.headers.emplace_back(text, std::string(field.value()));
    }
    return response;
}

using Take = std::function<bool(std::string_view)>;

// Reads the body piece by piece into `take`, which says whether to go on.
asio::awaitable<void> read_body(RemoteStream& stream, boost::beast::flat_buffer& buffer, BodyParser& parser, Take take) {
    std::array<char, 16 * 1024> piece;
    while (!parser.is_done()) {
        parser.get().body().data = piece.data();
        parser.get().body().size = piece.size();
        const auto [error, size] = co_await http::async_read_some(stream, buffer, parser, use_tuple);
        const std::size_t read = piece.size() - parser.get().body().size;
        if (read > 0 && !take({piece.data(), read})) co_return;
        if (error && error != http::error::need_buffer) co_return;
    }
}

asio::awaitable<void> write_outgoing(RemoteConnectionPtr connection, std::shared_ptr<Outgoing> outgoing, std::shared_ptr<Passage> passage) {
    for (;;) {
        std::string text;
        bool closed = false;
        {
            Lock lock(outgoing->mutex);
            text.swap(outgoing->text);
            closed = outgoing->closed;
        }
        if (text.empty()) {
            if (closed) break;
            outgoing->timer.expires_after(for_ever);
            co_await outgoing->timer.async_wait(use_tuple);
            continue;
        }
        const auto [error, size] = co_await asio::async_write(connection->stream, asio::buffer(text), use_tuple);
        if (error) break;
        {
            Lock lock(outgoing->mutex);
            outgoing->unsent -= text.size();
        }
        passage->wake();  // there is room again
    }
    error_code ignored;
    connection->stream.socket().shutdown(RemoteStream::Socket::shutdown_send, ignored);
    outgoing->done = true;
    outgoing->timer.cancel();
}

// `early`: what the server has said behind its head.
asio::awaitable<void> run_tunnel(RemoteConnectionPtr connection, api::Response response, std::string early, api::Respond respond) {
    const auto passage = std::make_shared<Passage>();
    const auto outgoing = std::make_shared<Outgoing>(connection->stream.get_executor());
    response.stream = std::make_unique<RemoteTunnel>(passage, outgoing, connection);
    if (!early.empty()) passage->add(early, false);
    respond(std::move(response));
    asio::co_spawn(connection->stream.get_executor(), write_outgoing(connection, outgoing, passage), asio::detached);
    std::array<char, 16 * 1024> piece;
    for (;;) {
        const auto [error, size] = co_await connection->stream.async_read_some(asio::buffer(piece), use_tuple);
        if (error || !passage->add({piece.data(), size}, false) || passage->full()) break;
    }
    passage->add({}, true);
    {
        Lock lock(outgoing->mutex);
        outgoing->closed = true;
        outgoing->text.clear();
    }
    connection->end();
    outgoing->timer.cancel();
    while (!outgoing->done) {
        outgoing->timer.expires_after(std::chrono::milliseconds(10));
        co_await outgoing->timer.async_wait(use_tuple);
    }
}

}  // namespace

asio::awaitable<void> pass_on(RemoteConnectionPtr connection, RemotePlace place, std::string dialled, api::RemoteCall call,
                              api::Respond respond, const Clock& clock) {
    std::string why = co_await greet(connection, place, std::move(dialled), call.insecure, clock);
    RemoteStream& stream = connection->stream;
    boost::beast::flat_buffer buffer;
    BodyParser parser;
    parser.body_limit(boost::none);
    if (why.empty()) why = co_await send_request(connection, place, call);
    if (why.empty()) {
        const auto [read_failure, size] = co_await http::async_read_header(stream, buffer, parser, use_tuple);
        if (read_failure) why = connection_error(read_failure);
    }
    if (!why.empty()) {
        respond(api::unreachable_response(connection->late ? "context deadline exceeded" : why));
        co_return;
    }
    connection->deadline.cancel();
    api::Response response = head_of(parser);
    if (response.code == 101) {
        std::string early = boost::beast::buffers_to_string(buffer.data());
        co_await run_tunnel(connection, std::move(response), std::move(early), std::move(respond));
        co_return;
    }
    if (call.method == "HEAD") {
        respond(std::move(response));
        co_return;
    }
    if (parser.content_length() && *parser.content_length() <= limits::remote_answer_bytes_max) {
        std::string body;
        Take gather = [&body](std::string_view piece) {
            body += piece;
            return true;
        };
        co_await read_body(stream, buffer, parser, std::move(gather));
        response.body.push_back(Slice::of(std::move(body)));
        respond(std::move(response));
        co_return;
    }
    const auto passage = std::make_shared<Passage>();
    response.stream = std::make_unique<PassedStream>(passage, connection);
    respond(std::move(response));
    Take pass = [passage](std::string_view piece) { return passage->add(piece, false) && !passage->full(); };
    co_await read_body(stream, buffer, parser, std::move(pass));
    passage->add({}, true);
}

}  // namespace kubemu::server

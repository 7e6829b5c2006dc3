// RemoteConnection: a connection of ours to another server, over TLS or plain, up to where its answer begins.
//
// Errors are in the words of Go's net/http and crypto/tls.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <utility>

#include "api/remote_calls.h"
#include "storage/base/clock.h"

namespace kubemu::server {

// Where a URL leads: http[s]://HOST[:PORT]/TARGET.
struct RemotePlace {
    bool plain = false;  // http
    std::string host, port, target;
    std::string authority() const { return host + ":" + port; }
};
RemotePlace place_of(const std::string& url);
// The URL that a Location in an answer from `base` means.
std::string resolve_reference(const std::string& base, const std::string& location);

// A stream over TLS, or what lies under it.
class RemoteStream {
  public:
    using Socket = boost::asio::ip::tcp::socket;
    using executor_type = boost::asio::any_io_executor;
    RemoteStream(boost::asio::io_context& io, boost::asio::ssl::context& context, bool plain) : tls_(io, context), plain_(plain) {}

    executor_type get_executor() { return tls_.get_executor(); }
    Socket& socket() { return tls_.next_layer(); }
    boost::asio::ssl::stream<Socket>& tls() { return tls_; }
    bool plain() const { return plain_; }

    template <class Buffers, class Token>
    auto async_read_some(const Buffers& buffers, Token&& token) {
        return boost::asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
            [this](auto handler, const Buffers& wanted) {
                if (plain_) socket().async_read_some(wanted, std::move(handler));
                else tls_.async_read_some(wanted, std::move(handler));
            },
            token, buffers);
    }
    template <class Buffers, class Token>
    auto async_write_some(const Buffers& buffers, Token&& token) {
        return boost::asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
            [this](auto handler, const Buffers& given) {
                if (plain_) socket().async_write_some(given, std::move(handler));
                else tls_.async_write_some(given, std::move(handler));
            },
            token, buffers);
    }

  private:
    boost::asio::ssl::stream<Socket> tls_;
    bool plain_;
};

// One call: what it connects with, and what its deadline ends. On one thread.
struct RemoteConnection {
    RemoteConnection(boost::asio::io_context& io, boost::asio::ssl::context given, bool plain)
        : context(std::move(given)), stream(io, context, plain), deadline(io), resolver(io) {}
    boost::asio::ssl::context context;
    RemoteStream stream;
    boost::asio::steady_timer deadline;
    boost::asio::ip::tcp::resolver resolver;
    bool late = false, stopped = false;

    void end();
};
using RemoteConnectionPtr = std::shared_ptr<RemoteConnection>;

// Connects to `dialled` (HOST:PORT) and greets the server as the one of `place`; why that could not be done, or nothing.
// `clock` says what time certificates are checked against in messages.
boost::asio::awaitable<std::string> greet(RemoteConnectionPtr connection, RemotePlace place, std::string dialled, bool insecure,
                                          const Clock& clock);
// Sends the request of a call; why that could not be done, or nothing.
boost::asio::awaitable<std::string> send_request(RemoteConnectionPtr connection, RemotePlace place, api::RemoteCall call);
// Why a read or a write failed.
std::string connection_error(const boost::system::error_code& error);

}  // namespace kubemu::server

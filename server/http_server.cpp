// Accepting connections, the pool of threads, and a clean end.
#include "server/http_server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <set>
#include <thread>
#include <vector>

#include "server/session.h"
#include "storage/base/log.h"
#include "storage/base/mutex.h"

namespace kubemu::server {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using boost::system::error_code;

// The sockets that are open, so that they can be closed at the end.
class OpenSockets {
  public:
    void add(tcp::socket* socket) {
        Lock lock(mutex_);
        sockets_.insert(socket);
    }
    void remove(tcp::socket* socket) {
        Lock lock(mutex_);
        sockets_.erase(socket);
    }
    void close_all() {
        Lock lock(mutex_);
        for (tcp::socket* socket : sockets_) {
            // Each socket is closed on its own strand; one that ends meanwhile has left the set first.
            asio::post(socket->get_executor(), [this, socket] {
                Lock lock(mutex_);
                error_code ignored;
                if (sockets_.contains(socket)) socket->close(ignored);
            });
        }
    }

  private:
    Mutex mutex_;
    std::set<tcp::socket*> sockets_ KUBEMU_GUARDED_BY(mutex_);
};

// `tls` is null for plain HTTP.
asio::awaitable<void> serve_connection(tcp::socket socket, OpenSockets& open, Tls* tls, const SessionContext& context) {
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    open.add(&socket);
    try {
        if (tls == nullptr) {
            co_await run_session(socket, context);
        } else {
            co_await run_tls_session(socket, *tls, context);
        }
    } catch (const std::exception& error) {
        log_line(LogLevel::error, "a connection ended by an exception", {{"what", error.what()}});
    }
    open.remove(&socket);
    socket.close(ignored);
}

asio::awaitable<void> accept_connections(tcp::acceptor& acceptor, asio::io_context& io, OpenSockets& open, Tls* tls,
                                         const SessionContext& context) {
    for (;;) {
        auto strand = asio::make_strand(io);
        auto [error, socket] = co_await acceptor.async_accept(strand, asio::as_tuple(asio::use_awaitable));
        if (error == asio::error::operation_aborted || !acceptor.is_open()) co_return;
        if (error) {
            log_line(LogLevel::warning, "accept failed", {{"error", error.message()}});
            continue;
        }
        asio::co_spawn(strand, serve_connection(std::move(socket), open, tls, context), asio::detached);
    }
}

}  // namespace

struct HttpServer::Impl {
    explicit Impl(const Options& options)
        : io(options.threads),
          acceptor(asio::make_strand(io)),
          tls_acceptor(asio::make_strand(io)),
          tls(options.tls),
          signals(signal_io, SIGINT, SIGTERM),
          context{options.dispatcher, options.filters, options.clock, options.log_requests, options.audit, options.slow_reader_timeout},
          thread_count(options.threads) {}

    asio::io_context io;
    asio::io_context signal_io;  // run by whoever waits for a signal
    tcp::acceptor acceptor;
    tcp::acceptor tls_acceptor;  // open with HTTPS only
    Tls* tls;
    asio::signal_set signals;
    SessionContext context;
    OpenSockets open;
    int thread_count;
    std::vector<std::thread> threads;
};

namespace {

// Empty when it listens. `flag` is what the user would choose another address with.
std::string listen_on(tcp::acceptor& acceptor, const std::string& host, std::uint16_t port, const char* flag) {
    const std::string where = host + ":" + std::to_string(port);
    error_code error;
    const auto address = asio::ip::make_address(host, error);
    if (error) return host + " is not an IP address";
    const tcp::endpoint endpoint(address, port);
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(4096, error);
    if (error == asio::error::address_in_use) {
        return where + " is already in use; stop what listens there or choose another with " + flag + " ADDR:PORT";
    }
    return error ? "cannot listen on " + where + ": " + error.message() : std::string();
}

}  // namespace

Result<std::unique_ptr<HttpServer>, std::string> HttpServer::listen(Options options) {
    auto impl = std::make_unique<Impl>(options);
    if (std::string why = listen_on(impl->acceptor, options.address, options.port, "--http"); !why.empty()) return why;
    if (options.tls != nullptr) {
        std::string why = listen_on(impl->tls_acceptor, options.tls_address, options.tls_port, "--https");
        if (!why.empty()) return why;
    }
    return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() { stop(); }

std::uint16_t HttpServer::port() const { return impl_->acceptor.local_endpoint().port(); }
std::uint16_t HttpServer::tls_port() const {
    return impl_->tls_acceptor.is_open() ? impl_->tls_acceptor.local_endpoint().port() : std::uint16_t{0};
}

void HttpServer::start() {
    asio::co_spawn(impl_->acceptor.get_executor(),
                   accept_connections(impl_->acceptor, impl_->io, impl_->open, nullptr, impl_->context), asio::detached);
    if (impl_->tls_acceptor.is_open()) {
        asio::co_spawn(impl_->tls_acceptor.get_executor(),
                       accept_connections(impl_->tls_acceptor, impl_->io, impl_->open, impl_->tls, impl_->context),
                       asio::detached);
    }
    for (int i = 0; i < impl_->thread_count; ++i) {
        impl_->threads.emplace_back([io = &impl_->io] { io->run(); });
    }
}

int HttpServer::wait_for_signal() {
    int received = 0;
    impl_->signals.async_wait([&received](error_code error, int signal) {
        if (!error) received = signal;
    });
    impl_->signal_io.run();
    return received;
}

void HttpServer::stop() {
    if (impl_->threads.empty()) return;
    asio::post(impl_->acceptor.get_executor(), [this] {
        error_code ignored;
        impl_->acceptor.close(ignored);
    });
    asio::post(impl_->tls_acceptor.get_executor(), [this] {
        error_code ignored;
        impl_->tls_acceptor.close(ignored);
    });
    impl_->open.close_all();
    // What still runs is a request that the handlers are answering; it may not hold up the end.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(500);
    while (!impl_->io.stopped() && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    impl_->io.stop();
    for (std::thread& thread : impl_->threads) thread.join();
    impl_->threads.clear();
}

}  // namespace kubemu::server

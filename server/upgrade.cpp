// Two coroutines on the connection's strand: one reads into the Duplex, one writes what it has to say.
#include "server/upgrade.h"

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
#include <chrono>
#include <memory>

#include "api/tunnel.h"
#include "server/streams/tunnel.h"

namespace kubemu::server {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using boost::system::error_code;
using TlsStream = asio::ssl::stream<tcp::socket&>;

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);
constexpr auto for_ever = std::chrono::hours(24);
// How long the client may take to close the connection after the end.
constexpr auto linger = std::chrono::seconds(2);

tcp::socket& lowest(tcp::socket& socket) { return socket; }
tcp::socket& lowest(TlsStream& stream) { return stream.next_layer(); }

// What the two coroutines, and those who wake them, share. Lives on the connection's strand.
struct Wait {
    explicit Wait(asio::any_io_executor executor) : timer(executor), room(executor) {}
    asio::steady_timer timer;  // the writer sleeps until there is something to do
    asio::steady_timer room;   // the reader sleeps until there is room
    bool woken = false;
    bool ended = false;    // nothing is taken any more
    bool reading = true;   // the reader still refers to the socket and the Duplex
};

void wake(const std::shared_ptr<Wait>& wait) {
    wait->woken = true;
    wait->timer.cancel();
}

template <class Stream>
asio::awaitable<void> read_into(Stream& socket, Duplex& duplex, std::shared_ptr<Wait> wait) {
    std::array<char, 16 * 1024> received;
    for (;;) {
        while (!wait->ended && duplex.full()) {
            wait->room.expires_after(for_ever);
            co_await wait->room.async_wait(use_tuple);
        }
        const auto [error, size] = co_await socket.async_read_some(asio::buffer(received), use_tuple);
        if (error) break;
        if (wait->ended) continue;
        duplex.take({received.data(), size});
        wake(wait);
    }
    wait->reading = false;
    wake(wait);
}

// Until the Duplex ends or the client is gone.
template <class Stream>
asio::awaitable<void> write_from(Stream& socket, Duplex& duplex, std::shared_ptr<Wait> wait, const Clock& clock) {
    while (wait->reading) {
        wait->woken = false;
        std::string out;
        const Duplex::Step step = duplex.advance(out);
        wait->room.cancel();
        if (!out.empty()) {
            const auto [error, size] = co_await asio::async_write(socket, asio::buffer(out), use_tuple);
            if (error) break;
        }
        if (step.ended) break;
        if (step.more || wait->woken) continue;
        wait->timer.expires_after(for_ever);
        if (step.wake_at) wait->timer.expires_after(std::max(*step.wake_at - clock.now(), Duration(1000)));
        co_await wait->timer.async_wait(use_tuple);
    }
}

// Both protocols say their last word themselves, and the client closes. A server that closes first would take from it what
// was written last: TCP drops that when there is unread data, and older SPDY clients do when the connection ends.
template <class Stream>
asio::awaitable<void> close_gently(Stream& socket, std::shared_ptr<Wait> wait) {
    wait->ended = true;
    wait->room.cancel();
    error_code ignored;
    const auto deadline = std::chrono::steady_clock::now() + linger;
    while (wait->reading && std::chrono::steady_clock::now() < deadline) {
        wait->timer.expires_at(deadline);
        co_await wait->timer.async_wait(use_tuple);
    }
    lowest(socket).shutdown(tcp::socket::shutdown_both, ignored);
    lowest(socket).cancel(ignored);
    while (wait->reading) {
        wait->timer.expires_after(for_ever);
        co_await wait->timer.async_wait(use_tuple);
    }
}

template <class Stream>
asio::awaitable<void> run(Stream& socket, Duplex& duplex, std::string early, const SessionContext& context) {
    const auto executor = co_await asio::this_coro::executor;
    auto wait = std::make_shared<Wait>(executor);
    duplex.on_wake([executor, weak = std::weak_ptr<Wait>(wait)] {
        asio::post(executor, [weak] {
            if (auto wait = weak.lock()) wake(wait);
        });
    });
    if (!early.empty()) duplex.take(early);
    asio::co_spawn(executor, read_into(socket, duplex, wait), asio::detached);
    co_await write_from(socket, duplex, wait, context.clock);
    co_await close_gently(socket, wait);
}

}  // namespace

bool asks_for_upgrade(const api::Response& response) {
    const api::Stream* stream = response.stream.get();
    return dynamic_cast<const api::PodConnect*>(stream) != nullptr || dynamic_cast<const api::Tunnel*>(stream) != nullptr;
}

template <class Stream>
asio::awaitable<bool> run_upgraded(Stream& socket, api::Response& response, const UpgradeOffer& offer, std::string early,
                                   const SessionContext& context) {
    if (auto* tunnel = dynamic_cast<api::Tunnel*>(response.stream.get())) {
        TunnelDuplex duplex(*tunnel);
        const std::string head = tunnel_head(response);
        const auto [error, size] = co_await asio::async_write(socket, asio::buffer(head), use_tuple);
        if (!error) co_await run(socket, duplex, std::move(early), context);
        co_return true;
    }
    auto agreed = agree(offer, static_cast<api::PodConnect&>(*response.stream), context.clock);
    if (auto* refusal = std::get_if<api::Response>(&agreed)) {
        response = std::move(*refusal);
        co_return false;
    }
    Agreement& agreement = std::get<Agreement>(agreed);
    const auto [error, size] = co_await asio::async_write(socket, asio::buffer(agreement.head), use_tuple);
    if (!error) co_await run(socket, *agreement.duplex, std::move(early), context);
    co_return true;
}

template asio::awaitable<bool> run_upgraded(tcp::socket&, api::Response&, const UpgradeOffer&, std::string,
                                            const SessionContext&);
template asio::awaitable<bool> run_upgraded(TlsStream&, api::Response&, const UpgradeOffer&, std::string,
                                            const SessionContext&);

}  // namespace kubemu::server

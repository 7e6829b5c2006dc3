// A connection: reads a request, lets the handlers answer, writes the answer, again until one side closes.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "server/dispatcher.h"
#include "server/filters.h"
#include "server/tls.h"
#include "storage/base/clock.h"
#include "storage/base/limits.h"

namespace kubemu::server {

struct SessionContext {
    Dispatcher& dispatcher;
    const Filters& filters;
    const Clock& clock;
    bool log_requests = false;
    const api::AuditLog* audit = nullptr;  // for requests that reach no handler; null: there is none
    // How long a watcher may take nothing before it is told that it is too slow, and then before it is cut off.
    Duration slow_reader_timeout = limits::slow_watcher_timeout;
};

// Ends when the peer hangs up, breaks the protocol or stops reading, or when the socket is closed from outside.
// `context` outlives every session.
boost::asio::awaitable<void> run_session(boost::asio::ip::tcp::socket& socket, const SessionContext& context);
// The same over TLS, handshake included.
boost::asio::awaitable<void> run_tls_session(boost::asio::ip::tcp::socket& socket, Tls& tls, const SessionContext& context);

}  // namespace kubemu::server

// A request passed on to another server: its answer comes back as a whole, as a stream, or as a tunnel when both sides agree
// on another protocol.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "api/remote_calls.h"
#include "server/remote_connection.h"

namespace kubemu::server {

// Runs on the connection's thread until all has been passed on; `respond` is called once.
boost::asio::awaitable<void> pass_on(RemoteConnectionPtr connection, RemotePlace place, std::string dialled, api::RemoteCall call,
                                     api::Respond respond, const Clock& clock);

}  // namespace kubemu::server

// An answer that goes on, over its connection: a watch or a log, in chunks or as messages of a WebSocket.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <string_view>

#include "api/request.h"
#include "server/session.h"
#include "server/websocket.h"
#include "storage/base/bytes.h"

namespace kubemu::server {

// Writes all parts, copied together into few large writes. False when the peer is gone.
template <class Socket>
boost::asio::awaitable<bool> write_parts(Socket& socket, std::string first, const Scatter& parts, std::string_view last);

// What a stream's data becomes on the wire.
struct StreamForm {
    bool websocket = false;
    bool binary = false;  // over the WebSocket go frames with a length before them, not lines
};
// Until the stream ends, the client hangs up, or it takes too little; the head has been written. The connection is over
// then. For plain sockets and for TLS streams over them.
template <class Socket>
boost::asio::awaitable<void> write_stream(Socket& socket, api::Stream& stream, const SessionContext& context, StreamForm form);

}  // namespace kubemu::server

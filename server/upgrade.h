// The socket of a connection that left HTTP: bytes between it and a Duplex, both ways, until one side has had enough.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "server/session.h"
#include "server/streams/agree.h"

namespace kubemu::server {

// Answers a request to connect to a pod (`response.stream` is an api::PodConnect), or to another server that has agreed on
// the protocol already (an api::Tunnel). True: the connection was upgraded and
// is over. False: `response` has become a refusal, to be written as any other. `early`: what the client has sent behind
// the request. For plain sockets and for TLS streams over them.
template <class Stream>
boost::asio::awaitable<bool> run_upgraded(Stream& socket, api::Response& response, const UpgradeOffer& offer,
                                          std::string early, const SessionContext& context);
bool asks_for_upgrade(const api::Response& response);

}  // namespace kubemu::server

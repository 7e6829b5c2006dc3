// Commands and ports over SPDY (kubernetes cri-streaming/pkg/streaming/remotecommand/httpstream.go and
// portforward/httpstream.go): the client opens a stream for each of stdin, stdout, stderr, error and resize; for each
// connection to a port one for its data and one for its errors.
#pragma once

#include <memory>
#include <string>

#include "api/subresources/pod_streams.h"
#include "server/streams/duplex.h"

namespace kubemu::server {

// `protocol`: "v4.channel.k8s.io" down to "channel.k8s.io". `clock` times the wait for the client's streams.
std::unique_ptr<Duplex> spdy_command(const std::string& protocol, const api::CommandQuery& query,
                                     std::unique_ptr<api::RemoteCommand> command, const Clock& clock);
std::unique_ptr<Duplex> spdy_ports(api::PodStreams& streams, storage::RecordPtr pod);
// Carries `inner` in the binary messages of a WebSocket (k8s.io/apiserver/pkg/util/proxy/streamtunnel.go).
std::unique_ptr<Duplex> websocket_tunnel(std::unique_ptr<Duplex> inner);

}  // namespace kubemu::server

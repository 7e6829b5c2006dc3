// Channels over a WebSocket: each message begins with the number of its channel (k8s.io/streaming/pkg/httpstream/wsstream;
// kubernetes cri-streaming/pkg/streaming/remotecommand/websocket.go and portforward/websocket.go).
//
// Of a command: 0 stdin, 1 stdout, 2 stderr, 3 error, 4 resize. Of port n (counted from 0): 2n data, 2n+1 error.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/subresources/pod_streams.h"
#include "server/streams/duplex.h"
#include "server/websocket.h"

namespace kubemu::server {

// One of the protocols; "" is what a client speaks that names none.
struct ChannelProtocol {
    std::string_view name;
    bool base64 = false;       // text messages in place of binary ones
    bool status = false;       // the error channel carries a v1.Status
    bool half_close = false;   // a message 255 and a channel's number closes that channel
};
// The first that the client offers and that is known for commands, or for ports. Nothing: there is none.
std::optional<ChannelProtocol> command_protocol(const std::vector<std::string>& offered);
std::optional<ChannelProtocol> port_protocol(const std::vector<std::string>& offered);

// A command, or the text of the Status that says why there is none.
struct CommandOrStatus {
    std::unique_ptr<api::RemoteCommand> command;
    std::string status;
};
// Clients make the ends of their channels after the upgrade, and some (kubectl 1.31 and 1.32) drop what comes for one that
// they have not made yet: "Unknown stream id 1, discarding message". The runtime of a real node takes longer than that; so
// nothing is said before as long has passed on `clock`.
inline constexpr Duration channels_made_after = std::chrono::milliseconds(20);
std::unique_ptr<Duplex> command_channels(ChannelProtocol protocol, const api::CommandQuery& query, CommandOrStatus command,
                                         const Clock& clock);

std::unique_ptr<Duplex> port_channels(ChannelProtocol protocol, api::PodStreams& streams, storage::RecordPtr pod,
                                      const std::vector<int>& ports);

// {"Width":80,"Height":24}, as resize channels carry it.
std::optional<std::pair<int, int>> terminal_size(std::string_view text);
// What is said of a port that cannot be reached.
std::string forwarding_error(int port, const std::string& pod_uid, const std::string& why);

}  // namespace kubemu::server

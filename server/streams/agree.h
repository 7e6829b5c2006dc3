// Which protocol a connection to a pod goes on in, of those that the client offers.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "api/subresources/pod_streams.h"
#include "server/streams/duplex.h"
#include "server/websocket.h"

namespace kubemu::server {

// The headers of the request.
struct UpgradeOffer {
    std::optional<WebSocketUpgrade> websocket;
    bool spdy = false;
    std::vector<std::string> stream_protocols;  // X-Stream-Protocol-Version
};
// From the headers' texts; several lines of a header joined by commas.
UpgradeOffer upgrade_offer(const UpgradeHeaders& headers, std::string_view stream_protocols);

struct Agreement {
    std::string head;  // the 101 answer, up to and including the empty line
    std::unique_ptr<Duplex> duplex;
};
// A refusal is what the API server says (400 "Upgrade request required"), or the kubelet behind it. `clock` is the
// machine's.
std::variant<Agreement, api::Response> agree(const UpgradeOffer& offer, api::PodConnect& connect, const Clock& clock);

}  // namespace kubemu::server

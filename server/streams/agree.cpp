// The handshakes: WebSocket subprotocols and SPDY's stream protocols.
#include "server/streams/agree.h"

#include <algorithm>
#include <charconv>

#include "api/encode_answer.h"
#include "api/values/text.h"
#include "server/streams/channels.h"
#include "server/streams/spdy_streams.h"

namespace kubemu::server {
namespace {

constexpr std::string_view command_stream_protocols[] = {"v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io",
                                                         "channel.k8s.io"};
constexpr std::string_view port_stream_protocols[] = {"portforward.k8s.io"};
constexpr std::string_view tunnel_prefix = "SPDY/3.1+", tunnel_suffix = ".k8s.io";

using Refusal = api::PodStreams::Refusal;
using Answer = std::variant<Agreement, api::Response>;

api::Response plain(int code, std::string text, std::string type) {
    api::Response response;
    response.code = code;
    response.content_type = std::move(type);
    if (!text.empty()) response.body.push_back(Slice::of(std::move(text)));
    return response;
}

api::Response kubelet_says(const Refusal& refusal) { return plain(refusal.code, refusal.text, "text/plain; charset=utf-8"); }

// What golang.org/x/net/websocket answers when it knows none of the protocols.
api::Response no_common_protocol() { return plain(403, {}, ""); }

Agreement websocket(const UpgradeOffer& offer, std::string_view protocol, std::unique_ptr<Duplex> duplex) {
    WebSocketUpgrade upgrade = *offer.websocket;
    upgrade.protocol = protocol;
    return {websocket_head(upgrade), std::move(duplex)};
}

Agreement spdy(std::string_view protocol, std::unique_ptr<Duplex> duplex) {
    std::string head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n";
    if (!protocol.empty()) head += "X-Stream-Protocol-Version: " + std::string(protocol) + "\r\n";
    return {head + "\r\n", std::move(duplex)};
}

// k8s.io/streaming/pkg/httpstream.Handshake: the first of the client's protocols that the server speaks.
struct Handshake {
    std::string_view protocol;
    std::optional<api::Response> refusal;
};
template <std::size_t count>
Handshake shake_hands(const std::vector<std::string>& offered, const std::string_view (&known)[count]) {
    for (const std::string& name : offered) {
        for (const std::string_view protocol : known) {
            if (protocol == name) return {protocol, std::nullopt};
        }
    }
    const std::string list = "[" + api::join(std::vector<std::string>(known, known + count), " ") + "]";
    api::Response refusal = kubelet_says(
        {403, offered.empty() ? "unable to upgrade: X-Stream-Protocol-Version is required"
                              : "unable to upgrade: unable to negotiate protocol: client supports [" +
                                    api::join(offered, " ") + "], server accepts " + list});
    for (const std::string_view protocol : known) refusal.headers.emplace_back("X-Accepted-Stream-Protocol-Versions", protocol);
    return {{}, std::move(refusal)};
}

Answer agree_command(const UpgradeOffer& offer, api::PodConnect& connect, const Clock& clock) {
    api::CommandQuery& query = connect.query;
    std::optional<ChannelProtocol> protocol;
    if (offer.websocket) {
        protocol = command_protocol(offer.websocket->offered);
        if (!protocol) return no_common_protocol();
    }
    // With a terminal there is one output.
    if (query.tty) query.err = false;
    Result<std::unique_ptr<api::RemoteCommand>, Refusal> command =
        query.in || query.out || query.err ? connect.streams.open(query)
                                           : Refusal{400, "you must specify at least 1 of stdin, stdout, stderr"};
    if (protocol && protocol->half_close) {
        CommandOrStatus started;
        if (command) started.command = std::move(*command);
        else started.status = api::internal_error_text("unable to upgrade connection: " + command.error().text);
        return websocket(offer, protocol->name, command_channels(*protocol, query, std::move(started), clock));
    }
    if (!command) return kubelet_says(command.error());
    if (protocol) {
        CommandOrStatus started;
        started.command = std::move(*command);
        return websocket(offer, protocol->name, command_channels(*protocol, query, std::move(started), clock));
    }
    Handshake hands = shake_hands(offer.stream_protocols, command_stream_protocols);
    if (hands.refusal) return std::move(*hands.refusal);
    return spdy(hands.protocol, spdy_command(std::string(hands.protocol), query, std::move(*command), clock));
}

// The numbers of the query's ports (NewV4Options).
Result<std::vector<int>, Refusal> port_numbers(const std::vector<std::string>& texts) {
    if (texts.empty()) return Refusal{400, "query parameter \"port\" is required"};
    std::vector<int> ports;
    for (const std::string& text : texts) {
        if (text.empty()) return Refusal{400, "query parameter \"port\" cannot be empty"};
        for (const std::string_view part : api::split(text, ',')) {
            int port = 0;
            const auto parsed = std::from_chars(part.data(), part.data() + part.size(), port);
            const bool number = parsed.ec == std::errc() && parsed.ptr == part.data() + part.size();
            if (!number || port < 0 || port > 0xffff) {
                const bool digits = !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
                return Refusal{400, "unable to parse \"" + text + "\" as a port: strconv.ParseUint: parsing \"" +
                                        std::string(part) + "\": " + (digits ? "value out of range" : "invalid syntax")};
            }
            if (port < 1) return Refusal{400, "port \"" + text + "\" must be > 0"};
            ports.push_back(port);
        }
    }
    return ports;
}

// The subprotocol of a WebSocket that carries SPDY; empty when it is for none.
std::string tunnel_protocol(const std::vector<std::string>& offered) {
    for (const std::string& name : offered) {
        const bool tunnels = name.starts_with(tunnel_prefix) && name.ends_with(tunnel_suffix);
        if (tunnels && name.substr(tunnel_prefix.size()) == port_stream_protocols[0]) return name;
    }
    return {};
}

Answer agree_ports(const UpgradeOffer& offer, api::PodConnect& connect) {
    const storage::RecordPtr& pod = connect.query.pod;
    if (const auto refusal = connect.streams.refuse_ports(pod)) return kubelet_says(*refusal);
    if (!offer.websocket) {
        Handshake hands = shake_hands(offer.stream_protocols, port_stream_protocols);
        if (hands.refusal) return std::move(*hands.refusal);
        return spdy(hands.protocol, spdy_ports(connect.streams, pod));
    }
    const std::vector<std::string>& offered = offer.websocket->offered;
    if (const std::string name = tunnel_protocol(offered); !name.empty()) {
        return websocket(offer, name, websocket_tunnel(spdy_ports(connect.streams, pod)));
    }
    auto ports = port_numbers(connect.port_list);
    if (!ports) return kubelet_says(ports.error());
    const auto protocol = port_protocol(offered);
    if (!protocol) return no_common_protocol();
    return websocket(offer, protocol->name, port_channels(*protocol, connect.streams, pod, *ports));
}

}  // namespace

UpgradeOffer upgrade_offer(const UpgradeHeaders& headers, std::string_view stream_protocols) {
    UpgradeOffer offer;
    offer.websocket = websocket_upgrade(headers);
    offer.spdy = !offer.websocket && api::lower(headers.upgrade).find("spdy/3.1") != std::string::npos &&
                 api::lower(headers.connection).find("upgrade") != std::string::npos;
    for (const std::string_view name : api::split(stream_protocols, ',')) {
        if (const std::string_view trimmed = api::trim(name); !trimmed.empty()) offer.stream_protocols.emplace_back(trimmed);
    }
    return offer;
}

Answer agree(const UpgradeOffer& offer, api::PodConnect& connect, const Clock& clock) {
    if (!offer.websocket && !offer.spdy) {
        return api::status_response(api::Status::bad_request("Upgrade request required"), connect.request);
    }
    return connect.ports ? agree_ports(offer, connect) : agree_command(offer, connect, clock);
}

}  // namespace kubemu::server

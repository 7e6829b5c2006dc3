// Commands and ports over numbered channels.
#include "server/streams/channels.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "api/kinds/views.h"
#include "api/values/object.h"
#include "api/values/text.h"

namespace kubemu::server {
namespace {

constexpr std::size_t message_bytes_max = 32 * 1024;
constexpr unsigned char close_signal = 255;
enum CommandChannel : unsigned { in_channel = 0, out_channel, err_channel, error_channel, resize_channel, channel_count };

constexpr ChannelProtocol command_protocols[] = {
    {.name = "v5.channel.k8s.io", .status = true, .half_close = true},
    {.name = ""},
    {.name = "channel.k8s.io"},
    {.name = "base64.channel.k8s.io", .base64 = true},
    {.name = "v4.channel.k8s.io", .status = true},
    {.name = "v4.base64.channel.k8s.io", .base64 = true, .status = true},
};
constexpr ChannelProtocol port_protocols[] = {
    {.name = ""},
    {.name = "v4.channel.k8s.io"},
    {.name = "v4.base64.channel.k8s.io", .base64 = true},
};

template <std::size_t count>
std::optional<ChannelProtocol> first_known(const ChannelProtocol (&known)[count], const std::vector<std::string>& offered) {
    if (offered.empty()) return first_known(known, {""});
    for (const std::string& name : offered) {
        for (const ChannelProtocol& protocol : known) {
            if (protocol.name == name) return protocol;
        }
    }
    return std::nullopt;
}

// The frames of one connection.
class ChannelSocket {
  public:
    explicit ChannelSocket(ChannelProtocol protocol) : protocol_(protocol) {}

    struct Message {
        unsigned channel = 0;
        bool closes = false;
        std::string payload;
    };
    std::vector<Message> take(std::string_view bytes) {
        answers_ += reader_.take(bytes);
        std::vector<Message> messages;
        for (std::string& text : reader_.take_messages()) {
            if (auto message = parse(text)) messages.push_back(std::move(*message));
        }
        return messages;
    }
    // What pings and a close are answered with.
    void append_answers(std::string& out) { out += std::exchange(answers_, {}); }
    bool closed() const { return reader_.closed() || broken_; }

    void append(std::string& out, unsigned channel, std::string_view payload) const {
        do {
            const std::string_view part = payload.substr(0, message_bytes_max);
            payload.remove_prefix(part.size());
            if (protocol_.base64) {
                append_text_message(out, static_cast<char>('0' + channel) + api::base64_encode(part));
            } else {
                append_binary_message(out, static_cast<char>(channel) + std::string(part));
            }
        } while (!payload.empty());
    }
    const ChannelProtocol& protocol() const { return protocol_; }

  private:
    std::optional<Message> parse(std::string& text) {
        if (text.empty()) return std::nullopt;
        const auto first = static_cast<unsigned char>(text[0]);
        if (protocol_.half_close && first == close_signal) {
            broken_ = broken_ || text.size() != 2;
            if (broken_) return std::nullopt;
            return Message{static_cast<unsigned char>(text[1]), true, {}};
        }
        if (!protocol_.base64) {
            text.erase(0, 1);
            return Message{first, false, std::move(text)};
        }
        std::string decoded;
        if (first < '0' || !api::base64_decode(std::string_view(text).substr(1), decoded)) return std::nullopt;
        return Message{first - unsigned{'0'}, false, std::move(decoded)};
    }

    ChannelProtocol protocol_;
    WebSocketReader reader_{WebSocketReader::Messages::kept};
    std::string answers_;
    bool broken_ = false;
};

class CommandChannels final : public Duplex {
  public:
    CommandChannels(ChannelProtocol protocol, const api::CommandQuery& query, CommandOrStatus command, const Clock& clock)
        : socket_(protocol), out_(query.out), err_(query.err), in_(query.in), argv_(query.command),
          command_(std::move(command.command)), status_(std::move(command.status)), clock_(clock),
          begins_at_(clock.now() + channels_made_after) {}

    void take(std::string_view bytes) override {
        for (const ChannelSocket::Message& message : socket_.take(bytes)) {
            if (command_ == nullptr) continue;
            if (message.closes) {
                if (message.channel == in_channel && in_) command_->input_closed();
            } else if (message.channel == in_channel && in_) {
                command_->input(message.payload);
            } else if (message.channel == resize_channel) {
                if (const auto size = terminal_size(message.payload)) command_->resize(size->first, size->second);
            }
        }
    }

    bool full() const override { return command_ != nullptr && command_->unread() > unread_bytes_max; }
    void on_wake(std::function<void()> wake) override {
        if (command_ != nullptr) command_->on_wake(std::move(wake));
    }

    Step advance(std::string& out) override {
        socket_.append_answers(out);
        if (socket_.closed()) return {.ended = true};
        if (!greeted_ && clock_.now() < begins_at_) return {.wake_at = begins_at_};
        // An empty message tells the client that it is connected.
        if (!greeted_) socket_.append(out, out_ ? out_channel : err_ ? err_channel : error_channel, {});
        greeted_ = true;
        if (command_ == nullptr) return end(out, status_);
        const auto step = command_->next();
        if (!step.out.empty() && out_) socket_.append(out, out_channel, step.out);
        if (!step.err.empty() && err_) socket_.append(out, err_channel, step.err);
        if (step.end) return end(out, api::status_text(*step.end, argv_, socket_.protocol().half_close));
        return {.more = step.more, .wake_at = step.wake_at};
    }

  private:
    Step end(std::string& out, const std::string& status) {
        const std::string text = socket_.protocol().status ? status : api::status_message(status);
        if (!text.empty()) socket_.append(out, error_channel, text);
        out += close_frame(1000);
        return {.ended = true};
    }

    ChannelSocket socket_;
    bool out_, err_, in_, greeted_ = false;
    std::vector<std::string> argv_;
    std::unique_ptr<api::RemoteCommand> command_;
    std::string status_;
    const Clock& clock_;
    Time begins_at_;
};

class PortChannels final : public Duplex {
  public:
    PortChannels(ChannelProtocol protocol, api::PodStreams& streams, storage::RecordPtr pod, const std::vector<int>& ports)
        : socket_(protocol), streams_(streams), pod_(std::move(pod)) {
        for (const int port : ports) ports_.push_back({port, nullptr, {}});
    }

    void take(std::string_view bytes) override {
        for (const ChannelSocket::Message& message : socket_.take(bytes)) {
            const std::size_t port = message.channel / 2;
            if (message.channel % 2 != 0 || port >= ports_.size()) continue;
            if (ports_[port].connection != nullptr) ports_[port].connection->input(message.payload);
            else if (!dialed_) ports_[port].early += message.payload;
        }
    }

    void on_wake(std::function<void()>) override {}

    Step advance(std::string& out) override {
        socket_.append_answers(out);
        if (socket_.closed()) return {.ended = true};
        if (!std::exchange(dialed_, true)) dial(out);
        bool open = false;
        for (std::size_t i = 0; i < ports_.size(); ++i) {
            Port& port = ports_[i];
            if (port.connection == nullptr) continue;
            const std::string text = port.connection->output();
            if (!text.empty()) socket_.append(out, data_channel(i), text);
            if (port.connection->ended()) port.connection.reset();
            else open = true;
        }
        if (!open) out += close_frame(1000);
        return {.ended = !open};
    }

  private:
    struct Port {
        int number;
        std::unique_ptr<api::PortConnection> connection;
        std::string early;  // what came before it was dialed
    };
    static unsigned data_channel(std::size_t index) { return static_cast<unsigned>(2 * index); }

    void dial(std::string& out) {
        for (std::size_t i = 0; i < ports_.size(); ++i) {
            Port& port = ports_[i];
            const std::string number = {static_cast<char>(port.number & 0xff), static_cast<char>(port.number >> 8 & 0xff)};
            socket_.append(out, data_channel(i), number);
            socket_.append(out, data_channel(i) + 1, number);
            auto dialed = streams_.dial(pod_, port.number);
            if (dialed) {
                port.connection = std::move(*dialed);
                port.connection->input(port.early);
            } else {
                const std::string& uid = api::pod_view_of(*pod_).uid;
                socket_.append(out, data_channel(i) + 1, forwarding_error(port.number, uid, dialed.error()));
            }
            port.early.clear();
        }
    }

    ChannelSocket socket_;
    api::PodStreams& streams_;
    storage::RecordPtr pod_;
    std::vector<Port> ports_;
    bool dialed_ = false;
};

}  // namespace

std::optional<ChannelProtocol> command_protocol(const std::vector<std::string>& offered) {
    // Version 5 ends at the API server, which looks for it before the node has a say.
    if (std::find(offered.begin(), offered.end(), command_protocols[0].name) != offered.end()) return command_protocols[0];
    return first_known(command_protocols, offered);
}

std::optional<ChannelProtocol> port_protocol(const std::vector<std::string>& offered) {
    return first_known(port_protocols, offered);
}

std::unique_ptr<Duplex> command_channels(ChannelProtocol protocol, const api::CommandQuery& query, CommandOrStatus command,
                                         const Clock& clock) {
    return std::make_unique<CommandChannels>(protocol, query, std::move(command), clock);
}

std::unique_ptr<Duplex> port_channels(ChannelProtocol protocol, api::PodStreams& streams, storage::RecordPtr pod,
                                      const std::vector<int>& ports) {
    return std::make_unique<PortChannels>(protocol, streams, std::move(pod), ports);
}

std::optional<std::pair<int, int>> terminal_size(std::string_view text) {
    const api::Json size = api::Json::parse(text, nullptr, false);
    const std::int64_t width = api::int_at(size, {"Width"}), height = api::int_at(size, {"Height"});
    if (width <= 0 || height <= 0 || width > 0xffff || height > 0xffff) return std::nullopt;
    return std::pair(static_cast<int>(width), static_cast<int>(height));
}

std::string forwarding_error(int port, const std::string& pod_uid, const std::string& why) {
    return "error forwarding port " + std::to_string(port) + " to pod " + pod_uid + ", uid : " + why;
}

}  // namespace kubemu::server

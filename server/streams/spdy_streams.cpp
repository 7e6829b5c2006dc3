// What the streams of a SPDY connection mean.
#include "server/streams/spdy_streams.h"

#include <charconv>
#include <map>

#include "api/kinds/views.h"
#include "server/spdy/connection.h"
#include "server/streams/channels.h"

namespace kubemu::server {
namespace {

using spdy::Event;
using spdy::StreamId;

// How long a client may take to open the streams it has announced.
constexpr Duration stream_creation_timeout = std::chrono::seconds(30);

// Of a connection to a port whose error stream has not come yet.
constexpr std::size_t early_bytes_max = 64 * 1024;

class SpdyCommand final : public Duplex {
  public:
    SpdyCommand(const std::string& protocol, const api::CommandQuery& query, std::unique_ptr<api::RemoteCommand> command,
                const Clock& clock)
        : argv_(query.command), command_(std::move(command)), clock_(clock), deadline_(clock.now() + stream_creation_timeout),
          status_(protocol == "v4.channel.k8s.io") {
        const bool resizes = status_ || protocol == "v3.channel.k8s.io";
        expected_ = 1u + (query.in ? 1u : 0u) + (query.out ? 1u : 0u) + (query.err ? 1u : 0u) + (query.tty && resizes ? 1u : 0u);
    }

    void take(std::string_view bytes) override {
        std::vector<Event> events;
        connection_.take(bytes, events);
        for (Event& event : events) handle(event);
    }

    bool full() const override { return command_->unread() > unread_bytes_max; }
    void on_wake(std::function<void()> wake) override { command_->on_wake(std::move(wake)); }

    Step advance(std::string& out) override {
        Step step = go_on();
        out += std::exchange(connection_.output(), {});
        return step;
    }

  private:
    void handle(Event& event) {
        if (event.kind == Event::Kind::opened) {
            const std::string type(spdy::value_of(event.headers, "streamtype"));
            ids_.emplace(type, event.stream);
            return connection_.reply(event.stream);
        }
        if (event.kind == Event::Kind::go_away) gone_ = true;
        if (is("stdin", event.stream)) {
            if (event.kind == Event::Kind::data) command_->input(event.text);
            else command_->input_closed();
        } else if (is("resize", event.stream) && event.kind == Event::Kind::data) {
            if (const auto size = terminal_size(event.text)) command_->resize(size->first, size->second);
        }
    }

    Step go_on() {
        if (connection_.broken() || gone_) return {.ended = true};
        if (ids_.size() < expected_) {
            if (clock_.now() >= deadline_) return {.ended = true};
            return {.wake_at = deadline_};
        }
        const auto step = command_->next();
        send("stdout", step.out);
        send("stderr", step.err);
        if (!step.end) return {.more = step.more, .wake_at = step.wake_at};
        for (const char* type : {"stdout", "stderr", "stdin", "resize"}) finish(type);
        const std::string status = api::status_text(*step.end, argv_, false);
        send("error", status_ ? status : api::status_message(status));
        finish("error");
        return {.ended = true};
    }

    bool is(const char* type, StreamId stream) const {
        const auto found = ids_.find(type);
        return found != ids_.end() && found->second == stream;
    }
    void send(const char* type, const std::string& text) {
        if (const auto found = ids_.find(type); found != ids_.end()) connection_.send(found->second, text);
    }
    void finish(const char* type) {
        if (const auto found = ids_.find(type); found != ids_.end()) connection_.finish(found->second);
    }

    std::vector<std::string> argv_;
    std::unique_ptr<api::RemoteCommand> command_;
    const Clock& clock_;
    Time deadline_;
    bool status_, gone_ = false;
    std::size_t expected_ = 1;
    spdy::Connection connection_;
    std::map<std::string, StreamId, std::less<>> ids_;  // by the stream's type
};

class SpdyPorts final : public Duplex {
  public:
    SpdyPorts(api::PodStreams& streams, storage::RecordPtr pod) : streams_(streams), pod_(std::move(pod)) {}

    void take(std::string_view bytes) override {
        std::vector<Event> events;
        connection_.take(bytes, events);
        for (Event& event : events) handle(event);
    }
    void on_wake(std::function<void()>) override {}

    Step advance(std::string& out) override {
        for (auto entry = pairs_.begin(); entry != pairs_.end();) {
            entry = pump(entry->second) ? std::next(entry) : pairs_.erase(entry);
        }
        out += std::exchange(connection_.output(), {});
        return {.ended = connection_.broken() || (gone_ && pairs_.empty())};
    }

  private:
    struct Pair {
        StreamId data = 0, error = 0;
        int port = 0;
        bool input_closed = false, refused = false;
        std::string early;  // what came before the other stream
        std::unique_ptr<api::PortConnection> connection;
    };

    void handle(Event& event) {
        if (event.kind == Event::Kind::go_away) {
            gone_ = true;
        } else if (event.kind == Event::Kind::opened) {
            open(event);
        } else if (const auto found = requests_.find(event.stream); found != requests_.end()) {
            const auto pair = pairs_.find(found->second);
            if (event.kind == Event::Kind::reset) requests_.erase(found);
            if (pair != pairs_.end() && pair->second.data == event.stream) take_data(pair->first, event);
        }
    }

    void open(const Event& event) {
        int port = 0;
        const std::string_view text = spdy::value_of(event.headers, "port"), type = spdy::value_of(event.headers, "streamtype");
        const auto parsed = std::from_chars(text.data(), text.data() + text.size(), port);
        const bool known = type == "data" || type == "error";
        if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || port < 1 || port > 0xffff || !known) {
            return connection_.reset(event.stream, spdy::Connection::ResetStatus::refused);
        }
        connection_.reply(event.stream);
        std::string request(spdy::value_of(event.headers, "requestid"));
        // Clients that do not number their requests open the error stream first.
        if (request.empty()) request = std::to_string(type == "error" ? event.stream : event.stream - 2);
        Pair& pair = pairs_[request];
        StreamId& slot = type == "data" ? pair.data : pair.error;
        if (slot != 0) {
            const std::string which(type);
            if (pair.error != 0) {
                connection_.send(pair.error, "error processing stream for request " + request + ": " + which + " stream already assigned");
            }
            return;
        }
        slot = event.stream;
        requests_[event.stream] = request;
        if (type == "data") pair.port = port;
        if (pair.data != 0 && pair.error != 0) dial(pair);
    }

    void dial(Pair& pair) {
        auto dialed = streams_.dial(pod_, pair.port);
        if (!dialed) {
            connection_.send(pair.error, forwarding_error(pair.port, api::pod_view_of(*pod_).uid, dialed.error()));
            connection_.finish(pair.error);
            requests_.erase(pair.error);
            requests_.erase(pair.data);
            pair.refused = true;
            return connection_.reset(pair.data, spdy::Connection::ResetStatus::cancel);
        }
        pair.connection = std::move(*dialed);
        pair.connection->input(std::exchange(pair.early, {}));
        if (pair.input_closed) pair.connection->input_closed();
    }

    void take_data(const std::string& request, const Event& event) {
        Pair& pair = pairs_.at(request);
        if (event.kind == Event::Kind::reset) {
            connection_.finish(pair.error);
            pairs_.erase(request);
        } else if (event.kind == Event::Kind::ended) {
            pair.input_closed = true;
            if (pair.connection != nullptr) pair.connection->input_closed();
        } else if (pair.connection != nullptr) {
            pair.connection->input(event.text);
        } else if (pair.early.size() + event.text.size() <= early_bytes_max) {
            pair.early += event.text;
        }
    }

    // False when the pair is done with.
    bool pump(Pair& pair) {
        if (pair.connection == nullptr) return !pair.refused;
        connection_.send(pair.data, pair.connection->output());
        if (!pair.connection->ended()) return true;
        connection_.finish(pair.data);
        connection_.finish(pair.error);
        requests_.erase(pair.data);
        requests_.erase(pair.error);
        return false;
    }

    api::PodStreams& streams_;
    storage::RecordPtr pod_;
    spdy::Connection connection_;
    std::map<std::string, Pair> pairs_;           // by the client's number of the request
    std::map<StreamId, std::string> requests_;  // of each stream
    bool gone_ = false;
};

class WebSocketTunnel final : public Duplex {
  public:
    explicit WebSocketTunnel(std::unique_ptr<Duplex> inner) : inner_(std::move(inner)) {}

    void take(std::string_view bytes) override {
        answers_ += reader_.take(bytes);
        for (const std::string& message : reader_.take_messages()) inner_->take(message);
    }
    bool full() const override { return inner_->full(); }
    void on_wake(std::function<void()> wake) override { inner_->on_wake(std::move(wake)); }

    Step advance(std::string& out) override {
        out += std::exchange(answers_, {});
        if (reader_.closed()) return {.ended = true};
        std::string text;
        Step step = inner_->advance(text);
        if (!text.empty()) append_binary_message(out, text);
        if (step.ended) out += close_frame(1000);
        return step;
    }

  private:
    std::unique_ptr<Duplex> inner_;
    WebSocketReader reader_{WebSocketReader::Messages::kept};
    std::string answers_;
};

}  // namespace

std::unique_ptr<Duplex> spdy_command(const std::string& protocol, const api::CommandQuery& query,
                                     std::unique_ptr<api::RemoteCommand> command, const Clock& clock) {
    return std::make_unique<SpdyCommand>(protocol, query, std::move(command), clock);
}

std::unique_ptr<Duplex> spdy_ports(api::PodStreams& streams, storage::RecordPtr pod) {
    return std::make_unique<SpdyPorts>(streams, std::move(pod));
}

std::unique_ptr<Duplex> websocket_tunnel(std::unique_ptr<Duplex> inner) {
    return std::make_unique<WebSocketTunnel>(std::move(inner));
}

}  // namespace kubemu::server

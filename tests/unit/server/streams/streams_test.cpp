// Protocols of connections to pods: what a client reads and may send in each, without a socket.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "api/kinds/views.h"
#include "server/spdy/connection.h"
#include "server/spdy/numbers.h"
#include "server/streams/agree.h"
#include "server/streams/channels.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace kubemu::server;
using kubemu::tests::TestCluster;

namespace {

// A command that repeats what it is told, and ends with the code that "exit" names.
class Parrot final : public api::RemoteCommand {
  public:
    void input(std::string_view text) override { heard_ += text; }
    void input_closed() override { closed_ = true; }
    void resize(int width, int height) override { heard_ += std::to_string(width) + "x" + std::to_string(height); }
    std::size_t unread() const override { return 0; }
    void on_wake(std::function<void()>) override {}
    Step next() override {
        Step step;
        step.out = std::exchange(heard_, {});
        if (step.out == "oops") step.err = "err";
        if (closed_) step.end = api::CommandEnd{3, {}};
        return step;
    }

  private:
    std::string heard_;
    bool closed_ = false;
};

class Echo final : public api::PortConnection {
  public:
    void input(std::string_view bytes) override { text_ += bytes; }
    void input_closed() override { ended_ = true; }
    std::string output() override { return std::exchange(text_, {}); }
    bool ended() const override { return ended_; }

  private:
    std::string text_;
    bool ended_ = false;
};

class Streams final : public api::PodStreams {
  public:
    Result<std::unique_ptr<api::RemoteCommand>, Refusal> open(const api::CommandQuery& query) override {
        if (query.container == "gone") return Refusal{500, "container not found (\"gone\")"};
        return std::unique_ptr<api::RemoteCommand>(std::make_unique<Parrot>());
    }
    std::optional<Refusal> refuse_ports(const storage::RecordPtr&) override { return std::nullopt; }
    Result<std::unique_ptr<api::PortConnection>, std::string> dial(const storage::RecordPtr&, int port) override {
        if (port != 80) return std::string("connection refused");
        return std::unique_ptr<api::PortConnection>(std::make_unique<Echo>());
    }
};

struct Fixture {
    Fixture() {
        cluster.create("pods", R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"nginx"}]}})");
        pod = cluster.registry().get("pods", "default", "p");
    }

    std::variant<Agreement, api::Response> connect(const UpgradeOffer& offer, bool ports = false, std::string container = "c") {
        api::CommandQuery query;
        query.pod = pod;
        query.container = std::move(container);
        query.command = {"cat"};
        query.in = query.out = query.err = true;
        connection = std::make_unique<api::PodConnect>(streams, query, ports, port_list, api::Request{});
        return agree(offer, *connection, clock);
    }
    Agreement agreed(const UpgradeOffer& offer, bool ports = false) {
        auto answer = connect(offer, ports);
        REQUIRE(std::holds_alternative<Agreement>(answer));
        clock.advance(channels_made_after);
        return std::get<Agreement>(std::move(answer));
    }
    api::Response refused(const UpgradeOffer& offer, bool ports = false, std::string container = "c") {
        auto answer = connect(offer, ports, std::move(container));
        REQUIRE(std::holds_alternative<api::Response>(answer));
        return std::get<api::Response>(std::move(answer));
    }

    TestCluster cluster;
    storage::RecordPtr pod;
    Streams streams;
    SimClock clock{Time{}};
    std::vector<std::string> port_list = {"80"};
    std::unique_ptr<api::PodConnect> connection;
};

UpgradeOffer websocket(std::string_view protocols) { return upgrade_offer({"Upgrade", "websocket", "key", protocols}, ""); }
UpgradeOffer spdy_offer(std::string_view protocols) { return upgrade_offer({"Upgrade", "SPDY/3.1", "", ""}, protocols); }

std::string masked(const std::string& payload) {
    std::string frame = {static_cast<char>(0x82), static_cast<char>(0x80 | payload.size())};
    frame += "abcd";
    for (std::size_t i = 0; i < payload.size(); ++i) frame += static_cast<char>(payload[i] ^ "abcd"[i % 4]);
    return frame;
}

// Short messages, without their heads: "1hi|3{...}"; channels as digits.
std::string messages(std::string_view frames) {
    std::string text;
    while (frames.size() >= 2) {
        std::size_t size = static_cast<unsigned char>(frames[1]), head = 2;
        if (size == 126) {
            size = static_cast<unsigned char>(frames[2]) * 256u + static_cast<unsigned char>(frames[3]);
            head = 4;
        }
        std::string payload(frames.substr(head, size));
        if (frames[0] == '\x88') payload = "close";
        else if (!payload.empty() && payload[0] < 8) payload[0] = static_cast<char>('0' + payload[0]);
        text += (text.empty() ? "" : "|") + payload;
        frames.remove_prefix(head + size);
    }
    return text;
}

std::string step(Duplex& duplex, bool* ended = nullptr) {
    std::string out;
    const Duplex::Step step = duplex.advance(out);
    if (ended != nullptr) *ended = step.ended;
    return messages(out);
}

std::string body_of(const api::Response& response) {
    std::string text;
    for (const Slice& part : response.body) text += part.text;
    return text;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "version 5 of channels: input can be closed, and the end is a Status") {
    Agreement agreement = agreed(websocket("v5.channel.k8s.io, v4.channel.k8s.io"));
    CHECK(agreement.head.find("Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n") != std::string::npos);
    CHECK(step(*agreement.duplex) == "1");  // connected
    agreement.duplex->take(masked(std::string("\0hello", 6)) + masked(std::string("\4") + R"({"Width":80,"Height":24})"));
    CHECK(step(*agreement.duplex) == "1hello80x24");
    agreement.duplex->take(masked(std::string("\xff\0", 2)));
    bool ended = false;
    const std::string last = step(*agreement.duplex, &ended);
    CHECK(ended);
    CHECK(last.find(R"("reason":"NonZeroExitCode")") != std::string::npos);
    CHECK(last.find(R"({"message":"3","reason":"ExitCode"})") != std::string::npos);
    CHECK(last.find("command terminated with exit code 3") != std::string::npos);
    CHECK(last.substr(last.size() - 6) == "|close");
}

TEST_CASE_FIXTURE(Fixture, "nothing comes over channels before the client has made them") {
    auto answer = connect(websocket("v5.channel.k8s.io"));
    Duplex& duplex = *std::get<Agreement>(answer).duplex;
    duplex.take(masked(std::string("\0early", 6)));
    std::string out;
    const Duplex::Step waits = duplex.advance(out);
    CHECK(out.empty());
    CHECK_FALSE(waits.ended);
    REQUIRE(waits.wake_at);
    clock.set(*waits.wake_at);
    CHECK(step(duplex) == "1|1early");
}

TEST_CASE_FIXTURE(Fixture, "older channels: base64 is text, and before version 4 an error is a sentence") {
    Agreement agreement = agreed(websocket("base64.channel.k8s.io"));
    CHECK(step(*agreement.duplex) == "1");
    agreement.duplex->take(masked("0b29wcw=="));
    CHECK(step(*agreement.duplex) == "1b29wcw==|2ZXJy");
    Agreement plain = agreed(websocket("channel.k8s.io"));
    CHECK(plain.head.find("Sec-WebSocket-Protocol: channel.k8s.io\r\n") != std::string::npos);
    CHECK(agreed(websocket("")).head.find("Sec-WebSocket-Protocol") == std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "who asks for no upgrade, or for protocols that nobody speaks, is refused") {
    const api::Response none = refused(upgrade_offer({"", "", "", ""}, ""));
    CHECK(none.code == 400);
    CHECK(body_of(none).find("Upgrade request required") != std::string::npos);
    CHECK(refused(websocket("v9.channel.k8s.io")).code == 403);
    const api::Response spdy = refused(spdy_offer("v9.channel.k8s.io"));
    CHECK(spdy.code == 403);
    CHECK(body_of(spdy) == "unable to upgrade: unable to negotiate protocol: client supports [v9.channel.k8s.io], server accepts "
                           "[v4.channel.k8s.io v3.channel.k8s.io v2.channel.k8s.io channel.k8s.io]");
}

TEST_CASE_FIXTURE(Fixture, "the kubelet's refusal is an answer, for version 5 a Status after the upgrade") {
    const api::Response gone = refused(spdy_offer("v4.channel.k8s.io"), false, "gone");
    CHECK(gone.code == 500);
    CHECK(body_of(gone) == "container not found (\"gone\")");
    auto answer = connect(websocket("v5.channel.k8s.io"), false, "gone");
    REQUIRE(std::holds_alternative<Agreement>(answer));
    clock.advance(channels_made_after);
    bool ended = false;
    const std::string text = step(*std::get<Agreement>(answer).duplex, &ended);
    CHECK(ended);
    CHECK(text.find("Internal error occurred: unable to upgrade connection: container not found") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "ports over channels begin with their numbers, and errors have a channel of their own") {
    port_list = {"80,81"};
    Agreement agreement = agreed(websocket("v4.channel.k8s.io"), true);
    agreement.duplex->take(masked(std::string("\0hi", 3)));
    const std::string text = step(*agreement.duplex);
    CHECK(text.substr(0, 12) == std::string("0P\0|1P\0|2Q\0|", 12));
    CHECK(text.find("error forwarding port 81 to pod") != std::string::npos);
    CHECK(text.substr(text.size() - 3) == "0hi");
    port_list = {"0"};
    CHECK(body_of(refused(websocket("v4.channel.k8s.io"), true)) == "port \"0\" must be > 0");
    port_list = {};
    CHECK(refused(websocket("v4.channel.k8s.io"), true).code == 400);
}

TEST_CASE_FIXTURE(Fixture, "ports over SPDY: a pair of streams a connection, through a tunnel too") {
    for (const bool tunnel : {false, true}) {
        Agreement agreement = agreed(tunnel ? websocket("SPDY/3.1+portforward.k8s.io") : spdy_offer("portforward.k8s.io"), true);
        spdy::HeaderCompressor compressor;
        const auto open = [&](unsigned stream, const char* type, const char* port) {
            std::string payload, frame;
            spdy::append_number(payload, stream, 4);
            spdy::append_number(payload, 0, 6);
            payload += compressor.compress({{"streamtype", type}, {"port", port}, {"requestid", port}});
            spdy::append_number(frame, 0x80030001u, 4);
            spdy::append_number(frame, payload.size(), 4);
            frame += payload;
            return tunnel ? masked(frame) : frame;
        };
        const std::string data = std::string("\0\0\0\3\0\0\0\2hi", 10);
        agreement.duplex->take(open(1, "error", "80"));
        std::string reply;
        agreement.duplex->advance(reply);
        CHECK_FALSE(reply.empty());
        agreement.duplex->take(open(3, "data", "80"));
        agreement.duplex->take(tunnel ? masked(data) : data);
        std::string out;
        CHECK_FALSE(agreement.duplex->advance(out).ended);
        CHECK(out.find(data) != std::string::npos);
        agreement.duplex->take(open(5, "error", "81"));
        agreement.duplex->take(open(7, "data", "81"));
        out.clear();
        agreement.duplex->advance(out);
        CHECK(out.find("error forwarding port 81 to pod") != std::string::npos);
    }
}

// The life of one connection. Beast reads requests; answers are written as gathered text, because their bodies are
// records that others share.
#include "server/session.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/version.hpp>
#include <chrono>
#include <optional>

#include "api/audit.h"
#include "api/encode_answer.h"
#include "api/values/text.h"
#include "server/gzip.h"
#include "server/http_text.h"
#include "server/stream_writer.h"
#include "server/upgrade.h"
#include "server/websocket.h"
#include "storage/base/limits.h"
#include "storage/base/log.h"

namespace kubemu::server {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);
using Parser = http::request_parser<http::string_body>;
using TlsStream = asio::ssl::stream<tcp::socket&>;

// Starts Dispatcher::handle and completes, on the caller's executor, when the answer is there: inside the call for
// reads, from the storage thread for writes.
struct StartHandling {
    template <class Handler>
    void operator()(Handler handler, Dispatcher* dispatcher, api::Request request, api::HeadersPtr headers) const {
        auto executor = asio::get_associated_executor(handler);
        auto work = asio::make_work_guard(executor);
        auto shared = std::make_shared<Handler>(std::move(handler));
        dispatcher->handle(std::move(request), std::move(headers), [shared, work](api::Response response) mutable {
            asio::post(work.get_executor(), [shared, response = std::make_shared<api::Response>(std::move(response))] {
                (*shared)(std::move(*response));
            });
        });
    }
};

asio::awaitable<api::Response> answer(Dispatcher& dispatcher, api::Request request, api::HeadersPtr headers) {
    return asio::async_initiate<const asio::use_awaitable_t<>, void(api::Response)>(
        StartHandling{}, asio::use_awaitable, &dispatcher, std::move(request), std::move(headers));
}

std::string header(const Parser& parser, http::field name) { return std::string(parser.get()[name]); }

api::Request to_request(Parser& parser) {
    auto& message = parser.get();
    api::Request request;
    request.method = std::string(message.method_string());
    const std::string_view target(message.target().data(), message.target().size());
    const std::size_t mark = target.find('?');
    request.path = std::string(target.substr(0, mark));
    if (mark != std::string_view::npos) request.query = std::string(target.substr(mark + 1));
    request.content_type = header(parser, http::field::content_type);
    request.user_agent = header(parser, http::field::user_agent);
    request.if_none_match = header(parser, http::field::if_none_match);
    // Several Accept headers mean the same as one with commas.
    for (auto [at, end] = message.equal_range(http::field::accept); at != end; ++at) {
        if (!request.accept.empty()) request.accept += ',';
        request.accept += std::string(at->value());
    }
    request.body = std::move(message.body());
    return request;
}

// For those who pass the request on.
api::HeadersPtr headers_of(const Parser& parser) {
    auto headers = std::make_shared<api::Headers>();
    for (const auto& field : parser.get()) {
        headers->emplace_back(std::string(field.name_string().data(), field.name_string().size()), std::string(field.value()));
    }
    return headers;
}

// An answer that no handler gives.
api::Response refusal(const api::Status& status, const api::Request& request) {
    api::Response response = api::status_response(status, request);
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    return response;
}

// What the headers add to what is known of the connection's peer.
Credentials credentials_of(const Parser& parser, const Credentials& peer) {
    constexpr std::string_view prefix = "impersonate-";
    Credentials credentials = peer;
    for (const auto& field : parser.get()) {
        if (field.name() == http::field::authorization) {
            credentials.authorization = std::string(field.value());
        } else if (field.name() == http::field::unknown) {
            std::string name = api::lower(std::string_view(field.name_string().data(), field.name_string().size()));
            if (name.compare(0, prefix.size(), prefix) != 0) continue;
            credentials.impersonation.emplace_back(std::move(name), std::string(field.value()));
        }
    }
    return credentials;
}

tcp::socket& lowest(tcp::socket& socket) { return socket; }
tcp::socket& lowest(TlsStream& stream) { return stream.next_layer(); }

void log_request(const api::Request& request, int code, Duration took) {
    log_line(LogLevel::info, request.method + " " + request.path + (request.query.empty() ? "" : "?" + request.query),
             {{"code", std::to_string(code)},
              {"us", std::to_string(took.count())},
              {"agent", request.user_agent.substr(0, request.user_agent.find(' '))}});
}

// What an answer depends on beside the handlers.
struct Wanted {
    bool head_only = false;
    bool keep_alive = false;
    std::string accept_encoding;
    UpgradeOffer offer;
};

Wanted wanted_of(const Parser& parser) {
    Wanted wanted;
    wanted.keep_alive = parser.keep_alive();
    wanted.head_only = parser.get().method() == http::verb::head;
    wanted.accept_encoding = header(parser, http::field::accept_encoding);
    const std::string connection = header(parser, http::field::connection), upgrade = header(parser, http::field::upgrade),
                      key = header(parser, http::field::sec_websocket_key),
                      protocols = header(parser, http::field::sec_websocket_protocol);
    if (upgrade.empty()) return wanted;
    std::string stream_protocols;
    for (auto [at, end] = parser.get().equal_range("X-Stream-Protocol-Version"); at != end; ++at) {
        stream_protocols += std::string(at->value()) + ",";
    }
    wanted.offer = upgrade_offer({connection, upgrade, key, protocols}, stream_protocols);
    return wanted;
}

// False when the connection is to be closed afterwards.
template <class Stream>
asio::awaitable<bool> respond(Stream& socket, api::Response response, Wanted wanted, const SessionContext& context) {
    const Time now = context.clock.now();
    if (response.stream) {
        // Only watches go over WebSockets, one event a message.
        const bool binary = response.content_type == api::protobuf_watch_type;
        const bool websocket = wanted.offer.websocket && (binary || response.content_type == "application/json");
        std::string head = websocket ? websocket_head(*wanted.offer.websocket) : response_head(response, 0, false, now);
        if (!co_await write_parts(socket, std::move(head), {}, {})) co_return false;
        StreamForm form{websocket, binary};
        co_await write_stream(socket, *response.stream, context, form);
        co_return false;
    }
    compress(response, wanted.accept_encoding);
    std::string head = response_head(response, total_size(response.body), wanted.keep_alive, now);
    if (wanted.head_only) response.body.clear();
    const bool written = co_await write_parts(socket, std::move(head), response.body, {});
    co_return written && wanted.keep_alive;
}

template <class Stream>
asio::awaitable<void> serve_requests(Stream& socket, const SessionContext& context, Credentials peer) {
    boost::beast::flat_buffer buffer;
    for (;;) {
        Parser parser;
        parser.body_limit(limits::request_body_bytes_max);
        auto [error, size] = co_await http::async_read_header(socket, buffer, parser, use_tuple);
        if (!error && boost::beast::iequals(parser.get()[http::field::expect], "100-continue")) {
            if (!co_await write_parts(socket, "HTTP/1.1 100 Continue\r\n\r\n", {}, {})) co_return;
        }
        if (!error) std::tie(error, size) = co_await http::async_read(socket, buffer, parser, use_tuple);
        if (error == http::error::body_limit) {
            auto status = api::Status::request_entity_too_large(
                "limit is " + std::to_string(limits::request_body_bytes_max));
            // Named, because GCC 12 destroys a temporary of braces twice in a co_await expression.
            Wanted closing;
            api::Response refused = refusal(status, to_request(parser));
            co_await respond(socket, std::move(refused), std::move(closing), context);
            error_code ignored;
            lowest(socket).shutdown(tcp::socket::shutdown_send, ignored);
            co_return;
        }
        if (error) {
            const bool hung_up = error == http::error::end_of_stream || error == http::error::partial_message ||
                                 error.category() != http::make_error_code(http::error::end_of_stream).category();
            if (!hung_up) {
                api::Response bad;
                bad.code = 400;
                bad.content_type = "text/plain; charset=utf-8";
                bad.body.push_back(Slice::literal("400 Bad Request"));
                Wanted closing;
                co_await respond(socket, std::move(bad), std::move(closing), context);
            }
            co_return;
        }
        const Credentials credentials = credentials_of(parser, peer);
        Wanted wanted = wanted_of(parser);
        api::Request request = to_request(parser);
        api::HeadersPtr headers;
        if (context.dispatcher.wants_headers(request.path)) headers = headers_of(parser);
        const Time begin = context.clock.now();
        api::Request logged;
        if (context.log_requests) {
            logged = request;
            logged.body.clear();
        }
        api::Response response;
        if (const auto passed = context.filters.apply(request, credentials); !passed) {
            response = refusal(passed.error(), request);
            if (context.audit != nullptr) {
                const api::AuditNotes forbidden = {{"authorization.k8s.io/decision", "forbid"}};
                context.audit->write(request, context.audit->now(), response, response.code == 403 ? forbidden : api::AuditNotes{});
            }
        } else {
            response = co_await answer(context.dispatcher, std::move(request), std::move(headers));
        }
        if (context.log_requests) log_request(logged, response.code, context.clock.now() - begin);
        if (asks_for_upgrade(response)) {
            std::string early = boost::beast::buffers_to_string(buffer.data());
            if (co_await run_upgraded(socket, response, wanted.offer, std::move(early), context)) co_return;
        }
        if (!co_await respond(socket, std::move(response), std::move(wanted), context)) co_return;
    }
}

}  // namespace

asio::awaitable<void> run_session(tcp::socket& socket, const SessionContext& context) {
    Credentials peer;
    peer.trusted = true;  // plain HTTP is served to those only who may do everything
    co_await serve_requests(socket, context, std::move(peer));
}

asio::awaitable<void> run_tls_session(tcp::socket& socket, Tls& tls, const SessionContext& context) {
    TlsStream stream(socket, tls.context());
    asio::steady_timer deadline(co_await asio::this_coro::executor, limits::handshake_timeout);
    const auto greeted = std::make_shared<bool>(false);
    deadline.async_wait([&socket, greeted](error_code error) {
        error_code ignored;
        if (!error && !*greeted) socket.close(ignored);
    });
    const auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::server, use_tuple);
    *greeted = true;  // from here on the socket may be gone
    deadline.cancel();
    if (error) co_return;
    const PeerCertificate certificate = peer_certificate(stream.native_handle());
    Credentials peer;
    peer.refused = certificate.refused;
    if (certificate.user) peer.certificate = &*certificate.user;
    co_await serve_requests(stream, context, std::move(peer));
    error_code ignored;
    socket.shutdown(tcp::socket::shutdown_send, ignored);
}

}  // namespace kubemu::server

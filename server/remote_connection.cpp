// Resolve, connect, greet, check the certificate, ask.
#include "server/remote_connection.h"

#include <openssl/ssl.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <set>

#include "server/certificate_check.h"

namespace kubemu::server {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

std::string dial_error(const error_code& error, const std::string& where) {
    std::string why = error.message();
    if (!why.empty() && why[0] >= 'A' && why[0] <= 'Z') why[0] = static_cast<char>(why[0] - 'A' + 'a');
    return "dial tcp " + where + ": connect: " + why;
}

http::request<http::string_body> request_of(const api::RemoteCall& call, const RemotePlace& place) {
    http::request<http::string_body> request;
    request.method_string(call.method);
    request.target(place.target);
    request.version(11);
    const bool usual = place.port == (place.plain ? "80" : "443") && call.service.empty();
    request.set(http::field::host, usual ? place.host : place.authority());
    request.set(http::field::user_agent, "kube-apiserver-admission");
    request.set(http::field::accept, "application/json, */*");
    if (!call.body.empty()) request.set(http::field::content_type, "application/json");
    request.set(http::field::connection, "close");
    std::set<std::string> seen;
    for (const auto& [name, value] : call.headers) {
        if (seen.insert(name).second) request.set(name, value);
        else request.insert(name, value);
    }
    request.body() = call.body;
    request.prepare_payload();
    return request;
}

}  // namespace

RemotePlace place_of(const std::string& url) {
    RemotePlace place;
    const std::size_t begin = url.find("://") + 3, slash = url.find('/', begin);
    place.plain = url.compare(0, 7, "http://") == 0;
    const std::string authority = url.substr(begin, slash - begin);
    place.target = slash == std::string::npos ? "/" : url.substr(slash);
    const std::size_t colon = authority.rfind(':');
    const bool ported = colon != std::string::npos && authority.find(']', colon) == std::string::npos;
    place.host = ported ? authority.substr(0, colon) : authority;
    place.port = ported ? authority.substr(colon + 1) : place.plain ? "80" : "443";
    if (place.host.size() > 1 && place.host.front() == '[') place.host = place.host.substr(1, place.host.size() - 2);
    return place;
}

std::string resolve_reference(const std::string& base, const std::string& location) {
    if (location.find("://") != std::string::npos) return location;
    const std::size_t begin = base.find("://") + 3, slash = base.find('/', begin);
    if (location.compare(0, 2, "//") == 0) return base.substr(0, begin - 2) + location;
    const std::string origin = base.substr(0, slash);
    if (location.compare(0, 1, "/") == 0) return origin + location;
    const std::string path = slash == std::string::npos ? "/" : base.substr(slash, base.find('?') - slash);
    return origin + path.substr(0, path.rfind('/') + 1) + location;
}

void RemoteConnection::end() {
    error_code ignored;
    resolver.cancel();
    stream.socket().close(ignored);
}

std::string connection_error(const error_code& error) {
    if (error == http::error::end_of_stream || error == asio::error::eof || error == asio::ssl::error::stream_truncated) return "EOF";
    if (error == http::error::partial_message) return "unexpected EOF";
    if (error == http::error::body_limit) return "http: response body too large";
    if (error == asio::error::connection_reset) return "read: connection reset by peer";
    if (error.category() == http::make_error_code(http::error::bad_version).category()) return "malformed HTTP response";
    return error.message();
}

asio::awaitable<std::string> send_request(RemoteConnectionPtr connection, RemotePlace place, api::RemoteCall call) {
    http::request<http::string_body> request = request_of(call, place);
    const auto [error, size] = co_await http::async_write(connection->stream, request, use_tuple);
    co_return error ? connection_error(error) : std::string();
}

asio::awaitable<std::string> greet(RemoteConnectionPtr connection, RemotePlace place, std::string dialled, bool insecure,
                                   const Clock& clock) {
    const std::size_t colon = dialled.rfind(':');
    std::string host = dialled.substr(0, colon);
    if (host.size() > 1 && host.front() == '[') host = host.substr(1, host.size() - 2);
    const std::string port = dialled.substr(colon + 1);
    const auto [resolve_error, found] = co_await connection->resolver.async_resolve(host, port, use_tuple);
    if (resolve_error) co_return "dial tcp: lookup " + host + ": no such host";
    RemoteStream& stream = connection->stream;
    const auto [connect_error, endpoint] = co_await asio::async_connect(stream.socket(), found, use_tuple);
    if (connect_error) {
        const std::string where = found.empty() ? dialled : found.begin()->endpoint().address().to_string() + ":" + port;
        co_return dial_error(connect_error, where);
    }
    if (stream.plain()) co_return std::string();
    const auto handle = stream.tls().native_handle();
    if (!is_ip_address(place.host)) SSL_set_tlsext_host_name(handle, place.host.c_str());
    const auto [greet_error] = co_await stream.tls().async_handshake(asio::ssl::stream_base::client, use_tuple);
    if (greet_error) {
        std::string why = insecure ? std::string() : handshake_failure(handle, clock.now());
        if (why.empty()) why = not_tls(greet_error.message()) ? "http: server gave HTTP response to HTTPS client" : connection_error(greet_error);
        co_return why;
    }
    co_return insecure ? std::string() : name_mismatch(handle, place.host);
}

}  // namespace kubemu::server

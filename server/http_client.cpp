// See http_client.h.
#include "server/http_client.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

namespace kubemu::server {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;

struct Address {
    std::string host, port;
};

Result<Address, std::string> address_of(const std::string& server) {
    constexpr std::string_view scheme = "http://";
    if (server.compare(0, scheme.size(), scheme) != 0) return server + ": expected http://HOST:PORT";
    std::string rest = server.substr(scheme.size());
    while (!rest.empty() && rest.back() == '/') rest.pop_back();
    const std::size_t colon = rest.rfind(':');
    const bool has_port = colon != std::string::npos && rest.find(']', colon) == std::string::npos;
    Address address{has_port ? rest.substr(0, colon) : rest, has_port ? rest.substr(colon + 1) : "80"};
    if (address.host.size() > 2 && address.host.front() == '[') address.host = address.host.substr(1, address.host.size() - 2);
    if (address.host.empty() || address.port.empty()) return server + ": expected http://HOST:PORT";
    return address;
}

}  // namespace

Result<HttpAnswer, std::string> http_request(const std::string& server, const std::string& method, const std::string& path,
                                             const std::string& body) {
    TRY_ASSIGN(const Address address, address_of(server));
    asio::io_context io;
    tcp::resolver resolver(io);
    tcp::socket socket(io);
    error_code error;
    const auto endpoints = resolver.resolve(address.host, address.port, error);
    if (!error) asio::connect(socket, endpoints, error);
    if (error) return "nothing answers at " + server + " (" + error.message() + "); is kubemu serve running there?";
    http::request<http::string_body> request(http::string_to_verb(method), path, 11);
    request.set(http::field::host, address.host + ":" + address.port);
    request.set(http::field::user_agent, "kubemu/" KUBEMU_VERSION);
    request.set(http::field::content_type, "application/json");
    request.body() = body;
    request.prepare_payload();
    http::write(socket, request, error);
    boost::beast::flat_buffer buffer;
    http::response<http::string_body> response;
    if (!error) http::read(socket, buffer, response, error);
    if (error) return server + " ended the conversation: " + error.message();
    return HttpAnswer{static_cast<int>(response.result_int()), std::move(response.body())};
}

}  // namespace kubemu::server

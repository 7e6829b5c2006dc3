// Sockets by hand; see the header.
#include "tests/bench/http_client.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace bench {

Connection::Connection(std::uint16_t port, std::string_view accept) : accept_(accept) {
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        std::perror("connect");
        std::exit(1);
    }
    const int one = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

Connection::~Connection() { ::close(socket_); }

void Connection::send_all(std::string_view text) {
    while (!text.empty()) {
        const ssize_t sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent <= 0) {
            std::perror("send");
            std::exit(1);
        }
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
}

bool Connection::fill() {
    char part[65536];
    const ssize_t got = ::recv(socket_, part, sizeof part, 0);
    if (got <= 0) return false;
    buffer_.append(part, static_cast<std::size_t>(got));
    return true;
}

Connection::Answer Connection::request(std::string_view method, std::string_view path, std::string_view body,
                                       std::string_view content_type) {
    std::string text(method);
    text += ' ';
    text += path;
    text += " HTTP/1.1\r\nHost: localhost\r\nAccept: " + accept_ + "\r\n";
    if (!body.empty()) {
        text += "Content-Type: ";
        text += content_type;
        text += "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    }
    text += "\r\n";
    text += body;
    send_all(text);
    std::size_t end;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
        if (!fill()) return {};
    }
    Answer answer;
    answer.code = std::atoi(buffer_.c_str() + 9);
    const std::size_t length_at = buffer_.find("Content-Length: ");
    const std::size_t length = length_at < end ? std::strtoul(buffer_.c_str() + length_at + 16, nullptr, 10) : 0;
    buffer_.erase(0, end + 4);
    while (buffer_.size() < length) {
        if (!fill()) return {};
    }
    answer.body = buffer_.substr(0, length);
    buffer_.erase(0, length);
    return answer;
}

void Connection::open_stream(std::string_view path) {
    send_all("GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\nAccept: " + accept_ + "\r\n\r\n");
    while (buffer_.find("\r\n\r\n") == std::string::npos) {
        if (!fill()) return;
    }
}

bool Connection::read_some(std::string& into) {
    if (buffer_.empty() && !fill()) return false;
    into.swap(buffer_);
    buffer_.clear();
    return true;
}

}  // namespace bench

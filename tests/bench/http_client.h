// A blocking HTTP/1.1 client over one connection: as little work a request as possible, so that the server is measured.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

class Connection {
  public:
    explicit Connection(std::uint16_t port, std::string_view accept = "application/json");
    ~Connection();
    Connection(const Connection&) = delete;

    struct Answer {
        int code = 0;
        std::string body;
    };
    Answer request(std::string_view method, std::string_view path, std::string_view body = {},
                   std::string_view content_type = "application/json");
    // Sends a GET whose answer is chunked and goes on; read_some() then returns the bytes as they come.
    void open_stream(std::string_view path);
    // False at the end.
    bool read_some(std::string& into);

  private:
    void send_all(std::string_view text);
    bool fill();

    int socket_ = -1;
    std::string accept_;
    std::string buffer_;
};

}  // namespace bench

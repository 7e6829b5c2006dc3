// Requests as far as a page needs them: request line, Host, Content-Length, Connection.
#include "controllers/kubelet/http_endpoint.h"

#include <charconv>

#include "api/values/text.h"

namespace kubemu::controllers::kubelet {
namespace {

constexpr std::size_t head_bytes_max = 64 * 1024, body_bytes_max = 1024 * 1024;

std::string_view reason_of(int code) {
    switch (code) {
        case 200: return "OK";
        case 400: return "Bad Request";
        case 404: return "Not Found";
        case 413: return "Request Entity Too Large";
        case 501: return "Not Implemented";
        default: return "Internal Server Error";
    }
}

struct Head {
    PageRequest request;
    std::size_t body_bytes = 0;
    bool keeps_alive = true, chunked = false, valid = false;
};

Head parse_head(std::string_view text) {
    Head head;
    head.request.head = std::string(text) + "\r\n";
    bool first = true;
    for (const std::string_view raw : api::split(text, '\n')) {
        const std::string_view line = api::trim(raw);
        if (std::exchange(first, false)) {
            const auto words = api::split(line, ' ');
            head.valid = words.size() == 3 && words[2].substr(0, 7) == "HTTP/1." && !words[1].empty();
            if (!head.valid) return head;
            head.request.method = words[0];
            head.request.target = words[1];
            head.keeps_alive = words[2] != "HTTP/1.0";
            continue;
        }
        const std::size_t colon = line.find(':');
        if (colon == line.npos) continue;
        const std::string name = api::lower(line.substr(0, colon));
        const std::string_view value = api::trim(line.substr(colon + 1));
        if (name == "host") head.request.host = value;
        if (name == "transfer-encoding") head.chunked = true;
        if (name == "connection" && api::lower(value).find("close") != std::string::npos) head.keeps_alive = false;
        if (name == "content-length") {
            const auto parsed = std::from_chars(value.data(), value.data() + value.size(), head.body_bytes);
            head.valid = head.valid && parsed.ec == std::errc();
        }
    }
    return head;
}

class HttpConnection final : public api::PortConnection {
  public:
    explicit HttpConnection(AnswerRequest answer) : answer_(std::move(answer)) {}

    void input(std::string_view bytes) override {
        if (ended_) return;
        input_ += bytes;
        while (!ended_ && take_request()) continue;
    }
    void input_closed() override { ended_ = true; }
    std::string output() override { return std::exchange(output_, {}); }
    bool ended() const override { return ended_; }

  private:
    // False when the request is not complete yet.
    bool take_request() {
        const std::size_t end = input_.find("\r\n\r\n");
        if (end == std::string::npos) {
            if (input_.size() > head_bytes_max) refuse(400);
            return false;
        }
        Head head = parse_head(std::string_view(input_).substr(0, end + 2));
        if (!head.valid) refuse(400);
        else if (head.chunked) refuse(501);
        else if (head.body_bytes > body_bytes_max) refuse(413);
        if (ended_ || input_.size() < end + 4 + head.body_bytes) return false;
        head.request.body = input_.substr(end + 4, head.body_bytes);
        input_.erase(0, end + 4 + head.body_bytes);
        write(answer_(head.request), head.keeps_alive, head.request.method == "HEAD");
        return true;
    }

    void refuse(int code) {
        write({.code = code, .body = std::to_string(code) + " " + std::string(reason_of(code)) + "\n"}, false, false);
        input_.clear();
    }

    void write(const Page& page, bool keeps_alive, bool head_only) {
        output_ += "HTTP/1.1 " + std::to_string(page.code) + " " + std::string(reason_of(page.code)) + "\r\n";
        if (!page.server.empty()) output_ += "Server: " + page.server + "\r\n";
        output_ += "Content-Type: " + page.content_type + "\r\nContent-Length: " + std::to_string(page.body.size()) + "\r\n";
        if (!keeps_alive) output_ += "Connection: close\r\n";
        output_ += "\r\n";
        if (!head_only) output_ += page.body;
        ended_ = ended_ || !keeps_alive;
    }

    AnswerRequest answer_;
    std::string input_, output_;
    bool ended_ = false;
};

}  // namespace

std::unique_ptr<api::PortConnection> make_http_connection(AnswerRequest answer) {
    return std::make_unique<HttpConnection>(std::move(answer));
}

}  // namespace kubemu::controllers::kubelet

// JSON text made piece by piece, for documents that are too large to build as trees first.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace kubemu::api {

// Commas and escapes are its business; that every bracket is closed is the caller's.
class JsonText {
  public:
    JsonText& open(char bracket) {
        separate();
        out_ += bracket;
        return *this;
    }
    JsonText& close(char bracket) {
        out_ += bracket;
        return *this;
    }
    JsonText& key(std::string_view name) {
        text(name);
        out_ += ':';
        return *this;
    }
    JsonText& text(std::string_view value);
    // What is JSON already.
    JsonText& raw(std::string_view json) {
        separate();
        out_ += json;
        return *this;
    }
    JsonText& member(std::string_view name, std::string_view value) { return key(name).text(value); }

    const std::string& out() const { return out_; }
    std::string take() { return std::move(out_); }
    void reserve(std::size_t bytes) { out_.reserve(bytes); }

  private:
    void separate() {
        if (out_.empty()) return;
        const char last = out_.back();
        if (last != '{' && last != '[' && last != ':') out_ += ',';
    }
    std::string out_;
};

}  // namespace kubemu::api

// Numbers on the wire, the big end first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kubemu::server::spdy {

inline void append_number(std::string& out, std::uint64_t value, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
}

// Takes numbers and texts from the front of a text; nothing once there is too little left.
class Reader {
  public:
    explicit Reader(std::string_view text) : rest_(text) {}

    std::optional<std::uint32_t> number(std::size_t bytes) {
        if (rest_.size() < bytes) return std::nullopt;
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < bytes; ++i) value = value << 8 | static_cast<unsigned char>(rest_[i]);
        rest_.remove_prefix(bytes);
        return value;
    }
    std::optional<std::string_view> text(std::size_t bytes) {
        if (rest_.size() < bytes) return std::nullopt;
        const std::string_view taken = rest_.substr(0, bytes);
        rest_.remove_prefix(bytes);
        return taken;
    }
    std::string_view rest() const { return rest_; }

  private:
    std::string_view rest_;
};

}  // namespace kubemu::server::spdy

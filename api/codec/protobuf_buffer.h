// Protocol Buffers from the end to the beginning: the buffer that the encoders write into, and the envelope of objects.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace kubemu::api {

// What an enveloped object begins with, and what stands behind its message: contentEncoding and contentType, both empty.
inline constexpr std::string_view protobuf_magic("k8s\0", 4);
inline constexpr std::string_view unknown_tail("\x1a\0\x22\0", 4);

// How a field's value is written.
enum WireType : std::uint32_t {
    varint_wire = 0,
    fixed64_wire = 1,
    bytes_wire = 2,
    group_wire = 3,
    end_group_wire = 4,
    fixed32_wire = 5
};

// Bytes that grow towards the front.
class BackwardBuffer {
  public:
    std::size_t written() const { return bytes_.size() - at_; }
    std::string bytes() const { return bytes_.substr(at_); }
    void clear() { at_ = bytes_.size(); }

    void put(std::string_view text) {
        if (text.empty()) return;
        reserve(text.size());
        at_ -= text.size();
        std::memcpy(bytes_.data() + at_, text.data(), text.size());
    }
    void varint(std::uint64_t value) {
        if (value < 0x80) {  // most of them
            reserve(1);
            bytes_[--at_] = static_cast<char>(value);
            return;
        }
        std::array<char, 10> digits;
        std::size_t size = 0;
        while (value >= 0x80) {
            digits[size++] = static_cast<char>(value | 0x80);
            value >>= 7;
        }
        digits[size++] = static_cast<char>(value);
        put({digits.data(), size});
    }
    void tag(std::uint32_t number, WireType wire) { varint(number << 3 | wire); }
    void number(std::uint32_t number, std::uint64_t value) {
        varint(value);
        tag(number, varint_wire);
    }
    void text(std::uint32_t number, std::string_view value) {
        put(value);
        varint(value.size());
        tag(number, bytes_wire);
    }
    // Closes a message, all that was written since there were `before` bytes.
    void message(std::uint32_t number, std::size_t before) {
        varint(written() - before);
        tag(number, bytes_wire);
    }

  private:
    void reserve(std::size_t size) {
        if (at_ >= size) return;
        const std::size_t more = bytes_.size() + size + 64;
        bytes_.insert(0, more, '\0');
        at_ += more;
    }
    std::string bytes_;
    std::size_t at_ = 0;
};

// Closes a runtime.Unknown whose message is what was written last, behind it (so, before) unknown_tail.
inline void close_envelope(BackwardBuffer& out, std::string_view api_version, std::string_view kind,
                           std::size_t message_bytes) {
    out.varint(message_bytes);
    out.tag(2, bytes_wire);
    const std::size_t before = out.written();
    out.text(2, kind);
    out.text(1, api_version);
    out.message(1, before);
    out.put(protobuf_magic);
}

}  // namespace kubemu::api

// What the gnostic messages of both versions are written with.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "api/values/object.h"

namespace kubemu::api {

// A Protocol Buffers message, written field by field.
class Message {
  public:
    void text(int field, std::string_view value) {
        if (!value.empty()) bytes(field, value);
    }
    void boolean(int field, bool value) {
        if (value) number(field, 1);
    }
    void number(int field, std::uint64_t value) {
        varint(static_cast<std::uint64_t>(field) << 3);
        varint(value);
    }
    void real(int field, double value) {
        varint(static_cast<std::uint64_t>(field) << 3 | 1);
        char raw[sizeof value];  // little endian, as every machine that this is built for
        std::memcpy(raw, &value, sizeof value);
        out_.append(raw, sizeof raw);
    }
    void message(int field, const Message& value) { bytes(field, value.out_); }
    // For repeated fields, where an empty string counts.
    void bytes(int field, std::string_view value) {
        varint(static_cast<std::uint64_t>(field) << 3 | 2);
        varint(value.size());
        out_ += value;
    }
    const std::string& out() const { return out_; }

  private:
    void varint(std::uint64_t value) {
        while (value >= 0x80) {
            out_ += static_cast<char>(value | 0x80);
            value >>= 7;
        }
        out_ += static_cast<char>(value);
    }
    std::string out_;
};

namespace gnostic {

void text(Message& out, int field, const Json& object, const char* member);
void flag(Message& out, int field, const Json& object, const char* member);
void number(Message& out, int field, const Json& object, const char* member);
void real(Message& out, int field, const Json& object, const char* member);
void texts(Message& out, int field, const Json& object, const char* member);
// Any: the value as YAML text.
Message any(const Json& value);
// The members of an object whose names begin with "x-", as NamedAny.
void extensions(Message& out, int field, const Json& object);
// NamedX: a name and a message.
Message named(std::string_view name, const Message& value);

}  // namespace gnostic
}  // namespace kubemu::api

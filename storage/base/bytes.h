// Bytes: an immutable buffer that many holders share, and the views that travel without copying it.
//
// An object is encoded once, when it is committed; the latest-version index, the event log, list answers and
// watch streams then hold the same buffer. A Slice names a part of a buffer and keeps it alive; a Scatter is
// what a socket writes in one call.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kubemu {

// Shared by pointer; never null in a Record. Thread-safe to read.
using Bytes = std::shared_ptr<const std::string>;

inline Bytes make_bytes(std::string text) { return std::make_shared<const std::string>(std::move(text)); }

// A part of a buffer together with its owner. With a null owner the text must be constant for ever (a literal).
struct Slice {
    std::string_view text;
    std::shared_ptr<const void> owner;

    Slice() = default;
    explicit Slice(Bytes bytes) : text(*bytes), owner(std::move(bytes)) {}
    Slice(std::string_view part, std::shared_ptr<const void> keep) : text(part), owner(std::move(keep)) {}
    static Slice literal(std::string_view constant) { return Slice(constant, nullptr); }
    static Slice of(std::string value) { return Slice(make_bytes(std::move(value))); }
};

using Scatter = std::vector<Slice>;

inline std::size_t total_size(const Scatter& parts) {
    std::size_t size = 0;
    for (const Slice& part : parts) size += part.text.size();
    return size;
}

}  // namespace kubemu

// zlib around lists of name-value pairs.
#include "server/spdy/header_block.h"

#include <zlib.h>

#include <array>
#include <cstdint>

#include "server/spdy/numbers.h"

namespace kubemu::server::spdy {
namespace {

// zlib takes input by a pointer to what it does not change.
Bytef* bytes_of(std::string_view text) { return reinterpret_cast<Bytef*>(const_cast<char*>(text.data())); }

// The pairs of a decompressed block; several values of one name are separated by NUL.
std::optional<Headers> parse_pairs(std::string_view text) {
    Reader reader(text);
    const std::optional<std::uint32_t> count = reader.number(4);
    if (!count || *count > headers_max) return std::nullopt;
    Headers headers;
    for (std::uint32_t i = 0; i < *count; ++i) {
        const auto name_size = reader.number(4);
        if (!name_size) return std::nullopt;
        const auto name = reader.text(*name_size);
        const auto value_size = reader.number(4);
        if (!name || name->empty() || !value_size) return std::nullopt;
        auto value = reader.text(*value_size);
        if (!value) return std::nullopt;
        for (;;) {
            const std::size_t end = value->find('\0');
            headers.emplace_back(*name, value->substr(0, end));
            if (end == std::string_view::npos) break;
            value->remove_prefix(end + 1);
        }
        if (headers.size() > headers_max) return std::nullopt;
    }
    return headers;
}

}  // namespace

std::string_view value_of(const Headers& headers, std::string_view name) {
    for (const auto& [known, value] : headers) {
        if (known == name) return value;
    }
    return {};
}

struct HeaderCompressor::Impl {
    z_stream stream{};
};

HeaderCompressor::HeaderCompressor() : impl_(std::make_unique<Impl>()) {
    // A window that the dictionary fits into, and no more: connections are many and headers few.
    constexpr int window_bits = 11, memory_level = 1;
    deflateInit2(&impl_->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window_bits, memory_level, Z_DEFAULT_STRATEGY);
    const std::string& dictionary = header_dictionary();
    deflateSetDictionary(&impl_->stream, bytes_of(dictionary), static_cast<uInt>(dictionary.size()));
}
HeaderCompressor::~HeaderCompressor() { deflateEnd(&impl_->stream); }

std::string HeaderCompressor::compress(const Headers& headers) {
    std::string plain;
    append_number(plain, headers.size(), 4);
    for (const auto& [name, value] : headers) {
        append_number(plain, name.size(), 4);
        plain += name;
        append_number(plain, value.size(), 4);
        plain += value;
    }
    z_stream& stream = impl_->stream;
    stream.next_in = bytes_of(plain);
    stream.avail_in = static_cast<uInt>(plain.size());
    std::string block;
    std::array<char, 1024> room;
    do {
        stream.next_out = reinterpret_cast<Bytef*>(room.data());
        stream.avail_out = room.size();
        deflate(&stream, Z_SYNC_FLUSH);
        block.append(room.data(), room.size() - stream.avail_out);
    } while (stream.avail_out == 0);
    return block;
}

struct HeaderDecompressor::Impl {
    z_stream stream{};
    bool broken = false;
};

HeaderDecompressor::HeaderDecompressor() : impl_(std::make_unique<Impl>()) { inflateInit(&impl_->stream); }
HeaderDecompressor::~HeaderDecompressor() { inflateEnd(&impl_->stream); }

std::optional<Headers> HeaderDecompressor::decompress(std::string_view block) {
    if (impl_->broken) return std::nullopt;
    impl_->broken = true;  // until it has gone well
    z_stream& stream = impl_->stream;
    stream.next_in = bytes_of(block);
    stream.avail_in = static_cast<uInt>(block.size());
    std::string plain;
    std::array<char, 4096> room;
    for (;;) {
        stream.next_out = reinterpret_cast<Bytef*>(room.data());
        stream.avail_out = room.size();
        const int result = inflate(&stream, Z_SYNC_FLUSH);
        plain.append(room.data(), room.size() - stream.avail_out);
        if (plain.size() > header_block_bytes_max) return std::nullopt;
        if (result == Z_NEED_DICT) {
            const std::string& dictionary = header_dictionary();
            if (inflateSetDictionary(&stream, bytes_of(dictionary), static_cast<uInt>(dictionary.size())) != Z_OK) {
                return std::nullopt;
            }
            continue;
        }
        if (result == Z_BUF_ERROR || (result == Z_OK && stream.avail_in == 0 && stream.avail_out > 0)) break;
        if (result != Z_OK) return std::nullopt;
    }
    auto headers = parse_pairs(plain);
    impl_->broken = !headers;
    return headers;
}

}  // namespace kubemu::server::spdy

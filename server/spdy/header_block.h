// Header blocks of SPDY/3: name-value pairs, compressed by zlib with a dictionary that both sides know. One direction of
// a connection is one compressed text; each block ends at a flush.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kubemu::server::spdy {

// Names in lower case. A header with several values comes once for each.
using Headers = std::vector<std::pair<std::string, std::string>>;

// The first value; empty without one.
std::string_view value_of(const Headers& headers, std::string_view name);

const std::string& header_dictionary();

// What one block may become when it is decompressed, and how many pairs it may have.
inline constexpr std::size_t header_block_bytes_max = 64 * 1024;
inline constexpr std::size_t headers_max = 1000;

class HeaderCompressor {
  public:
    HeaderCompressor();
    ~HeaderCompressor();
    std::string compress(const Headers& headers);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

class HeaderDecompressor {
  public:
    HeaderDecompressor();
    ~HeaderDecompressor();
    // Nothing when the block is broken; later blocks cannot be read then either.
    std::optional<Headers> decompress(std::string_view block);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace kubemu::server::spdy

// zlib's deflate behind one function.
#include "server/gzip.h"

#include <zlib.h>

#include <array>
#include <optional>

#include "api/values/text.h"

namespace kubemu::server {
namespace {

// The fastest level: most of the gain for a fraction of the time, as kube-apiserver chose too.
constexpr int compression_level = 1;
constexpr int gzip_window_bits = 15 + 16;

std::optional<std::string> gzip(const Scatter& parts) {
    z_stream stream{};
    if (deflateInit2(&stream, compression_level, Z_DEFLATED, gzip_window_bits, 8, Z_DEFAULT_STRATEGY) != Z_OK) return std::nullopt;
    std::string out;
    std::array<unsigned char, 64 * 1024> buffer;
    const auto run = [&](int flush) {
        int result = Z_OK;
        do {
            stream.next_out = buffer.data();
            stream.avail_out = static_cast<uInt>(buffer.size());
            result = deflate(&stream, flush);
            out.append(reinterpret_cast<const char*>(buffer.data()), buffer.size() - stream.avail_out);
        } while (stream.avail_out == 0);
        return result;
    };
    for (const Slice& part : parts) {
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(part.text.data()));
        stream.avail_in = static_cast<uInt>(part.text.size());
        run(Z_NO_FLUSH);
    }
    const bool finished = run(Z_FINISH) == Z_STREAM_END;
    deflateEnd(&stream);
    if (!finished) return std::nullopt;
    return out;
}

}  // namespace

bool accepts_gzip(std::string_view accept_encoding) {
    for (const std::string_view part : api::split(accept_encoding, ',')) {
        if (api::trim(part) == "gzip") return true;
    }
    return false;
}

void compress(api::Response& response, std::string_view accept_encoding) {
    // What another server has encoded stays so.
    for (const auto& [name, value] : response.headers) {
        if (api::lower(name) == "content-encoding") return;
    }
    if (response.stream || total_size(response.body) <= gzip_bytes_min || !accepts_gzip(accept_encoding)) return;
    auto body = gzip(response.body);
    if (!body) return;
    response.body.clear();
    response.body.push_back(Slice::of(std::move(*body)));
    response.headers.emplace_back("Content-Encoding", "gzip");
    response.headers.emplace_back("Vary", "Accept-Encoding");
}

}  // namespace kubemu::server

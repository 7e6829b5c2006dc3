// gzip: for whom, from which size on, and that it can be unpacked.
#include "server/gzip.h"

#include <doctest/doctest.h>
#include <zlib.h>

using namespace kubemu;
using namespace kubemu::server;

namespace {

std::string unpack(std::string_view packed) {
    z_stream stream{};
    REQUIRE(inflateInit2(&stream, 15 + 16) == Z_OK);
    std::string out(4 * 1024 * 1024, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream.avail_in = static_cast<uInt>(packed.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    CHECK(inflate(&stream, Z_FINISH) == Z_STREAM_END);
    out.resize(stream.total_out);
    inflateEnd(&stream);
    return out;
}

api::Response answer(std::initializer_list<std::string> parts) {
    api::Response response;
    for (const std::string& part : parts) response.body.push_back(Slice::of(std::string(part)));
    return response;
}

}  // namespace

TEST_CASE("gzip has to be named without a weight") {
    CHECK(accepts_gzip("gzip"));
    CHECK(accepts_gzip("deflate, gzip"));
    CHECK_FALSE(accepts_gzip("gzip;q=1"));
    CHECK_FALSE(accepts_gzip(""));
}

TEST_CASE("large bodies are packed, small ones are not") {
    std::string noise;
    for (int i = 0; i < 30000; ++i) noise += std::to_string(i * 7919 % 100003) + ",";
    api::Response response = answer({"head", noise, "tail"});
    compress(response, "gzip");
    REQUIRE(response.body.size() == 1);
    CHECK(response.body[0].text.size() < noise.size());
    CHECK(unpack(response.body[0].text) == "head" + noise + "tail");
    CHECK(response.headers.front() == std::pair<std::string, std::string>("Content-Encoding", "gzip"));

    api::Response small = answer({std::string(gzip_bytes_min, 'x')});
    compress(small, "gzip");
    CHECK(small.headers.empty());
    api::Response unasked = answer({noise});
    compress(unasked, "br");
    CHECK(unasked.headers.empty());
}

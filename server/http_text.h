// The text of HTTP/1.1 answers: status lines, headers, chunks. Pure, so that tests need no socket.
#pragma once

#include <string>
#include <string_view>

#include "api/request.h"

namespace kubemu::server {

// Status line and headers up to and including the empty line. `body_bytes` is the Content-Length of a plain answer;
// an answer with a stream is chunked.
std::string response_head(const api::Response& response, std::size_t body_bytes, bool keep_alive, Time now);

// The longest text that is copied together before one write; small parts are cheaper to copy than to scatter.
inline constexpr std::size_t gather_bytes_max = 256 * 1024;

}  // namespace kubemu::server

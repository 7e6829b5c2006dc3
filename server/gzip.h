// gzip of large answers, as kube-apiserver does for clients that ask for it (APIResponseCompression).
#pragma once

#include <string>
#include <string_view>

#include "api/request.h"

namespace kubemu::server {

// Smaller bodies cost more to compress than to send (responsewriters.defaultGzipThresholdBytes).
inline constexpr std::size_t gzip_bytes_min = 128 * 1024;

// Whether an Accept-Encoding header lists gzip, without a weight.
bool accepts_gzip(std::string_view accept_encoding);
// Compresses the body of a plain answer that is large enough, and says so in its headers.
void compress(api::Response& response, std::string_view accept_encoding);

}  // namespace kubemu::server

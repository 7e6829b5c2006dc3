// One HTTP request to a running kubemu, for the commands of this program that talk to one.
#pragma once

#include <string>

#include "storage/base/result.h"

namespace kubemu::server {

struct HttpAnswer {
    int code = 0;
    std::string body;
};

// `server` is http://HOST[:PORT]. Blocks until the answer is there, however long it takes. The error is a sentence for
// the terminal.
Result<HttpAnswer, std::string> http_request(const std::string& server, const std::string& method, const std::string& path,
                                             const std::string& body);

}  // namespace kubemu::server

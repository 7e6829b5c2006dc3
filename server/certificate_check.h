// Why the certificate of a server that we connect to is not good, in the words of Go's crypto/x509.
#pragma once

#include <string>

#include "storage/base/clock.h"

struct ssl_st;

namespace kubemu::server {

// Whether the host of a URL is an IP address.
bool is_ip_address(const std::string& host);
// After a handshake that failed: what is wrong with the chain of the certificate; empty when it is not that.
std::string handshake_failure(ssl_st* connection, Time now);
// After one that succeeded: the certificate is for another name than `host`; empty when it is not.
std::string name_mismatch(ssl_st* connection, const std::string& host);
// Whether OpenSSL's message means that the other side does not speak TLS.
bool not_tls(const std::string& message);

}  // namespace kubemu::server

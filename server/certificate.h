// A self-signed certificate for the cluster: what pods find as ca.crt.
#pragma once

#include <string>

namespace kubemu::server {

// PEM text of a new certificate (P-256, ten years). Empty when OpenSSL fails.
std::string make_certificate();

}  // namespace kubemu::server

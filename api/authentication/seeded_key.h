// Private keys that follow from a cluster's seed, for runs that can be repeated to the byte. Whoever knows the seed has
// the key: it protects nothing.
#pragma once

#include <cstdint>
#include <string>

namespace kubemu::api {

// PEM text (PKCS #8); empty when OpenSSL fails. Both sign without randomness: Ed25519 (RFC 8032), and RSA with PKCS #1
// v1.5 padding. The second takes some tenths of a second.
std::string seeded_ed25519_key(std::uint64_t seed);
std::string seeded_rsa_key(std::uint64_t seed);  // 2048 bits

}  // namespace kubemu::api

// See seeded_key.h. Bits come from SHA-256 over the seed, a purpose and a counter.
#include "api/authentication/seeded_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include <memory>
#include <string_view>
#include <utility>

#include "api/authentication/openssl.h"

namespace kubemu::api {
namespace {

using namespace openssl;

using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using Numbers = std::unique_ptr<BN_CTX, Freed<BN_CTX_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>>;

std::string bytes_of(std::uint64_t seed, std::string_view purpose, std::size_t count) {
    std::string bytes;
    for (int block = 0; bytes.size() < count; ++block) {
        const std::string text = std::string(purpose) + " " + std::to_string(seed) + " " + std::to_string(block);
        unsigned char hash[SHA256_DIGEST_LENGTH];
        SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash);
        bytes.append(reinterpret_cast<const char*>(hash), sizeof hash);
    }
    bytes.resize(count);
    return bytes;
}

std::string pem_of_key(const Key& key) {
    return key ? pem_of(PEM_write_bio_PKCS8PrivateKey, key.get(), nullptr, nullptr, 0, nullptr, nullptr) : std::string();
}

constexpr int prime_bits = 1024;
constexpr unsigned long exponent = 65537;

// The first prime that fits an RSA key at or after a number of the seed's; its two highest bits are set, so that two
// make a modulus of twice the bits.
Number prime_of(std::uint64_t seed, std::string_view purpose, BN_CTX* context) {
    const std::string bytes = bytes_of(seed, purpose, prime_bits / 8);
    Number prime(BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()), nullptr));
    if (!prime || !BN_set_bit(prime.get(), prime_bits - 1) || !BN_set_bit(prime.get(), prime_bits - 2) || !BN_set_bit(prime.get(), 0)) {
        return nullptr;
    }
    while (BN_mod_word(prime.get(), exponent) == 1 || BN_check_prime(prime.get(), context, nullptr) != 1) {
        if (!BN_add_word(prime.get(), 2)) return nullptr;
    }
    return prime;
}

}  // namespace

std::string seeded_ed25519_key(std::uint64_t seed) {
    const std::string bytes = bytes_of(seed, "certificate authority", 32);
    const Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
    return pem_of_key(key);
}

std::string seeded_rsa_key(std::uint64_t seed) {
    const Numbers context(BN_CTX_new());
    const Number p = prime_of(seed, "token key p", context.get()), q = prime_of(seed, "token key q", context.get());
    const Number n(BN_new()), e(BN_new()), d(BN_new()), p1(p ? BN_dup(p.get()) : nullptr), q1(q ? BN_dup(q.get()) : nullptr), order(BN_new());
    const Number d_p(BN_new()), d_q(BN_new()), inverse(BN_new());
    if (!p1 || !q1 || !BN_sub_word(p1.get(), 1) || !BN_sub_word(q1.get(), 1) || !BN_set_word(e.get(), exponent) ||
        !BN_mul(n.get(), p.get(), q.get(), context.get()) || !BN_mul(order.get(), p1.get(), q1.get(), context.get()) ||
        BN_mod_inverse(d.get(), e.get(), order.get(), context.get()) == nullptr ||
        !BN_mod(d_p.get(), d.get(), p1.get(), context.get()) || !BN_mod(d_q.get(), d.get(), q1.get(), context.get()) ||
        BN_mod_inverse(inverse.get(), q.get(), p.get(), context.get()) == nullptr) {
        return {};
    }
    const Builder builder(OSSL_PARAM_BLD_new());
    const std::pair<const char*, const BIGNUM*> members[] = {
        {OSSL_PKEY_PARAM_RSA_N, n.get()},           {OSSL_PKEY_PARAM_RSA_E, e.get()},
        {OSSL_PKEY_PARAM_RSA_D, d.get()},           {OSSL_PKEY_PARAM_RSA_FACTOR1, p.get()},
        {OSSL_PKEY_PARAM_RSA_FACTOR2, q.get()},     {OSSL_PKEY_PARAM_RSA_EXPONENT1, d_p.get()},
        {OSSL_PKEY_PARAM_RSA_EXPONENT2, d_q.get()}, {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, inverse.get()}};
    for (const auto& [name, number] : members) {
        if (!OSSL_PARAM_BLD_push_BN(builder.get(), name, number)) return {};
    }
    const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
    const KeyContext made(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
    EVP_PKEY* key = nullptr;
    if (!parameters || !made || EVP_PKEY_fromdata_init(made.get()) != 1 ||
        EVP_PKEY_fromdata(made.get(), &key, EVP_PKEY_KEYPAIR, parameters.get()) != 1) {
        return {};
    }
    return pem_of_key(Key(key));
}

}  // namespace kubemu::api

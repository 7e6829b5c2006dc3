// RS256 by OpenSSL.
#include "api/authentication/signing_key.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include <array>

#include "api/authentication/openssl.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

using namespace openssl;

using Digest = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;

constexpr std::size_t key_bits = 2048;

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string key_id(EVP_PKEY* key) {
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(key, &der);
    if (size <= 0) return {};
    std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
    SHA256(der, static_cast<std::size_t>(size), hash.data());
    OPENSSL_free(der);
    return base64_url_encode({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

// A number of the public key, big-endian.
std::string parameter(EVP_PKEY* key, const char* name) {
    BIGNUM* number = nullptr;
    if (EVP_PKEY_get_bn_param(key, name, &number) != 1) return {};
    std::string bytes(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
    BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
    BN_free(number);
    return base64_url_encode(bytes);
}

}  // namespace

std::string base64_url_encode(std::string_view bytes) {
    std::string text = base64_encode(bytes);
    while (!text.empty() && text.back() == '=') text.pop_back();
    for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
    return text;
}

bool base64_url_decode(std::string_view text, std::string& bytes) {
    std::string padded(text);
    for (char& c : padded) {
        if (c == '+' || c == '/' || c == '=') return false;
        c = c == '-' ? '+' : c == '_' ? '/' : c;
    }
    while (padded.size() % 4 != 0) padded += '=';
    return base64_decode(padded, bytes);
}

struct SigningKey::Impl {
    Key key;
};

SigningKey::SigningKey(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)), id_(key_id(impl_->key.get())) {}

std::optional<SigningKey> SigningKey::generate() {
    Key key(EVP_RSA_gen(key_bits));
    if (!key) return std::nullopt;
    return SigningKey(std::make_shared<const Impl>(Impl{std::move(key)}));
}

std::optional<SigningKey> SigningKey::from_pem(std::string_view text) {
    Memory memory(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    Key key(PEM_read_bio_PrivateKey(memory.get(), nullptr, nullptr, nullptr));
    if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) return std::nullopt;
    return SigningKey(std::make_shared<const Impl>(Impl{std::move(key)}));
}

std::string SigningKey::pem() const {
    return pem_of(PEM_write_bio_PrivateKey, impl_->key.get(), nullptr, nullptr, 0, nullptr, nullptr);
}

std::string SigningKey::sign(std::string_view claims) const {
    std::string token = base64_url_encode("{\"alg\":\"RS256\",\"kid\":\"" + id_ + "\"}") + "." + base64_url_encode(claims);
    Digest digest(EVP_MD_CTX_new());
    std::size_t size = 0;
    if (EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, impl_->key.get()) != 1 ||
        EVP_DigestSign(digest.get(), nullptr, &size, bytes_of(token), token.size()) != 1) {
        return {};
    }
    std::string signature(size, '\0');
    if (EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes_of(token), token.size()) != 1) {
        return {};
    }
    signature.resize(size);
    return token + "." + base64_url_encode(signature);
}

bool SigningKey::signed_by_me(std::string_view token) const {
    const std::size_t dot = token.rfind('.');
    std::string signature;
    if (dot == std::string_view::npos || !base64_url_decode(token.substr(dot + 1), signature)) return false;
    Digest digest(EVP_MD_CTX_new());
    return EVP_DigestVerifyInit(digest.get(), nullptr, EVP_sha256(), nullptr, impl_->key.get()) == 1 &&
           EVP_DigestVerify(digest.get(), bytes_of(signature), signature.size(), bytes_of(token), dot) == 1;
}

std::string SigningKey::key_set() const {
    return "{\"keys\":[{\"use\":\"sig\",\"kty\":\"RSA\",\"kid\":\"" + id_ + "\",\"alg\":\"RS256\",\"n\":\"" +
           parameter(impl_->key.get(), OSSL_PKEY_PARAM_RSA_N) + "\",\"e\":\"" +
           parameter(impl_->key.get(), OSSL_PKEY_PARAM_RSA_E) + "\"}]}";
}

}  // namespace kubemu::api

// SigningKey: the RSA key under which a cluster's service account tokens are signed: JSON Web Tokens in compact form,
// RS256 (RFC 7515, RFC 7519).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace kubemu::api {

// Thread-safe to use.
class SigningKey {
  public:
    // A new key of 2048 bits; takes some tens of milliseconds, now and then more. Nothing when OpenSSL fails.
    static std::optional<SigningKey> generate();
    // Nothing when the text is no RSA key.
    static std::optional<SigningKey> from_pem(std::string_view text);

    std::string pem() const;
    // Derived from the public key (k8s.io/kubernetes/pkg/serviceaccount.keyIDFromPublicKey).
    const std::string& id() const { return id_; }
    // A token with these claims (JSON text); empty when OpenSSL fails.
    std::string sign(std::string_view claims) const;
    // Whether the third part of a token is this key's signature of the first two.
    bool signed_by_me(std::string_view token) const;
    // The public half as a JSON Web Key Set (RFC 7517).
    std::string key_set() const;

  private:
    struct Impl;
    explicit SigningKey(std::shared_ptr<const Impl> impl);
    std::shared_ptr<const Impl> impl_;
    std::string id_;
};

// Base64 with '-' and '_' and without padding (RFC 4648, section 5).
std::string base64_url_encode(std::string_view bytes);
bool base64_url_decode(std::string_view text, std::string& bytes);

}  // namespace kubemu::api

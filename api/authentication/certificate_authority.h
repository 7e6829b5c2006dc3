// CertificateAuthority: the cluster's own: it signs what CertificateSigningRequests ask for, and its certificate is
// what pods find as ca.crt.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/request.h"
#include "storage/base/clock.h"
#include "storage/base/result.h"
#include "storage/store.h"

struct x509_st;

namespace kubemu::api {

// A sentence about what is wrong.
struct CertificateError {
    std::string message;
};

// What the signers of Kubernetes look at in a PKCS #10 request.
struct CertificateRequest {
    std::string common_name;
    std::vector<std::string> organizations;
    std::size_t dns_names = 0, ip_addresses = 0, email_addresses = 0, uris = 0;
};
// The error is Go's about the PEM text.
Result<CertificateRequest, CertificateError> read_certificate_request(std::string_view pem);

// When the first certificate of a PEM text ends; nothing when it is none.
std::optional<Time> certificate_expiry(std::string_view pem);

// Common name and organizations as user and groups (k8s.io/apiserver/pkg/authentication/request/x509).
User user_of_certificate(x509_st* certificate);

// PEM texts.
struct KeyPair {
    std::string certificate, key;
};

// Thread-safe to use.
class CertificateAuthority {
  public:
    // The one that is kept with the store, made at the first call (P-256, ten years). With a seed all of it follows from
    // that (Ed25519, whose signatures need no randomness; from 2026 on for a hundred years).
    static Result<CertificateAuthority, CertificateError> of_store(storage::Store& store, Time now,
                                                                   std::optional<std::uint64_t> seed = std::nullopt);

    // The one that a database file keeps, without opening its store.
    static Result<CertificateAuthority, CertificateError> of_database(const std::string& path);

    const std::string& certificate() const { return certificate_; }  // PEM

    struct Terms {
        std::vector<std::string> usages;  // as in spec.usages of a CertificateSigningRequest
        Time not_before{}, not_after{};   // cut to the authority's own end
    };
    struct Identity {
        std::string common_name;
        std::vector<std::string> organizations;
        std::string alternative_names;  // "DNS:a,IP:10.0.0.1"
        std::string purpose;            // "client auth" or "server auth"
        Time now{};
    };
    // A new key with a certificate of a year.
    Result<KeyPair, CertificateError> issue(const Identity& identity) const;

    // PEM of a certificate with the request's subject, key and alternative names, and nothing else of it.
    Result<std::string, CertificateError> sign(std::string_view request_pem, const Terms& terms) const;

  private:
    struct Impl;
    CertificateAuthority(std::shared_ptr<const Impl> impl, std::string certificate);
    static Result<CertificateAuthority, CertificateError> from_pem(std::string_view certificate, std::string_view key);

    std::shared_ptr<const Impl> impl_;
    std::string certificate_;
};

}  // namespace kubemu::api

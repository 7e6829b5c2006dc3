// CertificateAuthority: the cluster's own: it signs what CertificateSigningRequests ask for, and its certificate is
// what pods find as ca.crt.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/request.h"
#include "storage/base/clock.h"
#include "storage/base/result.h"
#include "storage/store.h"

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

// Thread-safe to use.
class CertificateAuthority {
  public:
    // The one that is kept with the store, made at the first call (P-256, ten years).
    static Result<CertificateAuthority, CertificateError> of_store(storage::Store& store, Time now);

    const std::string& certificate() const { return certificate_; }  // PEM

    struct Terms {
        std::vector<std::string> usages;  // as in spec.usages of a CertificateSigningRequest
        Time not_before{}, not_after{};   // cut to the authority's own end
    };
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

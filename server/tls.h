// Tls: HTTPS of a cluster: the server's certificate, signed by the cluster's own authority, and clients' certificates,
// which that authority must have signed (k8s.io/apiserver/pkg/authentication/request/x509).
//
// PIMPL: OpenSSL and Asio's part of it stay in the sources that need them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/authentication/certificate_authority.h"
#include "api/request.h"
#include "storage/base/result.h"

struct ssl_st;
namespace boost::asio::ssl {
class context;
}

namespace kubemu::server {

class Tls {
  public:
    // With a new certificate for the names under which clusters are known and for those `addresses` that are some. The
    // error is a sentence.
    static Result<std::unique_ptr<Tls>, std::string> make(const api::CertificateAuthority& authority,
                                                          const std::vector<std::string>& addresses, Time now);
    ~Tls();
    boost::asio::ssl::context& context();

  private:
    struct Impl;
    explicit Tls(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// What the client of a connection showed.
struct PeerCertificate {
    std::optional<api::User> user;  // common name and organizations
    bool refused = false;           // it showed one that is not good
};
PeerCertificate peer_certificate(ssl_st* connection);

}  // namespace kubemu::server

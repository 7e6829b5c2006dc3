// OpenSSL's contexts by Asio; the handshake itself lets everybody in, because a bad certificate is answered (401).
#include "server/tls.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/context.hpp>

namespace kubemu::server {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

constexpr const char* cluster_names =
    "DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,"
    "DNS:kubernetes.default.svc.cluster.local,IP:127.0.0.1,IP:::1";

bool is_address(const std::string& text) {
    error_code error;
    const auto address = boost::asio::ip::make_address(text, error);
    return !error && !address.is_unspecified();
}

}  // namespace

struct Tls::Impl {
    ssl::context context{ssl::context::tls_server};
};

Tls::Tls(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tls::~Tls() = default;
ssl::context& Tls::context() { return impl_->context; }

Result<std::unique_ptr<Tls>, std::string> Tls::make(const api::CertificateAuthority& authority,
                                                    const std::vector<std::string>& addresses, Time now) {
    std::string names = cluster_names;
    for (const std::string& address : addresses) {
        if (is_address(address)) names += ",IP:" + address;
    }
    const auto pair = authority.issue({.common_name = "kube-apiserver",
                                       .organizations = {},
                                       .alternative_names = names,
                                       .purpose = "server auth",
                                       .now = now});
    if (!pair) return pair.error().message;
    auto impl = std::make_unique<Impl>();
    ssl::context& context = impl->context;
    error_code error;
    context.use_certificate_chain(boost::asio::buffer(pair->certificate + authority.certificate()), error);
    if (!error) context.use_private_key(boost::asio::buffer(pair->key), ssl::context::pem, error);
    if (!error) context.add_certificate_authority(boost::asio::buffer(authority.certificate()), error);
    if (!error) context.set_verify_mode(ssl::verify_peer, error);
    if (!error) context.set_verify_callback([](bool, ssl::verify_context&) { return true; }, error);
    if (error) return "TLS could not be set up: " + error.message();
    // Clients that have several certificates choose by the names of the authorities that are taken.
    STACK_OF(X509)* chain = nullptr;
    SSL_CTX_get_extra_chain_certs(context.native_handle(), &chain);
    for (int i = 0; i < sk_X509_num(chain); ++i) SSL_CTX_add_client_CA(context.native_handle(), sk_X509_value(chain, i));
    return std::unique_ptr<Tls>(new Tls(std::move(impl)));
}

PeerCertificate peer_certificate(ssl_st* connection) {
    PeerCertificate peer;
    X509* certificate = SSL_get1_peer_certificate(connection);
    if (certificate == nullptr) return peer;
    peer.refused = SSL_get_verify_result(connection) != X509_V_OK;
    if (!peer.refused) peer.user = api::user_of_certificate(certificate);
    X509_free(certificate);
    return peer;
}

}  // namespace kubemu::server

// HttpsCaller: webhooks, aggregated API servers and proxied Services called over HTTP(S), on a thread of its own, which
// begins with the first call.
//
// Errors are in the words of Go's net/http and crypto/tls, which users search for. Services have no network here: a call to
// one goes to the address that --service-address names for it, else to the endpoint that its EndpointSlices name.
//
// PIMPL: Asio and Beast stay in .cpp files.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "api/remote_calls.h"
#include "storage/base/clock.h"

namespace kubemu::server {

// "NAMESPACE/NAME" of a Service to HOST:PORT.
using ServiceAddresses = std::map<std::string, std::string>;

// Thread-safe.
class HttpsCaller final : public api::RemoteCaller {
  public:
    // The clock says what time certificates are checked against in messages.
    HttpsCaller(ServiceAddresses addresses, const Clock& clock);
    ~HttpsCaller() override;

    struct ClientCertificate {
        std::string certificate, key;  // PEM
    };
    // Before the first call: what makes the certificate that calls as front proxy show, when the first of them is made.
    void set_front_proxy(std::function<ClientCertificate()> make);

    void call(api::RemoteCall call, std::function<void(api::RemoteAnswer)> done) override;
    void forward(api::RemoteCall call, api::Respond respond) override;
    bool reaches(const std::string& service) const override;
    // Calls that have no answer yet fail, and so does every later one; the thread has ended when this returns.
    void stop();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace kubemu::server

// The PEM texts inside a CertificateSigningRequest (kubernetes pkg/apis/certificates/helpers.go).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kubemu::api {

// What the server reads of a PKCS#10 request.
struct RequestSubject {
    std::vector<std::string> organizations;
    std::string common_name;
    std::size_t dns_names = 0, ip_addresses = 0, email_addresses = 0, uris = 0;
};

// Parses a PEM block CERTIFICATE REQUEST and checks its signature. `complaint` says what is wrong.
std::optional<RequestSubject> parse_certificate_request(std::string_view pem, std::string& complaint);

// What is wrong with the text as a chain of certificates; empty when it is one, or is empty.
std::string certificate_chain_complaint(std::string_view pem);

}  // namespace kubemu::api

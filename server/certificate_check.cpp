// OpenSSL's verdicts, and the names in a certificate.
#include "server/certificate_check.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <vector>

#include "api/values/text.h"
#include "api/values/time.h"

namespace kubemu::server {
namespace {

constexpr const char* prefix = "tls: failed to verify certificate: x509: ";

Time time_of(const ASN1_TIME* time) {
    tm parts{};
    if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return {};
    return Time(std::chrono::duration_cast<Duration>(std::chrono::seconds(timegm(&parts))));
}

// Names, or addresses, for which the certificate was made.
std::vector<std::string> names_of(X509* certificate, bool addresses) {
    std::vector<std::string> out;
    auto* names = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
    for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_DNS && !addresses) {
            out.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                             static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
        } else if (name->type == GEN_IPADD && addresses) {
            const bool four = ASN1_STRING_length(name->d.iPAddress) == 4;
            char text[INET6_ADDRSTRLEN] = {};
            inet_ntop(four ? AF_INET : AF_INET6, ASN1_STRING_get0_data(name->d.iPAddress), text, sizeof text);
            out.emplace_back(text);
        }
    }
    GENERAL_NAMES_free(names);
    return out;
}

std::string mismatch(X509* certificate, const std::string& host) {
    const bool address = is_ip_address(host);
    const bool fits = address ? X509_check_ip_asc(certificate, host.c_str(), 0) == 1
                              : X509_check_host(certificate, host.data(), host.size(), X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, nullptr) == 1;
    if (fits) return {};
    const std::vector<std::string> names = names_of(certificate, address);
    if (address && names.empty()) return prefix + ("cannot validate certificate for " + host) + " because it doesn't contain any IP SANs";
    if (names.empty() && names_of(certificate, true).empty()) {
        return prefix + std::string("certificate relies on legacy Common Name field, use SANs instead");
    }
    if (names.empty()) return prefix + ("certificate is not valid for any names, but wanted to match " + host);
    return prefix + ("certificate is valid for " + api::join(names, ", ")) + ", not " + host;
}

}  // namespace

bool is_ip_address(const std::string& host) {
    unsigned char bytes[sizeof(in6_addr)];
    return inet_pton(AF_INET, host.c_str(), bytes) == 1 || inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

std::string handshake_failure(ssl_st* connection, Time now) {
    const long verdict = SSL_get_verify_result(connection);
    X509* certificate = SSL_get0_peer_certificate(connection);
    const std::string current = "certificate has expired or is not yet valid: current time " + api::format_time(now);
    switch (verdict) {
        case X509_V_OK: return {};
        case X509_V_ERR_CERT_HAS_EXPIRED:
            return prefix + current + (certificate == nullptr ? "" : " is after " + api::format_time(time_of(X509_get0_notAfter(certificate))));
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return prefix + current + (certificate == nullptr ? "" : " is before " + api::format_time(time_of(X509_get0_notBefore(certificate))));
        case X509_V_ERR_INVALID_PURPOSE: return prefix + std::string("certificate specifies an incompatible key usage");
        default: return prefix + std::string("certificate signed by unknown authority");
    }
}

std::string name_mismatch(ssl_st* connection, const std::string& host) {
    X509* certificate = SSL_get1_peer_certificate(connection);
    if (certificate == nullptr) return prefix + std::string("certificate signed by unknown authority");
    std::string why = mismatch(certificate, host);
    X509_free(certificate);
    return why;
}

bool not_tls(const std::string& message) {
    return message.find("wrong version number") != std::string::npos || message.find("http request") != std::string::npos ||
           message.find("packet length too long") != std::string::npos;
}

}  // namespace kubemu::server

// Reading PEM and X.509 with OpenSSL. Sentences about malformed DER are those of Go's crypto/x509 where it
// has one for the case, its most general one otherwise.
#include "api/kinds/certificates/request_text.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

#include "api/values/text.h"

namespace kubemu::api {
namespace {

template <typename T, void (*release)(T*)>
struct Release {
    void operator()(T* value) const { release(value); }
};
using RequestPtr = std::unique_ptr<X509_REQ, Release<X509_REQ, X509_REQ_free>>;
using CertificatePtr = std::unique_ptr<X509, Release<X509, X509_free>>;

struct PemBlock {
    std::string type, bytes;
    bool has_headers = false;
};

// The next block, skipping what stands before it.
std::optional<PemBlock> next_block(BIO* text) {
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    if (PEM_read_bio(text, &name, &header, &data, &size) != 1) return std::nullopt;
    PemBlock block{name, std::string(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size)),
                   header[0] != '\0'};
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
    return block;
}

struct BioFree {
    void operator()(BIO* bio) const { BIO_free(bio); }
};
std::unique_ptr<BIO, BioFree> open(std::string_view text) {
    return std::unique_ptr<BIO, BioFree>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string entry_text(const X509_NAME_ENTRY* entry) {
    unsigned char* utf8 = nullptr;
    const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(entry));
    if (size < 0) return {};
    std::string text(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
    OPENSSL_free(utf8);
    return text;
}

void read_subject(X509_REQ* request, RequestSubject& subject) {
    const X509_NAME* name = X509_REQ_get_subject_name(request);
    for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
        const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
        const int what = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
        if (what == NID_organizationName) subject.organizations.push_back(entry_text(entry));
        if (what == NID_commonName) subject.common_name = entry_text(entry);
    }
}

void read_alternative_names(X509_REQ* request, RequestSubject& subject) {
    STACK_OF(X509_EXTENSION)* extensions = X509_REQ_get_extensions(request);
    if (extensions == nullptr) return;
    auto* names =
        static_cast<GENERAL_NAMES*>(X509V3_get_d2i(extensions, NID_subject_alt_name, nullptr, nullptr));
    for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
        switch (sk_GENERAL_NAME_value(names, i)->type) {
            case GEN_DNS:
                ++subject.dns_names;
                break;
            case GEN_IPADD:
                ++subject.ip_addresses;
                break;
            case GEN_EMAIL:
                ++subject.email_addresses;
                break;
            case GEN_URI:
                ++subject.uris;
                break;
            default:
                break;
        }
    }
    GENERAL_NAMES_free(names);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

std::string signature_complaint(const EVP_PKEY* key) {
    switch (EVP_PKEY_base_id(key)) {
        case EVP_PKEY_EC:
            return "x509: ECDSA verification failure";
        case EVP_PKEY_ED25519:
            return "x509: Ed25519 verification failure";
        default:
            return "crypto/rsa: verification error";
    }
}

}  // namespace

std::optional<RequestSubject> parse_certificate_request(std::string_view pem, std::string& complaint) {
    const auto text = open(pem);
    const auto block = next_block(text.get());
    if (!block || block->type != "CERTIFICATE REQUEST") {
        complaint = "PEM block type must be CERTIFICATE REQUEST";
        return std::nullopt;
    }
    const auto* data = reinterpret_cast<const unsigned char*>(block->bytes.data());
    const auto* end = data + block->bytes.size();
    const RequestPtr request(d2i_X509_REQ(nullptr, &data, static_cast<long>(block->bytes.size())));
    if (request == nullptr) {
        complaint = "asn1: syntax error: data truncated";
        return std::nullopt;
    }
    if (data != end) {
        complaint = "asn1: syntax error: trailing data";
        return std::nullopt;
    }
    EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
    if (key == nullptr) {
        complaint = "x509: unsupported public key type";
        return std::nullopt;
    }
    if (X509_REQ_verify(request.get(), key) != 1) {
        complaint = signature_complaint(key);
        return std::nullopt;
    }
    RequestSubject subject;
    read_subject(request.get(), subject);
    read_alternative_names(request.get(), subject);
    return subject;
}

std::string certificate_chain_complaint(std::string_view pem) {
    if (pem.empty()) return {};
    const auto text = open(pem);
    std::size_t blocks = 0;
    while (const auto block = next_block(text.get())) {
        if (block->type != "CERTIFICATE")
            return "only CERTIFICATE PEM blocks are allowed, found " + go_quote(block->type);
        if (block->has_headers) return "no PEM block headers are permitted";
        ++blocks;
        const auto* data = reinterpret_cast<const unsigned char*>(block->bytes.data());
        const auto* end = data + block->bytes.size();
        if (block->bytes.empty()) return "found CERTIFICATE PEM block containing 0 certificates";
        while (data < end) {
            if (CertificatePtr(d2i_X509(nullptr, &data, end - data)) == nullptr)
                return "x509: malformed certificate";
        }
    }
    return blocks == 0 ? "must contain at least one CERTIFICATE PEM block" : "";
}

}  // namespace kubemu::api

// X.509 by OpenSSL.
#include "api/authentication/certificate_authority.h"

#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <utility>

#include "api/authentication/openssl.h"
#include "api/authentication/seeded_key.h"
#include "api/values/text.h"
#include "storage/peek.h"

namespace kubemu::api {
namespace {

using namespace openssl;

using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using SignRequest = std::unique_ptr<X509_REQ, Freed<X509_REQ_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;

void free_extensions(STACK_OF(X509_EXTENSION) * list) { sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free); }
using Extensions = std::unique_ptr<STACK_OF(X509_EXTENSION), Freed<free_extensions>>;
using Names = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;

constexpr const char* certificate_name = "certificate";
constexpr const char* key_name = "certificate-key";
constexpr std::chrono::hours lifetime(10 * 365 * 24);
constexpr Time seeded_from = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
constexpr std::chrono::hours seeded_lifetime(100 * 365 * 24);

Memory reader(std::string_view text) { return Memory(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

EVP_PKEY* key_of(std::string_view pem) { return PEM_read_bio_PrivateKey(reader(pem).get(), nullptr, nullptr, nullptr); }

std::time_t unix_time(Time time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

std::optional<Time> time_of(const ASN1_TIME* time) {
    std::tm parts{};
    if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
    return Time(std::chrono::seconds(timegm(&parts)));
}

bool extend(X509* certificate, X509* issuer, int kind, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    Extension extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value));
    return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

std::time_t certificate_start(const X509* certificate) {
    return unix_time(time_of(X509_get0_notBefore(certificate)).value_or(Time{}));
}

// Ed25519 hashes by itself.
const EVP_MD* digest_for(EVP_PKEY* key) { return EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256(); }

// The serial number: a hash of what it is made from and when, so that the same request at the same time gets the same
// certificate.
bool number(X509* certificate, std::string_view made_from) {
    const std::string text = std::string(made_from) + std::to_string(certificate_start(certificate));
    std::array<unsigned char, SHA256_DIGEST_LENGTH> bytes{};
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), bytes.data());
    bytes[0] &= 0x7f;  // positive
    BIGNUM* serial = BN_bin2bn(bytes.data(), 16, nullptr);
    const bool set = serial != nullptr && BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate)) != nullptr;
    BN_free(serial);
    return set;
}

void set_times(X509* certificate, Time from, Time to) {
    ASN1_TIME_set(X509_getm_notBefore(certificate), unix_time(from));
    ASN1_TIME_set(X509_getm_notAfter(certificate), unix_time(to));
}

struct Usage {
    std::string_view name;      // in the certificates API
    std::string_view openssl;
    bool extended;
};

// k8s.io/kubernetes/pkg/controller/certificates/authority/policies.go.
constexpr Usage known_usages[] = {
    {"signing", "digitalSignature", false},
    {"digital signature", "digitalSignature", false},
    {"content commitment", "nonRepudiation", false},
    {"key encipherment", "keyEncipherment", false},
    {"key agreement", "keyAgreement", false},
    {"data encipherment", "dataEncipherment", false},
    {"cert sign", "keyCertSign", false},
    {"crl sign", "cRLSign", false},
    {"encipher only", "encipherOnly", false},
    {"decipher only", "decipherOnly", false},
    {"any", "anyExtendedKeyUsage", true},
    {"server auth", "serverAuth", true},
    {"client auth", "clientAuth", true},
    {"code signing", "codeSigning", true},
    {"email protection", "emailProtection", true},
    {"s/mime", "emailProtection", true},
    {"ipsec end system", "ipsecEndSystem", true},
    {"ipsec tunnel", "ipsecTunnel", true},
    {"ipsec user", "ipsecUser", true},
    {"timestamping", "timeStamping", true},
    {"ocsp signing", "OCSPSigning", true},
    {"microsoft sgc", "msSGC", true},
    {"netscape sgc", "nsSGC", true},
};

// OpenSSL's words for the usages, of the one extension or the other. The error lists what is not known.
Result<std::string, CertificateError> usage_list(const std::vector<std::string>& usages, bool extended) {
    std::string list;
    std::vector<std::string> unknown;
    for (const std::string& usage : usages) {
        const Usage* found = nullptr;
        for (const Usage& known : known_usages) {
            if (known.name == usage) found = &known;
        }
        if (found == nullptr) unknown.push_back(usage);
        if (found == nullptr || found->extended != extended || list.find(found->openssl) != std::string::npos) continue;
        list += (list.empty() ? "" : ",") + std::string(found->openssl);
    }
    if (!unknown.empty()) return CertificateError{"unrecognized usage values: " + go_quote_list(unknown)};
    return list;
}

Result<SignRequest, CertificateError> parse_request(std::string_view pem) {
    SignRequest request(PEM_read_bio_X509_REQ(reader(pem).get(), nullptr, nullptr, nullptr));
    if (!request || pem.find("BEGIN CERTIFICATE REQUEST") == std::string_view::npos) {
        return CertificateError{"PEM block type must be CERTIFICATE REQUEST"};
    }
    return request;
}

std::vector<std::string> entries_of(X509_NAME* name, int kind) {
    std::vector<std::string> entries;
    for (int at = X509_NAME_get_index_by_NID(name, kind, -1); at >= 0; at = X509_NAME_get_index_by_NID(name, kind, at)) {
        unsigned char* text = nullptr;
        const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
        if (size >= 0) entries.emplace_back(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
        OPENSSL_free(text);
    }
    return entries;
}

}  // namespace

Result<CertificateRequest, CertificateError> read_certificate_request(std::string_view pem) {
    TRY_ASSIGN(const SignRequest request, parse_request(pem));
    CertificateRequest out;
    X509_NAME* subject = X509_REQ_get_subject_name(request.get());
    if (const auto names = entries_of(subject, NID_commonName); !names.empty()) out.common_name = names.back();
    out.organizations = entries_of(subject, NID_organizationName);
    const Extensions extensions(X509_REQ_get_extensions(request.get()));
    const Names names(static_cast<GENERAL_NAMES*>(X509V3_get_d2i(extensions.get(), NID_subject_alt_name, nullptr, nullptr)));
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
        switch (sk_GENERAL_NAME_value(names.get(), i)->type) {
            case GEN_DNS: ++out.dns_names; break;
            case GEN_IPADD: ++out.ip_addresses; break;
            case GEN_EMAIL: ++out.email_addresses; break;
            case GEN_URI: ++out.uris; break;
            default: break;
        }
    }
    return out;
}

std::optional<Time> certificate_expiry(std::string_view pem) {
    const Certificate certificate(PEM_read_bio_X509(reader(pem).get(), nullptr, nullptr, nullptr));
    if (!certificate) return std::nullopt;
    return time_of(X509_get0_notAfter(certificate.get()));
}

User user_of_certificate(X509* certificate) {
    User user{{}, {}, {}, {}};
    X509_NAME* subject = X509_get_subject_name(certificate);
    if (const auto names = entries_of(subject, NID_commonName); !names.empty()) user.name = names.back();
    user.groups = entries_of(subject, NID_organizationName);
    unsigned char* der = nullptr;
    const int size = i2d_X509(certificate, &der);
    if (size <= 0) return user;
    std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
    SHA256(der, static_cast<std::size_t>(size), hash.data());
    OPENSSL_free(der);
    std::string id = "X509SHA256=";
    for (const unsigned char byte : hash) {
        constexpr std::string_view digits = "0123456789abcdef";
        id += digits[byte >> 4];
        id += digits[byte & 15];
    }
    user.extra["authentication.kubernetes.io/credential-id"] = {std::move(id)};
    return user;
}

struct CertificateAuthority::Impl {
    Certificate certificate;
    Key key;
};

CertificateAuthority::CertificateAuthority(std::shared_ptr<const Impl> impl, std::string certificate)
    : impl_(std::move(impl)), certificate_(std::move(certificate)) {}

Result<CertificateAuthority, CertificateError> CertificateAuthority::from_pem(std::string_view certificate, std::string_view key) {
    Impl impl{Certificate(PEM_read_bio_X509(reader(certificate).get(), nullptr, nullptr, nullptr)),
              Key(key_of(key))};
    if (!impl.certificate || !impl.key || X509_check_private_key(impl.certificate.get(), impl.key.get()) != 1) {
        return CertificateError{"the cluster's certificate and its key do not belong together"};
    }
    return CertificateAuthority(std::make_shared<const Impl>(std::move(impl)), std::string(certificate));
}

Result<CertificateAuthority, CertificateError> CertificateAuthority::of_store(storage::Store& store, Time now,
                                                                             std::optional<std::uint64_t> seed) {
    const auto kept_certificate = store.meta(certificate_name), kept_key = store.meta(key_name);
    if (kept_certificate && kept_key) return from_pem(*kept_certificate, *kept_key);
    const Key key(seed ? key_of(seeded_ed25519_key(*seed)) : EVP_EC_gen("P-256"));
    const Certificate certificate(X509_new());
    const CertificateError failed{"OpenSSL could not make a certificate for the cluster"};
    if (!key || !certificate) return failed;
    X509_set_version(certificate.get(), X509_VERSION_3);
    if (seed) {
        set_times(certificate.get(), seeded_from, seeded_from + seeded_lifetime);
    } else {
        set_times(certificate.get(), now, now + lifetime);
    }
    const std::string key_text = pem_of(PEM_write_bio_PrivateKey, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    if (!number(certificate.get(), key_text)) return failed;
    X509_set_pubkey(certificate.get(), key.get());
    X509_NAME* name = X509_get_subject_name(certificate.get());
    const auto* common_name = reinterpret_cast<const unsigned char*>("kubernetes");
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common_name, -1, -1, 0);
    X509_set_issuer_name(certificate.get(), name);
    X509* self = certificate.get();
    if (!extend(self, self, NID_key_usage, "critical,digitalSignature,keyEncipherment,keyCertSign") ||
        !extend(self, self, NID_basic_constraints, "critical,CA:TRUE") ||
        !extend(self, self, NID_subject_key_identifier, "hash") ||
        !extend(self, self, NID_subject_alt_name, "DNS:kubernetes") || X509_sign(self, key.get(), digest_for(key.get())) == 0) {
        return failed;
    }
    const std::string certificate_text = pem_of(PEM_write_bio_X509, self);
    for (const auto& [member, text] : {std::pair(key_name, &key_text), std::pair(certificate_name, &certificate_text)}) {
        if (const auto saved = store.set_meta(member, *text); !saved) {
            return CertificateError{"the cluster's certificate could not be kept: " + storage::to_string(saved.error())};
        }
    }
    return from_pem(certificate_text, key_text);
}

Result<CertificateAuthority, CertificateError> CertificateAuthority::of_database(const std::string& path) {
    const auto certificate = storage::meta_of_file(path, certificate_name), key = storage::meta_of_file(path, key_name);
    if (!certificate) return CertificateError{storage::to_string(certificate.error())};
    if (!key) return CertificateError{storage::to_string(key.error())};
    if (!*certificate || !*key) return CertificateError{path + " has no certificate yet: start its cluster once"};
    return from_pem(**certificate, **key);
}

Result<KeyPair, CertificateError> CertificateAuthority::issue(const Identity& identity) const {
    const CertificateError failed{"OpenSSL could not make a certificate for " + identity.common_name};
    const Key key(EVP_EC_gen("P-256"));
    const SignRequest request(X509_REQ_new());
    if (!key || !request) return failed;
    X509_NAME* subject = X509_REQ_get_subject_name(request.get());
    const auto add = [subject](const char* member, const std::string& text) {
        X509_NAME_add_entry_by_txt(subject, member, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1, 0);
    };
    for (const std::string& organization : identity.organizations) add("O", organization);
    add("CN", identity.common_name);
    if (!identity.alternative_names.empty()) {
        X509V3_CTX context;
        X509V3_set_ctx_nodb(&context);
        X509V3_set_ctx(&context, nullptr, nullptr, request.get(), nullptr, 0);
        Extensions extensions(sk_X509_EXTENSION_new_null());
        X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, &context, NID_subject_alt_name, identity.alternative_names.c_str());
        if (names == nullptr) return failed;
        sk_X509_EXTENSION_push(extensions.get(), names);
        X509_REQ_add_extensions(request.get(), extensions.get());
    }
    X509_REQ_set_pubkey(request.get(), key.get());
    if (X509_REQ_sign(request.get(), key.get(), EVP_sha256()) == 0) return failed;
    KeyPair pair;
    pair.key = pem_of(PEM_write_bio_PrivateKey, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    const std::vector<std::string> usages = {"digital signature", "key encipherment", identity.purpose};
    TRY_ASSIGN(pair.certificate, sign(pem_of(PEM_write_bio_X509_REQ, request.get()),
                                      {usages, identity.now - std::chrono::minutes(5), identity.now + std::chrono::hours(365 * 24)}));
    return pair;
}

Result<std::string, CertificateError> CertificateAuthority::sign(std::string_view request_pem, const Terms& terms) const {
    TRY_ASSIGN(const SignRequest request, parse_request(request_pem));
    TRY_ASSIGN(const std::string usages, usage_list(terms.usages, false));
    TRY_ASSIGN(const std::string extended_usages, usage_list(terms.usages, true));
    EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
    if (key == nullptr || X509_REQ_verify(request.get(), key) != 1) {
        return CertificateError{"unable to verify certificate request signature"};
    }
    X509* issuer = impl_->certificate.get();
    const Time end = time_of(X509_get0_notAfter(issuer)).value_or(terms.not_after);
    if (terms.not_before >= end) return CertificateError{"the signer has expired"};
    const Certificate certificate(X509_new());
    const CertificateError failed{"failed to sign certificate"};
    if (!certificate) return failed;
    X509_set_version(certificate.get(), X509_VERSION_3);
    set_times(certificate.get(), terms.not_before, std::min(terms.not_after, end));
    if (!number(certificate.get(), certificate_ + std::string(request_pem))) return failed;
    X509_set_subject_name(certificate.get(), X509_REQ_get_subject_name(request.get()));
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer));
    X509_set_pubkey(certificate.get(), key);
    X509* made = certificate.get();
    if (!usages.empty() && !extend(made, issuer, NID_key_usage, ("critical," + usages).c_str())) return failed;
    if (!extended_usages.empty() && !extend(made, issuer, NID_ext_key_usage, extended_usages.c_str())) return failed;
    if (!extend(made, issuer, NID_basic_constraints, "critical,CA:FALSE") ||
        !extend(made, issuer, NID_authority_key_identifier, "keyid")) {
        return failed;
    }
    const Extensions extensions(X509_REQ_get_extensions(request.get()));
    const int at = extensions ? X509v3_get_ext_by_NID(extensions.get(), NID_subject_alt_name, -1) : -1;
    if (at >= 0) X509_add_ext(made, X509v3_get_ext(extensions.get(), at), -1);
    if (X509_sign(made, impl_->key.get(), digest_for(impl_->key.get())) == 0) return failed;
    return pem_of(PEM_write_bio_X509, made);
}

}  // namespace kubemu::api

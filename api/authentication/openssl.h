// OpenSSL's objects as owners, and its PEM text as strings, for the files of this folder.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>

#include <memory>
#include <string>

namespace kubemu::api::openssl {

template <auto Free>
struct Freed {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};

using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Memory = std::unique_ptr<BIO, Freed<BIO_free_all>>;

inline std::string text_of(BIO* memory) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(memory, &data);
    return std::string(data, static_cast<std::size_t>(size));
}

// What one of the PEM_write_bio functions writes; empty when it fails.
template <class Write, class... Arguments>
std::string pem_of(Write write, Arguments... arguments) {
    const Memory memory(BIO_new(BIO_s_mem()));
    if (write(memory.get(), arguments...) != 1) return {};
    return text_of(memory.get());
}

}  // namespace kubemu::api::openssl

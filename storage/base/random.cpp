// One Mersenne twister a purpose, seeded from the run's seed and the purpose's name.
#include "storage/base/random.h"

#include <map>
#include <random>

#include "storage/base/mutex.h"

namespace kubemu {

struct Random::Impl {
    std::uint64_t seed;
    Mutex mutex;
    std::map<std::string, std::mt19937_64, std::less<>> generators KUBEMU_GUARDED_BY(mutex);

    std::uint64_t draw(std::string_view purpose) {
        Lock lock(mutex);
        auto found = generators.find(purpose);
        if (found == generators.end()) {
            std::uint64_t hash = 14695981039346656037ULL ^ seed;  // FNV-1a, so that the name decides the stream
            for (const char c : purpose) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
            found = generators.emplace(std::string(purpose), std::mt19937_64(hash)).first;
        }
        return found->second();
    }
};

Random::Random(std::uint64_t seed) : impl_(std::make_unique<Impl>()) { impl_->seed = seed; }
Random::~Random() = default;

std::uint64_t Random::seed() const { return impl_->seed; }

std::uint64_t Random::below(std::string_view purpose, std::uint64_t bound) {
    // The slight bias of a remainder does not matter below 2^32.
    return impl_->draw(purpose) % bound;
}

double Random::unit(std::string_view purpose) {
    return static_cast<double>(impl_->draw(purpose) >> 11) * 0x1.0p-53;
}

std::string Random::uuid(std::string_view purpose) {
    static constexpr char digits[] = "0123456789abcdef";
    std::uint64_t words[2] = {impl_->draw(purpose), impl_->draw(purpose)};
    words[0] = (words[0] & ~0xf000ULL) | 0x4000ULL;                                  // version 4
    words[1] = (words[1] & ~(3ULL << 62)) | (2ULL << 62);                            // RFC 4122 variant
    std::string text;
    text.reserve(36);
    for (int nibble = 0; nibble < 32; ++nibble) {
        if (nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20) text += '-';
        const std::uint64_t word = words[nibble / 16];
        text += digits[(word >> (60 - 4 * (nibble % 16))) & 15];
    }
    return text;
}

std::string Random::suffix(std::string_view purpose, int length) {
    static constexpr std::string_view alphabet = "bcdfghjklmnpqrstvwxz2456789";
    std::string text;
    for (int i = 0; i < length; ++i) text += alphabet[below(purpose, alphabet.size())];
    return text;
}

}  // namespace kubemu

// Random: every random choice of a run follows from one seed.
//
// The generator is split by purpose ("uid", "name", "jitter"...), so that a new use of randomness in one place
// does not change what another place draws.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace kubemu {

// Thread-safe; a draw for one purpose does not disturb the others.
class Random {
  public:
    explicit Random(std::uint64_t seed);
    ~Random();
    Random(const Random&) = delete;
    Random& operator=(const Random&) = delete;

    std::uint64_t seed() const;
    // Uniform in [0, bound); bound > 0.
    std::uint64_t below(std::string_view purpose, std::uint64_t bound);
    // Uniform in [0, 1).
    double unit(std::string_view purpose);
    // A version 4 UUID in the usual text form.
    std::string uuid(std::string_view purpose = "uid");
    // `length` characters of Kubernetes' safe alphabet bcdfghjklmnpqrstvwxz2456789 (k8s.io/apimachinery/pkg/util/rand).
    std::string suffix(std::string_view purpose = "name", int length = 5);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace kubemu

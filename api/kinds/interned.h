// Interned: a value that many objects have alike, kept once: the labels and owners of ten thousand pods of a ReplicaSet.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/base/mutex.h"

namespace kubemu::api {

std::size_t hash_of(const std::vector<std::string>& texts);
std::size_t hash_of(const std::vector<std::pair<std::string, std::string>>& texts);

// Immutable; copies share. Made from a value, it takes the place of an equal one that was made not long ago.
// `T` is a container with operator== and a std::size_t hash_of(const T&).
template <class T>
class Interned {
  public:
    Interned() = default;
    Interned(T value) : shared_(value == T() ? nullptr : shared(std::move(value))) {}

    const T& operator*() const { return shared_ == nullptr ? nothing() : *shared_; }
    const T* operator->() const { return &**this; }
    operator const T&() const { return **this; }
    auto begin() const { return (**this).begin(); }
    auto end() const { return (**this).end(); }
    bool empty() const { return shared_ == nullptr; }
    std::size_t size() const { return (**this).size(); }

    friend bool operator==(const Interned& a, const Interned& b) { return a.shared_ == b.shared_ || *a == *b; }
    friend bool operator==(const Interned& a, const T& b) { return *a == b; }

  private:
    static const T& nothing() {
        static const T value{};
        return value;
    }
    static std::shared_ptr<const T> shared(T value);

    std::shared_ptr<const T> shared_;
};

// The values made last, one a slot of their hash.
template <class T>
std::shared_ptr<const T> Interned<T>::shared(T value) {
    struct Recent {
        Mutex mutex;
        std::array<std::shared_ptr<const T>, 256> slots KUBEMU_GUARDED_BY(mutex);
    };
    static Recent recent;
    const std::size_t slot = hash_of(value) % 256;
    const Lock lock(recent.mutex);
    std::shared_ptr<const T>& known = recent.slots[slot];
    if (known == nullptr || !(*known == value)) known = std::make_shared<const T>(std::move(value));
    return known;
}

}  // namespace kubemu::api

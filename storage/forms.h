// Forms: other encodings of a record's bytes, each made when it is first asked for and shared by everybody after that.
#pragma once

#include <atomic>
#include <cstdint>

#include "storage/base/bytes.h"

namespace kubemu::storage {

// Thread-safe without a lock: there are at most a handful, they are only ever added, and they go with their record. What
// a key means is the business of who makes the forms; the store looks at none of them.
class Forms {
  public:
    Forms() = default;
    // A copied record is another record, about to be changed.
    Forms(const Forms&) {}
    Forms& operator=(const Forms&) = delete;
    ~Forms() {
        for (const Form* form = first_.load(); form != nullptr;) {
            const Form* next = form->next;
            delete form;
            form = next;
        }
    }

    // Null when nobody has made it yet.
    Bytes find(std::uintptr_t key) const {
        for (const Form* form = first_.load(std::memory_order_acquire); form != nullptr; form = form->next) {
            if (form->key == key) return form->bytes;
        }
        return nullptr;
    }
    // When two make the same form at once, both are right and one of them is found from then on.
    void add(std::uintptr_t key, Bytes bytes) const {
        auto* form = new Form{key, std::move(bytes), first_.load(std::memory_order_relaxed)};
        while (!first_.compare_exchange_weak(form->next, form, std::memory_order_release, std::memory_order_relaxed)) {
        }
    }

  private:
    struct Form {
        std::uintptr_t key;
        Bytes bytes;
        const Form* next;
    };
    mutable std::atomic<const Form*> first_{nullptr};
};

}  // namespace kubemu::storage

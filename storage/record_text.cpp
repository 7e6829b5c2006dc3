// A lock for a few machine words of each record would take more room than they do, so that all records share some.
#include "storage/record_text.h"

#include <array>
#include <cstdint>

#include "storage/base/mutex.h"
#include "storage/text_packer.h"

namespace kubemu::storage {
namespace {

// Enough that the threads of a server rarely meet.
constexpr std::size_t guards = 64;

struct alignas(64) Guard {
    Mutex mutex;
};

Mutex& guard_of(const RecordText* text) {
    static std::array<Guard, guards> all;
    return all[reinterpret_cast<std::uintptr_t>(text) / 32 % guards].mutex;
}

}  // namespace

RecordText::State RecordText::state() const {
    const Lock lock(guard_of(this));
    return {held_, packed_};
}

RecordText::RecordText(const RecordText& other) {
    State state = other.state();
    held_ = std::move(state.held);
    packed_ = state.packed;
}

RecordText& RecordText::operator=(const RecordText& other) {
    State state = other.state();
    const Lock lock(guard_of(this));
    held_.swap(state.held);
    packed_ = state.packed;
    return *this;
}

Bytes RecordText::get() const {
    const State state = this->state();
    if (!state.packed) return std::static_pointer_cast<const std::string>(state.held);
    return make_bytes(unpack(*std::static_pointer_cast<const PackedText>(state.held)));
}

bool RecordText::packed() const { return state().packed; }

void RecordText::pack(std::shared_ptr<const PackedText> packed) const {
    std::shared_ptr<const void> taken = std::move(packed);
    const Lock lock(guard_of(this));
    held_.swap(taken);
    packed_ = true;
}

}  // namespace kubemu::storage

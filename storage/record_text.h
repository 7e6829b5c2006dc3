// RecordText: the text of a record: plain while it is new, packed once it has grown cold.
//
// Most objects are written a few times and then only kept, and most of them look like another one: ten thousand pods
// of a Deployment differ in some two hundred bytes. A packed text is its difference from such a text (text_packer.h),
// less than a tenth of it, and is whole again within a microsecond.
#pragma once

#include <cstddef>
#include <memory>

#include "storage/base/bytes.h"

namespace kubemu::storage {

struct PackedText;

// Thread-safe. What `get` returns is always the same text; whether it is packed is nobody's business but the packer's.
class RecordText {
  public:
    RecordText() = default;
    RecordText(Bytes plain) : held_(std::move(plain)) {}
    RecordText(const RecordText& other);
    RecordText& operator=(const RecordText& other);
    RecordText& operator=(Bytes plain) { return *this = RecordText(std::move(plain)); }

    // Null when it was never set. A packed text is unpacked anew each time: keep what you need longer.
    Bytes get() const;
    bool packed() const;
    // The plain text is let go; the other holders of its buffer keep it.
    void pack(std::shared_ptr<const PackedText> packed) const;

  private:
    struct State {
        std::shared_ptr<const void> held;
        bool packed;
    };
    State state() const;

    mutable std::shared_ptr<const void> held_;  // a Bytes, or a PackedText
    mutable bool packed_ = false;
};

}  // namespace kubemu::storage

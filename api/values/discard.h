// Drops documents quickly.
#pragma once

#include "api/values/object.h"

namespace kubemu::api {

// Leaves the value empty or a scalar. The destructor of nlohmann's values moves every value of a tree onto a stack before
// it destroys it, so that trees of any depth can be dropped; documents have a bounded depth (limits::document_depth_max)
// and are dropped from their leaves, in half the time.
void discard(Json& document) noexcept;

// Discards a document at the end of a scope.
class DiscardLater {
  public:
    explicit DiscardLater(Json& document) : document_(document) {}
    ~DiscardLater() { discard(document_); }
    DiscardLater(const DiscardLater&) = delete;
    DiscardLater& operator=(const DiscardLater&) = delete;

  private:
    Json& document_;
};

}  // namespace kubemu::api

// Members: the members of a document by the fields of its type, found in one pass.
//
// Documents keep members sorted by name and types know the order of their names, so that both are walked side by side
// instead of searching the document once for every field that the type has.
#pragma once

#include <array>
#include <cstddef>

#include "api/schema/type.h"
#include "api/values/object.h"

namespace kubemu::api {

class Members {
  public:
    // `object` outlives this.
    Members(const Json& object, const TypeInfo& type);

    // The member of the field at this index of `type.fields`; null when it is absent or null.
    const Json* operator[](std::size_t index) const;

  private:
    static constexpr std::size_t fields_max = 64;  // types with more are searched

    const Json& object_;
    const TypeInfo& type_;
    bool indexed_ = false;
    std::array<const Json*, fields_max> values_;
};

}  // namespace kubemu::api

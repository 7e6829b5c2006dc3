// Members: the members of a document by the fields of its type, found in one pass.
//
// Documents keep members sorted by name and types know the order of their names, so that both are walked side by side
// instead of searching the document once for every field that the type has.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "api/schema/type.h"
#include "api/values/object.h"

namespace kubemu::api {

// The fields of a type by names that come in order.
class FieldWalk {
  public:
    explicit FieldWalk(const TypeInfo& type);

    // The index into `type.fields`, or `none`. No name may come before the last one.
    static constexpr std::size_t none = static_cast<std::size_t>(-1);
    std::size_t next(std::string_view name);

  private:
    const TypeInfo& type_;
    const std::uint64_t* starts_;  // of the names, in their order; null for types that are made at run time
    std::size_t at_ = 0;           // in `type.fields_by_name`
};

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

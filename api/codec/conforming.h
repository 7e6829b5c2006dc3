// Tells documents that are already in the form of their type from those that decoding would change.
#pragma once

#include "api/schema/type.h"
#include "api/values/object.h"

namespace kubemu::api {

// Whether writing `object` as JSON and decoding that along the type would give the same document without a complaint:
// every member is declared and no null, every value of its type and in canonical form. May say no where the answer is
// yes, never the reverse. Most patched documents are, and so are spared the way through text.
bool is_conforming(const Json& object, const TypeInfo& type);

// Whether no number in it would be written otherwise than it was read: whole numbers of 64 bits.
bool has_plain_numbers(const Json& document);

}  // namespace kubemu::api

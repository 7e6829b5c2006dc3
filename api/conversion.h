// Conversion of documents between the versions in which a resource is served and the one in which it is stored.
#pragma once

#include "api/schema/kind.h"
#include "api/values/object.h"

namespace kubemu::api {

struct CustomVersion;

// From the version of `kind` to the storage version.
Json to_storage_version(const KindSpec& kind, Json object);
// ... and back; kind and apiVersion become those of `kind`.
Json from_storage_version(const KindSpec& kind, Json object);
// Between two versions of one resource.
Json convert_version(const KindSpec& from, const KindSpec& to, Json object);
// An object that was written under another schema, as this version's schema shows it.
void read_custom(const CustomVersion& version, Json& object);

}  // namespace kubemu::api

// How the Go structs are built whose text Kubernetes hashes: the names of their fields, and which are embedded.
#pragma once

#include <string_view>

namespace kubemu::api {

// A line a type, after a line feed: the type's name ("core/v1.Probe") and, for each of its TypeInfo's fields in order,
// a space and the Go name. Fields of an embedded struct stand in "v1.ProbeHandler{" and "}", which are words too.
// Text rather than a table of views, as it then costs neither relocations nor memory until it is read.
std::string_view go_structs();

}  // namespace kubemu::api

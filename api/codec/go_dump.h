// Objects as Kubernetes hashes them: k8s.io/utils/dump.ForHash, which is spew's "%#v" of the Go struct that was decoded
// from Protocol Buffers, with sorted map keys and without addresses.
#pragma once

#include <string>
#include <string_view>

#include "api/schema/type.h"
#include "api/values/object.h"

namespace kubemu::api {

// "(v1.EndpointPort){Name:(string) Port:(int32)80 ...". `document` is in stored form: quantities canonical, numbers
// whole. `type` must be one that go_structs() (api/schema/go_structs.h) knows.
std::string go_dump(const TypeInfo& type, const Json& document);

// The struct resource.Quantity that ParseQuantity makes of a canonical text, without its type in front.
void go_dump_quantity(std::string& out, std::string_view text);

}  // namespace kubemu::api

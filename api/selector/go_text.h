// A LabelSelector as Go prints it, in events and errors.
#pragma once

#include <string>

#include "api/values/object.h"

namespace kubemu::api {

// metav1.LabelSelector's String(): "&LabelSelector{MatchLabels:map[string]string{app: web,},MatchExpressions:...". Null
// is "nil".
std::string selector_as_string(const Json* selector);

}  // namespace kubemu::api

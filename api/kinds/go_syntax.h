// Composite values as error messages echo them: what Go's %#v prints of the server's own types.
//
// Pointers inside print as addresses there, so only what a value holds directly is spelled out.
#pragma once

#include <span>
#include <string_view>

#include "api/values/field_errors.h"
#include "api/values/object.h"

namespace kubemu::api {

// One member of a Go struct: its Go name, its JSON name and its Go type: "string" (or a named string, written the
// same), "int32", "bool", "*int64", "*core.Capabilities", "[]string", "map[string]string", "intstr.IntOrString",
// "v1.LabelSelector".
struct GoField {
    std::string_view name;
    std::string_view json;
    std::string_view type;
};

// `type{Name:value, ...}`; members that the object lacks print as Go's zero value.
GoText go_struct(std::string_view type, std::span<const GoField> fields, const Json& object);
// Any of the types that a GoField can name; `value` may be null.
GoText go_value(std::string_view type, const Json* value);

// "null" for an absent pointer, as field.Error prints it.
GoText go_label_selector(const Json* selector);
GoText go_string_map(const Json* map);       // map[string]string{"a":"b"}, map[string]string(nil) when empty
GoText go_int_or_string(const Json* value);
// A resource.Quantity from its text; `printed` when the server has made a string of it before (its cache shows).
GoText go_quantity(std::string_view text, bool printed);
// []string{"a", "b"}; `type` is that of the slice.
GoText go_strings(std::string_view type, const Json* list);

}  // namespace kubemu::api

// FieldErrors: every complaint about one object, collected and answered together as a 422.
//
// Wording, reasons and order follow k8s.io/apimachinery/pkg/util/validation/field.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/values/object.h"

namespace kubemu::api {

// A place in an object: "spec.containers[0].name", "metadata.labels[a/b]".
class FieldPath {
  public:
    FieldPath() = default;
    explicit FieldPath(std::string_view root) : text_(root) {}
    FieldPath child(std::string_view name) const;
    FieldPath index(std::size_t index) const;
    FieldPath key(std::string_view key) const;
    const std::string& text() const { return text_; }

  private:
    std::string text_;
};

struct FieldError {
    std::string reason;   // cause reason, for example FieldValueRequired
    std::string field;
    std::string message;  // as in causes, without the field: `Required value: must be specified`
};

// A value as messages echo it when it is no plain string, number or boolean: Go's %#v of it (api/kinds/go_syntax.h).
struct GoText {
    std::string text;
};

class FieldErrors {
  public:
    void required(const FieldPath& path, std::string_view detail);
    // `value` is echoed the way Go's %v/%q does for its type: strings quoted, numbers bare, composites as JSON.
    void invalid(const FieldPath& path, const Json& value, std::string_view detail);
    void invalid(const FieldPath& path, const GoText& value, std::string_view detail);
    void not_supported(const FieldPath& path, std::string_view value, const std::vector<std::string>& supported);
    void not_supported(const FieldPath& path, const GoText& value, const std::vector<std::string>& supported);
    void duplicate(const FieldPath& path, const Json& value);
    void duplicate(const FieldPath& path, const GoText& value);
    void forbidden(const FieldPath& path, std::string_view detail);
    void not_found(const FieldPath& path, const Json& value, std::string_view detail = {});
    void too_long(const FieldPath& path, std::size_t bytes_max);
    void too_many(const FieldPath& path, std::size_t actual, std::size_t items_max);
    void type_invalid(const FieldPath& path, const Json& value, std::string_view detail);
    void internal(const FieldPath& path, std::string_view detail);
    void add(FieldError error) { errors_.push_back(std::move(error)); }

    bool empty() const { return errors_.empty(); }
    const std::vector<FieldError>& all() const { return errors_; }

  private:
    std::vector<FieldError> errors_;
};

}  // namespace kubemu::api

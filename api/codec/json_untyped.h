// JSON without a type: any document as it stands in its text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/codec/json_syntax.h"
#include "api/values/object.h"

namespace kubemu::api {

// False when the text is no such number. Too small for a double is zero, as for Go's strconv; too large is none.
bool parse_integer(std::string_view text, std::int64_t& value);
bool parse_float(std::string_view text, double& value);

// What is wrong with a field, by its path: `duplicate field "a.b"`. Each is told once, up to sigs.k8s.io/json's limit.
void add_complaint(std::vector<std::string>& complaints, std::string_view what, std::string_view path);

// Reads one value of a text that json_syntax_error has accepted.
class UntypedDecoder {
  public:
    // Duplicate fields are told when `complaints` is not null; the last of them counts.
    UntypedDecoder(std::string_view text, std::vector<std::string>* complaints) : reader_(text), complaints_(complaints) {}

    Json value();
    // What encoding/json says of the first number that is none.
    const std::optional<std::string>& error() const { return error_; }

  private:
    void read(Json& out);
    void read_number(Json& out);
    void read_array(Json& out);
    void read_object(Json& out);

    JsonReader reader_;
    std::vector<std::string>* complaints_;
    std::string path_;  // of complaints
    std::string room_;  // of strings with escapes
    std::optional<std::string> error_;
};

}  // namespace kubemu::api

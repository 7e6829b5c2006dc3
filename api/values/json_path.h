// JsonPath: the part of kubectl's JSONPath that printer columns and selectable fields use.
//
// Members (.a, ['a'], escaped dots), indexes and slices, unions, wildcards, recursive descent and filters, as
// k8s.io/client-go/util/jsonpath reads them. Missing keys find nothing.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/values/object.h"

namespace kubemu::api {

class JsonPath {
  public:
    // `text` is what stands between the braces: ".spec.size". Nothing when it cannot be read.
    static std::optional<JsonPath> parse(std::string_view text);

    // The values found, in order. They live as long as `document`.
    std::vector<const Json*> find(const Json& document) const;

    struct Step;

  private:
    std::vector<std::shared_ptr<const Step>> steps_;
};

}  // namespace kubemu::api

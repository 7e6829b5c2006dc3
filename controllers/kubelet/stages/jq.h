// JqQuery: the expressions by which Stages look at objects, in the language of jq
// (https://jqlang.org/manual/, as github.com/itchyny/gojq reads it).
//
//   .status.conditions.[] | select( .type == "Ready" ) | .status
//
// What it knows: paths with names, quoted names, numbers and slices, [] and ?; | and ,; // ; and, or, not;
// comparisons; arithmetic; if, try, reduce, as $name; arrays and objects; and the functions listed in
// jq_functions.cpp. It does not know assignments, definitions of functions, formats (@base64) and modules; a
// query that uses them does not parse.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/values/object.h"
#include "storage/base/result.h"

namespace kubemu::controllers::stages {

struct JqNode;

class JqQuery {
  public:
    // The error says what could not be read, and where.
    static Result<JqQuery, std::string> parse(const std::string& text);
    JqQuery(JqQuery&&) noexcept;
    JqQuery& operator=(JqQuery&&) noexcept;
    ~JqQuery();

    // All results but nulls, in order; nothing when the query fails on this input.
    std::optional<std::vector<api::Json>> run(const api::Json& input) const;

  private:
    explicit JqQuery(std::unique_ptr<JqNode> root);
    std::unique_ptr<JqNode> root_;
};

}  // namespace kubemu::controllers::stages

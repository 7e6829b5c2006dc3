// Label selectors: the text form of queries and the LabelSelector objects of specs.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/values/object.h"
#include "storage/base/result.h"

namespace kubemu::api {

// Sorted by key.
using LabelSpan = std::vector<std::pair<std::string, std::string>>;

class LabelSelector {
  public:
    // "a=b,c in (d,e),!f". The error is the message of k8s.io/apimachinery/pkg/labels.
    static Result<LabelSelector, std::string> parse(std::string_view text);
    // A LabelSelector object; an empty one matches everything, an absent one (null) nothing.
    static LabelSelector from_object(const Json& selector);
    // A plain map of labels that must all be there (Service, ReplicationController).
    static LabelSelector from_map(const Json& labels);

    bool matches(const LabelSpan& labels) const;
    bool empty() const { return requirements_.empty() && !nothing_; }
    // As kubectl and Scale.status.selector show it: "a=b,c in (d,e)".
    std::string text() const;

  private:
    enum class Operator { in, not_in, exists, absent, greater, less };
    struct Requirement {
        std::string key;
        Operator op = Operator::in;
        std::vector<std::string> values;
        bool equality = false;  // written with =
    };
    friend class SelectorParser;
    void sort();

    std::vector<Requirement> requirements_;
    bool nothing_ = false;
};

// Labels of a metadata object in the form that `matches` takes.
LabelSpan labels_of(const Json& labels);

}  // namespace kubemu::api

// Expressions of KWOK's ResourceUsages and Metrics: CEL over `node`, `pod` and `container` with functions of KWOK's own
// (sigs.k8s.io/kwok/pkg/utils/cel, pkg/kwok/metrics/evaluator.go). Nothing checks their types before they run.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "api/cel/expression.h"
#include "api/values/object.h"

namespace kubemu::api::cel {

struct KwokScope {
    // Null where the dimension has none.
    const Json *node = nullptr, *pod = nullptr, *container = nullptr;
    // What functions tell that look beyond the three: "Now", "Rand", "pod.SinceSecond", "node.StartedContainersTotal",
    // "pod.Usage\ncpu\nCONTAINER", "node.CumulativeUsage\ncpu"...
    const LazyMembers* answers = nullptr;
};

// Null when it cannot be read.
std::shared_ptr<const Expression> compile_kwok(const std::string& source);

// Nothing when it fails, or has another type. Quantities, durations and booleans are numbers too.
std::optional<double> kwok_number(const Expression& expression, const KwokScope& scope);
std::optional<std::string> kwok_text(const Expression& expression, const KwokScope& scope);

}  // namespace kubemu::api::cel

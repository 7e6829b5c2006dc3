// Pace: how long things on nodes take, for the cluster and by namespace.
#pragma once

#include <optional>
#include <string_view>

namespace kubemu::controllers {

enum class Pace {
    instant,    // pods start and stop at once
    realistic,  // they take the pod start-up latency
    frozen,     // nothing on a node moves: pods stay as they are
};

// The annotation of a Namespace that sets the pace of its pods.
constexpr std::string_view pace_annotation = "kubemu.io/pace";

// Nothing for any other word.
inline std::optional<Pace> pace_named(std::string_view name) {
    if (name == "instant") return Pace::instant;
    if (name == "realistic") return Pace::realistic;
    if (name == "frozen") return Pace::frozen;
    return std::nullopt;
}

}  // namespace kubemu::controllers

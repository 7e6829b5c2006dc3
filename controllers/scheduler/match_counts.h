// MatchCounts: how many pods of a namespace match a selector, on each node.
//
// Spreading asks this for every pod of a workload with the same selector. Counting anew would compare the ten-thousandth
// replica with the 9,999 before it, so the counts of the selectors that were asked for last are kept and follow each pod
// that comes and goes.
#pragma once

#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "api/selector/label.h"
#include "controllers/scheduler/pod_info.h"

namespace kubemu::controllers::scheduler {

class MatchCounts {
  public:
    using ByNode = std::unordered_map<std::string, int>;  // nodes without any are not in it

    // Pods that are being deleted do not count, and an empty selector counts none
    // (pkg/scheduler/framework/plugins/podtopologyspread/common.go countPodsMatchSelector). Valid
    // until pods come or go, or 32 other selectors are asked for.
    const ByNode& of(std::string_view namespace_name, const api::LabelSelector& selector, const Nodes& nodes);
    void add(const PodInfo& pod, const std::string& node) { change(pod, node, 1); }
    void remove(const PodInfo& pod, const std::string& node) { change(pod, node, -1); }
    // A node that went took its pods along.
    void forget(const std::string& node);

  private:
    struct Kept {
        std::string namespace_name, text;
        api::LabelSelector selector;
        ByNode counts;
    };
    void change(const PodInfo& pod, const std::string& node, int by);

    std::list<Kept> kept_;  // the one asked for last is first
};

}  // namespace kubemu::controllers::scheduler

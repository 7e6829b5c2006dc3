// Cells of pods: READY, STATUS and RESTARTS follow printPod of kubernetes pkg/printers/internalversion.
#include <nlohmann/json.hpp>

#include "api/documents/cells.h"
#include "api/values/text.h"
#include "api/values/time.h"

namespace kubemu::api::cells {
namespace {

struct PodSummary {
    std::string status;
    int ready = 0, total = 0, restarts = 0;
    Time last_restart{};
};

bool restartable(const Json& pod, std::string_view name) {
    for (const Json& container : array_at(pod, {"spec", "initContainers"})) {
        if (string_at(container, {"name"}) == name) return string_at(container, {"restartPolicy"}) == "Always";
    }
    return false;
}

void note_restart(PodSummary& summary, const Json& status) {
    const auto finished = parse_time(string_at(status, {"lastState", "terminated", "finishedAt"}));
    if (finished && *finished > summary.last_restart) summary.last_restart = *finished;
}

std::string terminated_text(const Json& terminated) {
    const std::string reason(string_at(terminated, {"reason"}));
    if (!reason.empty()) return reason;
    if (const std::int64_t signal = int_at(terminated, {"signal"})) return "Signal:" + std::to_string(signal);
    return "ExitCode:" + std::to_string(int_at(terminated, {"exitCode"}));
}

bool condition_true(const Json& pod, std::string_view type) {
    for (const Json& condition : array_at(pod, {"status", "conditions"})) {
        if (string_at(condition, {"type"}) == type) return string_at(condition, {"status"}) == "True";
    }
    return false;
}

PodSummary summarize(const Json& pod) {
    PodSummary s;
    s.status = string_at(pod, {"status", "phase"});
    if (!string_at(pod, {"status", "reason"}).empty()) s.status = string_at(pod, {"status", "reason"});
    for (const Json& condition : array_at(pod, {"status", "conditions"})) {
        if (string_at(condition, {"type"}) == "PodScheduled" && string_at(condition, {"reason"}) == "SchedulingGated") {
            s.status = "SchedulingGated";
        }
    }
    s.total = static_cast<int>(array_at(pod, {"spec", "containers"}).size());
    const Json& init_specs = array_at(pod, {"spec", "initContainers"});
    for (const Json& init : init_specs) {
        if (string_at(init, {"restartPolicy"}) == "Always") ++s.total;
    }
    bool initializing = false;
    int index = -1;
    PodSummary sidecars;  // their restarts alone
    for (const Json& status : array_at(pod, {"status", "initContainerStatuses"})) {
        ++index;
        s.restarts += static_cast<int>(int_at(status, {"restartCount"}));
        note_restart(s, status);
        const bool sidecar = restartable(pod, string_at(status, {"name"}));
        if (sidecar) {
            sidecars.restarts += static_cast<int>(int_at(status, {"restartCount"}));
            note_restart(sidecars, status);
        }
        const Json* terminated = find(status, {"state", "terminated"});
        if (terminated != nullptr && int_at(*terminated, {"exitCode"}) == 0) continue;
        if (sidecar && bool_at(status, {"started"})) {
            if (bool_at(status, {"ready"})) ++s.ready;
            continue;
        }
        initializing = true;
        const std::string_view waiting = string_at(status, {"state", "waiting", "reason"});
        if (terminated != nullptr) {
            s.status = "Init:" + terminated_text(*terminated);
        } else if (!waiting.empty() && waiting != "PodInitializing") {
            s.status = "Init:" + std::string(waiting);
        } else {
            s.status = "Init:" + std::to_string(index) + "/" + std::to_string(init_specs.size());
        }
        break;
    }
    if (!initializing || condition_true(pod, "Initialized")) {
        s.restarts = sidecars.restarts;
        s.last_restart = sidecars.last_restart;
        bool has_running = false;
        const Json& statuses = array_at(pod, {"status", "containerStatuses"});
        for (std::size_t i = statuses.size(); i-- > 0;) {
            const Json& status = statuses[i];
            s.restarts += static_cast<int>(int_at(status, {"restartCount"}));
            note_restart(s, status);
            const std::string_view waiting = string_at(status, {"state", "waiting", "reason"});
            const Json* terminated = find(status, {"state", "terminated"});
            if (!waiting.empty()) {
                s.status = waiting;
            } else if (terminated != nullptr) {
                s.status = terminated_text(*terminated);
            } else if (bool_at(status, {"ready"}) && find(status, {"state", "running"}) != nullptr) {
                has_running = true;
                ++s.ready;
            }
        }
        if (s.status == "Completed" && has_running) s.status = condition_true(pod, "Ready") ? "Running" : "NotReady";
    }
    if (find(pod, {"metadata", "deletionTimestamp"}) != nullptr) {
        const std::string_view phase = string_at(pod, {"status", "phase"});
        if (string_at(pod, {"status", "reason"}) == "NodeLost") s.status = "Unknown";
        else if (phase != "Succeeded" && phase != "Failed") s.status = "Terminating";
    }
    return s;
}

const std::string none = "<none>";

}  // namespace

Json pod_ready(const Json& o, const CellContext&) {
    const PodSummary s = summarize(o);
    return std::to_string(s.ready) + "/" + std::to_string(s.total);
}
Json pod_status(const Json& o, const CellContext&) { return summarize(o).status; }
Json pod_restarts(const Json& o, const CellContext& c) {
    const PodSummary s = summarize(o);
    std::string text = std::to_string(s.restarts);
    if (s.restarts != 0 && s.last_restart != Time{}) text += " (" + human_duration(c.now - s.last_restart) + " ago)";
    return text;
}
Json pod_ip(const Json& o, const CellContext&) {
    const Json& ips = array_at(o, {"status", "podIPs"});
    const std::string ip(ips.empty() ? string_at(o, {"status", "podIP"}) : string_at(ips[0], {"ip"}));
    return ip.empty() ? none : ip;
}
Json pod_node(const Json& o, const CellContext&) {
    const std::string node(string_at(o, {"spec", "nodeName"}));
    return node.empty() ? none : node;
}
Json pod_nominated_node(const Json& o, const CellContext&) {
    const std::string node(string_at(o, {"status", "nominatedNodeName"}));
    return node.empty() ? none : node;
}
Json pod_readiness_gates(const Json& o, const CellContext&) {
    const Json& gates = array_at(o, {"spec", "readinessGates"});
    if (gates.empty()) return none;
    int ready = 0;
    for (const Json& gate : gates) ready += condition_true(o, string_at(gate, {"conditionType"})) ? 1 : 0;
    return std::to_string(ready) + "/" + std::to_string(gates.size());
}

}  // namespace kubemu::api::cells

namespace kubemu::api {

std::string_view pod_row_conditions(const Json& pod) {
    const std::string_view phase = string_at(pod, {"status", "phase"});
    if (phase == "Succeeded") {
        return R"(,"conditions":[{"type":"Completed","status":"True","reason":"Succeeded","message":"The pod has completed successfully."}])";
    }
    if (phase == "Failed") {
        return R"(,"conditions":[{"type":"Completed","status":"True","reason":"Failed","message":"The pod failed."}])";
    }
    return {};
}

}  // namespace kubemu::api

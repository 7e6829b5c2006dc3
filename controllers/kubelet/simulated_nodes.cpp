// Registration, adoption, leases and status of simulated nodes.
#include "controllers/kubelet/simulated_nodes.h"

#include <nlohmann/json.hpp>

#include "api/values/time.h"
#include "storage/base/log.h"

namespace kubemu::controllers::kubelet {

using api::Json;

namespace {

constexpr Duration lease_interval = std::chrono::seconds(10);
constexpr Duration update_interval = std::chrono::seconds(10);
constexpr Duration status_interval = std::chrono::minutes(5);  // --node-status-report-frequency
// So long a node may wait for a kubelet of its own.
constexpr Duration adoption_delay = std::chrono::seconds(3);
// A cluster of more nodes starts without an event for each of their conditions.
constexpr std::size_t nodes_with_events = 100;
constexpr const char* own_annotation = "kubemu.io/node";

std::string_view annotation(const Json& node, const char* key) {
    return api::string_at(node, {"metadata", "annotations", key});
}

Json reference(const std::string& name, const std::string& uid) {
    return {{"apiVersion", "v1"}, {"kind", "Node"}, {"metadata", {{"name", name}, {"uid", uid}}}};
}

}  // namespace

SimulatedNodes::SimulatedNodes(Options options)
    : options_(std::move(options)), informer_(options_.manager.informer("nodes")) {
    for (const Json& node : options_.configured) configured_names_.insert(std::string(api::name_of(node)));
    informer_.subscribe([this](const api::Informer::Change& change) {
        options_.enqueue(api::view_of(change.after ? *change.after : *change.before).name);
    });
}

bool SimulatedNodes::answers(const std::string& name) const {
    const auto found = nodes_.find(name);
    return found != nodes_.end() && !found->second.wishes.silent();
}

std::string SimulatedNodes::ip(const std::string& name) const {
    const auto found = nodes_.find(name);
    return found == nodes_.end() ? std::string() : found->second.identity.ip;
}

// What the object says already stays; the rest has the lowest number whose address and range are free.
NodeIdentity SimulatedNodes::identify(const Json& node) {
    NodeIdentity identity = numbered_identity(std::string(api::name_of(node)), next_number_);
    while (used_ips_.count(identity.ip) > 0 || used_ranges_.count(identity.pod_cidr) > 0)
        identity = numbered_identity(identity.name, ++next_number_);
    for (const Json& address : api::array_at(node, {"status", "addresses"}))
        if (api::string_at(address, {"type"}) == "InternalIP")
            identity.ip = api::string_at(address, {"address"});
    if (const auto range = api::string_at(node, {"spec", "podCIDR"}); !range.empty())
        identity.pod_cidr = range;
    return identity;
}

SimulatedNodes::Node& SimulatedNodes::remember(NodeIdentity identity, const std::string& uid) {
    used_ips_.insert(identity.ip);
    used_ranges_.insert(identity.pod_cidr);
    const std::string name = identity.name;
    Node& node = nodes_[name];
    node.identity = std::move(identity);
    node.uid = uid;
    if (!node.events)
        node.events = std::make_shared<EventRecorder>(options_.manager, options_.client, "kubelet", name);
    if (!node.lease) {
        node.lease = std::make_shared<api::Renewal>(
            api::Renewal::Options{options_.manager.registry(), options_.client, options_.manager.kind("leases.coordination.k8s.io"),
                                  "kube-node-lease", name, {"spec", "renewTime"}});
    }
    return node;
}

Result<bool, std::string> SimulatedNodes::register_configured() {
    // The numbers of nodes that are there from an earlier run are taken first.
    std::vector<const Json*> missing;
    for (const Json& configured : options_.configured) {
        const auto found = options_.client.get(kind(), {}, api::name_of(configured));
        if (!found) {
            missing.push_back(&configured);
            continue;
        }
        const Json there = options_.client.document(**found);
        remember(identify(there), std::string(api::uid_of(there))).wishes = read_wishes(there);
    }
    for (const Json* configured : missing) {
        Json object = *configured;
        const NodeIdentity identity = identify(object);
        register_node(object, identity);
        fill_node_status(object, identity, read_wishes(object), {}, options_.kubernetes_version, now());
        object["apiVersion"] = "v1";
        object["kind"] = "Node";
        const auto created = options_.client.create(kind(), {}, std::move(object));
        if (!created) return "node " + identity.name + ": " + created.error()->message;
        const Json document = options_.client.document(**created);
        Node& node = remember(identity, std::string(api::uid_of(document)));
        node.wishes = read_wishes(document);
        tell(identity.name, node, document, true);
    }
    return true;
}

void SimulatedNodes::start() {
    if (const auto made = register_configured(); !made)
        log_line(LogLevel::error, "node was refused", {{"why", made.error()}});
    // The leases refer to their nodes by uid, which the informer knows a moment later.
    // A task is no controller's, and so are the timers that it sets: pods go on, and leases are renewed, while a webhook
    // holds up the status of a node.
    options_.manager.post([this] {
        options_.manager.set_timer(this, "nodes", now() + status_interval, [this] { report_all(); });
        options_.manager.set_timer(this, "leases", now(), [this] { renew_leases(); });
    });
}

SimulatedNodes::Claim SimulatedNodes::claim(const Json& node) const {
    if (const auto own = annotation(node, own_annotation); !own.empty())
        return own == "simulated" ? Claim::ours : Claim::others;
    if (const auto kwok = annotation(node, "kwok.x-k8s.io/node"); !kwok.empty())
        return kwok == "fake" ? Claim::ours : Claim::others;
    if (configured_names_.count(std::string(api::name_of(node))) > 0) return Claim::ours;
    for (const Json& condition : api::array_at(node, {"status", "conditions"}))
        if (api::string_at(condition, {"type"}) == "Ready") return Claim::others;
    return Claim::later;
}

api::ApiResult<Requeue> SimulatedNodes::sync(const std::string& name) {
    const storage::RecordPtr record = informer_.get(name);
    const auto known = nodes_.find(name);
    const bool gone =
        record == nullptr || (known != nodes_.end() && known->second.uid != api::view_of(*record).uid);
    if (gone && known != nodes_.end()) {
        used_ips_.erase(known->second.identity.ip);
        used_ranges_.erase(known->second.identity.pod_cidr);
        next_number_ = 0;
        nodes_.erase(known);
        options_.forgotten(name);
        options_.wake_pods(name);
    }
    if (record == nullptr) return Requeue{};
    const auto kept = options_.client.read(*record);
    const Json& document = *kept;
    if (!has(name)) {
        const Claim whose = claim(document);
        if (whose == Claim::others) return Requeue{};
        const Time due = api::view_of(*record).created + adoption_delay;
        if (whose == Claim::later && now() < due) return Requeue{due - now()};
        TRY(adopt(name, document));
        return Requeue{};
    }
    Node& node = nodes_.at(name);
    NodeWishes wishes = read_wishes(document);
    options_.wishes_read(document, wishes);
    if (wishes == node.wishes && !node.shown.empty()) return Requeue{};
    const bool was_silent = node.wishes.silent();
    node.wishes = std::move(wishes);
    if (node.wishes.stopped) {
        for (auto& [type, status] : node.shown) status = "Unknown";  // so it comes back with events
    } else {
        TRY(report(name, node));
    }
    if (was_silent && !node.wishes.silent()) {
        TRY(renew_lease(name, node.uid));
        options_.wake_pods(name);
    }
    return Requeue{};
}

api::ApiResult<bool> SimulatedNodes::adopt(const std::string& name, const Json& document) {
    const NodeIdentity identity = identify(document);
    const bool marked = !annotation(document, own_annotation).empty() ||
                        !annotation(document, "kwok.x-k8s.io/node").empty() ||
                        configured_names_.count(name) > 0;
    const auto written = options_.client.modify(kind(), {}, name, {}, [&](Json& fresh) {
        register_node(fresh, identity);
        if (!marked) fresh["metadata"]["annotations"][own_annotation] = "simulated";
        return true;
    });
    if (!written && written.error().code() == 404) return true;
    if (!written) return written.error();
    Node& node = remember(identity, std::string(api::uid_of(document)));
    node.wishes = read_wishes(document);
    options_.wishes_read(document, node.wishes);
    if (!node.wishes.stopped) TRY(report(name, node));
    if (!node.wishes.silent()) TRY(renew_lease(name, node.uid));
    options_.wake_pods(name);
    return true;
}

api::ApiResult<bool> SimulatedNodes::report(const std::string& name, Node& node) {
    const bool first = node.shown.empty();
    const storage::RecordPtr record = informer_.get(name);
    if (record != nullptr && options_.staged(*record)) {
        node.shown.try_emplace("Ready");  // told, by somebody else
        return true;
    }
    // While the write waits the node may change, and go.
    const NodeIdentity identity = node.identity;
    const NodeWishes wishes = node.wishes;
    const std::set<std::string> pressures = node.pressures;
    const std::string uid = node.uid;
    const auto written = options_.client.modify(kind(), {}, name, "status", [&](Json& fresh) {
        fill_node_status(fresh, identity, wishes, pressures, options_.kubernetes_version, now());
        options_.images(name, fresh["status"]["images"]);
        if (fresh["status"]["images"].is_null()) fresh["status"].erase("images");
        if (phase_) fresh["status"]["phase"] = "Running";
        return true;
    });
    if (!written && written.error().code() == 404) return true;
    if (!written) return written.error();
    const auto still = nodes_.find(name);
    if (still != nodes_.end() && still->second.uid == uid) tell(name, still->second, *options_.client.read(**written), first);
    return true;
}

// Events of conditions that changed; of a kubelet that just started, all of them.
void SimulatedNodes::tell(const std::string& name, Node& node, const Json& document, bool first) {
    const bool silent = node.wishes.silent();
    const Json about = reference(name, node.uid);
    const bool speaks =
        !silent && !(first && (options_.quiet || options_.configured.size() > nodes_with_events));
    std::vector<std::pair<std::string, std::string>> said;  // reasons and messages
    if (first && speaks) said.emplace_back("Starting", "Starting kubelet.");
    for (const Json& condition : api::array_at(document, {"status", "conditions"})) {
        const std::string type(api::string_at(condition, {"type"})),
            status(api::string_at(condition, {"status"}));
        std::string& shown = node.shown[type];
        const bool changed = shown != status;
        shown = status;
        const std::string reason = condition_event(type, status);
        if (!changed || !speaks || reason.empty()) continue;
        said.emplace_back(reason, "Node " + name + " status is now: " + reason);
    }
    if (first && speaks) said.emplace_back("NodeAllocatableEnforced", "Updated Node Allocatable limit across pods");
    const auto events = node.events;  // the node may go while a write waits
    for (const auto& [reason, message] : said) events->normal(about, reason, message);
}

api::ApiResult<bool> SimulatedNodes::renew_lease(const std::string& name, const std::string& uid) {
    const api::KindSpec& leases = options_.manager.kind("leases.coordination.k8s.io");
    const Time time = now();
    const auto node = nodes_.find(name);
    if (node == nodes_.end()) return true;
    const std::shared_ptr<api::Renewal> lease = node->second.lease;  // the node may go while the write waits
    const auto renewed = lease->write(api::format_micro_time(time));
    if (renewed || renewed.error().code() != 404) return true;
    const auto created = options_.client.create(leases, "kube-node-lease", make_lease(name, uid, time));
    if (!created)
        log_line(LogLevel::debug, "lease was refused", {{"node", name}, {"why", created.error()->message}});
    return true;
}

void SimulatedNodes::renew_leases() {
    // Nodes may come and go while a write waits.
    std::vector<std::pair<std::string, std::string>> due;  // names and uids
    for (const auto& [name, node] : nodes_) {
        if (!node.wishes.silent() && informer_.get(name) != nullptr) due.emplace_back(name, node.uid);
    }
    for (const auto& [name, uid] : due) (void)renew_lease(name, uid);
    options_.manager.set_timer(this, "leases", now() + lease_interval, [this] { renew_leases(); });
}

void SimulatedNodes::set_pressures(const std::string& name, const std::set<std::string>& conditions) {
    const auto found = nodes_.find(name);
    if (found == nodes_.end() || found->second.pressures == conditions) return;
    found->second.pressures = conditions;
    if (!found->second.wishes.silent()) report_one(name);
}

void SimulatedNodes::image_came(const std::string& name) {
    if (!nodes_with_new_images_.insert(name).second) return;
    // See start(): the pods of the node do not wait for it.
    options_.manager.post([this, name] {
        options_.manager.set_timer(this, "images of " + name, now() + update_interval, [this, name] {
            nodes_with_new_images_.erase(name);
            if (answers(name)) report_one(name);
        });
    });
}

void SimulatedNodes::report_one(const std::string& name) {
    if (const auto written = report(name, nodes_.at(name)); !written)
        log_line(LogLevel::warning, "node status was refused", {{"node", name}, {"why", written.error()->message}});
}

void SimulatedNodes::report_phase(bool phase) {
    if (phase_ == phase) return;
    phase_ = phase;
    report_all();
}

void SimulatedNodes::report_all() {
    std::vector<std::string> speaking;
    for (const auto& [name, node] : nodes_)
        if (!node.wishes.silent()) speaking.push_back(name);
    for (const std::string& name : speaking)
        if (nodes_.count(name) > 0) report_one(name);
    options_.manager.set_timer(this, "nodes", now() + status_interval, [this] { report_all(); });
}

}  // namespace kubemu::controllers::kubelet

// Views made from documents.
#include "api/kinds/views.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/crd/custom_resource.h"
#include "api/kinds/core/pod_requests.h"
#include "api/kinds/rules.h"
#include "api/values/text.h"
#include "api/values/time.h"

namespace kubemu::api {
namespace {

std::string text_of(const Json* value) {
    if (value == nullptr) return {};
    if (value->is_string()) return value->get<std::string>();
    return value->is_structured() ? std::string() : value->dump();
}

const Json* at_path(const Json& object, std::string_view path) {
    const Json* at = &object;
    for (;;) {
        const std::size_t dot = path.find('.');
        at = find(*at, path.substr(0, dot));
        if (at == nullptr || dot == std::string_view::npos) return at;
        path.remove_prefix(dot + 1);
    }
}

void fill_common(ObjectView& view, const KindSpec& kind, const Json& object) {
    const Json& metadata = object_at(object, {"metadata"});
    view.namespace_name = string_at(metadata, {"namespace"});
    view.name = string_at(metadata, {"name"});
    view.uid = string_at(metadata, {"uid"});
    Labels labels;
    for (const auto& [key, value] : object_at(metadata, {"labels"}).items()) labels.emplace_back(key, text_of(&value));
    view.labels = std::move(labels);
    FieldValues::Names names;
    std::vector<std::string> values;
    const auto select = [&](const KindSpec& version) {
        for (const SelectableField& field : version.selectable_fields) {
            std::string value = selected_value(object, field.path);
            if (value.empty()) value = field.fallback;
            names.emplace_back(field.label);
            values.push_back(std::move(value));
        }
    };
    if (kind.custom == nullptr) select(kind);
    // Each version of a custom resource selects by fields of its own.
    else for (const CustomVersion& version : kind.custom->resource->versions()) select(version.spec);
    view.fields = FieldValues(std::move(names), values);
    OwnerReferences owners;
    for (const Json& owner : array_at(metadata, {"ownerReferences"})) {
        owners.push_back({std::string(string_at(owner, {"apiVersion"})), std::string(string_at(owner, {"kind"})),
                          std::string(string_at(owner, {"name"})), std::string(string_at(owner, {"uid"})),
                          bool_at(owner, {"controller"}), bool_at(owner, {"blockOwnerDeletion"})});
    }
    view.owners = std::move(owners);
    for (const Json& finalizer : array_at(metadata, {"finalizers"})) view.finalizers.push_back(text_of(&finalizer));
    view.generation = int_at(metadata, {"generation"});
    view.created = parse_time_or_zero(string_at(metadata, {"creationTimestamp"}));
    if (const auto deletion = parse_time(string_at(metadata, {"deletionTimestamp"}))) {
        view.deleting = true;
        view.deletion_time = *deletion;
    }
}

PodPhase phase_of(std::string_view text) {
    if (text == "Running") return PodPhase::running;
    if (text == "Succeeded") return PodPhase::succeeded;
    if (text == "Failed") return PodPhase::failed;
    if (text == "Unknown") return PodPhase::unknown;
    return PodPhase::pending;
}

void fill_pod(PodView& view, const Json& pod) {
    view.node_name = string_at(pod, {"spec", "nodeName"});
    view.pod_ip = string_at(pod, {"status", "podIP"});
    view.scheduler_name = string_at(pod, {"spec", "schedulerName"});
    view.phase = phase_of(string_at(pod, {"status", "phase"}));
    for (const Json& condition : array_at(pod, {"status", "conditions"})) {
        const std::string_view type = string_at(condition, {"type"});
        const bool holds = string_at(condition, {"status"}) == "True";
        if (type == "Ready") {
            view.ready = holds;
            view.ready_since = parse_time_or_zero(string_at(condition, {"lastTransitionTime"}));
        } else if (type == "PodScheduled") {
            view.scheduled = holds;
        }
    }
    for (const Json& status : array_at(pod, {"status", "containerStatuses"})) {
        view.restarts = std::max(view.restarts, static_cast<int>(int_at(status, {"restartCount"})));
    }
    view.priority = static_cast<int>(int_at(pod, {"spec", "priority"}));
    view.grace_seconds = static_cast<int>(
        int_at(pod, {"metadata", "deletionGracePeriodSeconds"}, int_at(pod, {"spec", "terminationGracePeriodSeconds"}, 30)));
    const PodRequests requests = effective_requests(object_at(pod, {"spec"}));
    view.cpu_milli = requests.cpu_milli;
    view.memory_bytes = requests.memory_bytes;
    const auto add_host_ports = [&view](const Json& container) {
        for (const Json& port : array_at(container, {"ports"})) {
            const int number = static_cast<int>(int_at(port, {"hostPort"}));
            if (number == 0) continue;
            view.host_ports.push_back(
                {std::string(string_at(port, {"hostIP"}, "0.0.0.0")), std::string(string_at(port, {"protocol"}, "TCP")), number});
        }
    };
    for (const Json& container : array_at(pod, {"spec", "containers"})) add_host_ports(container);
    for (const Json& container : array_at(pod, {"spec", "initContainers"}))
        if (string_at(container, {"restartPolicy"}) == "Always") add_host_ports(container);  // of a sidecar
}

}  // namespace

std::size_t hash_of(const OwnerReferences& owners) {
    std::vector<std::string> uids;
    for (const OwnerReference& owner : owners) uids.push_back(owner.uid);
    return hash_of(uids);
}

// A size is a byte, or 255 and four bytes.
FieldValues::FieldValues(Names names, const std::vector<std::string>& values) : names_(std::move(names)) {
    std::size_t size = 0;
    for (const std::string& value : values) size += value.size() + (value.size() < 255 ? 1 : 5);
    values_.reserve(size);
    for (const std::string& value : values) {
        const auto wide = static_cast<std::uint32_t>(value.size());
        values_ += static_cast<char>(std::min<std::uint32_t>(wide, 255));
        if (wide >= 255) values_.append(reinterpret_cast<const char*>(&wide), sizeof wide);
        values_ += value;
    }
}

std::optional<std::string_view> FieldValues::find(std::string_view name) const {
    std::optional<std::string_view> found;
    const char* at = values_.data();
    for (const std::string& known : names_) {
        std::uint32_t size = static_cast<unsigned char>(*at++);
        if (size == 255) {
            std::memcpy(&size, at, sizeof size);
            at += sizeof size;
        }
        // Versions of a custom resource may select by one name: the last one counts.
        if (known == name) found = std::string_view(at, size);
        at += size;
    }
    return found;
}

const OwnerReference* ObjectView::controller() const {
    for (const OwnerReference& owner : owners) {
        if (owner.controller) return &owner;
    }
    return nullptr;
}

const std::string* ObjectView::label(std::string_view key) const {
    for (const auto& [name, value] : labels) {
        if (name == key) return &value;
    }
    return nullptr;
}

std::shared_ptr<const storage::View> make_view(const KindSpec& kind, const Json& object) {
    if (kind.resource == "pods") {
        auto view = std::make_shared<PodView>();
        fill_common(*view, kind, object);
        fill_pod(*view, object);
        return view;
    }
    const auto project = rules_of(kind)->project;
    auto view = project == nullptr ? std::make_shared<ObjectView>() : project(object);
    fill_common(*view, kind, object);
    return view;
}

std::shared_ptr<const storage::View> view_from_text(const KindSpec& kind, std::string_view text) {
    const auto document = parse_json(text);
    return make_view(kind, document ? *document : Json::object());
}

// Events have paths with a second choice, "a.b|c", for when there is nothing at the first.
std::string selected_value(const Json& object, std::string_view path) {
    std::string value;
    for (const std::string_view choice : split(path, '|')) {
        value = text_of(at_path(object, choice));
        if (!value.empty()) break;
    }
    return value;
}

const ObjectView& view_of(const storage::Record& record) { return static_cast<const ObjectView&>(*record.view); }
const PodView& pod_view_of(const storage::Record& record) { return static_cast<const PodView&>(*record.view); }

}  // namespace kubemu::api

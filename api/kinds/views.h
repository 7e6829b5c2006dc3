// Views: what controllers, selectors and the scheduler need of an object, made once when it is written, so that
// nobody parses the document again.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/kinds/interned.h"
#include "api/schema/kind.h"
#include "api/values/object.h"
#include "storage/base/clock.h"
#include "storage/record.h"

namespace kubemu::api {

struct OwnerReference {
    std::string api_version, kind, name, uid;
    bool controller = false;
    bool block_owner_deletion = false;
    bool operator==(const OwnerReference&) const = default;
};
using OwnerReferences = std::vector<OwnerReference>;
std::size_t hash_of(const OwnerReferences& owners);

// Sorted by key.
using Labels = std::vector<std::pair<std::string, std::string>>;

// Values of selectable fields ("status.phase"). The names are those of the kind, so that its objects share them.
class FieldValues {
  public:
    using Names = std::vector<std::string>;

    FieldValues() = default;
    FieldValues(Names names, const std::vector<std::string>& values);
    // Nothing when there is no such field.
    std::optional<std::string_view> find(std::string_view name) const;

  private:
    Interned<Names> names_;
    std::string values_;  // in the order of the names, each behind its size
};

// Every record has one.
struct ObjectView : storage::View {
    std::string namespace_name;
    std::string name;
    std::string uid;
    Interned<Labels> labels;
    FieldValues fields;  // metadata.name and metadata.namespace are not repeated here
    Interned<OwnerReferences> owners;
    std::vector<std::string> finalizers;
    std::int64_t generation = 0;
    Time created{};
    bool deleting = false;  // metadata.deletionTimestamp is set
    Time deletion_time{};   // metadata.deletionTimestamp; grace period included

    const OwnerReference* controller() const;  // the owner with controller: true, or null
    // Null when there is no such label.
    const std::string* label(std::string_view key) const;
};

enum class PodPhase : std::uint8_t { pending, running, succeeded, failed, unknown };

struct HostPort {
    std::string ip;
    std::string protocol;
    int port = 0;
};

struct PodView final : ObjectView {
    std::string node_name;
    std::string pod_ip;
    std::string scheduler_name;
    PodPhase phase = PodPhase::pending;
    bool ready = false;        // condition Ready is True
    bool scheduled = false;    // condition PodScheduled is True
    Time ready_since{};        // when condition Ready took its status
    int restarts = 0;          // highest restartCount of its containers
    int priority = 0;
    int grace_seconds = 30;    // metadata.deletionGracePeriodSeconds, else spec.terminationGracePeriodSeconds
    std::int64_t cpu_milli = 0;     // effective requests (init containers, sidecars, overhead counted)
    std::int64_t memory_bytes = 0;
    std::vector<HostPort> host_ports;

    bool finished() const { return phase == PodPhase::succeeded || phase == PodPhase::failed; }
    // Neither finished nor being deleted: what ReplicaSets and Jobs count (controller.IsPodActive).
    bool active() const { return !finished() && !deleting; }
};

// Makes the view of a document of this kind, in its storage version.
std::shared_ptr<const storage::View> make_view(const KindSpec& kind, const Json& object);

// The same from an object's JSON text, for records that are read back from the database.
std::shared_ptr<const storage::View> view_from_text(const KindSpec& kind, std::string_view text);

// Any record's view; every record that the registry wrote has one.
// What a field selector compares for a field at this path.
std::string selected_value(const Json& object, std::string_view path);
const ObjectView& view_of(const storage::Record& record);
// Only for records of pods.
const PodView& pod_view_of(const storage::Record& record);

}  // namespace kubemu::api

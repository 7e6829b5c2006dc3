// KindRegistry: which kinds are served, by every name under which clients look for them.
//
// Built-in kinds depend on the Kubernetes release that is emulated; kinds of CustomResourceDefinitions come and go
// while requests run. A look-up sees one snapshot. What it returns stays valid while the caller holds a Pin that it
// took before, or runs on the thread that calls set_custom (the control thread).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/schema/kind.h"
#include "storage/base/mutex.h"

namespace kubemu::api {

class CustomResource;

// Thread-safe.
class KindRegistry {
  public:
    // `release`: for example "1.28" or "v1.28.7"; what that release no longer or not yet served is left out
    // (batch/v1beta1 CronJob is always served).
    explicit KindRegistry(std::string_view release = "1.36");
    ~KindRegistry();

    // Null when not served.
    const KindSpec* by_plural(std::string_view group, std::string_view version, std::string_view plural) const;
    const KindSpec* by_kind(std::string_view group, std::string_view version, std::string_view kind) const;
    // The spec in whose version the objects of this resource ("deployments.apps") are stored; must exist.
    const KindSpec& stored(std::string_view resource) const;
    const KindSpec* find_stored(std::string_view resource) const;
    // The same for the resource of `kind`, which may have gone in the meantime.
    const KindSpec& stored_of(const KindSpec& kind) const;
    bool has_group(std::string_view group) const;
    bool has_group_version(std::string_view group, std::string_view version) const;
    // The text of the Warning header that this release sends with every answer about the kind; empty when it is not
    // deprecated yet.
    std::string_view deprecation_warning(const KindSpec& kind) const;
    // All served specs in the order of discovery: built-in kinds, then custom ones by group, version and name.
    const std::vector<const KindSpec*>& all() const;
    // One spec for each stored resource.
    const std::vector<const KindSpec*>& stored_kinds() const;

    // 36 of the release 1.36, which is emulated.
    int minor() const { return minor_; }

    using Pin = std::shared_ptr<const void>;
    Pin pin() const;
    // Serves the kinds of a CustomResourceDefinition by this name ("widgets.example.com") in place of those that it had;
    // null takes them away. From one thread at a time. A name of a built-in kind is never taken over.
    void set_custom(const std::string& name, std::shared_ptr<const CustomResource> kinds);
    // Null when there is none of this name.
    std::shared_ptr<const CustomResource> custom(const std::string& name) const;
    // Rises with each set_custom: documents that were made of the kinds before are out of date.
    std::uint64_t epoch() const { return epoch_.load(std::memory_order_acquire); }

  private:
    struct Snapshot;
    const Snapshot& now() const { return *current_.load(std::memory_order_acquire); }

    int minor_ = 0;
    mutable Mutex mutex_;
    std::shared_ptr<Snapshot> newest_ KUBEMU_GUARDED_BY(mutex_);
    std::atomic<const Snapshot*> current_{nullptr};
    std::atomic<std::uint64_t> epoch_{0};
};

}  // namespace kubemu::api

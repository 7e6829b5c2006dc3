// KindRegistry: which kinds are served, by every name under which clients look for them.
//
// Built-in kinds depend on the Kubernetes release that is emulated; kinds of CustomResourceDefinitions come and go.
#pragma once

#include <string_view>
#include <vector>

#include "api/schema/kind.h"

namespace kubemu::api {

// Thread-safe to read.
class KindRegistry {
  public:
    // `release`: for example "1.28" or "v1.28.7"; what that release no longer or not yet served is left out
    // (batch/v1beta1 CronJob is always served).
    explicit KindRegistry(std::string_view release = "1.36");

    // Null when not served.
    const KindSpec* by_plural(std::string_view group, std::string_view version, std::string_view plural) const;
    const KindSpec* by_kind(std::string_view group, std::string_view version, std::string_view kind) const;
    // The spec in whose version the objects of this resource ("deployments.apps") are stored; must exist.
    const KindSpec& stored(std::string_view resource) const;
    const KindSpec* find_stored(std::string_view resource) const;
    bool has_group(std::string_view group) const;
    bool has_group_version(std::string_view group, std::string_view version) const;
    // The text of the Warning header that this release sends with every answer about the kind; empty when it is not
    // deprecated yet.
    std::string_view deprecation_warning(const KindSpec& kind) const;
    // All served specs in the order of discovery.
    const std::vector<const KindSpec*>& all() const { return all_; }
    // One spec for each stored resource.
    const std::vector<const KindSpec*>& stored_kinds() const { return stored_; }

  private:
    int minor_ = 0;
    std::vector<const KindSpec*> all_;
    std::vector<const KindSpec*> stored_;
};

}  // namespace kubemu::api

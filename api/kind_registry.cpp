// The look-ups of KindRegistry over the tables compiled from api/schema/*.yaml.
#include "api/kind_registry.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace kubemu::api {
namespace {

// "v1.28.7" or "1.28" as 28; 0 when there is none.
int minor_of(std::string_view release) {
    const std::size_t dot = release.find('.');
    int minor = 0;
    if (dot == std::string_view::npos) return minor;
    for (std::size_t at = dot + 1; at < release.size() && std::isdigit(static_cast<unsigned char>(release[at])) != 0; ++at) {
        minor = minor * 10 + (release[at] - '0');
    }
    return minor;
}

bool served_in(const KindSpec& kind, int minor) {
    // Course material and old manifests still name it, so every release serves it.
    if (kind.group == "batch" && kind.version == "v1beta1") return true;
    if (!kind.introduced.empty() && minor < minor_of(kind.introduced)) return false;
    return kind.removed.empty() || minor < minor_of(kind.removed);
}

}  // namespace

KindRegistry::KindRegistry(std::string_view release) : minor_(minor_of(release)) {
    for (const KindSpec& kind : builtin_kinds()) {
        if (served_in(kind, minor_)) all_.push_back(&kind);
    }
    for (const KindSpec& kind : builtin_kinds()) {
        if (!kind.storage_version) continue;
        const bool used = std::any_of(all_.begin(), all_.end(), [&](const KindSpec* served) {
            return served->resource == kind.resource;
        });
        if (used) stored_.push_back(&kind);
    }
}

const KindSpec* KindRegistry::by_plural(std::string_view group, std::string_view version, std::string_view plural) const {
    for (const KindSpec* kind : all_) {
        if (kind->plural == plural && kind->group == group && kind->version == version) return kind;
    }
    return nullptr;
}

const KindSpec* KindRegistry::by_kind(std::string_view group, std::string_view version, std::string_view name) const {
    for (const KindSpec* kind : all_) {
        if (kind->kind == name && kind->group == group && kind->version == version) return kind;
    }
    return nullptr;
}

const KindSpec* KindRegistry::find_stored(std::string_view resource) const {
    for (const KindSpec* kind : stored_) {
        if (kind->resource == resource) return kind;
    }
    return nullptr;
}

const KindSpec& KindRegistry::stored(std::string_view resource) const {
    const KindSpec* kind = find_stored(resource);
    if (kind == nullptr) std::abort();  // a record of a resource that no kind declares cannot exist
    return *kind;
}

std::string_view KindRegistry::deprecation_warning(const KindSpec& kind) const {
    return minor_ < minor_of(kind.deprecated_in) ? std::string_view() : kind.deprecation_warning;
}

bool KindRegistry::has_group(std::string_view group) const {
    return std::any_of(all_.begin(), all_.end(), [&](const KindSpec* kind) { return kind->group == group; });
}

bool KindRegistry::has_group_version(std::string_view group, std::string_view version) const {
    return std::any_of(all_.begin(), all_.end(), [&](const KindSpec* kind) {
        return kind->group == group && kind->version == version;
    });
}

}  // namespace kubemu::api

// Look-ups of KindRegistry over the tables compiled from api/schema/*.yaml and over custom kinds.
//
// Each change makes a new snapshot, and each snapshot owns the one that follows it: so whoever keeps a snapshot keeps
// all later ones too, and every spec that was found in any of them.
#include "api/kind_registry.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <map>
#include <tuple>

#include "api/crd/custom_resource.h"
#include "api/crd/versions.h"

namespace kubemu::api {
namespace {

using Kinds = std::vector<const KindSpec*>;

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

using Name = std::tuple<std::string_view, std::string_view, std::string_view>;
Name by_plural_name(const KindSpec& kind) { return {kind.plural, kind.group, kind.version}; }
Name by_kind_name(const KindSpec& kind) { return {kind.kind, kind.group, kind.version}; }

template <class Of>
void sort_by(Kinds& kinds, Of of) {
    // Stable, so that what came first, the built-in kind, is found first.
    std::stable_sort(kinds.begin(), kinds.end(), [of](const KindSpec* a, const KindSpec* b) { return of(*a) < of(*b); });
}

template <class Of>
const KindSpec* find_by(const Kinds& kinds, const Name& name, Of of) {
    const auto at = std::lower_bound(kinds.begin(), kinds.end(), name,
                                     [of](const KindSpec* kind, const Name& wanted) { return of(*kind) < wanted; });
    return at != kinds.end() && of(**at) == name ? *at : nullptr;
}

bool discovered_before(const KindSpec* a, const KindSpec* b) {
    if (a->group != b->group) return a->group < b->group;
    if (const int order = compare_kube_versions(a->version, b->version)) return order > 0;
    return a->plural < b->plural;
}

}  // namespace

struct KindRegistry::Snapshot {
    Kinds builtin_all, builtin_stored;
    std::map<std::string, std::shared_ptr<const CustomResource>, std::less<>> custom;
    // Made of the three above.
    Kinds all, stored, plurals, kinds, resources;
    std::shared_ptr<Snapshot> next;  // set once, when this is no longer the newest

    void build() {
        all = builtin_all;
        stored = builtin_stored;
        Kinds added;
        for (const auto& [name, resource] : custom) {
            for (const CustomVersion& version : resource->versions()) {
                if (version.spec.served) added.push_back(&version.spec);
            }
            stored.push_back(&resource->stored().spec);
        }
        std::stable_sort(added.begin(), added.end(), discovered_before);
        all.insert(all.end(), added.begin(), added.end());
        plurals = kinds = all;
        resources = stored;
        sort_by(plurals, by_plural_name);
        sort_by(kinds, by_kind_name);
        std::stable_sort(resources.begin(), resources.end(),
                         [](const KindSpec* a, const KindSpec* b) { return a->resource < b->resource; });
    }

    // The chain may have grown long behind a pin that was held for an hour: it is taken apart without recursion.
    ~Snapshot() {
        for (std::shared_ptr<Snapshot> at = std::move(next); at && at.use_count() == 1;) {
            std::shared_ptr<Snapshot> after = std::move(at->next);
            at = std::move(after);
        }
    }
};

KindRegistry::KindRegistry(std::string_view release) : minor_(minor_of(release)) {
    auto first = std::make_shared<Snapshot>();
    for (const KindSpec& kind : builtin_kinds()) {
        if (served_in(kind, minor_)) first->builtin_all.push_back(&kind);
    }
    for (const KindSpec& kind : builtin_kinds()) {
        if (!kind.storage_version) continue;
        const bool used = std::any_of(first->builtin_all.begin(), first->builtin_all.end(), [&](const KindSpec* served) {
            return served->resource == kind.resource;
        });
        if (used) first->builtin_stored.push_back(&kind);
    }
    first->build();
    current_.store(first.get(), std::memory_order_release);
    Lock lock(mutex_);
    newest_ = std::move(first);
}

KindRegistry::~KindRegistry() = default;

const KindSpec* KindRegistry::by_plural(std::string_view group, std::string_view version, std::string_view plural) const {
    return find_by(now().plurals, {plural, group, version}, by_plural_name);
}

const KindSpec* KindRegistry::by_kind(std::string_view group, std::string_view version, std::string_view name) const {
    return find_by(now().kinds, {name, group, version}, by_kind_name);
}

const KindSpec* KindRegistry::find_stored(std::string_view resource) const {
    const Kinds& kinds = now().resources;
    const auto at = std::lower_bound(kinds.begin(), kinds.end(), resource, [](const KindSpec* kind, std::string_view wanted) {
        return kind->resource < wanted;
    });
    return at != kinds.end() && (*at)->resource == resource ? *at : nullptr;
}

const KindSpec& KindRegistry::stored(std::string_view resource) const {
    const KindSpec* kind = find_stored(resource);
    if (kind == nullptr) std::abort();  // a record of a resource that no kind declares cannot exist
    return *kind;
}

std::string_view KindRegistry::deprecation_warning(const KindSpec& kind) const {
    return minor_ < minor_of(kind.deprecated_in) ? std::string_view() : kind.deprecation_warning;
}

const KindSpec& KindRegistry::stored_of(const KindSpec& kind) const {
    return kind.custom != nullptr ? kind.custom->resource->stored().spec : stored(kind.resource);
}

bool KindRegistry::has_group(std::string_view group) const {
    const Kinds& kinds = all();  // once: the next call may see another snapshot
    return std::any_of(kinds.begin(), kinds.end(), [&](const KindSpec* kind) { return kind->group == group; });
}

bool KindRegistry::has_group_version(std::string_view group, std::string_view version) const {
    const Kinds& kinds = all();
    return std::any_of(kinds.begin(), kinds.end(), [&](const KindSpec* kind) {
        return kind->group == group && kind->version == version;
    });
}

const std::vector<const KindSpec*>& KindRegistry::all() const { return now().all; }
const std::vector<const KindSpec*>& KindRegistry::stored_kinds() const { return now().stored; }

KindRegistry::Pin KindRegistry::pin() const {
    Lock lock(mutex_);
    return newest_;
}

void KindRegistry::set_custom(const std::string& name, std::shared_ptr<const CustomResource> kinds) {
    auto made = std::make_shared<Snapshot>();
    std::shared_ptr<Snapshot> before;
    {
        Lock lock(mutex_);
        before = newest_;
    }
    made->builtin_all = before->builtin_all;
    made->builtin_stored = before->builtin_stored;
    made->custom = before->custom;
    if (kinds == nullptr) {
        made->custom.erase(name);
    } else {
        made->custom.insert_or_assign(name, std::move(kinds));
    }
    made->build();
    Lock lock(mutex_);
    before->next = made;
    current_.store(made.get(), std::memory_order_release);
    newest_ = std::move(made);
    epoch_.fetch_add(1, std::memory_order_acq_rel);
}

std::shared_ptr<const CustomResource> KindRegistry::custom(const std::string& name) const {
    Lock lock(mutex_);
    const auto at = newest_->custom.find(name);
    return at == newest_->custom.end() ? nullptr : at->second;
}

}  // namespace kubemu::api

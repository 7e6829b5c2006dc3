// Ownership through updates and applies.
#include "api/apply/field_manager.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "api/apply/typed.h"
#include "api/codec/json.h"

namespace kubemu::api {
namespace {

constexpr std::string_view last_applied = "kubectl.kubernetes.io/last-applied-configuration";

Status apply_conflict(const std::vector<std::pair<std::string, std::string>>& conflicts) {
    StatusDetail detail;
    detail.code = 409;
    detail.reason = "Conflict";
    std::map<std::string, std::string> by_manager;
    for (const auto& [manager, path] : conflicts) {
        detail.causes.push_back({"FieldManagerConflict", "conflict with " + manager, path});
        by_manager[manager] += "\n- " + path;
    }
    if (conflicts.size() == 1) {
        detail.message =
            "Apply failed with 1 conflict: conflict with " + conflicts[0].first + ": " + conflicts[0].second;
    } else {
        detail.message = "Apply failed with " + std::to_string(conflicts.size()) + " conflicts: ";
        bool first = true;
        for (const auto& [manager, paths] : by_manager) {
            detail.message += (first ? "" : "\n") + ("conflicts with " + manager) + ":" + paths;
            first = false;
        }
    }
    return Status(std::move(detail));
}

// As Go prints a GroupVersionKind: "apps/v1, Kind=Deployment", "/v1, Kind=Pod".
std::string group_version_kind(const Json& object) {
    const std::string version(string_at(object, {"apiVersion"}));
    return (version.find('/') == std::string::npos ? "/" + version : version) +
           ", Kind=" + std::string(string_at(object, {"kind"}));
}

}  // namespace

// Identity and what only the server writes: nobody owns it.
const FieldSet& FieldManager::server_owned() {
    static const FieldSet set(Json::parse(R"({"f:apiVersion":{},"f:kind":{},"f:metadata":{".":{},"f:name":{},
        "f:namespace":{},"f:creationTimestamp":{},"f:selfLink":{},"f:uid":{},"f:clusterName":{},"f:generation":{},
        "f:managedFields":{},"f:resourceVersion":{}}})"));
    return set;
}

std::string FieldManager::named(const std::string& manager) { return manager.empty() ? "unknown" : manager; }

struct FieldManager::Versioned {
    Json object;
    const TypeInfo* type = nullptr;
};

struct FieldManager::Applied {
    std::optional<Json> object;  // nothing when it is as before
    FieldOwners owners;
    Conflicts conflicts;
};

std::optional<FieldManager::Versioned> FieldManager::as_version(const Json& object,
                                                                const std::string& api_version) const {
    if (api_version == options_.api_version) return Versioned{object, &options_.type};
    if (!options_.convert) return std::nullopt;
    Versioned converted{object, nullptr};
    converted.type = options_.convert(converted.object, api_version);
    if (converted.type == nullptr) return std::nullopt;
    return converted;
}

Comparison FieldManager::changed(const Json& live, const Json& object, bool merged) const {
    Comparison change = merged ? compare_merged(live, object, options_.type) : compare_objects(live, object, options_.type);
    for (FieldSet* set : {&change.added, &change.modified, &change.removed}) set->remove_below(options_.ignored);
    return change;
}

FieldManager::Conflicts FieldManager::release(const Json& live, const Json& object, const Comparison& change,
                                              const FieldOwner* self, bool force, FieldOwners& owners) const {
    struct Seen {
        FieldSet set, removed;  // what now has another value, and what is gone
        bool readable = true;
    };
    std::map<std::string, Seen> by_version;
    by_version.emplace(options_.api_version, Seen{change.added.unite(change.modified), change.removed});
    const auto seen_in = [&](const std::string& version) -> const Seen& {
        const auto known = by_version.find(version);
        if (known != by_version.end()) return known->second;
        Seen seen;
        const auto before = as_version(live, version), after = as_version(object, version);
        if (before && after) {
            Comparison there = compare_objects(before->object, after->object, *before->type);
            seen.set = there.added.unite(there.modified);
            seen.removed = std::move(there.removed);
        } else {
            seen.readable = false;
        }
        return by_version.emplace(version, std::move(seen)).first->second;
    };
    if (!force) {
        Conflicts conflicts;
        for (const FieldOwner& owner : owners) {
            if (self != nullptr && owner.is(*self)) continue;
            FieldSet taken = owner.fields.intersect(seen_in(owner.api_version).set);
            if (!taken.empty()) conflicts.push_back({owner, std::move(taken)});
        }
        if (!conflicts.empty()) return conflicts;
    }
    for (FieldOwner& owner : owners) {
        if (self != nullptr && owner.is(*self)) continue;
        const Seen& seen = seen_in(owner.api_version);
        // Nobody can read a version that is no longer served.
        if (!seen.readable) owner.fields = FieldSet();
        owner.fields.remove(seen.set);
        owner.fields.remove(seen.removed);
    }
    drop_empty_owners(owners);
    return {};
}

void FieldManager::record_update(const Json& live, const Json& object, Comparison change,
                                 const std::string& manager, FieldOwners& owners) const {
    if (change.same()) return;
    if (!owners.empty()) release(live, object, change, nullptr, true, owners);
    FieldSet written = std::move(change.added);
    written.add(std::move(change.modified));
    written.remove(server_owned());
    FieldOwner self{named(manager), false, options_.api_version, options_.subresource, options_.now, std::move(written)};
    if (!self.fields.empty()) {
        if (FieldOwner* previous = find_owner(owners, self)) {
            previous->fields.add(std::move(self.fields));
            previous->time = options_.now;
        } else {
            owners.push_back(std::move(self));
        }
    }
    cap_updaters(owners);
}

void FieldManager::reconcile(const Json& live, FieldOwners& owners) const {
    for (FieldOwner& owner : owners) {
        if (owner.api_version == options_.api_version) {
            reconcile_with_schema(owner.fields, options_.type);
        } else if (const auto there = as_version(live, owner.api_version)) {
            reconcile_with_schema(owner.fields, *there->type);
        }
    }
}

void FieldManager::update(const Json& live, Json& object) const {
    std::optional<Comparison> change;
    if (touch(live, object, change)) return;
    Json given;
    if (Json* metadata = find(object, "metadata")) {
        if (Json* entries = find(*metadata, "managedFields")) given = std::move(*entries);
        erase(*metadata, "managedFields");
    }
    if (!change) change = changed(live, object, false);
    // Managers cannot read it, and leave nothing that may be wrong (UpdateNoErrors).
    if (!change->keyed) return;
    FieldOwners owners = owners_to_start_from(live, std::move(given), !options_.subresource.empty());
    reconcile(live, owners);
    // An object without owners was written by someone who gave up on them: that stays until somebody applies.
    const bool tracked = !owners.empty() || uid_of(live).empty();
    if (tracked) record_update(live, object, std::move(*change), options_.manager, owners);
    encode_owners(std::move(owners), object);
}

Json FieldManager::prune(Json merged, const FieldOwners& owners, const FieldOwner& applier,
                         const FieldOwner& last) const {
    // What was applied before and is applied again is lost by nobody.
    if (applier.fields.covers(last.fields)) return merged;
    const auto start = as_version(merged, last.api_version);
    if (!start) return merged;
    const TypeInfo* type = start->type;
    const FieldSet lost = with_named_parents(last.fields, *type);
    Json whole = start->object;
    Json pruned = remove_paths(whole, *type, lost);

    // What others own comes back, version by version, beginning with that of the pruned object.
    std::map<std::string, FieldSet> owned;
    for (const FieldOwner& owner : owners) {
        auto [at, fresh] = owned.emplace(owner.api_version, owner.fields);
        if (!fresh) at->second.add(owner.fields);
    }
    std::string version = last.api_version;
    const auto add_back = [&](const std::string& in_version, const FieldSet& fields) {
        if (in_version != version) {
            if (!options_.convert) return;
            Json other_whole = whole;
            const TypeInfo* other = options_.convert(other_whole, in_version);
            if (other == nullptr) return;
            options_.convert(pruned, in_version);
            whole = std::move(other_whole);
            type = other;
            version = in_version;
        }
        const FieldSet all = with_named_parents(field_set_of(whole, *type), *type);
        const FieldSet keep =
            with_named_parents(field_set_of(pruned, *type), *type).unite(with_named_parents(fields, *type));
        pruned = remove_paths(whole, *type, all.subtract(keep));
    };
    if (const auto at = owned.find(last.api_version); at != owned.end()) {
        add_back(at->first, at->second);
        owned.erase(at);
    }
    for (const auto& [in_version, fields] : owned) add_back(in_version, fields);

    // What nobody owned before, such as defaults, comes back too.
    if (version != last.api_version) options_.convert(pruned, last.api_version);
    const TypeInfo& last_type = *start->type;
    const FieldSet left = with_named_parents(field_set_of(pruned, last_type), last_type);
    const FieldSet all = with_named_parents(field_set_of(start->object, last_type), last_type);
    Json result = remove_paths(start->object, last_type, all.subtract(left).intersect(lost));
    if (last.api_version == applier.api_version) return result;
    const bool converted = options_.convert && options_.convert(result, applier.api_version) != nullptr;
    return converted ? std::move(result) : std::move(merged);
}

FieldManager::Applied FieldManager::apply_once(const Json& live, const Json& patch, FieldOwners owners,
                                               bool force) const {
    Applied applied;
    Json merged = merge_applied(live, patch, options_.type);
    FieldOwner self{
        named(options_.manager), true, options_.api_version,
        options_.subresource,    {},   field_set_of(patch, options_.type)};
    self.fields.remove_below(options_.ignored);
    FieldOwner last;
    if (FieldOwner* previous = find_owner(owners, self)) {
        self.time = previous->time;
        last = std::exchange(*previous, self);
    } else {
        owners.push_back(self);
    }
    merged = prune(std::move(merged), owners, self, last);
    applied.conflicts = release(live, merged, changed(live, merged, true), &self, force, owners);
    if (!applied.conflicts.empty()) return applied;
    const bool same = merged == live;
    if (FieldOwner* mine = find_owner(owners, self)) {
        mine->fields.remove(server_owned());
        if (!same) mine->time = options_.now;
    }
    drop_empty_owners(owners);
    if (!same) applied.object = std::move(merged);
    applied.owners = std::move(owners);
    return applied;
}

FieldSet FieldManager::client_side_applied(const Json& live) const {
    const std::string_view text = string_at(live, {"metadata", "annotations", last_applied});
    if (text.empty()) return {};
    const auto configuration = parse_json(text);
    if (!configuration || !configuration->is_object() ||
        string_at(*configuration, {"apiVersion"}) != options_.api_version ||
        !check_applied(*configuration, options_.type).empty()) {
        return {};
    }
    const Comparison change = compare_plain(*configuration, live, options_.type);
    return field_set_of(*configuration, options_.type)
        .subtract(change.modified)
        .subtract(change.added)
        .subtract(change.removed);
}

ApiResult<Json> FieldManager::apply(Json base, Json patch, bool force) const {
    if (string_at(patch, {"kind"}) != options_.kind ||
        string_at(patch, {"apiVersion"}) != options_.api_version) {
        return Status::bad_request("invalid object type: " + group_version_kind(patch));
    }
    if (const Json* given = find(patch, {"metadata", "managedFields"});
        given != nullptr && !given->is_null()) {
        return Status::bad_request("metadata.managedFields must be nil");
    }
    if (const auto complaints = check_applied(patch, options_.type); !complaints.empty()) {
        return Status::plain_500("failed to create typed patch object (" + std::string(namespace_of(patch)) +
                                 "/" + std::string(name_of(patch)) + "; " + group_version_kind(patch) +
                                 "): " + join_complaints(complaints));
    }
    FieldOwners owners;
    if (Json* metadata = find(base, "metadata")) {
        if (Json* entries = find(*metadata, "managedFields"))
            owners = decode_owners(std::move(*entries)).value_or(FieldOwners());
        erase(*metadata, "managedFields");
    }
    reconcile(base, owners);
    if (owners.empty() && !uid_of(base).empty()) {
        // Nobody owned anything: what is there belongs to those who came before.
        const Json nothing = {{"kind", options_.kind}, {"apiVersion", options_.api_version}};
        record_update(nothing, base, changed(nothing, base, false), "before-first-apply", owners);
    }

    // By force there are no conflicts, and no second attempt.
    Applied applied = apply_once(base, patch, force ? std::move(owners) : owners, force);
    if (!applied.conflicts.empty()) {
        FieldSet allowed;
        if (options_.manager == "kubectl") allowed = client_side_applied(base);
        std::vector<std::pair<std::string, std::string>> conflicts;
        for (const Conflict& conflict : applied.conflicts) {
            conflict.fields.subtract(allowed).for_each(
                [&](const std::string& path) { conflicts.emplace_back(conflict.owner.readable(), path); });
        }
        if (!conflicts.empty()) return apply_conflict(conflicts);
        // kubectl takes over what it applied from the client's side.
        applied = apply_once(base, patch, std::move(owners), true);
    }
    const bool synchronizes = options_.manager == "kubectl" && options_.subresource.empty();
    Json object = applied.object ? std::move(*applied.object) : std::move(base);
    if (synchronizes && !string_at(object, {"metadata", "annotations", last_applied}).empty()) {
        if (Json* annotations = find(patch, {"metadata", "annotations"})) erase(*annotations, last_applied);
        object["metadata"]["annotations"][std::string(last_applied)] = encode_raw(patch) + "\n";
    }
    encode_owners(std::move(applied.owners), object);
    return object;
}

bool status_keeps_metadata(std::string_view group, std::string_view resource) {
    static constexpr std::pair<std::string_view, std::string_view> kinds[] = {
        {"admissionregistration.k8s.io", "validatingadmissionpolicies"},
        {"networking.k8s.io", "servicecidrs"},
        {"resource.k8s.io", "resourceclaims"},
        {"storage.k8s.io", "volumeattachments"}};
    return group == "apiregistration.k8s.io" || group == "flowcontrol.apiserver.k8s.io" ||
           std::find(std::begin(kinds), std::end(kinds), std::pair(group, resource)) != std::end(kinds);
}

const FieldSet& reset_fields(std::string_view group, std::string_view resource, std::string_view subresource,
                             bool has_status) {
    // Made once: every write asks.
    static const FieldSet nothing;
    static const FieldSet status = FieldSet::of_path({"f:status"});
    static const FieldSet spec = FieldSet::of_path({"f:spec"});
    static const FieldSet spec_and_labels = spec.unite(FieldSet::of_path({"f:metadata", "f:labels"}));
    static const FieldSet spec_and_metadata = spec.unite(FieldSet::of_path({"f:metadata"}));
    static const FieldSet of_pods = spec.unite(FieldSet::of_path({"f:metadata", "f:deletionTimestamp"}))
                                        .unite(FieldSet::of_path({"f:metadata", "f:ownerReferences"}));
    static const FieldSet spec_and_status = spec.unite(status);
    static const FieldSet spec_and_conditions = spec.unite(FieldSet::of_path({"f:status", "f:conditions"}));
    static const FieldSet spec_and_certificate = spec.unite(FieldSet::of_path({"f:status", "f:certificate"}));
    if (subresource.empty()) {
        // The spec of a request for a certificate is nobody's: it never changes.
        if (group == "certificates.k8s.io" && has_status) return spec_and_status;
        return has_status ? status : nothing;
    }
    if (subresource == "approval") return spec_and_certificate;
    if (subresource == "ephemeralcontainers") return spec;
    if (subresource == "finalize") return status;
    if (subresource != "status") return nothing;
    if (group == "certificates.k8s.io") return spec_and_conditions;
    if (group == "apps" && resource == "deployments") return spec_and_labels;
    if (group.empty() && resource == "pods") return of_pods;
    return status_keeps_metadata(group, resource) ? spec_and_metadata : spec;
}

}  // namespace kubemu::api

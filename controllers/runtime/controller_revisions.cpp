// A revision's data is a strategic merge patch that replaces the whole template, which is also what a rollback applies.
#include "controllers/runtime/controller_revisions.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "api/codec/json.h"
#include "api/kinds/core/pod_spec.h"
#include "api/schema/defaults.h"
#include "api/schema/zero.h"
#include "controllers/runtime/owner_refs.h"
#include "controllers/runtime/pod_control.h"

namespace kubemu::controllers {

namespace {

constexpr std::size_t prefix_characters_max = 223;  // leaves room for dash and hash in a name of 253

api::Json data_of(const api::Json& object) {
    api::Json pod_template = api::object_at(object, {"spec", "template"});
    pod_template["$patch"] = "replace";
    // Templates have no time of creation, which older releases wrote as null.
    if (api::Json* metadata = api::find(pod_template, "metadata")) api::erase(*metadata, "creationTimestamp");
    return {{"spec", {{"template", std::move(pod_template)}}}};
}

// FNV-1 (not 1a) of the data as Go's encoding/json writes it, with sorted members and <, >, & and the separators of
// lines and paragraphs escaped, and of the number of collisions, none included.
std::string revision_hash(const api::Json& data, std::int64_t collisions) {
    std::uint32_t hash = 2166136261U;
    const auto add = [&hash](std::string_view text) {
        for (const char c : text) hash = (hash * 16777619U) ^ static_cast<unsigned char>(c);
    };
    const std::string text = data.dump();
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (text.compare(i, 2, "\xe2\x80") == 0 && (text.compare(i + 2, 1, "\xa8") == 0 || text.compare(i + 2, 1, "\xa9") == 0)) {
            add(text[i + 2] == '\xa8' ? "\\u2028" : "\\u2029");
            i += 2;
            continue;
        }
        switch (c) {
            case '<': add("\\u003c"); break;
            case '>': add("\\u003e"); break;
            case '&': add("\\u0026"); break;
            default: add({&c, 1});
        }
    }
    add(std::to_string(collisions));
    return safe_hash(hash);
}

const api::Json& data_of(const RevisionState& revision) { return api::object_at(*revision.document, {"data"}); }

// A template of a revision with the defaults of today; nothing for what is no template.
std::optional<api::Json> settled(api::Json pod_template) {
    const api::TypeInfo& type = *api::find_type("core/v1.PodTemplateSpec");
    api::erase(pod_template, "$patch");
    std::vector<std::string> ignored;
    if (!api::conform(pod_template, type, "PodTemplateSpec", ignored)) return std::nullopt;
    api::apply_defaults(pod_template, type);
    if (api::Json* spec = api::find(pod_template, "spec")) api::default_pod_spec(*spec);
    api::drop_zero_values(pod_template, type);
    return pod_template;
}

// Whether going back to the revision would change nothing: its template means the same
// (setMatchesLatestExistingRevision, gate StatefulSetSemanticRevisionComparison).
bool restores(const RevisionState& revision, const api::Json& data) {
    const auto stored = settled(revision.pod_template());
    return stored && stored == settled(api::object_at(data, {"spec", "template"}));
}

bool before(const RevisionState& a, const RevisionState& b) {
    return a.number != b.number ? a.number < b.number : a.name < b.name;
}

}  // namespace

api::Json RevisionState::pod_template() const {
    api::Json pod_template = api::object_at(*document, {"data", "spec", "template"});
    pod_template.erase("$patch");
    return pod_template;
}

RevisionState RevisionHistory::read(const storage::Record& record) const {
    RevisionState state;
    auto document = std::make_shared<const api::Json>(options_.client.document(record));
    const api::ObjectView& view = api::view_of(record);
    state.name = view.name;
    if (const std::string* hash = view.label(options_.hash_label)) state.hash = *hash;
    state.number = api::int_at(*document, {"revision"});
    state.document = std::move(document);
    return state;
}

api::ApiResult<std::vector<RevisionState>> RevisionHistory::list(const storage::Record& owner,
                                                                 const api::LabelSelector& selector) const {
    const api::ObjectView& view = api::view_of(owner);
    TRY_ASSIGN(const std::vector<storage::RecordPtr> records,
               claim({options_.client, options_.owner_kind, owner, selector}, options_.revisions,
                     options_.informer.list(view.namespace_name)));
    std::vector<RevisionState> history;
    for (const storage::RecordPtr& record : records) history.push_back(read(*record));
    std::sort(history.begin(), history.end(), before);
    if (options_.of_daemons) TRY(label(view, history));
    return history;
}

api::ApiResult<bool> RevisionHistory::label(const api::ObjectView& owner, std::vector<RevisionState>& history) const {
    for (RevisionState& revision : history) {
        if (api::find(*revision.document, {"metadata", "labels", options_.hash_label}) != nullptr) continue;
        const auto name_it = [&](api::Json& fresh) {
            fresh["metadata"]["labels"][std::string(options_.hash_label)] = revision.name;
            return true;
        };
        TRY_ASSIGN(const storage::RecordPtr labelled,
                   options_.client.modify(options_.revisions, owner.namespace_name, revision.name, {}, name_it));
        revision = read(*labelled);
    }
    return true;
}

std::vector<RevisionState> RevisionHistory::duplicates(const RevisionState& current, const std::vector<RevisionState>& history) const {
    std::vector<RevisionState> found;
    for (const RevisionState& revision : history) {
        if (revision.name != current.name && data_of(revision) == data_of(current)) found.push_back(revision);
    }
    return found;
}

api::ApiResult<RevisionState> RevisionHistory::current(const storage::Record& owner, const api::Json& object,
                                                       std::vector<RevisionState>& history, std::int64_t& collisions) const {
    const api::ObjectView& view = api::view_of(owner);
    const api::Json data = data_of(object);
    const std::int64_t next = history.empty() ? 1 : history.back().number + 1;
    for (auto known = history.rbegin(); known != history.rend(); ++known) {
        if (data_of(*known) != data) continue;
        if (known == history.rbegin()) return *known;
        TRY_ASSIGN(const storage::RecordPtr raised,
                   options_.client.modify(options_.revisions, view.namespace_name, known->name, {}, [next](api::Json& fresh) {
                       fresh["revision"] = next;
                       return true;
                   }));
        history.erase(std::next(known).base());
        history.push_back(read(*raised));
        return history.back();
    }
    if (!options_.of_daemons && !history.empty() && restores(history.back(), data)) return history.back();
    return create(owner, object, data, history, collisions);
}

api::ApiResult<RevisionState> RevisionHistory::create(const storage::Record& owner, const api::Json& object, const api::Json& data,
                                                      std::vector<RevisionState>& history, std::int64_t& collisions) const {
    const api::ObjectView& view = api::view_of(owner);
    const std::int64_t next = history.empty() ? 1 : history.back().number + 1;
    while (true) {
        const std::string hash =
            options_.of_daemons ? template_hash(api::object_at(object, {"spec", "template"}),
                                                   collisions > 0 ? std::optional(collisions) : std::nullopt)
                                   : revision_hash(data, collisions);
        const std::string name = view.name.substr(0, prefix_characters_max) + "-" + hash;
        api::Json labels = api::object_at(object, {"spec", "template", "metadata", "labels"});
        labels[std::string(options_.hash_label)] = hash;
        api::Json metadata = {{"name", name},
                              {"namespace", view.namespace_name},
                              {"labels", std::move(labels)},
                              {"ownerReferences", api::Json::array({controller_reference(options_.owner_kind, view)})}};
        if (const api::Json* annotations = api::find(object, {"metadata", "annotations"})) {
            metadata["annotations"] = *annotations;
        }
        const auto created = options_.client.create(options_.revisions, view.namespace_name,
                                                    {{"apiVersion", "apps/v1"}, {"kind", "ControllerRevision"},
                                                     {"metadata", std::move(metadata)}, {"data", data}, {"revision", next}});
        if (created) {
            history.push_back(read(**created));
            return history.back();
        }
        if (created.error()->reason != "AlreadyExists") return created.error();
        TRY_ASSIGN(const storage::RecordPtr taken, options_.client.get(options_.revisions, view.namespace_name, name));
        RevisionState state = read(*taken);
        const api::OwnerReference* theirs = api::view_of(*taken).controller();
        if (theirs != nullptr && theirs->uid == view.uid && data_of(state) == data) {
            history.push_back(state);
            return state;
        }
        ++collisions;
    }
}

api::ApiResult<bool> RevisionHistory::truncate(const storage::Record& owner, const std::vector<RevisionState>& history,
                                               const std::unordered_set<std::string>& in_use, std::int64_t limit) const {
    std::vector<const RevisionState*> unused;
    for (const RevisionState& revision : history) {
        if (!in_use.contains(revision.name) && !in_use.contains(revision.hash)) unused.push_back(&revision);
    }
    const std::int64_t surplus = static_cast<std::int64_t>(unused.size()) - limit;
    for (std::int64_t i = 0; i < surplus; ++i) {
        const auto removed = options_.client.remove(options_.revisions, api::view_of(owner).namespace_name,
                                                    unused[static_cast<std::size_t>(i)]->name);
        if (!removed && removed.error().code() != 404) return removed.error();
    }
    return true;
}

}  // namespace kubemu::controllers

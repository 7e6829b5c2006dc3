// A revision's data is a strategic merge patch that replaces the whole template, which is also what a rollback applies.
#include "controllers/runtime/controller_revisions.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "controllers/runtime/owner_refs.h"
#include "controllers/runtime/pod_control.h"

namespace kubemu::controllers {

namespace {

constexpr std::size_t prefix_characters_max = 223;  // leaves room for dash and hash in a name of 253

// Templates have no time of creation, which older releases wrote as null.
api::Json without_time(api::Json data) {
    api::Json* metadata = api::find(data, {"spec", "template", "metadata"});
    if (metadata == nullptr) return data;
    const auto time = metadata->find("creationTimestamp");
    if (time != metadata->end() && time->is_null()) metadata->erase(time);
    return data;
}

api::Json data_of(const api::Json& object) {
    api::Json pod_template = api::object_at(object, {"spec", "template"});
    pod_template["$patch"] = "replace";
    return without_time({{"spec", {{"template", std::move(pod_template)}}}});
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
    return history;
}

api::ApiResult<RevisionState> RevisionHistory::current(const storage::Record& owner, const api::Json& object,
                                                       std::vector<RevisionState>& history, std::int64_t& collisions) const {
    const api::ObjectView& view = api::view_of(owner);
    const api::Json data = data_of(object);
    const std::int64_t next = history.empty() ? 1 : history.back().number + 1;
    for (auto known = history.rbegin(); known != history.rend(); ++known) {
        if (without_time(api::object_at(*known->document, {"data"})) != data) continue;
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
    while (true) {
        const std::string hash =
            options_.hash_template ? template_hash(api::object_at(object, {"spec", "template"}),
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
        if (theirs != nullptr && theirs->uid == view.uid && without_time(api::object_at(*state.document, {"data"})) == data) {
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

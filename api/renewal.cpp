// Learning what a write does, and doing it.
#include "api/renewal.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/codec/json_index.h"
#include "api/request_scope.h"
#include "api/values/time.h"
#include "storage/base/text_search.h"

namespace kubemu::api {
namespace {

using Index = JsonIndex;

constexpr std::string_view revision_member = "\"resourceVersion\":\"";
constexpr std::size_t revision_digits_max = 19;

// The value of a member; 0, which is the whole text, when there is none.
std::uint32_t member_of(const Index& index, std::uint32_t object, std::string_view name) {
    if (index[object].type != Index::Type::object) return 0;
    for (std::uint32_t at = Index::first_inside(object); at < index[object].next; at = index[at + 1].next) {
        if (!index[at].escaped && index.text(at) == name) return at + 1;
    }
    return 0;
}

// A text without the digits of its revision, and where they stood.
struct Bare {
    std::string text;
    std::size_t revision_at = std::string::npos;
};

Bare bare_text(const storage::Record& record) {
    const Bytes kept = record.bytes.get();
    const std::string_view text(*kept);
    const std::size_t found = find_text(text, revision_member);
    if (found == text.npos) return {};
    const std::size_t begin = found + revision_member.size(), end = text.find('"', begin);
    Bare bare{{}, begin};
    bare.text.reserve(text.size() + revision_digits_max);
    bare.text.append(text.substr(0, begin)).append(text.substr(end));
    return bare;
}

}  // namespace

bool users_admit(const storage::Store& store) {
    constexpr std::array<std::string_view, 4> resources = {
        "mutatingwebhookconfigurations.admissionregistration.k8s.io", "validatingwebhookconfigurations.admissionregistration.k8s.io",
        "mutatingadmissionpolicies.admissionregistration.k8s.io", "validatingadmissionpolicies.admissionregistration.k8s.io"};
    for (const std::string_view resource : resources) {
        if (store.count(resource, {}) > 0) return true;
    }
    return false;
}

std::optional<Renewal::Places> Renewal::find(std::string_view bare, std::size_t revision_at, const std::vector<std::string>& path) {
    Index index;
    if (!index.read(bare)) return std::nullopt;
    std::uint32_t value = 0;
    for (const std::string& member : path) {
        value = member_of(index, value, member);
        if (value == 0) return std::nullopt;
    }
    const std::uint32_t entries = member_of(index, member_of(index, 0, "metadata"), "managedFields");
    if (entries == 0 || index[entries].type != Index::Type::array) return std::nullopt;
    // Entries of updates stand in the order of their times: the last one stays where it is when its time grows.
    std::uint32_t last = 0;
    for (std::uint32_t at = Index::first_inside(entries); at < index[entries].next; at = index[at].next) last = at;
    const std::uint32_t time = last == 0 ? 0 : member_of(index, last, "time");
    if (time == 0 || index[time].type != Index::Type::string || index[value].type != Index::Type::string) return std::nullopt;
    if (index[value].escaped || index[time].escaped) return std::nullopt;
    return Places{revision_at, index[value].begin, index[value].end - index[value].begin, index[time].begin,
                  index[time].end - index[time].begin};
}

std::optional<std::string> Renewal::replace(std::string bare, const Places& places, std::string_view value, std::string_view time) {
    if (places.value + places.value_size > bare.size() || places.time + places.time_size > bare.size()) return std::nullopt;
    if (value.size() != places.value_size || time.size() != places.time_size) return std::nullopt;
    // A clock of the machine may have been set back; and what is the same is nothing to write.
    const std::string_view before(bare);
    if (before.substr(places.time, places.time_size) > time || before.substr(places.value, places.value_size) == value) return std::nullopt;
    bare.replace(places.value, value.size(), value);
    bare.replace(places.time, time.size(), time);
    return bare;
}

std::optional<storage::RecordPtr> Renewal::write_quickly(const storage::RecordPtr& tip, const std::string& value) {
    if (!learned_ || tip == nullptr || tip->revision != revision_ || RequestScope::current() != nullptr) return std::nullopt;
    storage::Store& store = options_.registry.store();
    if (users_admit(store)) return std::nullopt;
    Bare bare = bare_text(*tip);
    if (bare.revision_at != places_->revision) return std::nullopt;
    auto text = replace(std::move(bare.text), *places_, value, format_time(options_.registry.clock().now()));
    if (!text) return std::nullopt;
    storage::Draft draft;
    draft.resource = tip->resource;
    draft.key = tip->key;
    draft.precondition = storage::Precondition::at(tip->revision);
    draft.text = std::move(*text);
    draft.revision_at = places_->revision;
    draft.view = tip->view;
    storage::Transaction transaction;
    transaction.drafts.push_back(std::move(draft));
    const auto records = store.submit(std::move(transaction), {});
    if (!records) return std::nullopt;  // somebody was faster, or nothing is written any more: the long way says which
    revision_ = records->front()->revision;
    ++replaced_;
    return records->front();
}

void Renewal::learn(const storage::Record& before, const storage::Record& after, const std::string& value) {
    const bool repeated = places_ && revision_ == before.revision && after.previous_revision == before.revision;
    Bare was = bare_text(before), is = bare_text(after);
    std::optional<Places> places = find(is.text, is.revision_at, options_.path);
    learned_ = false;
    if (repeated && places && was.revision_at == places_->revision) {
        const std::string_view time = std::string_view(is.text).substr(places->time, places->time_size);
        // Times that are the same say nothing of whose they are.
        const bool says = std::string_view(was.text).substr(places_->time, places_->time_size) != time;
        const auto expected = says ? replace(std::move(was.text), *places_, value, time) : std::nullopt;
        learned_ = expected && *expected == is.text;
    }
    revision_ = after.revision;
    places_ = places;
}

ApiResult<storage::RecordPtr> Renewal::write(const std::string& value) {
    const storage::RecordPtr tip = options_.registry.get(options_.kind.resource, options_.namespace_name, options_.name);
    if (auto written = write_quickly(tip, value)) return std::move(*written);
    const auto change = [&](Json& object) {
        Json* at = &object;
        for (const std::string& member : options_.path) at = &(*at)[member];
        *at = value;
        return true;
    };
    TRY_ASSIGN(storage::RecordPtr written,
               options_.client.modify(options_.kind, options_.namespace_name, options_.name, {}, change));
    if (tip != nullptr && written->revision != tip->revision) learn(*tip, *written, value);
    return written;
}

}  // namespace kubemu::api

// How two objects differ, as sets of paths (structured-merge-diff's TypedValue.Compare).
#include <forward_list>
#include <map>
#include <nlohmann/json.hpp>

#include "api/apply/shape.h"
#include "api/apply/typed.h"
#include "api/schema/members.h"

namespace kubemu::api {
namespace {

using apply::Place;

// Tries under construction; null is the empty one.
struct Trees {
    Json added, modified, removed;
    bool keyed = true;  // no item was found without its key
};

// How zero values are seen.
enum class View {
    plain,   // as they stand there
    typed,   // as Go's structs hold them
    merged,  // the same, but what comes after holds an applied configuration, in which zero values are said
};

class Comparer {
  public:
    explicit Comparer(View view) : typed_(view != View::plain), says_zero_(view == View::merged) {}

    // At least one of both is there.
    void compare(const Place& place, const Json* before, const Json* after, Trees& into) const {
        switch (place.kind) {
            case Place::Kind::record:
                if (both_empty(place, before, after)) return leaf(before, after, into);
                compare_record(place, before, after, into);
                break;
            case Place::Kind::map:
                if (both_empty(place, before, after)) return leaf(before, after, into);
                compare_members(place, before, after, into);
                break;
            case Place::Kind::deduced:
                if (!apply::may_be_map(before) || !apply::may_be_map(after) ||
                    both_empty(place, before, after))
                    return leaf(before, after, into);
                compare_members(place, before, after, into);
                break;
            case Place::Kind::keyed_list:
            case Place::Kind::set:
                if (both_empty(place, before, after)) return leaf(before, after, into);
                compare_items(place, before, after, into);
                break;
            case Place::Kind::leaf:
                return leaf(before, after, into);
        }
        // A container that came or went is in the set beside its contents.
        if (before == nullptr)
            FieldSet::add_member(into.added);
        else if (after == nullptr)
            FieldSet::add_member(into.removed);
    }

  private:
    static const Json& nothing() {
        static const Json none = Json::object();
        return none;
    }

    bool both_empty(const Place& place, const Json* before, const Json* after) const {
        return apply::is_empty(place, before, typed_) && apply::is_empty(place, after, typed_);
    }

    static void leaf(const Json* before, const Json* after, Trees& into) {
        if (before == nullptr)
            into.added = Json::object();
        else if (after == nullptr)
            into.removed = Json::object();
        else if (*before != *after)
            into.modified = Json::object();
    }

    void descend(const Place& place, std::string_view step, const Json* before, const Json* after,
                 Trees& into) const {
        if (before == nullptr && after == nullptr) return;
        if (before == after) return;  // the same stand-in for a zero value
        // What is the same text is the same object. Most of two versions of one is.
        if (before != nullptr && after != nullptr && *before == *after) return;
        Trees below;
        compare(place, before, after, below);
        into.keyed = into.keyed && below.keyed;
        FieldSet::adopt(into.added, step, std::move(below.added));
        FieldSet::adopt(into.modified, step, std::move(below.modified));
        FieldSet::adopt(into.removed, step, std::move(below.removed));
    }

    void compare_record(const Place& place, const Json* before, const Json* after, Trees& into) const {
        const bool had = before != nullptr && before->is_object(),
                   has = after != nullptr && after->is_object();
        if (place.schema != nullptr) return compare_members(place, before, after, into);
        std::string step;
        const Members befores(had ? *before : nothing(), *place.type), afters(has ? *after : nothing(), *place.type);
        for (std::size_t i = 0; i < place.type->fields.size(); ++i) {
            const FieldInfo& field = place.type->fields[i];
            const Json* from = befores[i];
            const Json* to = afters[i];
            // An applied null, which Members leaves out, is a value too.
            if (says_zero_ && has && to == nullptr) {
                if (const auto at = after->find(field.name); at != after->end()) to = &*at;
            }
            if (had && has && from == nullptr && to == nullptr) continue;
            if (typed_) {
                from = had ? apply::held(field, from) : nullptr;
                const Json* said = says_zero_ ? to : nullptr;
                to = has ? apply::held(field, to) : nullptr;
                if (to == nullptr) to = said;
            }
            if (from == nullptr && to == nullptr) continue;
            step.assign("f:").append(field.name);
            descend(apply::place_of(field), step, from, to, into);
        }
    }

    void compare_members(const Place& place, const Json* before, const Json* after, Trees& into) const {
        const Json& from = before != nullptr && before->is_object() ? *before : nothing();
        const Json& to = after != nullptr && after->is_object() ? *after : nothing();
        for (const auto& [name, value] : from.items()) {
            const auto at = to.find(name);
            descend(apply::member_of(place, name), "f:" + name, &value, at == to.end() ? nullptr : &*at, into);
        }
        for (const auto& [name, value] : to.items()) {
            if (!from.contains(name)) descend(apply::member_of(place, name), "f:" + name, nullptr, &value, into);
        }
    }

    // By step; items that stand there twice count as one value, so that any change of them is seen.
    class Items {
      public:
        Items(const Place& place, const Json* list) {
            if (list == nullptr || !list->is_array()) return;
            for (const Json& item : *list) {
                std::string step = apply::item_step(place, item);
                if (step.empty()) {
                    keyed = false;
                    continue;
                }
                const auto [at, fresh] = items_.emplace(std::move(step), &item);
                if (!fresh) at->second = &joined_.emplace_front(Json::array({*at->second, item}));
            }
        }
        const std::map<std::string, const Json*>& all() const { return items_; }
        const Json* find(const std::string& step) const {
            const auto at = items_.find(step);
            return at == items_.end() ? nullptr : at->second;
        }
        bool keyed = true;

      private:
        std::map<std::string, const Json*> items_;
        std::forward_list<Json> joined_;
    };

    void compare_items(const Place& place, const Json* before, const Json* after, Trees& into) const {
        const Items from(place, before), to(place, after);
        into.keyed = into.keyed && from.keyed && to.keyed;
        const Place element = apply::element_of(place);
        const Place twice;
        const auto kind_of = [&](const Json& item) { return item.is_array() ? twice : element; };
        for (const auto& [step, item] : from.all()) {
            const Json* other = to.find(step);
            descend(other != nullptr && other->is_array() ? twice : kind_of(*item), step, item, other, into);
        }
        for (const auto& [step, item] : to.all()) {
            if (from.find(step) == nullptr) descend(kind_of(*item), step, nullptr, item, into);
        }
    }

    const bool typed_, says_zero_;
};

Comparison compared(const Json& before, const Json& after, const TypeInfo& type, View view) {
    Trees trees;
    Comparer(view).compare(apply::place_of(type), &before, &after, trees);
    return {FieldSet(std::move(trees.added)), FieldSet(std::move(trees.modified)),
            FieldSet(std::move(trees.removed)), trees.keyed};
}

}  // namespace

Comparison compare_objects(const Json& before, const Json& after, const TypeInfo& type) {
    return compared(before, after, type, View::typed);
}

Comparison compare_merged(const Json& live, const Json& merged, const TypeInfo& type) {
    return compared(live, merged, type, View::merged);
}

Comparison compare_plain(const Json& before, const Json& after, const TypeInfo& type) {
    return compared(before, after, type, View::plain);
}

}  // namespace kubemu::api

// Set operations on tries of FieldsV1.
#include "api/apply/field_set.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace kubemu::api {
namespace {

// Null stands for "nothing": an empty object would be a member.
bool nothing(const Json& node) {
    return node.is_null();
}

Json node_of(bool member, Json children) {
    if (children.is_null() || children.empty()) return member ? Json::object() : Json();
    if (member) children["."] = Json::object();
    return children;
}

void unite_nodes(Json& a, Json b) {
    const bool member = FieldSet::is_member(a) || FieldSet::is_member(b);
    auto& into = a.get_ref<Json::object_t&>();
    for (auto& [step, child] : b.get_ref<Json::object_t&>()) {
        if (step == ".") continue;
        const auto [at, fresh] = into.try_emplace(step);
        if (fresh)
            at->second = std::move(child);
        else
            unite_nodes(at->second, std::move(child));
    }
    if (member && !into.empty()) into.try_emplace(".", Json::object());
}

Json intersect_nodes(const Json& a, const Json& b) {
    Json children;
    const auto& small = a.size() <= b.size() ? a : b;
    const auto& large = a.size() <= b.size() ? b : a;
    for (const auto& [step, child] : small.items()) {
        if (step == ".") continue;
        const auto at = large.find(step);
        if (at == large.end()) continue;
        FieldSet::adopt(children, step, intersect_nodes(child, *at));
    }
    return node_of(FieldSet::is_member(a) && FieldSet::is_member(b), std::move(children));
}

// True when nothing is left: an empty node would be a member.
bool subtract_nodes(Json& a, const Json& b, bool below) {
    const bool taken = FieldSet::is_member(b);
    if (below && taken) return true;
    const bool member = FieldSet::is_member(a) && !taken;
    auto& from = a.get_ref<Json::object_t&>();
    from.erase(".");
    for (const auto& [step, child] : b.get_ref<const Json::object_t&>()) {
        const auto at = step == "." ? from.end() : from.find(step);
        if (at != from.end() && subtract_nodes(at->second, child, below)) from.erase(at);
    }
    if (from.empty()) return !member;
    if (member) from.emplace(".", Json::object());
    return false;
}

bool covers_node(const Json& a, const Json& b) {
    if (FieldSet::is_member(b) && !FieldSet::is_member(a)) return false;
    for (const auto& [step, child] : b.items()) {
        if (step == ".") continue;
        const auto at = a.find(step);
        if (at == a.end() || !covers_node(*at, child)) return false;
    }
    return true;
}

bool nodes_meet(const Json& a, const Json& b) {
    if (FieldSet::is_member(a) && FieldSet::is_member(b)) return true;
    for (const auto& [step, child] : b.get_ref<const Json::object_t&>()) {
        const auto at = step == "." ? a.end() : a.find(step);
        if (at != a.end() && nodes_meet(*at, child)) return true;
    }
    return false;
}

// The root is never a member, whereas node operations take an empty object for one.
Json rooted(Json children) {
    if (!children.is_object()) return Json::object();
    children.erase(".");
    return children;
}

int class_of(std::string_view step) {
    constexpr std::string_view order = "fkvi";
    return step.empty() ? -1 : static_cast<int>(order.find(step.front()));
}

// Names before keys before values before places; numbers by value, so that port 80 comes before 443.
bool step_before(const std::string& a, const std::string& b) {
    if (class_of(a) != class_of(b)) return class_of(a) < class_of(b);
    if (class_of(a) == 0) return a < b;
    const Json left = Json::parse(std::string_view(a).substr(2), nullptr, false);
    const Json right = Json::parse(std::string_view(b).substr(2), nullptr, false);
    if (left.is_discarded() || right.is_discarded()) return a < b;
    return left < right;
}

// The members of a node come before what lies below any of its children, as Set.Iterate has them.
void visit_paths(const Json& node, const std::string& path,
                 const std::function<void(const std::string&)>& visit) {
    std::vector<std::string> steps;
    for (const auto& [step, child] : node.items()) {
        if (step != ".") steps.push_back(step);
    }
    std::sort(steps.begin(), steps.end(), step_before);
    for (const std::string& step : steps) {
        if (FieldSet::is_member(node[step])) visit(path + readable_step(step));
    }
    for (const std::string& step : steps) visit_paths(node[step], path + readable_step(step), visit);
}

}  // namespace

FieldSet::FieldSet() : tree_(std::make_unique<Json>(Json::object())) {}
FieldSet::FieldSet(Json tree) : tree_(std::make_unique<Json>(rooted(std::move(tree)))) {}
FieldSet::FieldSet(const FieldSet& other) : tree_(std::make_unique<Json>(*other.tree_)) {}
FieldSet::FieldSet(FieldSet&& other) noexcept = default;
FieldSet& FieldSet::operator=(const FieldSet& other) {
    // What was moved from may be assigned to.
    if (this != &other) tree_ = std::make_unique<Json>(*other.tree_);
    return *this;
}
FieldSet& FieldSet::operator=(FieldSet&&) noexcept = default;
FieldSet::~FieldSet() = default;

FieldSet FieldSet::of_path(const std::vector<std::string>& steps) {
    Json tree = Json::object();
    Json* node = &tree;
    for (const std::string& step : steps) node = &(*node)[step];
    if (node != &tree) *node = Json::object();
    return FieldSet(std::move(tree));
}

bool FieldSet::empty() const {
    return tree_->empty();
}

bool FieldSet::has(const std::vector<std::string>& steps) const {
    const Json* node = tree_.get();
    for (const std::string& step : steps) {
        const auto at = node->find(step);
        if (at == node->end()) return false;
        node = &*at;
    }
    return node != tree_.get() && is_member(*node);
}

void FieldSet::add(FieldSet other) {
    if (other.empty()) return;
    if (empty())
        *this = std::move(other);
    else
        unite_nodes(*tree_, std::move(*other.tree_));
}

void FieldSet::remove(const FieldSet& other) {
    if (!empty() && !other.empty()) subtract_nodes(*tree_, *other.tree_, false);
}

void FieldSet::remove_below(const FieldSet& other) {
    if (!empty() && !other.empty()) subtract_nodes(*tree_, *other.tree_, true);
}

bool FieldSet::covers(const FieldSet& other) const {
    return other.empty() || (!empty() && covers_node(*tree_, *other.tree_));
}

bool FieldSet::tree_covers(const Json& tree, const Json& other) {
    return other.empty() || (!tree.empty() && covers_node(tree, other));
}

bool FieldSet::trees_meet(const Json& a, const Json& b) {
    return !a.empty() && !b.empty() && nodes_meet(a, b);
}

Json FieldSet::release() && {
    return std::exchange(*tree_, Json::object());
}

FieldSet FieldSet::unite(const FieldSet& other) const {
    FieldSet result = *this;
    result.add(other);
    return result;
}

FieldSet FieldSet::intersect(const FieldSet& other) const {
    return FieldSet(intersect_nodes(*tree_, *other.tree_));
}

FieldSet FieldSet::subtract(const FieldSet& other) const {
    FieldSet result = *this;
    result.remove(other);
    return result;
}

void FieldSet::for_each(const std::function<void(const std::string&)>& visit) const {
    visit_paths(*tree_, {}, visit);
}

bool FieldSet::is_member(const Json& node) {
    return node.empty() || node.contains(".");
}

void FieldSet::add_member(Json& node) {
    if (nothing(node))
        node = Json::object();
    else if (!node.empty())
        node["."] = Json::object();
}

void FieldSet::adopt(Json& parent, std::string_view step, Json&& child) {
    if (!nothing(child)) parent[std::string(step)] = std::move(child);
}

std::string readable_step(std::string_view step) {
    const std::string_view rest = step.size() > 2 ? step.substr(2) : std::string_view();
    switch (step.empty() ? 'f' : step.front()) {
        case 'k': {
            const Json keys = Json::parse(rest, nullptr, false);
            std::string text = "[";
            if (keys.is_object()) {
                for (const auto& [name, value] : keys.items()) {
                    if (text.size() > 1) text += ',';
                    text += name + "=" + value.dump();
                }
            }
            return text + "]";
        }
        case 'v':
            return "[=" + std::string(rest) + "]";
        case 'i':
            return "[" + std::string(rest) + "]";
        default:
            return "." + std::string(rest);
    }
}

}  // namespace kubemu::api

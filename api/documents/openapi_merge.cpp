// Definitions are compared by what they mean: descriptions and the kinds that a type is used for are left aside, for
// each server words these in its own way.
#include "api/documents/openapi_merge.h"

#include <map>
#include <nlohmann/json.hpp>

#include "api/codec/json.h"

namespace kubemu::api {
namespace {

constexpr std::string_view definition_prefix = "#/definitions/", parameter_prefix = "#/parameters/";

// Calls `visit` with the text of each "$ref" below a value.
template <class Value, class Visit>
void each_reference(Value& value, const Visit& visit) {
    if (value.is_array()) {
        for (auto& item : value) each_reference(item, visit);
    }
    if (!value.is_object()) return;
    for (auto entry = value.begin(); entry != value.end(); ++entry) {
        if (entry.key() == "$ref" && entry.value().is_string()) visit(entry.value());
        else each_reference(entry.value(), visit);
    }
}

// Deeper than members of "properties" a description is text, not a property of that name.
Json meaning_of(const Json& value, bool names_are_ours = true) {
    if (value.is_array()) {
        Json out = Json::array();
        for (const Json& item : value) out.push_back(meaning_of(item));
        return out;
    }
    if (!value.is_object()) return value;
    Json out = Json::object();
    for (const auto& [name, member] : value.items()) {
        if (names_are_ours && (name == "description" || name == "x-kubernetes-group-version-kind")) continue;
        out[name] = meaning_of(member, !(names_are_ours && name == "properties"));
    }
    return out;
}

// Adds what the paths of one group name, under names that are free or mean the same.
class Merge {
  public:
    Merge(Json& document, const Json& other) : document_(document), other_(other) {}

    void add_paths(const std::string& prefix) {
        Json& paths = document_["paths"];
        for (const auto& [path, item] : object_at(other_, {"paths"}).items()) {
            if (path.compare(0, prefix.size(), prefix) != 0 || paths.contains(path)) continue;
            Json added = item;
            adopt(added);
            paths[path] = std::move(added);
        }
    }

  private:
    void adopt(Json& value) {
        each_reference(value, [this](Json& reference) {
            const std::string text = reference.get<std::string>();
            for (const auto& [prefix, section] : {std::pair(definition_prefix, "definitions"), std::pair(parameter_prefix, "parameters")}) {
                if (text.compare(0, prefix.size(), prefix) == 0) reference = std::string(prefix) + bring(section, text.substr(prefix.size()));
            }
        });
    }

    // The name under which a definition or parameter of the other document is in ours.
    std::string bring(const char* section, const std::string& name) {
        const auto [known, is_new] = brought_.try_emplace(std::string(section) + "/" + name, name);
        if (!is_new) return known->second;
        const Json& theirs = object_at(other_, {section, name});
        Json& ours = document_[section];
        std::string free = name;
        const Json meaning = meaning_of(theirs);
        for (int i = 2; ours.contains(free); ++i) {
            if (meaning_of(ours[free]) == meaning) return known->second = free;
            free = name + "_v" + std::to_string(i);
        }
        known->second = free;
        ours[free] = theirs;
        Json copy = theirs;
        adopt(copy);  // may add others to the same section
        document_[section][free] = std::move(copy);
        return free;
    }

    Json& document_;
    const Json& other_;
    std::map<std::string, std::string> brought_;
};

}  // namespace

std::string merge_openapi_v2(const std::string& document, const std::vector<ForeignOpenApi>& others) {
    Json merged;
    for (const ForeignOpenApi& other : others) {
        if (other.swagger == nullptr || !other.swagger->is_object()) continue;
        if (merged.is_null()) {
            auto parsed = parse_json(document);
            if (!parsed) return document;
            merged = std::move(*parsed);
        }
        Merge merge(merged, *other.swagger);
        merge.add_paths("/apis/" + other.group + "/" + other.version + "/");
        const std::string group = "/apis/" + other.group + "/";
        if (!merged["paths"].contains(group)) merge.add_paths(group);
    }
    return merged.is_null() ? document : merged.dump();
}

}  // namespace kubemu::api

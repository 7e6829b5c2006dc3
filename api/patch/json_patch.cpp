// JSON patch with the tolerances of the library that kube-apiserver uses (evanphx/json-patch).
#include <nlohmann/json.hpp>
#include <optional>

#include "api/patch/patch.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

Status refused() { return Status::server_response(422); }

struct Place {
    Json* parent;
    std::string token;
};

// strconv.Atoi of a token as an index; negative ones count from the end. Nothing when it is none.
std::optional<std::size_t> array_index(const std::string& token, std::size_t size) {
    const bool sign = !token.empty() && (token[0] == '+' || token[0] == '-');
    if (token.size() <= (sign ? 1 : 0) || token.size() > 9) return std::nullopt;
    long value = 0;
    for (std::size_t i = sign ? 1 : 0; i < token.size(); ++i) {
        if (token[i] < '0' || token[i] > '9') return std::nullopt;
        value = value * 10 + (token[i] - '0');
    }
    if (token[0] == '-' && value > 0) value = static_cast<long>(size) - value;
    if (value < 0) return std::nullopt;
    return static_cast<std::size_t>(value);
}

Json* step(Json& at, const std::string& token) {
    if (at.is_object()) {
        const auto found = at.find(token);
        return found == at.end() ? nullptr : &*found;
    }
    if (at.is_array()) {
        const auto index = array_index(token, at.size());
        return index && *index < at.size() ? &at[*index] : nullptr;
    }
    return nullptr;
}

std::optional<Place> locate(Json& document, const std::string& pointer) {
    // What stands before the first slash is not looked at.
    const std::size_t slash = pointer.find('/');
    if (slash == std::string::npos) return std::nullopt;
    Json* at = &document;
    const auto tokens = split(std::string_view(pointer).substr(slash + 1), '/');
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
        at = step(*at, unescape_pointer(tokens[i]));
        if (at == nullptr) return std::nullopt;
    }
    if (!at->is_structured()) return std::nullopt;
    return Place{at, unescape_pointer(tokens.back())};
}

bool add(Json& document, const std::string& pointer, Json value) {
    const auto place = locate(document, pointer);
    if (!place) return false;
    if (place->parent->is_object()) {
        (*place->parent)[place->token] = std::move(value);
        return true;
    }
    Json& array = *place->parent;
    if (place->token == "-") {
        array.push_back(std::move(value));
        return true;
    }
    const auto index = array_index(place->token, array.size() + 1);
    if (!index || *index > array.size()) return false;
    array.insert(array.begin() + static_cast<std::ptrdiff_t>(*index), std::move(value));
    return true;
}

bool remove(Json& document, const std::string& pointer) {
    const auto place = locate(document, pointer);
    if (!place || step(*place->parent, place->token) == nullptr) return false;
    if (place->parent->is_object()) {
        place->parent->erase(place->token);
    } else {
        place->parent->erase(*array_index(place->token, place->parent->size()));
    }
    return true;
}

std::optional<Json> read(Json& document, const std::string& pointer, bool missing_is_null) {
    const auto place = locate(document, pointer);
    if (!place) return std::nullopt;
    if (const Json* value = step(*place->parent, place->token)) return *value;
    if (missing_is_null && place->parent->is_object()) return Json(nullptr);
    return std::nullopt;
}

// 0 and 0.0 differ, as they do in the text.
bool same(const Json& a, const Json& b) { return a == b && (!a.is_number() || a.is_number_float() == b.is_number_float()); }

bool replace(Json& document, const std::string& path, Json value) {
    if (path.empty()) {
        if (!value.is_structured()) return false;
        document = std::move(value);
        return true;
    }
    const auto place = locate(document, path);
    if (!place) return false;
    if (place->parent->is_object()) {
        (*place->parent)[place->token] = std::move(value);
        return true;
    }
    Json* slot = step(*place->parent, place->token);
    if (slot == nullptr) return false;
    *slot = std::move(value);
    return true;
}

bool run(Json& document, const Json& operation) {
    const std::string op(string_at(operation, {"op"}));
    if (!operation.contains("path") || !operation["path"].is_string()) return false;
    const auto path = operation["path"].get<std::string>();
    const std::string from(string_at(operation, {"from"}));
    const auto given = [&] { return operation.value("value", Json(nullptr)); };
    if (op == "add") return add(document, path, given());
    if (op == "remove") return remove(document, path);
    if (op == "replace") return replace(document, path, given());
    if (op == "move") {
        auto value = read(document, from, false);
        return value && remove(document, from) && add(document, path, std::move(*value));
    }
    if (op == "copy") {
        auto value = read(document, from, true);
        return value && add(document, path, std::move(*value));
    }
    if (op == "test") {
        const auto value = path.empty() ? std::optional<Json>(document) : read(document, path, true);
        return value && same(*value, given());
    }
    return false;
}

// Without the nulls in it, also below lists.
void prune(Json& value) {
    if (value.is_object()) {
        for (auto at = value.begin(); at != value.end();) {
            if (at->is_null()) {
                at = value.erase(at);
                continue;
            }
            prune(*at);
            ++at;
        }
    } else if (value.is_array()) {
        for (Json& item : value) prune(item);
    }
}

std::string_view word_of(const Json& value) {
    if (value.is_object()) return "object";
    if (value.is_array()) return "array";
    if (value.is_string()) return "string";
    return value.is_boolean() ? "bool" : "number";
}

}  // namespace

std::string unescape_pointer(std::string_view token) {
    std::string out;
    for (std::size_t i = 0; i < token.size(); ++i) {
        if (token[i] == '~' && i + 1 < token.size() && (token[i + 1] == '0' || token[i + 1] == '1')) {
            out += token[++i] == '0' ? '~' : '/';
        } else {
            out += token[i];
        }
    }
    return out;
}

std::string check_json_patch(const Json& patch, std::vector<std::string>& complaints) {
    if (patch.is_null()) return {};
    const std::string refused = "json: cannot unmarshal ";
    if (!patch.is_array()) return refused + std::string(word_of(patch)) + " into Go value of type []handlers.jsonPatchOp";
    for (std::size_t i = 0; i < patch.size(); ++i) {
        const Json& operation = patch[i];
        if (operation.is_null()) continue;
        if (!operation.is_object()) return refused + std::string(word_of(operation)) + " into Go value of type handlers.jsonPatchOp";
        for (const auto& [name, value] : operation.items()) {
            const bool text = name == "op" || name == "path" || name == "from";
            if (text && !value.is_string() && !value.is_null()) {
                return refused + std::string(word_of(value)) + " into Go struct field jsonPatchOp." + name + " of type string";
            }
            if (!text && name != "value") {
                complaints.push_back("unknown field " + go_quote("[" + std::to_string(i) + "]." + name));
            }
        }
    }
    return {};
}

ApiResult<bool> apply_json_patch(Json& document, const Json& patch) {
    if (!patch.is_array() && !patch.is_null()) {
        return Status::bad_request("json: cannot unmarshal " + std::string(word_of(patch)) + " into Go value of type jsonpatch.Patch");
    }
    if (patch.size() > 10000) {
        return Status::request_entity_too_large("The allowed maximum operations in a JSON patch is 10000, got " +
                                                std::to_string(patch.size()));
    }
    Json work = document;
    for (const Json& operation : patch) {
        if (!operation.is_object() || !run(work, operation)) return refused();
    }
    document = std::move(work);
    return true;
}

void apply_merge_patch(Json& document, const Json& patch) {
    if (!patch.is_object() || !document.is_object()) {
        document = patch;
        prune(document);
        return;
    }
    for (const auto& [name, value] : patch.items()) {
        if (value.is_null()) document.erase(name);
        else apply_merge_patch(document[name], value);
    }
}

}  // namespace kubemu::api

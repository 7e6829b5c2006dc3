// JSON patch with the tolerances of the library that kube-apiserver uses (evanphx/json-patch).
#include <nlohmann/json.hpp>
#include <optional>

#include "api/patch/patch.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

Status refused() {
    StatusDetail detail;
    detail.code = 422;
    detail.reason = "Invalid";
    detail.message = "the server rejected our request due to an error in our request";
    return Status(std::move(detail));
}

std::string unescape(std::string_view token) {
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

struct Place {
    Json* parent;
    std::string token;
};

// An index into an array; negative ones count from the end. Nothing when it is none.
std::optional<std::size_t> array_index(const Json& array, const std::string& token, std::size_t size) {
    (void)array;
    if (token.empty() || token.size() > 9) return std::nullopt;
    const bool negative = token[0] == '-' && token.size() > 1;
    long value = 0;
    for (std::size_t i = negative ? 1 : 0; i < token.size(); ++i) {
        if (token[i] < '0' || token[i] > '9') return std::nullopt;
        value = value * 10 + (token[i] - '0');
    }
    if (negative) value = static_cast<long>(size) - value;
    if (value < 0) return std::nullopt;
    return static_cast<std::size_t>(value);
}

Json* step(Json& at, const std::string& token) {
    if (at.is_object()) {
        const auto found = at.find(token);
        return found == at.end() ? nullptr : &*found;
    }
    if (at.is_array()) {
        const auto index = array_index(at, token, at.size());
        return index && *index < at.size() ? &at[*index] : nullptr;
    }
    return nullptr;
}

std::optional<Place> locate(Json& document, const std::string& pointer) {
    if (pointer.empty() || pointer[0] != '/') return std::nullopt;
    Json* at = &document;
    const auto tokens = split(std::string_view(pointer).substr(1), '/');
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
        at = step(*at, unescape(tokens[i]));
        if (at == nullptr) return std::nullopt;
    }
    if (!at->is_structured()) return std::nullopt;
    return Place{at, unescape(tokens.back())};
}

bool add(Json& document, const std::string& pointer, Json value) {
    if (pointer.empty()) {
        document = std::move(value);
        return true;
    }
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
    const auto index = array_index(array, place->token, array.size() + 1);
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
        place->parent->erase(*array_index(*place->parent, place->token, place->parent->size()));
    }
    return true;
}

std::optional<Json> read(Json& document, const std::string& pointer, bool missing_is_null) {
    if (pointer.empty()) return document;
    const auto place = locate(document, pointer);
    if (!place) return std::nullopt;
    if (const Json* value = step(*place->parent, place->token)) return *value;
    if (missing_is_null && place->parent->is_object()) return Json(nullptr);
    return std::nullopt;
}

// 0 and 0.0 differ, as they do in the text.
bool same(const Json& a, const Json& b) { return a == b && (!a.is_number() || a.is_number_float() == b.is_number_float()); }

bool run(Json& document, const Json& operation) {
    const std::string op(string_at(operation, {"op"}));
    if (!operation.contains("path") || !operation["path"].is_string()) return false;
    const auto path = operation["path"].get<std::string>();
    const std::string from(string_at(operation, {"from"}));
    if (op == "add") return add(document, path, operation.value("value", Json(nullptr)));
    if (op == "remove") return remove(document, path);
    if (op == "replace") {
        if (path.empty()) return add(document, path, operation.value("value", Json(nullptr)));
        const auto place = locate(document, path);
        if (!place) return false;
        if (place->parent->is_object()) {
            (*place->parent)[place->token] = operation.value("value", Json(nullptr));
            return true;
        }
        Json* slot = step(*place->parent, place->token);
        if (slot == nullptr) return false;
        *slot = operation.value("value", Json(nullptr));
        return true;
    }
    if (op == "move") {
        auto value = read(document, from, false);
        return value && remove(document, from) && add(document, path, std::move(*value));
    }
    if (op == "copy") {
        auto value = read(document, from, true);
        return value && add(document, path, std::move(*value));
    }
    if (op == "test") {
        const auto value = read(document, path, true);
        return value && same(*value, operation.value("value", Json(nullptr)));
    }
    return false;
}

}  // namespace

ApiResult<bool> apply_json_patch(Json& document, const Json& patch) {
    if (!patch.is_array()) {
        return Status::bad_request("json: cannot unmarshal " + std::string(patch.is_object() ? "object" : "value") +
                                   " into Go value of type jsonpatch.Patch");
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
    if (!patch.is_object()) {
        document = patch;
        return;
    }
    if (!document.is_object()) document = Json::object();
    for (const auto& [name, value] : patch.items()) {
        if (value.is_null()) {
            document.erase(name);
        } else {
            apply_merge_patch(document[name], value);
        }
    }
}

}  // namespace kubemu::api

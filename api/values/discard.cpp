// Children first: what is left of them is nothing to move.
#include "api/values/discard.h"

#include <nlohmann/json.hpp>

namespace kubemu::api {

void discard(Json& document) noexcept {
    if (auto* members = document.get_ptr<Json::object_t*>()) {
        for (auto& [name, value] : *members) {
            if (value.is_structured()) discard(value);
        }
        members->clear();
    } else if (auto* items = document.get_ptr<Json::array_t*>()) {
        for (Json& item : *items) {
            if (item.is_structured()) discard(item);
        }
        items->clear();
    }
}

}  // namespace kubemu::api

// SubjectAccessReviews of authorization.k8s.io/v1beta1: what is `groups` in v1 was `group`.
#include <nlohmann/json.hpp>

#include "api/kinds/define.h"

namespace kubemu::api::kinds {
namespace {

void rename(Json& object, const char* from, const char* to) {
    Json* spec = find(object, "spec");
    if (spec == nullptr || find(*spec, from) == nullptr) return;
    (*spec)[to] = std::move((*spec)[from]);
    erase(*spec, from);
}

void to_storage(Json& object) {
    rename(object, "group", "groups");
}
void from_storage(Json& object) {
    rename(object, "groups", "group");
}

}  // namespace

KUBEMU_RULES(access_review_v1beta1_rules){.to_storage = to_storage, .from_storage = from_storage};

}  // namespace kubemu::api::kinds

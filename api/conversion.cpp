// Built-in kinds convert by their rules; versions of custom resources differ by name and schema alone.
#include "api/conversion.h"

#include <nlohmann/json.hpp>

#include "api/crd/custom_resource.h"
#include "api/draft.h"
#include "api/kinds/rules.h"
#include "api/schema/prune.h"

namespace kubemu::api {

void read_custom(const CustomVersion& version, Json& object) {
    structural::prune(object, version.schema, true);
    structural::prune_nulls(object, version.schema);
    structural::set_defaults(object, version.schema);
}

Json to_storage_version(const KindSpec& kind, Json object) {
    if (!kind.storage_version) {
        if (const KindRules* rules = rules_of(kind); rules->to_storage != nullptr) rules->to_storage(object);
    }
    return object;
}

Json from_storage_version(const KindSpec& kind, Json object) {
    if (kind.storage_version) return object;
    if (kind.custom != nullptr) read_custom(*kind.custom, object);
    if (const KindRules* rules = rules_of(kind); rules->from_storage != nullptr) rules->from_storage(object);
    object["apiVersion"] = api_version_of(kind);
    object["kind"] = std::string(kind.kind);
    return object;
}

Json convert_version(const KindSpec& from, const KindSpec& to, Json object) {
    if (&from == &to) return object;
    Json made = from_storage_version(to, to_storage_version(from, std::move(object)));
    made["apiVersion"] = api_version_of(to);
    made["kind"] = std::string(to.kind);
    return made;
}

}  // namespace kubemu::api

// Rules of CSINodes: the drivers of a node, each of which stays as it is.
#include <nlohmann/json.hpp>
#include <set>

#include "api/kinds/core/persistent_volume.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/rules.h"
#include "api/kinds/validation.h"

namespace kubemu::api::kinds {
namespace {

constexpr std::size_t node_id_bytes_max = 256;

void validate_driver(const Json& driver, std::set<std::string>& names, const FieldPath& path, FieldErrors& errors) {
    const std::string name(string_at(driver, {"name"})), node_id(string_at(driver, {"nodeID"}));
    validate_csi_driver_name(name, path.child("name"), errors);
    validate_required(node_id, path.child("nodeID"), errors);
    if (node_id.size() > node_id_bytes_max) {
        errors.invalid(path.child("nodeID"), node_id,
                       "must be " + std::to_string(node_id_bytes_max) + " characters or less");
    }
    validate_non_negative(object_at(driver, {"allocatable"}), "count", path.child("allocatable"), errors);
    if (!names.insert(name).second) errors.duplicate(path.child("name"), name);
    std::set<std::string> keys;
    for (const Json& item : array_at(driver, {"topologyKeys"})) {
        const std::string key = item.get<std::string>();
        validate_required(key, path, errors);
        if (!keys.insert(key).second) errors.duplicate(path, key);
        validate_qualified_name(key, path, errors);
    }
}

void validate(const Json& object, const HookContext&, FieldErrors& errors) {
    std::set<std::string> names;
    std::size_t i = 0;
    for (const Json& driver : array_at(object, {"spec", "drivers"})) {
        validate_driver(driver, names, FieldPath("spec.drivers").index(i++), errors);
    }
}

constexpr GoField driver_fields[] = {{"Name", "name", "string"},
                                     {"NodeID", "nodeID", "string"},
                                     {"TopologyKeys", "topologyKeys", "[]string"},
                                     {"Allocatable", "allocatable", "*storage.VolumeNodeResources"}};

void validate_update(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    for (const Json& before : array_at(old, {"spec", "drivers"})) {
        for (const Json& driver : array_at(object, {"spec", "drivers"})) {
            if (string_at(before, {"name"}) != string_at(driver, {"name"})) continue;
            // How many volumes fit may change while the driver runs.
            Json was = before, is = driver;
            was.erase("allocatable");
            is.erase("allocatable");
            validate_immutable(&is, &was, go_struct("storage.CSINodeDriver", driver_fields, is),
                               FieldPath("spec.drivers"), errors);
        }
    }
}

}  // namespace

extern const KindRules csi_node_rules;
const KindRules csi_node_rules{.validate = validate, .validate_update = validate_update};

}  // namespace kubemu::api::kinds

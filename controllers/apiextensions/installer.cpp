// From stored definitions to served kinds.
#include "controllers/apiextensions/installer.h"

#include <nlohmann/json.hpp>

#include "api/kinds/apiextensions/definition.h"

namespace kubemu::controllers {
namespace {

// Whether objects look the same through both: then those that are stored need no second look.
bool same_schemas(const api::CustomResource& a, const api::CustomResource& b) {
    if (a.versions().size() != b.versions().size()) return false;
    for (std::size_t i = 0; i < a.versions().size(); ++i) {
        const api::CustomVersion &left = a.versions()[i], &right = b.versions()[i];
        if (left.spec.version != right.spec.version || left.spec.storage_version != right.spec.storage_version ||
            *left.document != *right.document) {
            return false;
        }
    }
    return true;
}

}  // namespace

bool is_served(const api::Json& definition) {
    const auto holds = [&definition](std::string_view type) {
        const api::Json* condition = api::kinds::find_condition(definition, type);
        return condition != nullptr && api::string_at(*condition, {"status"}) == "True";
    };
    return holds("NamesAccepted") || holds("Established");
}

bool DefinitionInstaller::install(const api::Json& definition, storage::Revision revision) {
    const std::string name(api::name_of(definition));
    Installed wanted{std::string(api::uid_of(definition)), api::int_at(definition, {"metadata", "generation"}),
                     api::object_at(definition, {"status", "acceptedNames"}).dump(),
                     api::find(definition, {"metadata", "deletionTimestamp"}) != nullptr};
    const auto known = installed_.find(name);
    if (known != installed_.end() && known->second.uid == wanted.uid && known->second.generation == wanted.generation &&
        known->second.names == wanted.names && known->second.terminating == wanted.terminating) {
        return false;
    }
    auto made = api::CustomResource::make(definition, revision);
    const auto before = kinds_.custom(name);
    if (made && before && same_schemas(*made, *before)) made = api::CustomResource::make(definition, before->schema_revision());
    installed_.insert_or_assign(name, std::move(wanted));
    kinds_.set_custom(name, std::move(made));
    return true;
}

bool DefinitionInstaller::remove(const std::string& name) {
    if (installed_.erase(name) == 0) return false;
    kinds_.set_custom(name, nullptr);
    return true;
}

void install_stored_definitions(const api::Registry& registry, DefinitionInstaller& installer) {
    for (const storage::RecordPtr& record : registry.list("customresourcedefinitions.apiextensions.k8s.io", {})) {
        const api::Json definition = registry.document(*record);
        if (is_served(definition)) installer.install(definition, record->revision);
    }
}

}  // namespace kubemu::controllers

// What CustomResourceDefinitions add to the kind registry.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "api/crd/custom_resource.h"
#include "api/kind_registry.h"
#include "api/registry.h"

namespace kubemu::controllers {

// Keeps the kinds of definitions in step with their documents. On the control thread, or before it runs.
class DefinitionInstaller {
  public:
    explicit DefinitionInstaller(api::KindRegistry& kinds) : kinds_(kinds) {}

    // Serves what a definition whose names are accepted says. True when the kinds are others than before.
    bool install(const api::Json& definition, storage::Revision revision);
    // True when there was something to take away.
    bool remove(const std::string& name);

  private:
    struct Installed {
        std::string uid;
        std::int64_t generation = 0;
        std::string names;  // status.acceptedNames as text
        bool terminating = false;
    };

    api::KindRegistry& kinds_;
    std::map<std::string, Installed> installed_;
};

// The kinds of all stored definitions, before the first request is answered.
void install_stored_definitions(const api::Registry& registry, DefinitionInstaller& installer);

// Its names are accepted or were so once: it is served.
bool is_served(const api::Json& definition);

}  // namespace kubemu::controllers

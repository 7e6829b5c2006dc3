// APIServices by what is served.
#include "controllers/apiextensions/api_services.h"

#include <nlohmann/json.hpp>
#include <set>

#include "api/documents/discovery.h"
#include "api/kinds/views.h"
#include "storage/base/log.h"

namespace kubemu::controllers {
namespace {

constexpr std::string_view services = "apiservices.apiregistration.k8s.io";
constexpr const char* managed_label = "kube-aggregator.kubernetes.io/automanaged";
constexpr int custom_priority = 1000;

}  // namespace

void register_api_services(api::Registry& registry, api::Client& client) {
    const api::KindSpec* kind = registry.kinds().find_stored(services);
    if (kind == nullptr) return;
    std::set<std::string> names;
    for (const api::GroupVersionSpec& version : api::served_versions(registry.kinds().all())) {
        if (version.group_priority != custom_priority) continue;
        const std::string name = std::string(version.version) + "." + std::string(version.group);
        names.insert(name);
        if (registry.get(services, "", name)) continue;
        const auto made = client.create(*kind, "",
                                        {{"metadata", {{"name", name}, {"labels", {{managed_label, "true"}}}}},
                                         {"spec",
                                          {{"group", std::string(version.group)},
                                           {"version", std::string(version.version)},
                                           {"groupPriorityMinimum", version.group_priority},
                                           {"versionPriority", version.version_priority}}}});
        if (made || made.error().code() == 409) continue;
        log_line(LogLevel::error, "an APIService could not be made", {{"name", name}, {"error", made.error()->message}});
    }
    for (const auto& record : registry.list(services, "")) {
        const api::ObjectView& view = api::view_of(*record);
        const std::string* managed = view.label(managed_label);
        if (managed != nullptr && *managed == "true" && !names.contains(view.name)) (void)client.remove(*kind, "", view.name);
    }
}

}  // namespace kubemu::controllers

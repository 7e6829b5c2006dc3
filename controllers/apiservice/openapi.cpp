// What aggregated servers say of themselves in OpenAPI: the v3 index tells with a hash when their documents are new, and
// only then is the v2 document read (k8s.io/kube-aggregator/pkg/controllers/openapiv3/aggregator, .../openapi/aggregator).
#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "controllers/apiservice/controller.h"

namespace kubemu::controllers {
namespace {

using api::Json;

std::shared_ptr<const Json> object_of(const api::RemoteAnswer& answer) {
    if (!answer.error.empty() || answer.code != 200) return nullptr;
    auto parsed = api::parse_json(answer.body);
    if (!parsed || !parsed->is_object()) return nullptr;
    return std::make_shared<const Json>(std::move(*parsed));
}

api::RemoteCall call_for(const api::AggregatedService& service, const char* path) {
    api::RemoteCall call = api::call_service(service, "GET", path);
    call.timeout = std::chrono::seconds(10);
    call.headers = {{"X-Remote-User", "system:aggregator"}, {"X-Remote-Group", "system:masters"}, {"Accept", "application/json"}};
    return call;
}

}  // namespace

void ApiServiceController::take_openapi(const std::string& key, std::shared_ptr<const api::AggregatedOpenApi> openapi) {
    const auto slash = key.find('.');
    const auto current = options_.services.find(key.substr(slash + 1), key.substr(0, slash));
    if (current == nullptr) return;  // deleted meanwhile
    auto changed = std::make_shared<api::AggregatedService>(*current);
    changed->openapi = std::move(openapi);
    options_.services.set(key, std::move(changed));
}

void ApiServiceController::ask_openapi(const std::string& key, const api::AggregatedService& service) {
    options_.remote.call(call_for(service, "/openapi/v3"), [this, key, service](const api::RemoteAnswer& index_answer) {
        auto known = std::make_shared<api::AggregatedOpenApi>();
        if (const auto index = object_of(index_answer)) {
            const std::string name = "apis/" + service.group + "/" + service.version;
            known->v3_url = api::string_at(*index, {"paths", name, "serverRelativeURL"});
        }
        if (service.openapi != nullptr && !known->v3_url.empty() && known->v3_url == service.openapi->v3_url) return;
        options_.remote.call(call_for(service, "/openapi/v2"), [this, key, service, known](const api::RemoteAnswer& swagger_answer) {
            known->v2 = object_of(swagger_answer);
            if (known->v3_url.empty() && known->v2 == nullptr) return;
            if (service.openapi != nullptr && service.openapi->v2 != nullptr && known->v2 != nullptr &&
                known->v3_url == service.openapi->v3_url && *known->v2 == *service.openapi->v2)
                return;
            manager().post([this, key, known] { take_openapi(key, known); });
        });
    });
}

}  // namespace kubemu::controllers
